"""What a Backup holds, how it ends, and what the server makes of its manifest."""

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
    get,
    held,
    path,
    run,
    stock,
)
from tests.fleets import Member

SECRET, PLAIN, MARKED = f"{SPACE}/secret", f"{SPACE}/plain", f"{SPACE}/marked"
BOTH = {"v1/ConfigMap": [MARKED, PLAIN]}
SPACE_ITSELF = {"v1/Namespace": [SPACE]}
ACCOUNT = {"v1/ServiceAccount": [f"{SPACE}/default"]}
ALL = BOTH | SPACE_ITSELF | ACCOUNT | {"v1/Secret": [SECRET]}
LISTS = "Invalid included/excluded"


def test_the_server_fills_in_what_the_manifest_leaves_open(member: Member) -> None:
    stock(member)
    made = back_up(member)
    assert made["spec"] == {
        "csiSnapshotTimeout": "10m0s",
        "defaultVolumesToFsBackup": False,
        "excludedClusterScopedResources": ["volumesnapshotcontents.snapshot.storage.k8s.io"],
        "excludedNamespaceScopedResources": ["volumesnapshots.snapshot.storage.k8s.io"],
        "includedNamespaces": [SPACE],
        "itemOperationTimeout": "4h0m0s",
        "snapshotMoveData": False,
        "storageLocation": "default",
        "ttl": "720h0m0s",
        "volumeGroupSnapshotLabelKey": "velero.io/volume-group",
    }
    assert made["metadata"]["labels"] == {"velero.io/storage-location": "default"}
    annotations = made["metadata"]["annotations"]
    assert annotations["velero.io/source-cluster-k8s-gitversion"].startswith("v1.")
    assert annotations["velero.io/source-cluster-k8s-major-version"] == "1"
    assert annotations["velero.io/resource-timeout"] == "10m0s"
    assert "finalizers" not in made["metadata"]


def test_a_completed_backup(member: Member) -> None:
    stock(member)
    status = back_up(member)["status"]
    assert set(status) == {
        "completionTimestamp",
        "expiration",
        "formatVersion",
        "hookStatus",
        "phase",
        "progress",
        "startTimestamp",
        "version",
    }
    assert (status["phase"], status["version"], status["formatVersion"]) == ("Completed", 1, "1.1.0")
    assert (status["hookStatus"], status["progress"]) == ({}, {"totalItems": 5, "itemsBackedUp": 5})
    assert download(member, "BackupResults", "first") == {"errors": {}, "warnings": {}}
    assert "level=info" in download(member, "BackupLog", "first")
    assert download(member, "BackupItemOperations", "first") == download(member, "BackupVolumeInfos", "first") == []


CHOICES: dict[str, tuple[dict[str, Any], dict[str, list[str]]]] = {
    "all of it": ({}, ALL),
    "a short name": ({"includedResources": ["cm"]}, BOTH),
    "any case": ({"includedResources": ["ConfigMaps", "namespaces"]}, BOTH | SPACE_ITSELF),
    "kinds left out": ({"excludedResources": ["secret", "sa"]}, BOTH | SPACE_ITSELF),
    "the namespace itself left out": ({"excludedResources": ["namespaces", "secrets"]}, BOTH | ACCOUNT),
    "no cluster resources": ({"includeClusterResources": False, "includedResources": ["cm", "ns"]}, BOTH),
    "an unknown kind": ({"includedResources": ["nosuchkind"]}, {}),
    "newer fields": ({"includedNamespaceScopedResources": ["configmaps"]}, BOTH | SPACE_ITSELF),
    "both newer fields": (
        {"includedNamespaceScopedResources": ["cm"], "excludedClusterScopedResources": ["namespaces"]},
        BOTH,
    ),
    "a newer exclude": ({"excludedNamespaceScopedResources": ["secrets", "sa"]}, BOTH | SPACE_ITSELF),
    "a label": ({"labelSelector": {"matchLabels": {"keep": "yes"}}}, {"v1/ConfigMap": [MARKED]} | SPACE_ITSELF),
    "one of two labels": (
        {"orLabelSelectors": [{"matchLabels": {"keep": "yes"}}, {"matchLabels": {"no": "such"}}]},
        {"v1/ConfigMap": [MARKED]} | SPACE_ITSELF,
    ),
    "a pattern": ({"includedNamespaces": ["sh*"]}, ALL),
    "patterns": ({"includedNamespaces": ["s?op", "none-*"], "excludedNamespaces": ["x-*"]}, ALL),
    "a pattern without a match": ({"includedNamespaces": ["none-*"]}, {}),
    "a namespace by its label": (
        {"includedNamespaces": ["*"], "labelSelector": {"matchLabels": {"team": "a"}}},
        SPACE_ITSELF,
    ),
    "a label anywhere": (
        {"includedNamespaces": [], "labelSelector": {"matchLabels": {"keep": "yes"}}},
        {"v1/ConfigMap": [MARKED]} | SPACE_ITSELF,
    ),
}


@pytest.mark.parametrize(("spec", "expected"), CHOICES.values(), ids=CHOICES)
def test_what_is_chosen(member: Member, spec: dict[str, Any], expected: dict[str, list[str]]) -> None:
    stock(member)
    made = back_up(member, **spec)
    assert made["status"]["phase"] == "Completed"
    assert held(member, "first") == expected
    assert made["status"]["progress"].get("totalItems", 0) == sum(map(len, expected.values()))


def test_a_selector_takes_every_namespace_that_it_matches(member: Member) -> None:
    """Also those that are not included; nothing else of them."""
    stock(member)
    back_up(member, labelSelector={"matchExpressions": [{"key": "keep", "operator": "DoesNotExist"}]})
    found = held(member, "first")
    assert {SPACE, "default", "velero"} <= set(found.pop("v1/Namespace"))
    assert found == {"v1/ConfigMap": [PLAIN], "v1/Secret": [SECRET]} | ACCOUNT


def test_with_cluster_resources(member: Member) -> None:
    stock(member)
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a-role"}}
    member.api.apply({**role, "rules": []})
    back_up(member, includeClusterResources=True)
    back_up(member, "named", includedClusterScopedResources=["clusterroles"])
    kinds = set(held(member, "first"))
    assert {"rbac.authorization.k8s.io/v1/ClusterRole", "v1/ConfigMap", "v1/Namespace"} <= kinds
    assert set(held(member, "named")) == {*ALL, "rbac.authorization.k8s.io/v1/ClusterRole"}


def test_everything_but_one_namespace(member: Member) -> None:
    stock(member)
    stock(member, "other")
    spec = {"excludedNamespaces": ["other"], "includedResources": ["configmaps", "namespaces"]}
    run(member, "Backup", "first", spec)
    found = held(member, "first")
    assert {PLAIN, MARKED} <= set(found["v1/ConfigMap"])
    assert not [name for name in found["v1/ConfigMap"] if name.startswith("other/")]
    assert {SPACE, "velero"} <= set(found["v1/Namespace"])
    assert "other" not in found["v1/Namespace"]


def test_what_is_labelled_to_be_left_out(member: Member) -> None:
    stock(member)
    stock(member, "hidden")
    leave_out = {"metadata": {"labels": {"velero.io/exclude-from-backup": "true"}}}
    member.api.patch_merge(f"/api/v1/namespaces/{SPACE}/configmaps/plain", leave_out)
    member.api.patch_merge("/api/v1/namespaces/hidden", leave_out)
    made = back_up(member, includedNamespaces=[SPACE, "x-none"], includedResources=["cm", "ns"])
    assert made["spec"]["excludedNamespaces"] == ["hidden"]
    assert held(member, "first") == {"v1/ConfigMap": [MARKED]} | SPACE_ITSELF


def test_a_namespace_that_is_not_there(member: Member) -> None:
    stock(member)
    made = back_up(member, includedNamespaces=[SPACE, "nope"])
    assert (made["status"]["phase"], made["status"]["errors"]) == ("PartiallyFailed", 1)
    text = " resource: /namespaces message: /fail to get the namespace nope specified in backup.Spec.IncludedNamespaces"
    assert download(member, "BackupResults", "first") == {"errors": {"velero": [text]}, "warnings": {}}
    assert held(member, "first") == ALL


def test_an_order_that_names_what_is_not_there(member: Member) -> None:
    stock(member)
    made = back_up(member, orderedResources={"configmaps": f"{PLAIN},{SPACE}/nope"})
    assert (made["status"]["phase"], made["status"]["warnings"]) == ("Completed", 1)
    results = download(member, "BackupResults", "first")
    assert results == {"errors": {}, "warnings": {"velero": [f" message: /Cannot find resource '{SPACE}/nope'."]}}


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "in both lists": (
        {"includedNamespaces": ["a"], "excludedNamespaces": ["a"]},
        [f"{LISTS} namespace lists: excludes list cannot contain an item in the includes list: a"],
    ),
    "all and one": (
        {"includedNamespaces": ["*", "a"]},
        [f"{LISTS} namespace lists: includes list must either contain '*' only, or a non-empty list of items"],
    ),
    "all left out": (
        {"excludedNamespaces": ["*"]},
        [
            f"{LISTS} namespace lists: excludes list cannot contain '*'",
            f"{LISTS} namespace lists: excludes list cannot contain an item in the includes list: *",
        ],
    ),
    "a bad pattern": (
        {"includedNamespaces": ["a[b"]},
        [f"{LISTS} namespace lists: wildcard pattern contains unclosed bracket '['"],
    ),
    "another bad pattern": (
        {"includedNamespaces": ["a**"]},
        [f"{LISTS} namespace lists: wildcard pattern contains consecutive asterisks (only single * allowed)"],
    ),
    "a kind in both lists": (
        {"includedResources": ["cm"], "excludedResources": ["cm"]},
        [f"{LISTS} resource lists: excludes list cannot contain an item in the includes list: cm"],
    ),
    "newer fields": (
        {"includedNamespaceScopedResources": ["cm"], "excludedNamespaceScopedResources": ["*"]},
        ["Invalid namespace-scoped included/excluded resource lists: when exclude is '*', include cannot have value"],
    ),
    "both kinds of selectors": (
        {"labelSelector": {"matchLabels": {"a": "b"}}, "orLabelSelectors": [{"matchLabels": {"a": "b"}}]},
        ["encountered labelSelector as well as orLabelSelectors in backup spec, only one can be specified"],
    ),
    "no such policy": (
        {"resourcePolicy": {"kind": "configmap", "name": "none"}},
        ['invalid resource policies: fail to get ResourcePolicies velero/none ConfigMap: ConfigMap "none" not found'],
    ),
    "no such location": (
        {"storageLocation": "nowhere"},
        [
            "an existing backup storage location was not specified at backup creation time and the default nowhere "
            "was not found. Please address this issue (see `velero backup-location -h` for options) and create a "
            'new backup. Error: BackupStorageLocation.velero.io "nowhere" not found'
        ],
    ),
}


@pytest.mark.parametrize(("spec", "errors"), REFUSED.values(), ids=REFUSED)
def test_a_spec_that_is_refused(member: Member, spec: dict[str, Any], errors: list[str]) -> None:
    status = run(member, "Backup", "bad", spec)["status"]
    assert (status["phase"], status["validationErrors"]) == ("FailedValidation", errors)
    assert set(status) == {"expiration", "formatVersion", "phase", "validationErrors", "version"}


def test_mixed_filters_and_a_namespace_that_can_not_be(member: Member) -> None:
    mixed = run(member, "Backup", "mixed", {"includedResources": ["cm"], "includedNamespaceScopedResources": ["cm"]})
    assert "They cannot be used together" in mixed["status"]["validationErrors"][0]
    named = run(member, "Backup", "named", {"includedNamespaces": ["NO"]})
    assert 'invalid namespace "NO": a lowercase RFC 1123 label' in named["status"]["validationErrors"][0]


def test_a_name_that_the_storage_knows_already(member: Member) -> None:
    stock(member)
    back_up(member)
    member.api.delete(path("Backup", "first"))
    again = back_up(member)
    assert again["status"]["phase"] == "Failed"
    assert again["status"]["failureReason"] == "backup execution failed: backup already exists in object storage"


def test_a_manifest_that_says_it_is_done_already_never_runs(member: Member) -> None:
    body = {"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "done"}, "spec": {}}
    member.api.create(path("Backup"), {**body, "status": {"phase": "Completed"}})
    create(member, "Backup", "after", {"includedNamespaces": ["velero"]})
    ended(member, "Backup", "after")
    assert (get(member, "Backup", "done") or {})["status"] == {"phase": "Completed"}


def test_an_object_that_goes_away_is_not_taken(member: Member) -> None:
    stock(member)
    member.api.patch_merge(
        f"/api/v1/namespaces/{SPACE}/configmaps/plain", {"metadata": {"finalizers": ["example.com/kept"]}}
    )
    member.api.delete(f"/api/v1/namespaces/{SPACE}/configmaps/plain")
    back_up(member, includedResources=["cm"])
    assert held(member, "first") == {"v1/ConfigMap": [MARKED]}
    assert config_map(member, "plain") is not None
