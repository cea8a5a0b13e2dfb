"""Ours to Velero's: names, labels, manifests, and the digest of what is restored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.resources import BackupSpec, ClusterId, Identity, RestoreSpec
from reconciler.velero import objects

M1 = ClusterId("default", "AttachedCluster", "m1")
BACKUP, RESTORE = Identity("Backup", "ns", "nightly"), Identity("Restore", "ns", "minimal")
RUN_ID = "0d9c6a" + "0" * 26
SELECTOR = {
    "matchLabels": {"app": "x"},
    "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "y", "operator": "Exists"}],
}
SHARED = {
    "includedNamespaces": ["a"],
    "excludedNamespaces": ["b"],
    "includedResources": ["pods"],
    "excludedResources": ["secrets"],
    "includeClusterResources": False,
    "labelSelector": SELECTOR,
    "orLabelSelectors": [SELECTOR],
}
SCOPED = {
    "includedClusterScopedResources": ["nodes"],
    "excludedClusterScopedResources": ["*"],
    "includedNamespaceScopedResources": ["pods"],
    "excludedNamespaceScopedResources": ["events"],
}


def backup_spec(**fields: Any) -> BackupSpec:
    return BackupSpec.model_validate({"destination": {"fleet": "quickstart"}, **fields})


def restore_spec(**fields: Any) -> RestoreSpec:
    return RestoreSpec.model_validate({"backupName": "nightly", **fields})


def meta(identity: Identity) -> dict[str, Any]:
    return objects.metadata(identity, "the-name", "velero", "quickstart", RUN_ID, "restores/a.yaml", "6f1c")


# ---------------------------------------------------------------- names and metadata


def test_the_first_attempt_has_kurators_name() -> None:
    assert objects.object_name(BACKUP, M1, 1, RUN_ID) == "m1-backup-ns-nightly"
    assert objects.object_name(RESTORE, M1, 1, RUN_ID) == "m1-restore-ns-minimal"


def test_later_attempts_never_have_a_name_that_was() -> None:
    assert objects.object_name(RESTORE, M1, 2, RUN_ID) == "m1-restore-ns-minimal-2-0d9c6a"


@pytest.mark.parametrize("identity", [BACKUP, RESTORE])
def test_labels_and_annotations(identity: Identity) -> None:
    made = meta(identity)
    assert (made["name"], made["namespace"]) == ("the-name", "velero")
    assert made["labels"] == {
        f"kurator.dev/{identity.kind.lower()}-name": identity.name,
        "fleet.kurator.dev/fleet-name": "quickstart",
        "fleet.kurator.dev/plugin": "backup",
        "app.kubernetes.io/managed-by": "reconciler",
    }
    assert made["annotations"] == {
        "reconciler/run-id": RUN_ID,
        "reconciler/object": str(identity),
        "reconciler/source": "restores/a.yaml",
        "reconciler/revision": "6f1c",
    }


def test_only_restores_carry_the_finalizer() -> None:
    assert meta(RESTORE)["finalizers"] == ["reconciler/recorded"]
    assert "finalizers" not in meta(BACKUP)


# ---------------------------------------------------------------- manifests


@pytest.mark.parametrize("name", [*SHARED, *SCOPED])
def test_each_filter_of_a_backup_reaches_velero(name: str) -> None:
    value = {**SHARED, **SCOPED}[name]
    made = objects.backup({}, backup_spec(policy={"resourceFilter": {name: value}}))
    assert made["spec"] == {name: value}


@pytest.mark.parametrize("name", SHARED)
def test_each_filter_of_a_restore_reaches_velero(name: str) -> None:
    made = objects.restore({}, restore_spec(policy={"resourceFilter": {name: SHARED[name]}}), "b")
    assert made["spec"] == {"backupName": "b", name: SHARED[name]}


@pytest.mark.parametrize(("name", "value"), [("ttl", "720h0m0s"), ("orderedResources", {"pods": "a/b,a/c"})])
def test_each_policy_of_a_backup_reaches_velero(name: str, value: object) -> None:
    assert objects.backup({}, backup_spec(policy={name: value}))["spec"] == {name: value}


@pytest.mark.parametrize(
    ("name", "value", "velero"),
    [
        ("namespaceMapping", {"a": "b"}, "namespaceMapping"),
        ("preserveStatus", {"includedResources": ["x"], "excludedResources": ["y"]}, "restoreStatus"),
        ("preserveNodePorts", False, "preserveNodePorts"),
        ("preserveNodePorts", True, "preserveNodePorts"),
    ],
)
def test_each_policy_of_a_restore_reaches_velero(name: str, value: object, velero: str) -> None:
    made = objects.restore({}, restore_spec(policy={name: value}), "b")
    assert made["spec"] == {"backupName": "b", velero: value}


@pytest.mark.parametrize("policy", [None, {}, {"resourceFilter": {}}])
def test_what_is_not_set_is_left_to_velero(policy: dict[str, Any] | None) -> None:
    assert objects.backup(meta(BACKUP), backup_spec(policy=policy)) == {
        "apiVersion": "velero.io/v1",
        "kind": "Backup",
        "metadata": meta(BACKUP),
        "spec": {},
    }
    assert objects.restore(meta(RESTORE), restore_spec(policy=policy), "m1-backup-ns-nightly") == {
        "apiVersion": "velero.io/v1",
        "kind": "Restore",
        "metadata": meta(RESTORE),
        "spec": {"backupName": "m1-backup-ns-nightly"},
    }


@given(st.sampled_from(["backup", "restore"]))
def test_a_manifest_is_json_and_has_no_status(kind: str) -> None:
    both = {"policy": {"resourceFilter": SHARED}}
    made = (
        objects.backup({}, backup_spec(**both)) if kind == "backup" else objects.restore({}, restore_spec(**both), "b")
    )
    assert json.loads(json.dumps(made)) == made
    assert "status" not in made


# ---------------------------------------------------------------- the digest of what is restored


@pytest.mark.parametrize(
    "fields",
    [
        {"destination": {"fleet": "other"}},
        {"destination": {"fleet": "quickstart", "clusters": [{"kind": "Cluster", "name": "c"}]}},
        {"attempt": 7},
        {"rerun": "All"},
        {"suspend": True},
        {"startWithin": "1h"},
        {"allowPartiallyFailed": False},
        {"policy": None},
    ],
)
def test_where_when_and_defaults_do_not_count(fields: dict[str, Any]) -> None:
    assert objects.what(restore_spec(**fields)) == objects.what(restore_spec())


@pytest.mark.parametrize(
    "fields",
    [
        {"backupName": "other"},
        {"allowPartiallyFailed": True},
        {"policy": {"preserveNodePorts": False}},
        {"policy": {"namespaceMapping": {"a": "b"}}},
        *({"policy": {"resourceFilter": {name: value}}} for name, value in SHARED.items()),
    ],
)
def test_everything_else_counts(fields: dict[str, Any]) -> None:
    assert objects.what(restore_spec(**fields)) != objects.what(restore_spec())


def test_the_digest_is_the_same_everywhere_and_for_ever() -> None:
    """Records hold it: another digest of the same spec would hold back every run that waits."""
    assert objects.what(restore_spec()) == (
        "v1:sha256:90e3897b9b1dfc3f8f69dadf27acbce8814719fca07cb619392f3f48c093c205"
    )


def test_the_order_of_keys_does_not_count() -> None:
    one, two = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert objects.what(restore_spec(policy={"namespaceMapping": one})) == objects.what(
        restore_spec(policy={"namespaceMapping": two})
    )
