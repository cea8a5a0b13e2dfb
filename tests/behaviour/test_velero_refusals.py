"""Restores that the server refuses, or that fail before anything is restored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.velero import SPACE, back_up, create, ended, get, path, processed, restore, run, stock
from tests.fleets import Member

LISTS = "Invalid included/excluded"
ONE_SOURCE = "Either a backup or schedule must be specified as a source for the restore, but not both"

REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no source": ({}, [ONE_SOURCE]),
    "two sources": ({"backupName": "first", "scheduleName": "x"}, [ONE_SOURCE]),
    "a schedule without backups": (
        {"scheduleName": "x"},
        ["No backups found for schedule", "No completed backups found for schedule"],
    ),
    "no such backup": (
        {"backupName": "none"},
        ['Error retrieving backup: can\'t find backup velero/none: Backup.velero.io "none" not found'],
    ),
    "both kinds of selectors": (
        {
            "backupName": "first",
            "labelSelector": {"matchLabels": {"a": "b"}},
            "orLabelSelectors": [{"matchLabels": {"a": "b"}}],
        },
        ["encountered labelSelector as well as orLabelSelectors in restore spec, only one can be specified"],
    ),
    "what is never restored": (
        {"backupName": "first", "includedResources": ["nodes"]},
        [
            "nodes are non-restorable resources",
            f"{LISTS} resource lists: excludes list cannot contain an item in the includes list: nodes",
        ],
    ),
    "all and one": (
        {"backupName": "first", "includedResources": ["*", "cm"]},
        [f"{LISTS} resource lists: includes list must either contain '*' only, or a non-empty list of items"],
    ),
    "all left out": (
        {"backupName": "first", "excludedResources": ["*"]},
        [f"{LISTS} resource lists: excludes list cannot contain '*'"],
    ),
    "in both lists": (
        {"backupName": "first", "includedNamespaces": ["a"], "excludedNamespaces": ["a"]},
        [f"{LISTS} namespace lists: excludes list cannot contain an item in the includes list: a"],
    ),
    "an unknown policy": (
        {"backupName": "first", "existingResourcePolicy": "maybe"},
        ["Invalid ExistingResourcePolicy: maybe"],
    ),
    "no such modifiers": (
        {"backupName": "first", "resourceModifier": {"kind": "configmap", "name": "none"}},
        ["failed to get resource modifiers configmap velero/none"],
    ),
    "half an init container": (
        {
            "backupName": "first",
            "hooks": {"resources": [{"name": "h", "postHooks": [{"init": {"initContainers": [{"name": "x"}]}}]}]},
        },
        [
            'invalid init container in restore hook "h": invalid InitContainer in restore hook, it doesn\'t have '
            "Command, Name or Image field"
        ],
    ),
}


@pytest.mark.parametrize(("spec", "errors"), REFUSED.values(), ids=REFUSED)
def test_a_spec_that_is_refused(member: Member, spec: dict[str, Any], errors: list[str]) -> None:
    back_up(member, includedNamespaces=["none-*"])
    status = run(member, "Restore", "bad", spec)["status"]
    assert status == {"phase": "FailedValidation", "validationErrors": errors}


def test_a_backup_whose_location_is_gone(member: Member) -> None:
    run(member, "Backup", "first", {"storageLocation": "nowhere"})
    status = restore(member, "bad")["status"]
    text = 'Error retrieving backup: BackupStorageLocation.velero.io "nowhere" not found'
    assert status == {"phase": "FailedValidation", "validationErrors": [text]}


def test_a_backup_that_never_ran_is_accepted_and_fails(member: Member) -> None:
    run(member, "Backup", "first", {"includedNamespaces": ["a"], "excludedNamespaces": ["a"]})
    status = restore(member, "bad")["status"]
    assert status["phase"] == "Failed"
    before = "restore execution failed: error downloading backup: error copying Backup to temp file: rpc error: "
    assert status["failureReason"].startswith(before)
    assert "NoSuchKey" in status["failureReason"]
    assert set(status) == {"completionTimestamp", "failureReason", "phase", "startTimestamp"}


def test_modifiers_that_can_not_be_read(member: Member) -> None:
    back_up(member, includedNamespaces=["none-*"])
    modifiers(member, "version: v1\nresourceModifierRules: 3\n")
    status = restore(member, "bad", resourceModifier={"kind": "configmap", "name": "rules"})["status"]
    (text,) = status["validationErrors"]
    before = "Error in parsing resource modifiers provided in configmap velero/rules: failed to decode yaml data"
    assert text.startswith(before)


def modifiers(member: Member, text: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rules"}, "data": {"rules": text}}
    member.api.create("/api/v1/namespaces/velero/configmaps", body)


def test_modifiers_change_what_is_restored(member: Member) -> None:
    stock(member)
    back_up(member)
    modifiers(
        member,
        """version: v1
resourceModifierRules:
- conditions: {groupResource: configmaps, resourceNameRegex: "^pl", namespaces: [shop]}
  patches:
  - {operation: replace, path: /data/colour, value: green}
  - {operation: add, path: /data/count, value: "\\"3\\""}
- conditions: {groupResource: configmaps, labelSelector: {matchLabels: {keep: "yes"}}}
  mergePatches:
  - patchData: '{"data": {"colour": null, "merged": "x"}}'
""",
    )
    member.remove_namespace(SPACE)
    made = restore(member, "again", resourceModifier={"kind": "ConfigMap", "name": "rules"})
    assert made["status"]["phase"] == "Completed"
    for name, data in (("plain", {"colour": "green", "count": "3"}), ("marked", {"merged": "x"})):
        found = member.api.get(f"/api/v1/namespaces/{SPACE}/configmaps/{name}") or {}
        assert found["data"] == data


def test_a_status_in_the_manifest_keeps_it_from_running(member: Member) -> None:
    back_up(member, includedNamespaces=["none-*"])
    body = {"apiVersion": "velero.io/v1", "kind": "Restore", "metadata": {"name": "done"}}
    member.api.create(path("Restore"), {**body, "spec": {"backupName": "first"}, "status": {"phase": "Completed"}})
    restore(member, "after")
    assert (get(member, "Restore", "done") or {})["status"] == {"phase": "Completed"}


def test_one_that_is_deleted_while_new_is_never_started(member: Member) -> None:
    stock(member)
    back_up(member)
    member.stop_velero()
    mapping = {SPACE: "copied"}
    spec = {"backupName": "first", "namespaceMapping": mapping}
    create(member, "Restore", "doomed", spec, finalizers=["example.com/kept"])
    member.api.delete(path("Restore", "doomed"))
    member.start_velero()
    restore(member, "after", includedResources=["nosuchkind"])
    found = get(member, "Restore", "doomed") or {}
    assert "status" not in found
    assert found["metadata"]["finalizers"] == ["example.com/kept"]
    assert member.api.get("/api/v1/namespaces/copied") is None


def test_what_was_in_progress_when_the_server_ended_has_failed(member: Member) -> None:
    member.stop_velero()
    for kind, spec in (("Backup", {}), ("Restore", {"backupName": "none"})):
        create(member, kind, "cut", spec)
        member.api.patch_merge(path(kind, "cut"), {"status": {"phase": "InProgress"}})
    member.start_velero()
    for kind in ("Backup", "Restore"):
        status = ended(member, kind, "cut")["status"]
        reason = f'found a {kind.lower()} with status "InProgress" during the server starting, mark it as "Failed"'
        assert (status["phase"], status["failureReason"]) == ("Failed", reason)
        assert status["completionTimestamp"]


def test_what_was_finalizing_when_the_server_ended_is_completed(member: Member) -> None:
    back_up(member, includedNamespaces=["none-*"])
    member.stop_velero()
    create(member, "Restore", "cut", {"backupName": "first"})
    member.api.patch_merge(path("Restore", "cut"), {"status": {"phase": "FinalizingPartiallyFailed"}})
    member.start_velero()
    assert ended(member, "Restore", "cut")["status"]["phase"] == "PartiallyFailed"


def test_without_a_server_everything_stays_new(member: Member) -> None:
    back_up(member, includedNamespaces=["none-*"])
    member.pause_velero()
    create(member, "Restore", "waits", {"backupName": "first"})
    create(member, "Backup", "waits", {"includedNamespaces": ["none-*"]})
    create(member, "ServerStatusRequest", "waits", {})
    for kind in ("Restore", "Backup", "ServerStatusRequest"):
        assert "status" not in (get(member, kind, "waits") or {})
    member.resume_velero()
    assert ended(member, "Restore", "waits")["status"]["phase"] == "Completed"
    assert ended(member, "Backup", "waits")["status"]["phase"] == "Completed"
    answer = processed(member, "ServerStatusRequest", "waits")["status"]
    assert answer["serverVersion"] == "v1.18.3"
    assert {"kind": "ObjectStore", "name": "velero.io/aws"} in answer["plugins"]


def test_a_restore_of_a_schedules_latest_backup(member: Member) -> None:
    stock(member)
    labels = {"velero.io/schedule-name": "nightly"}
    spec = {"includedNamespaces": [SPACE]}
    run(member, "Backup", "first", spec, labels=labels)
    run(member, "Backup", "bad", {"storageLocation": "nowhere"}, labels=labels)
    made = run(member, "Restore", "again", {"scheduleName": "nightly", "namespaceMapping": {SPACE: "copied"}})
    assert made["status"]["phase"] == "Completed"
    assert (made["spec"]["backupName"], made["spec"]["scheduleName"]) == ("first", "nightly")
    by_name = restore(member, "by-name", includedResources=["nosuchkind"])
    assert by_name["spec"]["scheduleName"] == "nightly"
