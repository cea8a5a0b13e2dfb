"""Clients as people use them work on a simulated member: Kubernetes' own for Python, and kubectl where it is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client, config, dynamic, watch

from reconciler.simulation.member import SimulatedMember

SPACE = "clients"
DEPLOYMENT = f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {SPACE}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: busybox}}]}}
"""
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def member(simulated_member: SimulatedMember) -> Iterator[SimulatedMember]:
    yield simulated_member
    simulated_member.remove_namespace(SPACE)


@pytest.fixture
def kubectl(member: SimulatedMember) -> Kubectl:
    """kubectl on that member; the code that it ends with is checked."""
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl here")

    def run(*arguments: str, sent: str | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(member.kubeconfig.parent)}
        command = ["kubectl", "--kubeconfig", str(member.kubeconfig), "-n", SPACE, *arguments]
        done = subprocess.run(command, input=sent, capture_output=True, text=True, env=environment, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    run("create", "namespace", SPACE)
    return run


def test_kubernetes_own_client(member: SimulatedMember) -> None:
    with config.new_client_from_config(str(member.kubeconfig)) as api:
        core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=SPACE)))
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a"), data={"k": "v"})
        version = core.create_namespaced_config_map(SPACE, body).metadata.resource_version
        core.patch_namespaced_config_map("a", SPACE, {"data": {"k": "w"}})
        core.delete_namespaced_config_map("a", SPACE)
        events = watch.Watch().stream(
            core.list_namespaced_config_map, SPACE, resource_version=version, timeout_seconds=1
        )
        assert [(event["type"], event["object"].data) for event in events] == [
            ("MODIFIED", {"k": "w"}),
            ("DELETED", {"k": "w"}),
        ]
        with pytest.raises(client.ApiException) as caught:
            core.read_namespaced_config_map("a", SPACE)
        assert caught.value.status == 404
        assert apps.list_namespaced_deployment("velero").items[0].spec.replicas == 0


def test_kubernetes_dynamic_client(member: SimulatedMember) -> None:
    """Which finds out by discovery what there is."""
    with config.new_client_from_config(str(member.kubeconfig)) as api:
        found = dynamic.DynamicClient(api)
        backups = found.resources.get(api_version="velero.io/v1", kind="Backup")
        spec: dict[str, Any] = {"includedNamespaces": ["default"], "storageLocation": "default"}
        body = {"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "b"}, "spec": spec}
        backups.create(body=body, namespace="velero")
        for event in backups.watch(namespace="velero", name="b", timeout=10):
            if (event["object"].status or {}).get("phase") == "Completed":
                break
        assert backups.get(name="b", namespace="velero").status.phase == "Completed"


def test_kubectl_create_and_get(kubectl: Kubectl) -> None:
    assert kubectl("create", "configmap", "a", "--from-literal=k=v").stdout == "configmap/a created\n"
    again = kubectl("create", "configmap", "a", code=1)
    assert again.stderr == 'error: failed to create configmap: configmaps "a" already exists\n'
    assert kubectl("get", "configmap", "a", "-o", "jsonpath={.data.k}").stdout == "v"
    assert kubectl("get", "configmaps").stdout.splitlines()[0].split() == ["NAME", "DATA", "AGE"]
    assert kubectl("get", "bsl", "-A").stdout.splitlines()[1].split()[:3] == ["velero", "default", "Available"]
    assert "not found" in kubectl("get", "configmap", "none", code=1).stderr


def test_kubectl_apply(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", sent=DEPLOYMENT).stdout == "deployment.apps/web created\n"
    assert kubectl("apply", "-f", "-", sent=DEPLOYMENT).stdout == "deployment.apps/web unchanged\n"
    changed = DEPLOYMENT.replace("busybox", "busybox:2")
    assert kubectl("apply", "-f", "-", sent=changed).stdout == "deployment.apps/web configured\n"
    assert kubectl("apply", "--server-side", "-f", "-", sent=changed).stdout.endswith("serverside-applied\n")
    wrong = DEPLOYMENT.replace("replicas", "replica").replace("web", "other")
    assert 'unknown field "spec.replica"' in kubectl("apply", "-f", "-", sent=wrong, code=1).stderr


def test_kubectl_label_patch_and_delete(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a")
    assert kubectl("label", "configmap", "a", "x=y").stdout == "configmap/a labeled\n"
    assert kubectl("get", "configmaps", "-l", "x=y", "-o", "name").stdout == "configmap/a\n"
    for sort, patch in (
        ("strategic", '{"data": {"k": "1"}}'),
        ("merge", '{"data": {"k": "2"}}'),
        ("json", '[{"op": "replace", "path": "/data/k", "value": "3"}]'),
    ):
        assert kubectl("patch", "configmap", "a", "--type", sort, "-p", patch).stdout == "configmap/a patched\n"
    assert kubectl("get", "configmap", "a", "-o", "jsonpath={.data.k}").stdout == "3"
    assert kubectl("delete", "configmap", "a").stdout.startswith('configmap "a" deleted')


def test_kubectl_wait(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=busybox")
    kubectl("wait", "--for=condition=Progressing", "deployment/web", "--timeout=10s")
    kubectl("wait", "--for=jsonpath={.status.replicas}=1", "deployment/web", "--timeout=10s")
    assert "timed out" in kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=1s", code=1).stderr
    kubectl("delete", "deployment", "web", "--wait=false")
    kubectl("wait", "--for=delete", "pods", "-l", "app=web", "--timeout=10s")
    kubectl("delete", "namespace", SPACE)
