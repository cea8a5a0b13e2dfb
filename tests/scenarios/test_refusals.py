"""What is refused, each with nothing created on any member and a text that says what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Result, Workspace


def refused(done: Result, *words: str, code: int = 1) -> None:
    assert done.code == code, done.text
    for word in words:
        assert word in done.text


@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param(
            {"restores/x.yaml": objects.restore("x", "befor")},
            ["restores/x.yaml:5", "befor", "before"],
            id="unknown-backup",
        ),
        pytest.param(
            {"backups/x.yaml": objects.backup("x").replace("quickstart", "quikstart")},
            ["backups/x.yaml:5", "quikstart", "quickstart"],
            id="unknown-fleet",
        ),
        pytest.param(
            {"restores/x.yaml": objects.restore("x", "before", more=objects.only("kurator-member3"))},
            ["restores/x.yaml:6", "kurator-member3"],
            id="unknown-cluster",
        ),
        pytest.param(
            {"restores/x.yaml": objects.restore("x", "before").replace("backupName", "backupNme")},
            ["restores/x.yaml:5", "backupNme", "backupName"],
            id="unknown-field",
        ),
        pytest.param(
            {"restores/x.yaml": objects.restore("x", "before").replace("kind: Restore", "kind: Restor")},
            ["restores/x.yaml:2", "Restor", "Restore"],
            id="unknown-kind",
        ),
        pytest.param(
            {"restores/x.yaml": objects.restore("x", "before"), "restores/y.yaml": objects.restore("x", "before")},
            ["restores/x.yaml:3", "restores/y.yaml:3"],
            id="two-files-one-identity",
        ),
        pytest.param(
            {
                "backups/one.yaml": objects.backup("one", more=objects.only(MEMBERS[0])).replace(
                    "  destination: {fleet: quickstart}\n", ""
                ),
                "restores/x.yaml": objects.restore("x", "one", more=objects.only(MEMBERS[1])),
            },
            ["restores/x.yaml:6", MEMBERS[1], "one"],
            id="not-a-subset",
        ),
        pytest.param(
            {"backups/x.yaml": objects.backup("x", more='schedule: "61 3 * * *"')},
            ["backups/x.yaml:6", "61"],
            id="schedule",
        ),
    ],
)
def test_by_what_the_files_say(fleet: Fleet, backed_up: Workspace, files: dict[str, str], words: list[str]) -> None:
    backed_up.commit(files, "Ask for what can't be")
    refused(backed_up.sync(), *words)
    for asked in files:
        record = f"status/{asked.replace('/', '/default/')}"
        assert (record in backed_up.recorded()) == (asked == "backups/one.yaml")
    assert [member.restores() for member in fleet.members] == [[], []]


def test_a_bad_file_stops_only_what_depends_on_it(fleet: Fleet, backed_up: Workspace) -> None:
    files = {
        "restores/broken.yaml": "kind: [Restore\n",
        "restores/good.yaml": objects.restore("good", "before", policy=objects.to_namespace("good")),
    }
    backed_up.commit(files, "One good, one broken")
    refused(backed_up.sync(), "restores/broken.yaml:")
    assert {run["phase"] for run in backed_up.runs("restores", "good").values()} == {"Completed"}
    assert set(objects.config_maps(fleet.members[0], "good")) == {"plain", "marked"}


def test_a_backup_that_failed(fleet: Fleet, workspace: Workspace) -> None:
    """Its storage location is taken away before Velero looks at it."""
    for member in fleet.members:
        member.pause_velero()
    workspace.commit({"backups/bad.yaml": objects.backup("bad")}, "Back up")
    assert workspace.sync("--no-wait").code == 3
    for member in fleet.members:
        path = f"/apis/velero.io/v1/namespaces/velero/backups/{member.name}-backup-default-bad"
        member.api.patch_merge(path, {"spec": {"storageLocation": "nowhere"}})
        member.resume_velero()
    workspace.commit({"restores/x.yaml": objects.restore("x", "bad")}, "Restore what failed")
    refused(workspace.sync(), "FailedValidation", "BackupFailed", "Backup bad ended FailedValidation")
    assert [member.restores() for member in fleet.members] == [[], []]
    assert {run["phase"] for run in workspace.runs("restores", "x").values()} == {"Failed"}


def test_a_backup_that_runs_is_waited_for(fleet: Fleet, workspace: Workspace) -> None:
    slow, quick = fleet.members
    slow.pause_velero()
    restore = objects.restore("x", "b", policy=objects.to_namespace("copied"))
    workspace.commit({"backups/b.yaml": objects.backup("b"), "restores/x.yaml": restore}, "Both")
    refused(workspace.sync("--timeout", "8s"), "BackupRunning", code=3)
    assert slow.restores() == []
    assert len(quick.restores()) == 1, "the other member went on"
    slow.resume_velero()
    assert workspace.sync().code == 0


def test_a_backup_that_expired(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        path = f"/apis/velero.io/v1/namespaces/velero/backups/{member.name}-backup-default-before"
        member.stop_velero()  # or its garbage collection would delete it first
        member.api.patch_merge(path, {"status": {"expiration": "2020-01-01T00:00:00Z"}})
    backed_up.commit({"restores/x.yaml": objects.restore("x", "before")}, "Restore what expired")
    refused(backed_up.sync(), "BackupExpired", "expired at 2020-01-01T00:00:00Z")
    assert [member.restores() for member in fleet.members] == [[], []]


def test_a_backup_that_is_being_deleted(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        path = f"/apis/velero.io/v1/namespaces/velero/backups/{member.name}-backup-default-before"
        member.stop_velero()
        member.api.patch_merge(path, {"status": {"phase": "Deleting"}})
    backed_up.commit({"restores/x.yaml": objects.restore("x", "before")}, "Restore what is being deleted")
    refused(backed_up.sync(), "BackupDeleting", "is being deleted")
    assert [member.restores() for member in fleet.members] == [[], []]


def test_a_backup_that_is_gone(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.delete_backup(f"{member.name}-backup-default-before")
    backed_up.commit({"restores/x.yaml": objects.restore("x", "before")}, "Restore what is gone")
    refused(backed_up.sync(), "BackupNotFound", "expired, deleted, or not synced", code=3)
    assert [member.restores() for member in fleet.members] == [[], []]


def test_a_name_that_somebody_else_took(fleet: Fleet, backed_up: Workspace) -> None:
    taken, free = fleet.members
    name = f"{taken.name}-restore-default-x"
    taken.stop_velero()
    taken.api.create(
        "/apis/velero.io/v1/namespaces/velero/restores",
        {
            "apiVersion": "velero.io/v1",
            "kind": "Restore",
            "metadata": {"name": name, "namespace": "velero"},
            "spec": {"backupName": f"{taken.name}-backup-default-before"},
        },
    )
    before = taken.restore(name)
    policy = objects.to_namespace("copied")
    backed_up.commit({"restores/x.yaml": objects.restore("x", "before", policy=policy)}, "Restore under a taken name")
    refused(backed_up.sync(), "NameConflict", name)
    assert taken.restore(name) == before, "neither adopted nor changed"
    assert backed_up.runs("restores", "x")[free.name]["phase"] == "Completed"


def test_a_missing_secret_and_one_that_is_no_kubeconfig(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    (secrets / MEMBERS[0]).mkdir(parents=True)
    (secrets / MEMBERS[0] / "value").write_text("password: hunter2\n")
    workspace.commit({"backups/x.yaml": objects.backup("x")}, "Back up")
    done = workspace.sync("--kubeconfig-dir", str(secrets))
    refused(done, "SecretMissing", f"Secret default/{MEMBERS[1]}, key value", "InvalidKubeconfig", code=3)
    assert "hunter2" not in done.text + workspace.git("log", "-p")
    assert [member.backups() for member in fleet.members] == [[], []]


def test_storage_that_is_unavailable(fleet: Fleet, backed_up: Workspace) -> None:
    fleet.s3.stop()
    for member in fleet.members:
        member.wait_storage("Unavailable")
    files = {"restores/x.yaml": objects.restore("x", "before"), "backups/late.yaml": objects.backup("late")}
    backed_up.commit(files, "Without storage")
    refused(backed_up.sync(), "StorageUnavailable", "BackupStorageLocation default is Unavailable", code=3)
    assert [len(member.restores()) + len(member.backups()) for member in fleet.members] == [1, 1]
