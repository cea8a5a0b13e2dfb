"""Kinds that Velero treats in a way of their own, when it backs them up and when it puts them back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.velero import SPACE, back_up, create, download, ended, held, restore, stock
from tests.fleets import Member
from tests.real.api import Object

CONTAINERS = {"containers": [{"name": "main", "image": "busybox"}]}
RBAC = "rbac.authorization.k8s.io"
COPIED = {"namespaceMapping": {SPACE: "copied"}}


def apply(member: Member, group_version: str, kind: str, name: str, **fields: Any) -> Object:
    metadata = {"name": name, "namespace": SPACE, **fields.pop("metadata", {})}
    return member.api.apply({"apiVersion": group_version, "kind": kind, "metadata": metadata, **fields})


def found(member: Member, collection: str, name: str, namespace: str = "copied", group: str = "api/v1") -> Object:
    place = f"namespaces/{namespace}/" if namespace else ""
    return member.api.get(f"/{group}/{place}{collection}/{name}") or {}


def set_status(member: Member, collection: str, name: str, status: Object, group: str = "api/v1") -> None:
    place = f"namespaces/{SPACE}/" if collection != "persistentvolumes" else ""
    member.api.patch_merge(f"/{group}/{place}{collection}/{name}/status", {"status": status})


def test_pods_that_have_ended_are_not_started_again(member: Member) -> None:
    stock(member)
    for name in ("ended", "waiting"):
        apply(member, "v1", "Pod", name, spec=CONTAINERS)
    set_status(member, "pods", "ended", {"phase": "Succeeded"})
    back_up(member)
    assert restore(member, "again", **COPIED)["status"]["phase"] == "Completed"
    assert found(member, "pods", "waiting")["spec"]["containers"][0]["name"] == "main"
    assert found(member, "pods", "ended") == {}
    assert download(member, "RestoreResourceList", "again")["v1/Pod"] == ["copied/waiting(created)"]


def test_jobs_that_have_ended_are_not_started_again(member: Member) -> None:
    stock(member)
    template = {"spec": {**CONTAINERS, "restartPolicy": "Never"}}
    for name in ("ended", "waiting"):
        apply(member, "batch/v1", "Job", name, spec={"template": template})
    times = {"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:01Z"}
    conditions = [
        {"type": kind, "status": "True", "lastProbeTime": times["startTime"], "lastTransitionTime": times["startTime"]}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    set_status(member, "jobs", "ended", {**times, "succeeded": 1, "conditions": conditions}, "apis/batch/v1")
    back_up(member)
    made = restore(member, "again", **COPIED)
    assert made["status"]["phase"] == "Completed"
    assert download(member, "RestoreResourceList", "again")["batch/v1/Job"] == ["copied/waiting(created)"]


def test_a_service_gets_a_new_address(member: Member) -> None:
    stock(member)
    apply(member, "v1", "Service", "web", spec={"ports": [{"port": 80}], "selector": {"a": "b"}})
    apply(member, "v1", "Service", "headless", spec={"ports": [{"port": 80}], "clusterIP": "None"})
    before = found(member, "services", "web", SPACE)["spec"]["clusterIP"]
    back_up(member)
    assert restore(member, "again", **COPIED)["status"]["phase"] == "Completed"
    assert found(member, "services", "web")["spec"]["clusterIP"] not in (before, "", "None")
    assert found(member, "services", "headless")["spec"]["clusterIP"] == "None"


def test_a_service_account_takes_its_cluster_role_along(member: Member) -> None:
    stock(member)
    apply(member, "v1", "ServiceAccount", "robot")
    for kind, name, fields in (
        ("ClusterRole", "behaviour-robot", {"rules": []}),
        (
            "ClusterRoleBinding",
            "behaviour-robot",
            {
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "behaviour-robot"},
                "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": SPACE}],
            },
        ),
    ):
        member.api.apply({"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": {"name": name}, **fields})
    back_up(member)
    listed = held(member, "first")
    assert listed[f"{RBAC}/v1/ClusterRole"] == listed[f"{RBAC}/v1/ClusterRoleBinding"] == ["behaviour-robot"]
    back_up(member, "inside", includeClusterResources=False)
    assert f"{RBAC}/v1/ClusterRole" not in held(member, "inside")
    for collection in ("clusterroles", "clusterrolebindings"):
        member.api.delete(f"/apis/{RBAC}/v1/{collection}/behaviour-robot")
    restore(member, "part", includedNamespaces=[SPACE], **COPIED)
    assert found(member, "clusterroles", "behaviour-robot", "", f"apis/{RBAC}/v1") == {}
    restore(member, "all", **COPIED)
    binding = found(member, "clusterrolebindings", "behaviour-robot", "", f"apis/{RBAC}/v1")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "robot", "namespace": "copied"}]
    for collection in ("clusterroles", "clusterrolebindings"):
        member.api.delete(f"/apis/{RBAC}/v1/{collection}/behaviour-robot")


def test_a_binding_follows_its_namespace(member: Member) -> None:
    stock(member)
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "reader"}
    subjects = [{"kind": "ServiceAccount", "name": "default", "namespace": SPACE}]
    apply(member, f"{RBAC}/v1", "Role", "reader", rules=[])
    apply(member, f"{RBAC}/v1", "RoleBinding", "reader", roleRef=reference, subjects=subjects)
    back_up(member)
    restore(member, "again", **COPIED)
    binding = found(member, "rolebindings", "reader", group=f"apis/{RBAC}/v1")
    assert binding["subjects"][0]["namespace"] == "copied"


def test_service_accounts_are_merged(member: Member) -> None:
    stock(member)
    apply(member, "v1", "ServiceAccount", "robot", imagePullSecrets=[{"name": "ours"}])
    back_up(member)
    account = f"/api/v1/namespaces/{SPACE}/serviceaccounts/robot"
    member.api.patch_merge(account, {"imagePullSecrets": [{"name": "theirs"}]})
    made = restore(member, "again", includedResources=["sa"])
    assert (made["status"]["phase"], made["status"].get("warnings")) == ("Completed", None)
    pulled = found(member, "serviceaccounts", "robot", SPACE)["imagePullSecrets"]
    assert pulled == [{"name": "theirs"}, {"name": "ours"}]
    assert f"{SPACE}/robot(updated)" in download(member, "RestoreResourceList", "again")["v1/ServiceAccount"]


@pytest.mark.parametrize("chosen", [None, "jobs", "*"])
def test_a_status_comes_back_on_demand(member: Member, chosen: str | None) -> None:
    stock(member)
    template = {"spec": {**CONTAINERS, "restartPolicy": "Never"}}
    apply(member, "batch/v1", "Job", "job", spec={"template": template})
    apply(member, "batch/v1", "Job", "never", spec={"template": template}, metadata=annotated("false"))
    apply(member, "batch/v1", "Job", "always", spec={"template": template}, metadata=annotated("true"))
    for name in ("job", "never", "always"):
        status = {"startTime": "2026-01-01T00:00:00Z", "active": 1}
        set_status(member, "jobs", name, status, "apis/batch/v1")
    back_up(member)
    spec = {"restoreStatus": {"includedResources": [chosen]}} if chosen else {}
    assert restore(member, "again", **COPIED, **spec)["status"]["phase"] == "Completed"
    for name, expected in (("job", 1 if chosen else None), ("never", None), ("always", 1)):
        assert found(member, "jobs", name, group="apis/batch/v1").get("status", {}).get("active") == expected


def annotated(value: str) -> Object:
    return {"annotations": {"velero.io/restore-status": value}}


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_pod_takes_its_claim_and_its_volume_along(member: Member, policy: str) -> None:
    stock(member)
    volume = f"behaviour-{policy.lower()}"
    modes = {"accessModes": ["ReadWriteOnce"]}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": SPACE, "name": "data"}
    spec = {"capacity": {"storage": "1Gi"}, "hostPath": {"path": "/none"}, "persistentVolumeReclaimPolicy": policy}
    named = {"storageClassName": "", "volumeName": volume}
    member.api.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {**spec, **modes, "claimRef": claim},
        }
    )
    wanted = {"resources": {"requests": {"storage": "1Gi"}}, **modes, **named}
    apply(member, "v1", "PersistentVolumeClaim", "data", spec=wanted)
    set_status(member, "persistentvolumeclaims", "data", {"phase": "Bound"})
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    apply(member, "v1", "Pod", "pod", spec={**CONTAINERS, "volumes": volumes}, metadata={"labels": {"only": "this"}})
    back_up(member, labelSelector={"matchLabels": {"only": "this"}})
    assert held(member, "first") == {
        "v1/Namespace": [SPACE],
        "v1/PersistentVolume": [volume],
        "v1/PersistentVolumeClaim": [f"{SPACE}/data"],
        "v1/Pod": [f"{SPACE}/pod"],
    }
    member.remove_namespace(SPACE)
    path = f"/api/v1/persistentvolumes/{volume}"
    member.api.patch_merge(path, {"metadata": {"finalizers": None}})
    member.api.delete(path)
    member.api.wait_gone(path)
    made = restore(member, "again", labelSelector={"matchLabels": {"only": "this"}}, **COPIED)
    assert (made["status"]["phase"], made["status"].get("warnings")) == ("Completed", None)
    after = found(member, "persistentvolumes", volume, "")
    restored = found(member, "persistentvolumeclaims", "data")["spec"]
    if policy == "Retain":
        assert after["spec"]["claimRef"]["namespace"] == "copied"
        assert restored["volumeName"] == volume
        member.api.patch_merge(path, {"metadata": {"finalizers": None}})
        member.api.delete(path)
    else:
        assert after == {}
        assert "volumeName" not in restored
    listed = download(member, "RestoreResourceList", "again")
    assert listed["v1/PersistentVolume"] == [f"{volume}({'created' if policy == 'Retain' else 'skipped'})"]


def test_what_a_pod_needs_and_the_backup_lacks_is_a_warning(member: Member) -> None:
    stock(member)
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    apply(member, "v1", "Pod", "pod", spec={**CONTAINERS, "volumes": volumes})
    back_up(member)
    made = restore(member, "again", **COPIED)
    assert (made["status"]["phase"], made["status"]["warnings"]) == ("Completed", 1)
    (text,) = download(member, "RestoreResults", "again")["warnings"]["namespaces"][SPACE]
    assert text.endswith(f"/resources/persistentvolumeclaims/namespaces/{SPACE}/data.json: no such file or directory")


def test_an_object_that_the_server_refuses(member: Member) -> None:
    """A name that a quota or, as here, a validation of the moment does not let in."""
    stock(member)
    back_up(member)
    modifier = {"metadata": {"name": "rules"}, "apiVersion": "v1", "kind": "ConfigMap"}
    rules = """version: v1
resourceModifierRules:
- conditions: {groupResource: configmaps, resourceNameRegex: plain}
  mergePatches:
  - patchData: '{"metadata": {"labels": {"no": "good value"}}}'
"""
    member.api.create("/api/v1/namespaces/velero/configmaps", {**modifier, "data": {"rules": rules}})
    create(
        member,
        "Restore",
        "again",
        {"backupName": "first", **COPIED, "resourceModifier": {"kind": "ConfigMap", "name": "rules"}},
    )
    made = ended(member, "Restore", "again")
    assert (made["status"]["phase"], made["status"]["errors"]) == ("PartiallyFailed", 1)
    results = download(member, "RestoreResults", "again")
    (text,) = results["errors"]["namespaces"]["copied"]
    assert text.startswith('error restoring configmaps/copied/plain: ConfigMap "plain" is invalid: metadata.labels')
    listed = download(member, "RestoreResourceList", "again")
    assert listed["v1/ConfigMap"] == ["copied/marked(created)", "copied/plain(failed)"]
