"""What the ledger knows is never started again, whatever happens to the objects, the files and the records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.behaviour.velero import path
from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS, NAMESPACE
from tests.scenarios.workspace import Workspace, audited_creates


@pytest.fixture
def restored(fleet: Fleet, backed_up: Workspace) -> Workspace:
    """Both members were restored once; after that the namespaces are gone, so that a second restore would show."""
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    done = backed_up.sync()
    assert done.code == 0, done.text
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    return backed_up


def assert_nothing_runs(fleet: Fleet, workspace: Workspace, code: int = 0) -> None:
    before = {member.name: len(member.writes()) for member in fleet.members}
    for _ in range(3):
        done = workspace.sync()
        assert done.code == code, done.text
    for member in fleet.members:
        assert member.writes()[before[member.name] :] == []
        assert member.api.get(f"/api/v1/namespaces/{NAMESPACE}") is None


@pytest.mark.case("expired-backup")
def test_after_the_backup_and_with_it_the_restore_is_deleted(fleet: Fleet, restored: Workspace, tmp_path: Path) -> None:
    for member in fleet.members:
        member.delete_backup(f"{member.name}-backup-default-before")
        assert member.restores() == []
    head = restored.head()
    assert_nothing_runs(fleet, restored)
    assert restored.head() == head
    fresh = restored.clone(tmp_path / "fresh")
    assert_nothing_runs(fleet, fresh)
    assert fresh.head() == head


def test_after_the_file_is_renamed(fleet: Fleet, restored: Workspace) -> None:
    restored.git("mv", "restores/back.yaml", "restores/2026-11-renamed.yaml")
    restored.git("commit", "-q", "-m", "Rename")
    assert_nothing_runs(fleet, restored)


def forget(fleet: Fleet) -> None:
    """No cluster knows any more what ran: only the record does."""
    for member in fleet.members:
        for made in member.restores():
            name = path("Restore", made["metadata"]["name"])
            member.api.delete(name)
            member.api.wait_gone(name)


@pytest.mark.case("rollback", "a deletion of a record is put back and reported", "nothing runs twice")
def test_after_a_human_deleted_the_record(fleet: Fleet, restored: Workspace) -> None:
    record = restored.record("restores", "back")
    forget(fleet)
    restored.commit({"status/restores/default/back.yaml": None}, "Make it run again")
    told = restored.sync()
    assert [member.restores() for member in fleet.members] == [[], []]
    assert told.code == 0, told.text
    assert "status/restores/default/back.yaml was changed by hand" in told.err
    assert restored.record("restores", "back") == record
    assert "put back" in restored.git("log", "-1", "--format=%B")
    assert_nothing_runs(fleet, restored)


@pytest.mark.case("rollback", "a revert of a record is put back and reported", "nothing runs twice")
def test_after_a_human_reverted_the_commits_of_the_record(fleet: Fleet, restored: Workspace) -> None:
    record = restored.record("restores", "back")
    forget(fleet)
    restored.git("revert", "--no-edit", "HEAD", "HEAD~1")
    assert_nothing_runs(fleet, restored)
    assert restored.record("restores", "back") == record


def test_after_the_file_is_removed_and_added_again(fleet: Fleet, restored: Workspace) -> None:
    restored.commit({"restores/back.yaml": None}, "Remove")
    assert_nothing_runs(fleet, restored)
    restored.commit({"restores/back.yaml": objects.restore("back", "before")}, "Add again")
    assert_nothing_runs(fleet, restored)


def test_after_the_spec_was_edited(fleet: Fleet, restored: Workspace) -> None:
    edited = objects.restore("back", "before", policy=objects.to_namespace("elsewhere"))
    restored.commit({"restores/back.yaml": edited}, "Edit what ran")
    assert_nothing_runs(fleet, restored, code=1)
    conditions = restored.record("restores", "back")["status"]["conditions"]
    assert "SpecChanged" in [condition["type"] for condition in conditions]


def test_after_the_fleet_grew(fleet: Fleet, workspace: Workspace) -> None:
    old, new = fleet.members
    workspace.commit({"fleets/quickstart.yaml": objects.fleet(members=MEMBERS[:1])}, "A fleet of one")
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    assert workspace.sync().code == 0
    old.remove_namespace(NAMESPACE)
    workspace.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    assert workspace.sync().code == 0
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    workspace.commit({"fleets/quickstart.yaml": objects.fleet()}, "The fleet grows")
    assert_nothing_runs(fleet, workspace)
    assert set(workspace.runs("restores", "back")) == {old.name}
    assert new.backups() == []


def test_two_at_the_same_moment(fleet: Fleet, backed_up: Workspace) -> None:
    policy = objects.to_namespace("copied")
    backed_up.commit({"restores/twice.yaml": objects.restore("twice", "before", policy=policy)}, "Copy")
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda _: backed_up.sync(), range(2)))
    assert [done.code for done in both] == [0, 0], "\n".join(done.text for done in both)
    for member in fleet.members:
        assert audited_creates(member, "restores").count(f"{member.name}-restore-default-twice") == 1
        assert len(member.restores()) == 1
        assert set(objects.config_maps(member, "copied")) == {"plain", "marked"}
    assert {run["phase"] for run in backed_up.runs("restores", "twice").values()} == {"Completed"}
    assert backed_up.git("status", "--porcelain") == ""


@pytest.mark.case("two-writers", "fetched, decided and committed again", "nothing lost")
def test_two_clones_of_one_upstream_at_the_same_moment(fleet: Fleet, backed_up: Workspace, tmp_path: Path) -> None:
    policy = objects.to_namespace("copied")
    backed_up.commit({"restores/cloned.yaml": objects.restore("cloned", "before", policy=policy)}, "Copy")
    backed_up.git("clone", "-q", "--bare", ".", str(tmp_path / "upstream.git"))
    upstream = backed_up.at(tmp_path / "upstream.git")
    clones = [upstream.clone(tmp_path / name) for name in ("one", "two")]
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(Workspace.sync, clones))
    assert [done.code for done in both] == [0, 0], "\n".join(done.text for done in both)
    for member in fleet.members:
        assert audited_creates(member, "restores").count(f"{member.name}-restore-default-cloned") == 1
        assert len(member.restores()) == 1
    assert {run["phase"] for run in upstream.runs("restores", "cloned").values()} == {"Completed"}
