"""`spec.maxSkew`: the clusters of a Restore start from backups that lie close together, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired import Wanted
from reconciler.plan.decide import decide
from reconciler.plan.restores import bind
from reconciler.records import Phase, Run, moment, timestamp
from reconciler.resources import ClusterId, RestoreSpec
from tests.plan import builders as b

M3 = ClusterId("default", "AttachedCluster", "m3")
ALL = (b.M1, b.M2, M3)
PENDING, HELD, STARTING, RUNNING, FAILED = Phase.PENDING, Phase.HELD, Phase.STARTING, Phase.IN_PROGRESS, Phase.FAILED
COLD = b.record(b.restore(*ALL)).runs


def spec(skew: str = "10m", **fields: Any) -> RestoreSpec:
    return RestoreSpec.model_validate({"backupName": "nightly", "maxSkew": skew, **fields})


def minutes(ago: float) -> str:
    return timestamp(b.NOW - timedelta(minutes=ago))


def at(number: int, phase: Phase, ago: float | None = None, reason: str = "", **fields: Any) -> Run:
    """The run on one cluster; with a backup that was started that many minutes ago."""
    pinned = {"backup_name": f"backup-{number}", "backup_started": minutes(ago)} if ago is not None else {}
    return replace(COLD[number], phase=phase, reason=reason, **{**pinned, **fields})


def bound(*after: Run, before: tuple[Run, ...] = (), limit: RestoreSpec | None = None) -> list[tuple[str, str]]:
    """What becomes of runs that would be like that; `before` they were all `Pending` unless it says otherwise."""
    was = before or tuple(replace(COLD[0], cluster=run.cluster, run_id=run.run_id) for run in after)
    return [(str(run.phase), run.reason) for run in bind(was, after, ALL, limit or spec())]


# ---------------------------------------------------------------- together or not at all


@pytest.mark.parametrize("ago", [0, 9, 10])
def test_close_together_they_all_start(ago: int) -> None:
    assert bound(at(0, STARTING, 0), at(1, STARTING, ago)) == [("Starting", ""), ("Starting", "")]


def test_far_apart_all_are_refused_and_told_which_two() -> None:
    after = (at(0, STARTING, 5), at(1, STARTING, 11), at(2, STARTING, 0))
    refused = bind(COLD, after, ALL, spec())
    assert [(run.phase, run.reason, run.backup_name) for run in refused] == [(FAILED, "SkewExceeded", "")] * 3
    assert {run.message for run in refused} == {
        "the backup of m3 was started 11m after that of m2, and spec.maxSkew is 10m"
    }


def test_one_without_a_backup_yet_makes_the_others_wait_for_it() -> None:
    waits = at(1, PENDING, reason="BackupNotFound", message="no backup on this cluster")
    after = bind(COLD, (at(0, STARTING, 0), waits, at(2, STARTING, 99)), ALL, spec())
    assert [(run.phase, run.reason) for run in after] == [
        (PENDING, "FleetNotReady"),
        (PENDING, "BackupNotFound"),
        (PENDING, "FleetNotReady"),
    ]
    assert after[0].message == ("spec.maxSkew binds all clusters, and m2 has no backup yet: no backup on this cluster")
    assert {run.backup_name for run in after} == {""}


@pytest.mark.parametrize("reason", ["BackupMissing", "BackupTooOld", "Expired", "Abandoned"])
def test_one_that_is_refused_refuses_them_all(reason: str) -> None:
    refused = at(1, FAILED, reason=reason, message="no")
    assert bound(at(0, STARTING, 0), refused, at(2, PENDING, reason="Unreachable")) == [
        ("Failed", "SkewExceeded"),
        ("Failed", reason),
        ("Failed", "SkewExceeded"),
    ]


def test_without_a_limit_each_cluster_goes_its_own_way() -> None:
    free = RestoreSpec.model_validate({"backupName": "nightly"})
    runs = (at(0, STARTING, 0), at(1, STARTING, 9999), at(2, FAILED, reason="BackupTooOld"))
    assert bind(COLD, runs, ALL, free) is runs


def test_a_start_that_nobody_knows_is_no_start_close_by() -> None:
    copied = at(1, STARTING, backup_name="copied")
    assert bound(at(0, STARTING, 0), copied) == [("Failed", "SkewExceeded")] * 2


# ---------------------------------------------------------------- what has started


@pytest.mark.parametrize("phase", [STARTING, RUNNING, Phase.COMPLETED, Phase.PARTIALLY_FAILED])
def test_what_has_started_keeps_its_backup_and_the_others_are_measured_against_it(phase: Phase) -> None:
    ran = at(0, phase, 60, status={"phase": "Completed"})
    before = (ran, COLD[1])
    assert bound(ran, at(1, STARTING, 55), before=before) == [(str(phase), ""), ("Starting", "")]
    assert bound(ran, at(1, STARTING, 0), before=before) == [(str(phase), ""), ("Failed", "SkewExceeded")]


def test_a_run_that_started_and_failed_there_refuses_nobody() -> None:
    failed = at(0, FAILED, 1, status={"phase": "Failed"}, reason="Failed")
    assert bound(failed, at(1, STARTING, 0), before=(failed, COLD[1]))[1] == ("Starting", "")


@pytest.mark.parametrize("ago", [None, 9999])
def test_a_cluster_that_was_taken_out_binds_nobody(ago: float | None) -> None:
    """It may have been `Starting`, with a backup pinned, and never ran."""
    out = at(0, HELD, ago, reason="Withdrawn")
    assert bound(out, at(1, STARTING, 0), before=(out, COLD[1]))[1] == ("Starting", "")


def test_what_has_ended_stays_as_it_is() -> None:
    ended = (at(0, Phase.COMPLETED, 0), at(1, FAILED, reason="BackupTooOld"))
    assert bind(ended, ended, ALL, spec()) is ended


# ---------------------------------------------------------------- later attempts


def again(number: int, ago: float, what: str = COLD[0].what) -> Run:
    return at(number, STARTING, ago, attempt=2, run_id=f"again-{number}", what=what)


DONE = at(0, Phase.COMPLETED, 60, status={"phase": "Completed"})
LATER = spec(attempt=2)


def test_a_cluster_that_needs_no_new_attempt_is_measured_too() -> None:
    """Else a second attempt on the others would bring the fleet to points far apart."""
    before = (DONE, replace(again(1, 0), phase=PENDING))
    assert bound(DONE, again(1, 55), before=before, limit=LATER) == [("Completed", ""), ("Starting", "")]
    assert bound(DONE, again(1, 0), before=before, limit=LATER) == [("Completed", ""), ("Failed", "SkewExceeded")]


def test_neither_what_restored_something_else_nor_what_failed_nor_what_left_is() -> None:
    before = (DONE, replace(again(1, 0), phase=PENDING))
    assert bound(DONE, again(1, 0, "another"), before=before, limit=LATER)[1] == ("Starting", "")
    failed = replace(DONE, phase=FAILED)
    assert bound(failed, again(1, 0), before=before, limit=LATER)[1] == ("Starting", "")
    elsewhere = bind(before, (DONE, again(1, 0)), (b.M2,), LATER)
    assert elsewhere[1].phase is STARTING


def test_on_a_cluster_that_runs_again_only_the_new_run_counts() -> None:
    before = (DONE, replace(again(0, 0), phase=PENDING), replace(again(1, 0), phase=PENDING))
    assert bound(DONE, again(0, 0), again(1, 0), before=before, limit=LATER)[1:] == [("Starting", "")] * 2


# ---------------------------------------------------------------- in a pass

FILE = b.restore(b.M1, b.M2, maxSkew="10m")
SCHEDULES = {cluster: f"{cluster.name}-backup-default-nightly" for cluster in (b.M1, b.M2)}


def a_pass(first: float | None, second: float | None, wanted: Wanted = FILE) -> list[tuple[str, str]]:
    """With a backup on each cluster that was started so many minutes ago, if there is one."""
    records = b.drafted(b.scheduled(b.M1, b.M2), wanted)
    answers = {}
    for run, ago in zip(records[b.RESTORE].runs, (first, second), strict=True):
        backups = () if ago is None else (b.raw("Backup", "n", "", "Completed", startTimestamp=minutes(ago)),)
        listed = {SCHEDULES[run.cluster]: backups}
        name = b.name_of(b.RESTORE, run)
        answers[run.cluster] = b.answer(accepted=[name], uid=run.cluster.name, backups_of=listed)
    desired = b.ask(b.scheduled(b.M1, b.M2), wanted)
    decided = decide(desired, records, answers, b.LEDGER, b.NOW)
    return [(str(run.phase), run.reason) for run in decided[b.RESTORE].runs]


def test_a_whole_fleet() -> None:
    assert a_pass(0, 10) == [("Starting", "")] * 2
    assert a_pass(0, 11) == [("Failed", "SkewExceeded")] * 2
    assert a_pass(0, None) == [("Pending", "FleetNotReady"), ("Pending", "BackupNotFound")]
    assert a_pass(0, 99, b.restore(b.M1, b.M2)) == [("Starting", "")] * 2
    old = b.restore(b.M1, b.M2, maxSkew="10m", maxBackupAge="1h")
    assert a_pass(0, 99, old) == [("Failed", "SkewExceeded"), ("Failed", "BackupTooOld")]


runs = st.tuples(
    st.sampled_from([PENDING, STARTING, RUNNING, Phase.COMPLETED, HELD, FAILED]), st.none() | st.integers(0, 30)
)


@given(st.lists(runs, min_size=1, max_size=3))
def test_no_two_that_start_now_lie_far_apart(drawn: list[tuple[Phase, int | None]]) -> None:
    after = tuple(
        at(number, phase, ago if phase is not PENDING else None, backup_completed="x")
        for number, (phase, ago) in enumerate(drawn)
    )
    before = tuple(COLD[n] if run.phase in (PENDING, STARTING) else run for n, run in enumerate(after))
    found = bind(before, after, ALL, spec())
    begun = [run for run in found if run.phase is STARTING]
    points = [moment(run.backup_started) for run in found if run.phase in (STARTING, RUNNING, Phase.COMPLETED)]
    known = [point for point in points if point]
    if begun:
        assert max(known) - min(known) <= timedelta(minutes=10)
        assert not any(run.phase is PENDING for run in found)
    assert bind(found, found, ALL, spec()) == found
