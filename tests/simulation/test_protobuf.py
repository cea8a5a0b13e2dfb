"""What kubectl sends as protobuf is read as the JSON that it stands for; the bodies were caught from kubectl 1.32."""

from __future__ import annotations

import base64

import pytest

from reconciler.simulation.api import protobuf
from reconciler.simulation.cluster import Object

BODIES: dict[str, tuple[str, Object]] = {
    "create namespace": (
        "azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhkKEQoBYRIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}},
    ),
    "create secret": (
        "azhzAAoMCgJ2MRIGU2VjcmV0Eh4KEgoBcxIAGgFhIgAqADIAOABCABIGCgFhEgFiGgAaACIA",
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "a"}, "data": {"a": "Yg=="}},
    ),
    "create deployment --replicas=0": (
        "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErUBChwKAWQSABoBYSIAKgAyADgAQgBaCAoDYXBwEgFkEoYBCAASCgoICgNhcHASAWQabgoa"
        "CgASABoAIgAqADIAOABCAFoICgNhcHASAWQSUBIyCgdidXN5Ym94EgdidXN5Ym94KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAa"
        "ADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d", "namespace": "a", "labels": {"app": "d"}},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": "d"}},
                "template": {
                    "metadata": {"labels": {"app": "d"}},
                    "spec": {
                        "containers": [{"name": "busybox", "image": "busybox", "ports": [{"containerPort": 80}]}],
                    },
                },
            },
        },
    ),
    "create service": (
        "azhzAAoNCgJ2MRIHU2VydmljZRJkChwKAXMSABoBYSIAKgAyADgAQgBaCAoDYXBwEgFzEkAKGwoHODAtODA4MBIDVENQGFAiBwgAEJA/GgAo"
        "ABIICgNhcHASAXMaACIJQ2x1c3RlcklQOgBCAFIAWgBgAGgAGgIKABoAIgA=",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "s", "namespace": "a", "labels": {"app": "s"}},
            "spec": {
                "ports": [{"name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080}],
                "selector": {"app": "s"},
                "type": "ClusterIP",
            },
        },
    ),
    "create quota": (
        "azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRIlChIKAXESABoBYSIAKgAyADgAQgASDQoLCgRwb2RzEgMKATMaABoAIgA=",
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q", "namespace": "a"},
            "spec": {"hard": {"pods": "3"}},
        },
    ),
}


@pytest.mark.parametrize(("body", "obj"), BODIES.values(), ids=BODIES)
def test_what_kubectl_sends(body: str, obj: Object) -> None:
    assert protobuf.decode(base64.b64decode(body)) == obj


@pytest.mark.parametrize("body", [b"", b"{}", b"k8s\x00\xff", base64.b64decode(BODIES["create quota"][0])[:40]])
def test_what_is_no_object(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"protobuf|message|EOF"):
        protobuf.decode(body)
