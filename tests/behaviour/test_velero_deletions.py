"""How backups and restores go, what becomes of downloads, and what the storage brings back."""

from __future__ import annotations

import pytest
import requests

from tests.behaviour.velero import (
    SPACE,
    back_up,
    config_map,
    create,
    download,
    get,
    held,
    pass_time,
    path,
    processed,
    restore,
    stock,
    until,
)
from tests.fleets import Fleet, Member

TERMINATING = "restores.velero.io/external-resources-finalizer"


@pytest.fixture
def saved(member: Member) -> Member:
    """A member with a backup, and a restore of it."""
    stock(member)
    back_up(member)
    restore(member, "again", namespaceMapping={SPACE: "copied"})
    return member


def test_a_backup_goes_with_its_restores_and_its_request(saved: Member) -> None:
    back_up(saved, "other", includedNamespaces=["none-*"])
    restore(saved, "of-other", backupName="other")
    create(saved, "DeleteBackupRequest", "away", {"backupName": "first"})
    for kind, name in (("Backup", "first"), ("Restore", "again"), ("DeleteBackupRequest", "away")):
        saved.api.wait_gone(path(kind, name))
    assert config_map(saved, "plain", "copied") is not None
    assert [found["metadata"]["name"] for found in saved.restores()] == ["of-other"]
    again = back_up(saved)
    assert again["status"]["phase"] == "Completed", "its files are gone too"


@pytest.mark.parametrize(("name", "text"), [("none", "backup not found"), ("", "spec.backupName is required")])
def test_a_request_that_can_not_be_met(member: Member, name: str, text: str) -> None:
    create(member, "DeleteBackupRequest", "away", {"backupName": name})
    done = processed(member, "DeleteBackupRequest", "away")
    assert done["status"] == {"phase": "Processed", "errors": [f"backup deletion failed: {text}"]}


def test_a_restore_that_somebody_holds_keeps_its_backup(fleet: Fleet, saved: Member) -> None:
    saved.api.patch_merge(path("Restore", "again"), {"metadata": {"finalizers": [TERMINATING, "example.com/kept"]}})
    create(saved, "DeleteBackupRequest", "away", {"backupName": "first"})
    held_back = until(
        saved, "Restore", "again", lambda found: TERMINATING not in found["metadata"]["finalizers"], "to be let go"
    )
    assert held_back["metadata"]["deletionTimestamp"]
    assert held_back["status"]["phase"] == "Completed"
    waiting = get(saved, "DeleteBackupRequest", "away") or {}
    assert waiting["status"] == {"phase": "InProgress"}
    backup = get(saved, "Backup", "first") or {}
    assert backup["status"]["phase"] == "Deleting"
    assert waiting["metadata"]["labels"] == {
        "velero.io/backup-name": "first",
        "velero.io/backup-uid": backup["metadata"]["uid"],
    }
    for _ in range(62):
        pass_time(fleet, 1)
    done = processed(saved, "DeleteBackupRequest", "away")
    text = "error deleting restore context deadline exceeded: context deadline exceeded"
    assert done["status"] == {"phase": "Processed", "errors": [text]}
    assert (get(saved, "Backup", "first") or {})["status"]["phase"] == "Deleting"
    saved.api.patch_merge(path("Restore", "again"), {"metadata": {"finalizers": None}})
    saved.api.wait_gone(path("Restore", "again"))
    create(saved, "DeleteBackupRequest", "again", {"backupName": "first"})
    for kind, name in (("Backup", "first"), ("DeleteBackupRequest", "again"), ("DeleteBackupRequest", "away")):
        saved.api.wait_gone(path(kind, name))


def test_a_deleted_restore_takes_its_files_and_not_its_objects(saved: Member) -> None:
    create(saved, "DownloadRequest", "before", {"target": {"kind": "RestoreResults", "name": "again"}})
    url = processed(saved, "DownloadRequest", "before")["status"]["downloadURL"]
    assert requests.get(url, timeout=5).status_code == 200
    saved.api.delete(path("Restore", "again"))
    saved.api.wait_gone(path("Restore", "again"))
    assert requests.get(url, timeout=5).status_code == 404
    assert config_map(saved, "plain", "copied") is not None
    assert get(saved, "Backup", "first") is not None


def test_what_expired_is_deleted(saved: Member) -> None:
    saved.stop_velero()
    saved.api.patch_merge(path("Backup", "first"), {"status": {"expiration": "2020-01-01T00:00:00Z"}})
    saved.start_velero()
    saved.api.wait_gone(path("Backup", "first"))
    assert saved.restores() == []


def test_downloads_of_what_is_not_there(saved: Member) -> None:
    for kind in ("RestoreResults", "BackupLog"):
        create(saved, "DownloadRequest", kind.lower(), {"target": {"kind": kind, "name": "none"}})
    for kind in ("RestoreResults", "BackupLog"):
        found = until(saved, "DownloadRequest", kind.lower(), lambda one: one.get("status"), "to be looked at")
        assert set(found["status"]) == {"expiration"}


def test_a_download_of_a_missing_file_is_a_404(saved: Member) -> None:
    target = {"kind": "CSIBackupVolumeSnapshots", "name": "first"}
    create(saved, "DownloadRequest", "csi", {"target": target})
    status = processed(saved, "DownloadRequest", "csi")["status"]
    assert set(status) == {"downloadURL", "expiration", "phase"}
    assert requests.get(status["downloadURL"], timeout=5).status_code == 404


def test_a_backup_comes_back_from_the_storage_within_a_minute(fleet: Fleet, saved: Member) -> None:
    before = get(saved, "Backup", "first") or {}
    saved.api.delete(path("Backup", "first"))
    pass_time(fleet, 61)
    after = until(saved, "Backup", "first", lambda _: True, "to come back")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"] == {**before["spec"], "hooks": {}, "metadata": {}}
    assert after["status"] == before["status"]
    assert held(saved, "first")["v1/Namespace"] == [SPACE]
    assert download(saved, "RestoreResults", "again")["errors"] == {}
    made = restore(saved, "third", namespaceMapping={SPACE: "third"})
    assert made["status"]["phase"] == "Completed"
