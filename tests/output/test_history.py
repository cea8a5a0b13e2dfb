"""`history`: what happened, a row per commit and object, or cluster by cluster."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.output.history import history
from reconciler.plan.events import Event, event
from reconciler.recall import Commit, Past
from reconciler.records import Items, Phase, Record
from tests.output import builders as b

STARTING = b.restore(
    b.run("m1", Phase.STARTING, backup_name="m1-before"),
    phase=Phase.IN_PROGRESS,
    merged_by=b.MAX,
    approved_by=("Eve",),
)
ENDED = replace(
    STARTING,
    phase=Phase.COMPLETED,
    runs=(b.run("m1", backup_name="m1-before", items=Items(created=3, not_restored=1), reason="NotRestored"),),
)


def commit(number: int) -> Commit:
    return Commit(f"{number:07}" + "a" * 33, b.NOW + timedelta(hours=number), "Rob Runner <rob@example.org>", "subject")


def past(*states: Record | None, shallow: bool = False, unreadable: tuple[str, ...] = ()) -> Past:
    """What a record went through, a commit for each state."""
    events: list[tuple[Commit, Event]] = []
    for number, (before, after) in enumerate(zip((None, *states), states, strict=False)):
        happened = event(before, after)
        assert happened is not None
        events.insert(0, (commit(number), happened))
    return Past(tuple(events), unreadable, shallow)


def test_a_row_per_commit_and_object(capsys: pytest.CaptureFixture[str]) -> None:
    history(past(STARTING, ENDED), "", one=False)
    rows = [re.split(r"\s{3,}", line) for line in b.shown(capsys).splitlines()]
    ended = "Completed on 1 of 1 cluster, 1 object not restored though different"
    assert rows == [
        ["WHEN", "OBJECT", "ATTEMPT", "WHAT", "ASKED BY", "MERGED BY", "COMMIT"],
        ["2026-11-23T13:00:00Z", "Restore default/minimal", "1", ended, b.ADA, b.MAX, "0000001"],
        ["2026-11-23T12:00:00Z", "Restore default/minimal", "1", "Starting on 1 of 1 cluster", b.ADA, b.MAX, "0000000"],
    ]


def test_of_one_object_cluster_by_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    history(past(STARTING, ENDED), "", one=True)
    assert b.shown(capsys).splitlines()[:3] == [
        "2026-11-23T13:00:00Z  0000001  attempt 1: Completed on 1 of 1 cluster, 1 object not restored though different",
        f"  asked by {b.ADA}, merged by {b.MAX}, approved by Eve; restores/minimal.yaml",
        "  - m1: Completed; NotRestored; from m1-before; 3 created, 1 not restored though different",
    ]


def test_many_clusters_are_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    history(past(b.restore(*(b.run(f"m{number}") for number in range(25)))), "", one=True)
    told = b.shown(capsys)
    assert "m19: Completed" in told
    assert "m20: Completed" not in told
    assert "… and 5 more clusters; -o json has all" in told


def test_a_run_of_an_earlier_attempt_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    both = b.restore(b.run("m1"), b.run("m2", attempt=2))
    history(past(both), "", one=True)
    assert "  - m1: Completed in attempt 1" in b.shown(capsys).splitlines()


def test_schedules_know_no_attempts(capsys: pytest.CaptureFixture[str]) -> None:
    before = b.nightly(b.schedule("m1"))
    after = b.nightly(b.schedule("m1", backup_name="n-1", status=b.DONE))
    history(past(before, after), "", one=True)
    told = b.shown(capsys)
    assert "attempt" not in told
    assert "  - m1: Enabled; latest backup n-1: Completed" in told


def test_who_forgot_it_is_who_committed_that(capsys: pytest.CaptureFixture[str]) -> None:
    history(past(ENDED, None), "", one=True)
    first, second, *_ = b.shown(capsys).splitlines()
    assert first.endswith("0000001  forgotten")
    assert second == "  asked by Rob Runner <rob@example.org>; restores/minimal.yaml"


def test_machines_get_every_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    history(past(STARTING, ENDED), "json", one=False)
    found = b.data(capsys)
    assert found["complete"] is True
    newest = found["items"][0]
    assert (newest["kind"], newest["namespace"], newest["name"]) == ("Restore", "default", "minimal")
    assert newest["what"].startswith("Completed on 1 of 1 cluster")
    assert (newest["requestedBy"], newest["mergedBy"], newest["approvedBy"]) == (b.ADA, b.MAX, ["Eve"])
    assert newest["commit"] == commit(1).id
    assert newest["clusters"] == [
        {
            "clusterName": "m1",
            "clusterKind": "AttachedCluster",
            "attempt": 1,
            "phase": "Completed",
            "phaseBefore": "Starting",
            "reason": "NotRestored",
            "message": "",
            "backup": "m1-before",
            "items": {"created": 3, "updated": 0, "equal": 0, "notRestored": 1, "notCompared": 0, "failed": 0},
            "runID": "m1-1",
        }
    ]


def test_what_is_not_complete_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    told = past(ENDED, shallow=True, unreadable=("abc1234: status/restores/default/x.yaml",))
    history(told, "json", one=False)
    out, err = capsys.readouterr()
    assert '"complete": false' in out
    assert "note: abc1234: status/restores/default/x.yaml can't be read by this version, and is left out" in err
    assert "note: the clone is shallow, so older commits are missing; run `git fetch --unshallow`" in err


def test_nothing_happened(capsys: pytest.CaptureFixture[str]) -> None:
    history(Past((), since="2 days ago"), "", one=False)
    assert capsys.readouterr() == ("", "nothing is recorded of that since 2 days ago\n")
    history(Past(()), "", one=False)
    assert capsys.readouterr() == ("", "nothing is recorded of that\n")
