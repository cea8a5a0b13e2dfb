"""What a Restore puts back, and what it leaves as it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.velero import (
    SPACE,
    back_up,
    config_map,
    create,
    download,
    ended,
    restore,
    stock,
)
from tests.fleets import Member

DIFFERS = "already exists. Warning: the in-cluster version is different than the backed-up version"
NEVER_RESTORED = [
    "nodes",
    "events",
    "events.events.k8s.io",
    "backups.velero.io",
    "restores.velero.io",
    "resticrepositories.velero.io",
    "csinodes.storage.k8s.io",
    "volumeattachments.storage.k8s.io",
    "backuprepositories.velero.io",
]


@pytest.fixture
def saved(member: Member) -> Member:
    """A member with a namespace that is backed up."""
    stock(member)
    assert back_up(member)["status"]["phase"] == "Completed"
    return member


def names(member: Member, namespace: str) -> set[str]:
    found = member.api.list(f"/api/v1/namespaces/{namespace}/configmaps")
    return {obj["metadata"]["name"] for obj in found}


def test_a_namespace_comes_back(saved: Member) -> None:
    saved.remove_namespace(SPACE)
    made = restore(saved, "again")
    assert made["status"]["phase"] == "Completed"
    assert made["status"]["progress"] == {"totalItems": 5, "itemsRestored": 5}
    listed = download(saved, "RestoreResourceList", "again")
    account = listed.pop("v1/ServiceAccount")
    assert account in ([f"{SPACE}/default(created)"], [f"{SPACE}/default(skipped)"])
    assert listed == {
        "v1/ConfigMap": [f"{SPACE}/marked(created)", f"{SPACE}/plain(created)"],
        "v1/Namespace": [f"{SPACE}(created)"],
        "v1/Secret": [f"{SPACE}/secret(created)"],
    }
    assert download(saved, "RestoreResults", "again") == {"errors": {}, "warnings": {}}
    assert "level=info" in download(saved, "RestoreLog", "again")
    assert download(saved, "RestoreItemOperations", "again") == download(saved, "RestoreVolumeInfo", "again") == []
    space = saved.api.get(f"/api/v1/namespaces/{SPACE}")
    assert space is not None
    assert space["metadata"]["labels"]["team"] == "a"


def test_the_server_fills_in_what_the_manifest_leaves_open(saved: Member) -> None:
    made = restore(saved, "again", excludedResources=["secrets", "nodes"])
    first = ["secrets", "nodes"]
    assert made["spec"] == {
        "backupName": "first",
        "excludedResources": [*first, *(kind for kind in NEVER_RESTORED if kind not in first)],
        "itemOperationTimeout": "4h0m0s",
    }
    assert made["metadata"]["finalizers"] == ["restores.velero.io/external-resources-finalizer"]
    assert set(made["status"]) == {"completionTimestamp", "hookStatus", "phase", "progress", "startTimestamp"}


def test_what_is_restored_says_whence(saved: Member) -> None:
    before = config_map(saved, "marked")
    saved.remove_namespace(SPACE)
    restore(saved, "again")
    after = config_map(saved, "marked")
    assert before is not None
    assert after is not None
    assert after["data"] == before["data"]
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    origin = {"velero.io/backup-name": "first", "velero.io/restore-name": "again"}
    assert after["metadata"]["labels"] == {"keep": "yes", **origin}


def test_a_long_name_is_cut_in_labels(saved: Member) -> None:
    name = "r" * 70
    restore(saved, name, namespaceMapping={SPACE: "copied"})
    found = config_map(saved, "plain", "copied")
    assert found is not None
    label = found["metadata"]["labels"]["velero.io/restore-name"]
    assert (len(label), label[:57]) == (63, "r" * 57)


CHOICES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "all of it": ({}, {"plain", "marked"}),
    "a label": ({"labelSelector": {"matchLabels": {"keep": "yes"}}}, {"marked"}),
    "one of two labels": (
        {"orLabelSelectors": [{"matchLabels": {"keep": "yes"}}, {"matchLabels": {"a": "b"}}]},
        {"marked"},
    ),
    "one kind": ({"includedResources": ["cm"]}, {"plain", "marked"}),
    "not that kind": ({"excludedResources": ["configmaps"]}, set()),
    "that namespace": ({"includedNamespaces": [SPACE]}, {"plain", "marked"}),
    "a pattern": ({"includedNamespaces": ["sh*"]}, {"plain", "marked"}),
    "not that namespace": ({"excludedNamespaces": [SPACE]}, set()),
    "no cluster resources": ({"includeClusterResources": False}, {"plain", "marked"}),
    "an unknown kind": ({"includedResources": ["nosuchkind"]}, set()),
}


@pytest.mark.parametrize(("spec", "expected"), CHOICES.values(), ids=CHOICES)
def test_what_is_chosen(saved: Member, spec: dict[str, Any], expected: set[str]) -> None:
    made = restore(saved, "again", namespaceMapping={SPACE: "copied"}, **spec)
    assert made["status"]["phase"] == "Completed"
    found = names(saved, "copied") - {"kube-root-ca.crt"}
    assert found == expected


def test_a_label_alone_makes_a_bare_count(saved: Member) -> None:
    """The namespace is made for what goes into it, and counts."""
    spec = {"namespaceMapping": {SPACE: "copied"}, "labelSelector": {"matchLabels": {"keep": "yes"}}}
    made = restore(saved, "again", **spec)
    assert made["status"]["progress"] == {"totalItems": 2, "itemsRestored": 2}
    listed = download(saved, "RestoreResourceList", "again")
    assert listed == {"v1/ConfigMap": ["copied/marked(created)"], "v1/Namespace": ["copied(created)"]}
    copied = saved.api.get("/api/v1/namespaces/copied") or {}
    assert copied["metadata"]["labels"] == {"team": "a", "kubernetes.io/metadata.name": "copied"}


def test_what_is_there_and_equal_is_skipped(saved: Member) -> None:
    made = restore(saved, "again", includedResources=["configmaps"])
    assert (made["status"]["phase"], made["status"].get("warnings")) == ("Completed", None)
    listed = download(saved, "RestoreResourceList", "again")
    assert listed == {"v1/ConfigMap": [f"{SPACE}/marked(skipped)", f"{SPACE}/plain(skipped)"]}
    assert "velero.io/restore-name" not in (config_map(saved, "plain") or {})["metadata"].get("labels", {})


@pytest.mark.parametrize(("policy", "named"), [(None, "ConfigMap:plain"), ("none", 'ConfigMap "plain"')])
def test_what_is_there_and_differs_is_left_with_a_warning(saved: Member, policy: str | None, named: str) -> None:
    changed(saved)
    spec = {"existingResourcePolicy": policy} if policy else {}
    made = restore(saved, "again", includedResources=["configmaps"], **spec)
    assert (made["status"]["phase"], made["status"]["warnings"]) == ("Completed", 1)
    text = f"could not restore, {named} {DIFFERS}"
    assert download(saved, "RestoreResults", "again") == {"errors": {}, "warnings": {"namespaces": {SPACE: [text]}}}
    listed = download(saved, "RestoreResourceList", "again")
    assert listed == {"v1/ConfigMap": [f"{SPACE}/marked(skipped)", f"{SPACE}/plain(failed)"]}
    assert (config_map(saved, "plain") or {})["data"] == {"colour": "green", "more": "x"}


def test_what_is_there_and_differs_is_repaired_on_demand(saved: Member) -> None:
    changed(saved)
    made = restore(saved, "again", includedResources=["configmaps"], existingResourcePolicy="update")
    assert (made["status"]["phase"], made["status"].get("warnings")) == ("Completed", None)
    listed = download(saved, "RestoreResourceList", "again")
    assert listed == {"v1/ConfigMap": [f"{SPACE}/marked(skipped)", f"{SPACE}/plain(updated)"]}
    for name, data in (("plain", {"colour": "blue"}), ("marked", {"colour": "red"})):
        found = config_map(saved, name) or {}
        assert found["data"] == data
        assert found["metadata"]["labels"]["velero.io/restore-name"] == "again"


def test_what_a_restore_repaired_differs_for_the_next_one(saved: Member) -> None:
    """Managed fields are compared too."""
    restore(saved, "again", includedResources=["configmaps"], existingResourcePolicy="update")
    made = restore(saved, "third", includedResources=["configmaps"])
    assert made["status"]["warnings"] == 2


def changed(member: Member) -> None:
    patch = {"data": {"colour": "green", "more": "x"}}
    member.api.patch_merge(f"/api/v1/namespaces/{SPACE}/configmaps/plain", patch)


def test_without_the_deployment_velero_nothing_is_restored(saved: Member) -> None:
    saved.delete_velero_deployment()
    made = restore(saved, "again", includedResources=["cm"], namespaceMapping={SPACE: "copied"})
    status = made["status"]
    assert (status["phase"], status["errors"]) == ("PartiallyFailed", 1)
    assert "progress" not in status
    text = 'rpc error: code = Unknown desc = deployments.apps "velero" not found'
    assert download(saved, "RestoreResults", "again") == {"errors": {"velero": [text]}, "warnings": {}}
    assert download(saved, "RestoreResourceList", "again") == {}
    assert saved.api.get("/api/v1/namespaces/copied") is None


def test_owners_are_forgotten_and_finalizers_kept(member: Member) -> None:
    stock(member)
    owner = (config_map(member, "plain") or {})["metadata"]
    owned = {"apiVersion": "v1", "kind": "ConfigMap", "name": "plain", "uid": owner["uid"]}
    metadata = {"metadata": {"ownerReferences": [owned], "finalizers": ["example.com/kept"]}}
    member.api.patch_merge(f"/api/v1/namespaces/{SPACE}/configmaps/marked", metadata)
    back_up(member)
    restore(member, "again", namespaceMapping={SPACE: "copied"})
    found = (config_map(member, "marked", "copied") or {})["metadata"]
    assert "ownerReferences" not in found
    assert found["finalizers"] == ["example.com/kept"]


def test_node_ports_that_a_user_asked_for_are_kept(member: Member) -> None:
    stock(member)
    metadata = {"name": "web", "namespace": SPACE}
    spec = {"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30123}]}
    member.api.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    path = f"/api/v1/namespaces/{SPACE}/services/web"
    back_up(member)
    member.api.delete(path)
    member.api.wait_gone(path)
    assert restore(member, "again")["status"]["phase"] == "Completed"
    after = (member.api.get(path) or {})["spec"]
    assert after["ports"][0]["nodePort"] == 30123


def test_an_empty_backup(member: Member) -> None:
    stock(member)
    back_up(member, includedNamespaces=["none-*"])
    made = restore(member, "again")
    assert made["status"]["phase"] == "Completed"
    results = download(member, "RestoreResults", "again")
    assert results["errors"] == {}
    (text,) = results["warnings"]["velero"]
    assert "zero items to be restored" in text


def test_one_after_the_other(saved: Member) -> None:
    for number in range(3):
        mapping = {"namespaceMapping": {SPACE: f"copied-{number}"}}
        create(saved, "Restore", f"r-{number}", {"backupName": "first", **mapping})
    times = [ended(saved, "Restore", f"r-{number}")["status"]["startTimestamp"] for number in range(3)]
    assert times == sorted(times)
    assert all(names(saved, f"copied-{number}") >= {"plain", "marked"} for number in range(3))
