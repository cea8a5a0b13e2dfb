"""A Restore from a scheduled Backup where the clusters differ: who has none that fits waits or is refused by name."""

from __future__ import annotations

import pytest

from tests.fleets import Fleet, Member
from tests.scenarios import objects, velero_objects
from tests.scenarios.objects import scheduled
from tests.scenarios.velero_objects import run_schedule, set_status
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")
THREE = "2026-01-01T03:00:00Z"
Found = dict[str, tuple[str, str]]


@pytest.fixture
def nightly(fleet: Fleet, workspace: Workspace) -> Workspace:
    """Backup `nightly` with a Schedule on both members; nothing has run."""
    workspace.commit({"backups/nightly.yaml": scheduled()}, "Back up every night")
    done = workspace.sync()
    assert done.code == 0, done.text
    velero_objects.enabled(fleet)
    return workspace


def restore(workspace: Workspace, code: int, *lines: str) -> str:
    """What the command printed for a Restore with those lines of its spec."""
    content = objects.restore("copy", "nightly", more="\n  ".join(lines), policy=COPY)
    workspace.commit({"restores/copy.yaml": content}, "Copy")
    done = workspace.sync()
    assert done.code == code, done.text
    return done.text


def found(workspace: Workspace) -> Found:
    """Phase and reason of the Restore by cluster."""
    runs = workspace.runs("restores", "copy")
    return {cluster: (run["phase"], run.get("reason", "")) for cluster, run in runs.items()}


def taken(workspace: Workspace) -> dict[str, str]:
    """The backup of each cluster's Restore."""
    return {cluster: run["backupNameInCluster"] for cluster, run in workspace.runs("restores", "copy").items()}


def run_at(member: Member, name: str, time: str) -> None:
    """A run of the Schedule that says it was started then."""
    run_schedule(member, name)
    set_status(member, name, startTimestamp=time)


def test_a_cluster_without_any_backup_waits_and_the_other_goes_on(fleet: Fleet, nightly: Workspace) -> None:
    without, ready = fleet.members
    run_schedule(ready, "one")
    text = restore(nightly, 3)
    assert f"Schedule {velero_objects.schedule_name(without)} has no backup on this cluster" in text
    assert found(nightly) == {without.name: ("Pending", "BackupNotFound"), ready.name: ("Completed", "")}
    assert without.restores() == []

    run_schedule(without, "late")
    done = nightly.sync()
    assert done.code == 0, done.text
    assert taken(nightly) == {without.name: "late", ready.name: "one"}
    assert objects.config_maps(without, "copied") == objects.config_maps(without)
    assert len(ready.restores()) == 1


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ({"phase": "Failed"}, "BackupFailed", "Backup one is Failed"),
        ({"phase": "PartiallyFailed"}, "BackupFailed", "Backup one is PartiallyFailed"),
        ({"phase": "Deleting"}, "BackupDeleting", "Backup one is being deleted"),
        ({"expiration": "2020-01-01T00:00:00Z"}, "BackupExpired", "Backup one expired at 2020-01-01T00:00:00Z"),
    ],
)
def test_a_cluster_whose_backups_do_not_fit_is_refused_and_the_other_goes_on(
    fleet: Fleet, nightly: Workspace, status: dict[str, str], reason: str, words: str
) -> None:
    bad, good = fleet.members
    for member in fleet.members:
        run_schedule(member, "one")
    bad.stop_velero()  # or it would delete what expired first
    set_status(bad, "one", **status)
    text = restore(nightly, 1)
    assert words in text
    assert found(nightly) == {bad.name: ("Failed", reason), good.name: ("Completed", "")}
    assert bad.restores() == []


def test_the_newest_that_is_completed_is_taken_whatever_came_after_it(fleet: Fleet, nightly: Workspace) -> None:
    for member in fleet.members:
        run_at(member, "whole", THREE)
        run_at(member, "partial", "2026-01-01T04:00:00Z")
        set_status(member, "partial", phase="PartiallyFailed")
        run_at(member, "failed", "2026-01-01T05:00:00Z")
        set_status(member, "failed", phase="Failed")
    restore(nightly, 0)
    assert set(taken(nightly).values()) == {"whole"}
    content = objects.restore("lenient", "nightly", more="allowPartiallyFailed: true", policy=objects.to_namespace("b"))
    nightly.commit({"restores/lenient.yaml": content}, "Or what is there")
    done = nightly.sync()
    assert done.code == 0, done.text
    entries = nightly.runs("restores", "lenient").values()
    assert {entry["backupNameInCluster"] for entry in entries} == {"partial"}


def test_the_backup_that_was_taken_is_pinned_before_it_starts(fleet: Fleet, nightly: Workspace) -> None:
    """A newer one that comes while the Restore is under way changes nothing of it."""
    for member in fleet.members:
        run_schedule(member, "one")
        member.pause_velero()
    nightly.commit({"restores/copy.yaml": objects.restore("copy", "nightly", policy=COPY)}, "Copy")
    assert nightly.sync("--no-wait").code == 3
    message = nightly.git("log", "-1", "--format=%B")
    assert message.startswith("restore default/copy: Starting on 2 of 2 clusters, and 1 more\n"), "that is the news"
    assert "\nbackup default/nightly: latest backup Completed on 2 of 2 clusters\n" in message
    for member in fleet.members:
        assert f"\n- {member.name}: Starting, from one\n" in message
        assert f"\n- {member.name}: Enabled, latest backup one: Completed\n" in message
    for member in fleet.members:
        member.resume_velero()
        run_schedule(member, "two")
    done = nightly.sync()
    assert done.code == 0, done.text
    assert set(taken(nightly).values()) == {"one"}
    for member in fleet.members:
        (made,) = member.restores()
        assert made["spec"]["backupName"] == "one"


def test_backups_that_lie_too_far_apart_refuse_the_fleet_as_a_whole(fleet: Fleet, nightly: Workspace) -> None:
    early, late = fleet.members
    run_at(early, "one", THREE)
    run_at(late, "one", "2026-01-01T04:30:00Z")
    text = restore(nightly, 1, "maxSkew: 1h")
    words = f"the backup of {late.name} was started 1h30m after that of {early.name}, and spec.maxSkew is 1h"
    assert text.count(words) >= 2
    assert found(nightly) == dict.fromkeys((early.name, late.name), ("Failed", "SkewExceeded"))
    assert [member.restores() for member in fleet.members] == [[], []]


def test_backups_within_the_skew_are_restored_and_before_binds_them(fleet: Fleet, nightly: Workspace) -> None:
    first, second = fleet.members
    run_at(first, "one", THREE)
    run_at(second, "one", "2026-01-01T03:20:00Z")
    run_at(second, "two", "2026-01-01T09:00:00Z")
    restore(nightly, 0, "maxSkew: 1h", 'before: "2026-01-01T04:00:00Z"')
    assert set(taken(nightly).values()) == {"one"}
    starts = [run["backupStartTimestamp"] for run in nightly.runs("restores", "copy").values()]
    assert starts == [THREE, "2026-01-01T03:20:00Z"]


def test_with_a_skew_none_starts_until_all_can(fleet: Fleet, nightly: Workspace) -> None:
    without, ready = fleet.members
    run_at(ready, "one", THREE)
    text = restore(nightly, 3, "maxSkew: 1h")
    assert f"spec.maxSkew binds all clusters, and {without.name} has no backup yet" in text
    assert found(nightly) == {without.name: ("Pending", "BackupNotFound"), ready.name: ("Pending", "FleetNotReady")}
    assert [member.restores() for member in fleet.members] == [[], []]

    run_at(without, "late", "2026-01-01T03:10:00Z")
    done = nightly.sync()
    assert done.code == 0, done.text
    assert taken(nightly) == {without.name: "late", ready.name: "one"}


def test_with_a_skew_a_member_that_is_down_keeps_all_of_them_waiting(fleet: Fleet, nightly: Workspace) -> None:
    down, up = fleet.members
    for member in fleet.members:
        run_at(member, "one", THREE)
    down.stop_apiserver()
    restore(nightly, 3, "maxSkew: 1h")
    assert found(nightly) == {down.name: ("Pending", "Unreachable"), up.name: ("Pending", "FleetNotReady")}
    assert up.restores() == []
    down.start_apiserver()
    done = nightly.sync()
    assert done.code == 0, done.text
    assert found(nightly) == dict.fromkeys((down.name, up.name), ("Completed", ""))


def test_with_a_skew_one_that_is_refused_refuses_them_all(fleet: Fleet, nightly: Workspace) -> None:
    failed, good = fleet.members
    for member in fleet.members:
        run_at(member, "one", THREE)
    set_status(failed, "one", phase="Failed")
    text = restore(nightly, 1, "maxSkew: 1h")
    assert f"spec.maxSkew binds all clusters, and on {failed.name}: Backup one is Failed" in text
    assert found(nightly) == {failed.name: ("Failed", "BackupFailed"), good.name: ("Failed", "SkewExceeded")}
    assert [member.restores() for member in fleet.members] == [[], []]
