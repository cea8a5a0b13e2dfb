"""Schedules, and BackupStorageLocations: what is looked at once in a while."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.behaviour.velero import back_up, create, ended, get, pass_time, path, processed, restore, run, until
from tests.fleets import Fleet, Member

TEMPLATE = {"includedNamespaces": ["none-*"]}


def schedule(member: Member, expression: str, **spec: Any) -> dict[str, Any]:
    """Created, and judged."""
    create(member, "Schedule", "s", {"schedule": expression, "template": TEMPLATE, **spec})
    return until(member, "Schedule", "s", lambda found: found.get("status", {}).get("phase"), "to be judged")


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "0 3 * * MON",
        "@daily",
        "@every 24h",
        "TZ=Europe/Berlin 0 3 * * *",
        "*/5 1-3 ? * 0",
        "0 3 1,15 * 7",
        "0 22-2 * * *",
    ],
)
def test_expressions(member: Member, expression: str) -> None:
    found = schedule(member, expression)
    assert found["spec"]["skipImmediately"] is False
    assert found["status"] == {"phase": "Enabled"}
    assert member.backups() == []


BAD = {
    "": "Schedule must be a non-empty valid Cron expression",
    "nonsense": "invalid schedule: expected exactly 5 fields, found 1: [nonsense]",
    "* * * * * *": "invalid schedule: expected exactly 5 fields, found 6: [* * * * * *]",
    "61 * * * *": 'invalid schedule: end of range (61) above maximum (59): "61"',
    "*/0 * * * *": 'invalid schedule: step of range must be a positive number: "*/0"',
    "*/60 * * * *": 'invalid schedule: step (60) must be less than range size (60): "*/60"',
    "@every 500ms": 'invalid schedule: @every duration must be at least 1s: "@every 500ms"',
    "@nope": 'invalid schedule: unrecognized descriptor: "@nope"',
    "@every 1x": 'invalid schedule: failed to parse duration "@every 1x": time: unknown unit "x" in duration "1x"',
}


@pytest.mark.parametrize(("expression", "text"), BAD.items())
def test_bad_expressions(member: Member, expression: str, text: str) -> None:
    found = schedule(member, expression)
    assert found["status"] == {"phase": "FailedValidation", "validationErrors": [text]}


def test_a_day_that_never_comes_runs_at_once(member: Member) -> None:
    schedule(member, "0 0 31 2 *")
    found = until(member, "Schedule", "s", lambda one: one["status"].get("lastBackup"), "to run")
    assert found["status"]["phase"] == "Enabled"
    assert len(member.backups()) == 1


def test_a_run(fleet: Fleet, member: Member) -> None:
    """Looked at when its spec changes: `@every` has come due by then."""
    template = {**TEMPLATE, "metadata": {"labels": {"team": "a"}}}
    spec = {"schedule": "@every 1s", "template": template, "useOwnerReferencesInBackup": True}
    create(member, "Schedule", "s", spec, labels={"not": "this"}, annotations={"but": "this"})
    made = until(member, "Schedule", "s", lambda found: found.get("status", {}).get("phase"), "to be judged")
    for _ in range(3):
        pass_time(fleet, 1)
    before = (get(member, "Schedule", "s") or {})["status"].get("lastBackup")  # where a minute has just begun
    member.api.patch_merge(path("Schedule", "s"), {"spec": {"template": {"ttl": "1h"}}})
    found = until(member, "Schedule", "s", lambda one: one["status"].get("lastBackup", before) != before, "to run")
    stamp = "".join(character for character in found["status"]["lastBackup"] if character.isdigit())
    done = ended(member, "Backup", f"s-{stamp}")
    assert done["metadata"]["labels"] == {
        "team": "a",
        "velero.io/schedule-name": "s",
        "velero.io/storage-location": "default",
    }
    assert done["metadata"]["annotations"]["but"] == "this"
    (owner,) = done["metadata"]["ownerReferences"]
    expected = {"apiVersion": "velero.io/v1", "kind": "Schedule", "name": "s", "controller": True}
    assert owner == expected | {"uid": made["metadata"]["uid"]}
    spec = {name: done["spec"][name] for name in ("ttl", "hooks", "metadata", "itemOperationTimeout")}
    labels = {"team": "a", "velero.io/schedule-name": "s"}
    assert spec == {"ttl": "1h0m0s", "hooks": {}, "metadata": {"labels": labels}, "itemOperationTimeout": "4h0m0s"}


def test_a_paused_one_is_not_even_looked_at(member: Member) -> None:
    create(member, "Schedule", "s", {"schedule": "@every 1s", "template": TEMPLATE, "paused": True})
    back_up(member, includedNamespaces=["none-*"])
    assert "status" not in (get(member, "Schedule", "s") or {})
    member.api.patch_merge(path("Schedule", "s"), {"spec": {"paused": False}})
    until(member, "Schedule", "s", lambda found: found.get("status", {}).get("phase") == "Enabled", "to be enabled")


def test_one_that_skips_its_first_time(member: Member) -> None:
    found = schedule(member, "@every 1h", skipImmediately=True)
    assert found["spec"]["skipImmediately"] is False
    assert set(found["status"]) == {"lastSkipped", "phase"}


# Storage


@pytest.fixture
def without_storage(fleet: Fleet, member: Member) -> Iterator[Member]:
    """A member with a backup whose storage does not answer any more."""
    back_up(member, includedNamespaces=["none-*"])
    restore(member, "again")
    fleet.s3.stop()
    member.wait_storage("Unavailable")
    yield member
    fleet.s3.start()


def test_a_location_that_does_not_answer(fleet: Fleet, without_storage: Member) -> None:
    member = without_storage
    location = get(member, "BackupStorageLocation", "default") or {}
    assert set(location["status"]) == {"lastSyncedTime", "lastValidationTime", "message", "phase"}
    message = location["status"]["message"]
    assert message.startswith('BackupStorageLocation "default" is unavailable: rpc error: code = ')
    assert "connection refused" in message
    refused = run(member, "Backup", "late", TEMPLATE)["status"]["validationErrors"]
    assert refused == ["backup can't be created because BackupStorageLocation default is in Unavailable status."]
    refused = restore(member, "late")["status"]["validationErrors"]
    assert refused == ["The BSL default is unavailable, cannot retrieve the backup"]
    create(member, "DeleteBackupRequest", "away", {"backupName": "first"})
    text = "cannot delete backup because backup storage location default is currently in Unavailable state"
    errors = processed(member, "DeleteBackupRequest", "away")["status"]["errors"]
    assert errors == [f"backup deletion failed: {text}"]
    fleet.s3.start()
    member.wait_storage("Available")
    assert "message" not in (get(member, "BackupStorageLocation", "default") or {})["status"]
    assert run(member, "Backup", "later", TEMPLATE)["status"]["phase"] == "Completed"


def test_a_restore_can_not_be_deleted_without_its_storage(fleet: Fleet, without_storage: Member) -> None:
    member = without_storage
    member.api.delete(path("Restore", "again"))
    run(member, "Restore", "after", {})
    found = get(member, "Restore", "again") or {}
    assert found["metadata"]["finalizers"] == ["restores.velero.io/external-resources-finalizer"]
    fleet.s3.start()
    member.wait_storage("Available")
    for _ in range(10):
        pass_time(fleet, 1)
    member.api.wait_gone(path("Restore", "again"))


def test_a_read_only_location(member: Member) -> None:
    back_up(member, includedNamespaces=["none-*"])
    member.api.patch_merge(path("BackupStorageLocation", "default"), {"spec": {"accessMode": "ReadOnly"}})
    refused = run(member, "Backup", "late", TEMPLATE)["status"]["validationErrors"]
    assert refused == ["backup can't be created because backup storage location default is currently in read-only mode"]
    create(member, "DeleteBackupRequest", "away", {"backupName": "first"})
    text = "cannot delete backup because backup storage location default is currently in read-only mode"
    errors = processed(member, "DeleteBackupRequest", "away")["status"]["errors"]
    assert errors == [f"backup deletion failed: {text}"]
    assert restore(member, "again")["status"]["phase"] == "Completed"


def test_a_second_location(member: Member) -> None:
    spec = (get(member, "BackupStorageLocation", "default") or {})["spec"]
    storage = {"bucket": "nosuchbucket", "prefix": "x"}
    create(member, "BackupStorageLocation", "wrong", {**spec, "default": False, "objectStorage": storage})
    wrong = until(member, "BackupStorageLocation", "wrong", lambda one: one.get("status"), "to be looked at")
    assert wrong["status"]["phase"] == "Unavailable"
    assert "NoSuchBucket" in wrong["status"]["message"]
    storage = {"bucket": "velero", "prefix": f"second-{secrets.token_hex(4)}"}
    create(member, "BackupStorageLocation", "second", {**spec, "default": False, "objectStorage": storage})
    until(member, "BackupStorageLocation", "second", lambda one: one.get("status", {}).get("phase"), "to be looked at")
    made = run(member, "Backup", "there", {**TEMPLATE, "storageLocation": "second"})
    assert made["status"]["phase"] == "Completed"
    assert made["metadata"]["labels"] == {"velero.io/storage-location": "second"}
