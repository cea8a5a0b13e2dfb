"""The YAML that users of the scenarios commit, and the contents of their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.fleets import Member

NAMESPACE = "kurator-backup"
MEMBERS = ("kurator-member1", "kurator-member2")
WHOLE = "destination: {fleet: quickstart}"


def clusters(names: Sequence[str]) -> str:
    """AttachedClusters, a document each."""
    return "".join(
        f"""apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {{name: {name}, namespace: default}}
spec: {{kubeconfig: {{name: {name}, key: value}}}}
---
"""
        for name in names
    )


def fleet(members: Sequence[str] = MEMBERS, declared: Sequence[str] = MEMBERS) -> str:
    """AttachedClusters for `declared`, and Fleet `quickstart` of `members`."""
    listed = "".join(f"\n    - {{name: {name}, kind: AttachedCluster}}" for name in members)
    return f"""{clusters(declared)}apiVersion: fleet.kurator.dev/v1alpha1
kind: Fleet
metadata: {{name: quickstart, namespace: default}}
spec:
  clusters:{listed}
"""


def backup(name: str, policy: str = "", more: str = "", namespace: str = NAMESPACE) -> str:
    """A Backup of the namespace; `policy` and `more` are lines of its policy and spec."""
    return f"""apiVersion: backup.kurator.dev/v1alpha1
kind: Backup
metadata: {{name: {name}, namespace: default}}
spec:
  {WHOLE}
  {more}
  policy:
    resourceFilter: {{includedNamespaces: [{namespace}]}}
    {policy}
"""


def scheduled(name: str = "nightly", at: str = "0 3 * * *", more: str = "", policy: str = "") -> str:
    """A Backup with a schedule; `more` and `policy` as of `backup`."""
    return backup(name, policy=policy, more=f'schedule: "{at}"\n  {more}')


def restore(name: str, of: str, more: str = "", policy: str = "") -> str:
    """A Restore; `more` are lines of its spec, `policy` of its policy."""
    return f"""apiVersion: backup.kurator.dev/v1alpha1
kind: Restore
metadata: {{name: {name}, namespace: default}}
spec:
  backupName: {of}
  {more}
  {"policy:" if policy else ""}
    {policy}
"""


def to_namespace(name: str) -> str:
    """A policy that restores into another namespace, so that each test sees its own objects."""
    return f"namespaceMapping: {{{NAMESPACE}: {name}}}"


def only(*clusters: str) -> str:
    """A destination of some clusters of the fleet."""
    listed = ", ".join(f"{{kind: AttachedCluster, name: {name}}}" for name in clusters)
    return f"destination: {{fleet: quickstart, clusters: [{listed}]}}"


def populate(member: Member, namespace: str = NAMESPACE) -> None:
    """Busybox and two ConfigMaps, one of them labelled."""
    apply = member.api.apply
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for name, labels in (("plain", {}), ("marked", {"keep": "yes"})):
        metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": labels}
        apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"of": member.name}})
    pod = {"containers": [{"name": "busybox", "image": "busybox", "command": ["sleep", "infinity"]}]}
    apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "busybox", "namespace": namespace},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": "busybox"}},
                "template": {"metadata": {"labels": {"app": "busybox"}}, "spec": pod},
            },
        }
    )


def config_maps(member: Member, namespace: str = NAMESPACE) -> dict[str, Any]:
    """Name → data of the ConfigMaps that are really there."""
    found = member.api.list(f"/api/v1/namespaces/{namespace}/configmaps")
    return {item["metadata"]["name"]: item["data"] for item in found if item["metadata"]["name"] != "kube-root-ca.crt"}


def deployments(member: Member, namespace: str = NAMESPACE) -> set[str]:
    """Names of the Deployments that are really there."""
    return {i["metadata"]["name"] for i in member.api.list(f"/apis/apps/v1/namespaces/{namespace}/deployments")}
