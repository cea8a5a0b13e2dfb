"""The chart as real Helm renders it, and what a hub's API server says to it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.real.api import Api, Object
from tests.real.build import KUBERNETES_VERSION, build_helm
from tests.real.member import Member

CHART = Path(__file__).parents[2] / "deploy" / "reconciler"
NAMESPACE = "fleet-hub"
RELEASE = "fleet"
NAME = "fleet-reconciler"

MINIMUM: Mapping[str, Any] = {
    "image": {"repository": "registry.example/reconciler"},
    "repository": {"url": "https://git.example/fleet.git"},
}
EVERYTHING: Mapping[str, Any] = {
    "image": {
        "repository": "registry.example:5000/team/reconciler",
        "digest": f"sha256:{'0' * 64}",
        "pullPolicy": "Always",
        "pullSecrets": ["registry"],
    },
    "replicas": 3,
    "shards": 3,
    "repository": {
        "url": "ssh://git@git.example:2222/fleet.git",
        "branch": "release/1.x",
        "path": "clusters/prod",
        "statusBranch": "records",
        "interval": "1m30s",
    },
    "git": {
        "token": {"secret": "git", "key": "token"},
        "username": "robot: one # of many",
        "ca": {"configMap": "git-ca", "key": "ca.crt"},
        "ssh": {"secret": "git-ssh", "key": "identity", "knownHostsKey": "known_hosts"},
        "committer": "Robot <robot@example.org>",
        "signing": {"secret": "signing", "key": "key"},
    },
    "webhook": {"secret": "webhook", "key": "secret"},
    "notifications": {"secret": "notify", "key": "urls"},
    "kubeconfigSecrets": [{"namespace": "clusters-a", "names": ["one", "two"]}, {"namespace": "clusters-b"}],
    "veleroNamespace": "backup",
    "scheduleRefresh": "2h",
    "log": {"format": "text", "level": "debug"},
    "extraArgs": ["--allow-mass-removal"],
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}],
    "serviceAccount": {"name": "robot", "annotations": {"example.org/a": "b"}},
    "service": {"port": 80, "address": "[::]", "annotations": {"example.org/a": "b"}},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "ports": [443, 9000],
        "extraEgress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "cache": {"size": "5Gi", "claim": True, "storageClass": "fast"},
    "resources": {"limits": {"memory": "1Gi", "cpu": "1"}},
    "podAnnotations": {"example.org/a": "b"},
    "podLabels": {"example.org/a": "b"},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    ],
    "revisionHistoryLimit": 1,
}
ALERTS = CHART.with_name("alerts.yaml")
WITH_MONITOR: Mapping[str, Any] = {
    "serviceMonitor": {"enabled": True, "interval": "1m", "labels": {"release": "prometheus"}},
    "alerts": ALERTS.read_text(),
}


class HelmError(Exception):
    """Helm refused; the text is what it said."""


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> str:
    """What Helm printed. Nothing of the user's own Helm is read, and no cluster is asked."""
    done = subprocess.run(
        [str(build_helm()), *arguments, *(("--values", "-") if values is not None else ())],
        input=json.dumps(values or {}),
        env={"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode != 0:
        raise HelmError(done.stdout + done.stderr)
    return done.stdout


def on_cluster(member: Member, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
    """The same on a cluster, as its administrator."""
    return helm(*arguments, f"--kubeconfig={member.kubeconfig}", values=values)


def render(values: Mapping[str, Any] = MINIMUM) -> list[Object]:
    """The objects of a release, as `helm install` would send them."""
    version = f"--kube-version={KUBERNETES_VERSION}"
    text = helm("template", RELEASE, str(CHART), f"--namespace={NAMESPACE}", version, values=values)
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(objects: Iterable[Object], kind: str) -> list[Object]:
    """Those of them."""
    return [each for each in objects if each["kind"] == kind]


def container(deployment: Object) -> Object:
    """Its only one."""
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    found: Object = only
    return found


def service_account(member: Member, namespace: str, name: str, folder: Path) -> Api:
    """A client with a token of that account, and nothing else."""
    config = yaml.safe_load(member.kubeconfig_text)
    authority = folder / "hub-ca.crt"
    authority.write_bytes(base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]))
    return Api(member.cluster.server, token_of(member, namespace, name), authority)


def token_of(member: Member, namespace: str, name: str) -> str:
    """A token of that account, as a pod gets it."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return str(member.api.request("POST", path, request)["status"]["token"])
