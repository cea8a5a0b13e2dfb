"""The runs of a Schedule: the latest is recorded now and then, and a Restore takes the one that its file asks for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from reconciler.records import timestamp
from tests.behaviour.velero import pass_time
from tests.fleets import Fleet, Member, Object
from tests.real.processes import wait_for
from tests.scenarios import objects, velero_objects
from tests.scenarios.objects import MEMBERS, scheduled
from tests.scenarios.velero_objects import run_schedule, runs, set_content, set_status
from tests.scenarios.workspace import Workspace

LONGEST = 130
"""Seconds between two runs of a Schedule for every minute: Velero looks once in a minute whether one has come due."""


@pytest.fixture
def nightly(fleet: Fleet, workspace: Workspace) -> Workspace:
    """Backup `nightly` with a Schedule on both members; nothing has run."""
    return made(fleet, workspace, "0 3 * * *")


@pytest.fixture
def ran_twice(fleet: Fleet, nightly: Workspace) -> Workspace:
    """It has run as `one` with the content `first` and as `two` with `second`, on both members."""
    for name, content in (("one", "first"), ("two", "second")):
        for member in fleet.members:
            set_content(member, content)
        run_on_all(fleet, name)
    return nightly


def made(fleet: Fleet, workspace: Workspace, at: str) -> Workspace:
    workspace.commit({"backups/nightly.yaml": scheduled(at=at)}, "Back up by the clock")
    done = workspace.sync()
    assert done.code == 0, done.text
    velero_objects.enabled(fleet)
    return workspace


def ask(workspace: Workspace, name: str, more: str = "", of: str = "nightly") -> None:
    """A Restore into a namespace of its own name."""
    content = objects.restore(name, of, more=more, policy=objects.to_namespace(name))
    workspace.commit({f"restores/{name}.yaml": content}, f"Restore {name}")


def restored(member: Member, namespace: str) -> str:
    """The content that was brought back."""
    return str(objects.config_maps(member, namespace)["plain"]["of"])


def started(backup: Object) -> datetime:
    return datetime.fromisoformat(backup["status"]["startTimestamp"])


def before_the_second(*members: Member) -> str:
    """A time after the first runs and before the second ones, as a line of a Restore's spec."""
    last_first = max(started(runs(member)[0]) for member in members)
    time = min(started(runs(member)[1]) for member in members) - timedelta(seconds=1)
    assert last_first <= time
    return f'before: "{timestamp(time)}"'


def latest(workspace: Workspace) -> dict[str, str]:
    """The latest run that is recorded, by cluster."""
    entries = workspace.runs("backups", "nightly")
    return {cluster: entry.get("backupNameInCluster", "") for cluster, entry in entries.items()}


@pytest.mark.timeout(600)
def test_two_runs_by_the_clock_and_restores_of_the_newer_and_of_the_older(fleet: Fleet, workspace: Workspace) -> None:
    for member in fleet.members:
        set_content(member, "first")
    made(fleet, workspace, "* * * * *")
    changed: set[str] = set()

    def both_ran_twice() -> bool:
        pass_time(fleet, 1 if is_real(fleet) else 10)
        for member in fleet.members:
            if runs(member) and member.name not in changed:
                set_content(member, "second")
                changed.add(member.name)
        return all(len(runs(member)) > 1 for member in fleet.members)

    wait_for(both_ran_twice, 2 * LONGEST, "two runs of both Schedules")
    for member in fleet.members:
        velero_objects.change(member, {"spec": {"paused": True}})
        ask(workspace, f"newest-{member.name}", more=objects.only(member.name))
        older = f"{objects.only(member.name)}\n  {before_the_second(member)}"
        ask(workspace, f"older-{member.name}", more=older)
    done = workspace.sync()
    assert done.code == 0, done.text
    for member in fleet.members:
        assert restored(member, f"newest-{member.name}") == "second"
        assert restored(member, f"older-{member.name}") == "first"
        newest = workspace.runs("restores", f"newest-{member.name}")[member.name]["backupNameInCluster"]
        assert newest == runs(member)[-1]["metadata"]["name"] == latest(workspace)[member.name]


def is_real(fleet: Fleet) -> bool:
    return not hasattr(fleet, "advance")


def test_the_newest_by_default_the_newest_before_a_time_and_none_that_is_too_old(
    fleet: Fleet, ran_twice: Workspace
) -> None:
    ask(ran_twice, "newest")
    ask(ran_twice, "older", more=before_the_second(*fleet.members))
    later = f'before: "{timestamp(max(started(runs(member)[1]) for member in fleet.members) + timedelta(hours=2))}"'
    ask(ran_twice, "fresh", more=f"{later}\n  maxBackupAge: 3h")
    ask(ran_twice, "stale", more=f"{later}\n  maxBackupAge: 1h")
    ask(ran_twice, "early", more='before: "2020-01-01T00:00:00Z"')
    done = ran_twice.sync()
    assert done.code == 1
    assert "before spec.before, and spec.maxBackupAge is 1h" in done.text
    assert "after spec.before (2020-01-01T00:00:00Z)" in done.text
    for name, backup, content in (("newest", "two", "second"), ("older", "one", "first"), ("fresh", "two", "second")):
        entries = ran_twice.runs("restores", name)
        assert {entry["backupNameInCluster"] for entry in entries.values()} == {backup}
        assert {entry["phase"] for entry in entries.values()} == {"Completed"}, done.text
        assert [restored(member, name) for member in fleet.members] == [content] * 2
    for name, reason in (("stale", "BackupTooOld"), ("early", "BackupTooNew")):
        entries = ran_twice.runs("restores", name)
        assert {(entry["phase"], entry["reason"]) for entry in entries.values()} == {("Failed", reason)}
        assert [member.restore(f"{member.name}-restore-default-{name}") for member in fleet.members] == [None] * 2


def test_the_age_counts_from_now_where_no_time_is_asked_for(fleet: Fleet, ran_twice: Workspace) -> None:
    old, fresh = fleet.members
    for name in ("one", "two"):
        set_status(old, name, startTimestamp="2026-01-01T03:00:00Z")
    ask(ran_twice, "recent", more="maxBackupAge: 24h")
    done = ran_twice.sync()
    assert done.code == 1, done.text
    assert "before now, and spec.maxBackupAge is 24h" in done.text
    entries = ran_twice.runs("restores", "recent")
    assert {name: (entry["phase"], entry.get("reason")) for name, entry in entries.items()} == {
        old.name: ("Failed", "BackupTooOld"),
        fresh.name: ("Completed", None),
    }
    assert old.restores() == []
    assert restored(fresh, "recent") == "second"


def test_runs_do_not_flood_the_history(fleet: Fleet, nightly: Workspace) -> None:
    """Each cluster's latest run is recorded once in an hour, or as --schedule-refresh says, or if a Restore asks."""
    run_on_all(fleet, "one")
    assert nightly.sync().code == 0
    assert latest(nightly) == dict.fromkeys(MEMBERS, "one")
    entry = nightly.runs("backups", "nightly")[MEMBERS[0]]
    assert entry["backupStatusInCluster"]["phase"] == "Completed"

    head = nightly.head()
    run_on_all(fleet, "two")
    assert nightly.sync().code == 0
    assert nightly.head() == head
    assert nightly.sync("--schedule-refresh", "1ms").code == 0
    assert latest(nightly) == dict.fromkeys(MEMBERS, "two")

    run_on_all(fleet, "three")
    ask(nightly, "copy")
    assert nightly.sync().code == 0
    assert latest(nightly) == dict.fromkeys(MEMBERS, "three")
    assert {entry["backupNameInCluster"] for entry in nightly.runs("restores", "copy").values()} == {"three"}


def run_on_all(fleet: Fleet, name: str) -> None:
    pass_time(fleet, 1)
    for member in fleet.members:
        run_schedule(member, name)
