"""What the records become in one pass, over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.desired import Desired, Wanted
from reconciler.plan.answers import Answer
from reconciler.plan.decide import STARTS_PER_COMMIT, decide
from reconciler.plan.same_cluster import compared, distrust
from reconciler.records import Phase, Record
from reconciler.resources import ClusterId, Identity
from tests.plan import builders as b

Answers = dict[ClusterId, Answer]


def ready(*wanted: Wanted, **fields: Any) -> Answers:
    """Every member would take every run of these, and has what it should restore."""
    records = b.drafted(*wanted)
    cluster_runs = [(record.identity, run) for record in records.values() for run in record.runs]
    taken = b.record(b.backup(b.M1, b.M2)).runs
    return {
        cluster: b.answer(
            *(b.there("Backup", run, "Completed") for run in taken if run.cluster == cluster),
            accepted=[b.name_of(who, run) for who, run in cluster_runs if run.cluster == cluster and who != b.BACKUP],
            **{"uid": f"uid-{cluster.name}", **fields},
        )
        for cluster in (b.M1, b.M2)
    }


def decided(
    desired: Desired, records: Mapping[Identity, Record], answers: Answers, now: datetime = b.NOW
) -> dict[Identity, Record]:
    return decide(desired, records, compared(answers, {}, desired.members), b.LEDGER, now)


BOTH = b.ask(b.backup(b.M1, b.M2), b.restore(b.M1, b.M2))
DONE = b.ended(b.backup(b.M1, b.M2))
READY = ready(b.restore(b.M1, b.M2))


def phases(records: Mapping[Identity, Record], identity: Identity = b.RESTORE) -> list[tuple[str, str]]:
    return [(str(run.phase), run.reason) for run in records[identity].runs]


def test_what_is_asked_for_and_ready_starts() -> None:
    after = decided(BOTH, b.by_identity(DONE, b.record(b.restore(b.M1, b.M2))), READY)
    assert phases(after) == [("Starting", ""), ("Starting", "")]
    assert after[b.RESTORE].phase is Phase.IN_PROGRESS


def test_one_member_that_is_silent_delays_only_its_own_runs() -> None:
    records = b.by_identity(DONE, b.record(b.restore(b.M1, b.M2)))
    assert phases(decided(BOTH, records, {b.M2: READY[b.M2]})) == [("Pending", "Unknown"), ("Starting", "")]
    slow = {**READY, b.M1: b.unreachable()}
    assert phases(decided(BOTH, records, slow)) == [("Pending", "Unreachable"), ("Starting", "")]


def test_nothing_new_changes_nothing() -> None:
    records = decided(BOTH, b.by_identity(DONE, b.record(b.restore(b.M1, b.M2))), {})
    for _ in range(3):
        assert decided(BOTH, records, {}, b.NOW + timedelta(hours=1)) == records


def test_a_fleet_that_grows_triggers_nothing() -> None:
    grown = b.ask(b.backup(b.M1, b.M2), b.restore(b.M1, b.M2))
    records = b.by_identity(b.ended(b.backup(b.M1)), b.ended(b.restore(b.M1)))
    assert decided(grown, records, READY)[b.RESTORE].runs == records[b.RESTORE].runs
    assert decided(grown, records, READY)[b.BACKUP].runs == records[b.BACKUP].runs


def test_a_cluster_removed_from_the_fleet_holds_its_pending_run_and_no_other() -> None:
    desired = b.ask(b.backup(b.M1), b.restore(b.M1))
    after = decided(desired, b.by_identity(DONE, b.record(b.restore(b.M1, b.M2))), READY)
    assert phases(after) == [("Starting", ""), ("Held", "Withdrawn")]


def test_a_removed_file_withdraws_what_waits_and_keeps_the_record() -> None:
    after = decided(b.ask(), b.by_identity(b.record(b.restore(b.M1, b.M2))), READY)
    assert phases(after) == [("Held", "Withdrawn")] * 2
    assert after[b.RESTORE].phase is Phase.HELD


def test_a_removed_file_at_a_tip_that_could_not_be_read_in_full_freezes() -> None:
    records = b.by_identity(b.record(b.restore(b.M1, b.M2)))
    assert phases(decided(b.ask(complete=False), records, READY)) == [("Pending", ""), ("Pending", "")]


def test_a_refused_file_starts_nothing() -> None:
    records = b.by_identity(DONE, b.record(b.restore(b.M1, b.M2)))
    refused = b.ask(b.backup(b.M1, b.M2), refused=[b.RESTORE])
    assert phases(decided(refused, records, READY)) == [("Pending", ""), ("Pending", "")]


def test_an_edit_after_the_first_run_shows_and_runs_nothing() -> None:
    edited = b.ask(b.backup(b.M1, b.M2), b.restore(b.M1, b.M2, allowPartiallyFailed=True))
    records = b.by_identity(DONE, b.ended(b.restore(b.M1, b.M2)))
    after = decided(edited, records, READY)
    assert after[b.RESTORE].runs == records[b.RESTORE].runs
    assert [c.type for c in after[b.RESTORE].conditions] == ["Ready", "SpecChanged"]


def test_an_edit_after_the_first_run_holds_what_still_waits() -> None:
    edited = b.ask(b.backup(b.M1, b.M2), b.restore(b.M1, b.M2, allowPartiallyFailed=True))
    record = b.record(b.restore(b.M1, b.M2))
    begun = replace(record, runs=(replace(record.runs[0], phase=Phase.IN_PROGRESS), record.runs[1]))
    assert phases(decided(edited, b.by_identity(DONE, begun), READY)) == [("InProgress", ""), ("Held", "SpecChanged")]


def test_a_restore_sees_in_the_same_pass_what_its_backup_became() -> None:
    running = b.record(b.backup(b.M1, b.M2), Phase.IN_PROGRESS)
    after = decided(BOTH, b.by_identity(running, b.record(b.restore(b.M1, b.M2))), READY)
    assert phases(after, b.BACKUP) == [("Completed", "")] * 2
    assert phases(after) == [("Starting", "")] * 2


def test_a_restore_waits_while_its_backup_runs() -> None:
    running = b.record(b.backup(b.M1, b.M2), Phase.IN_PROGRESS)
    after = decided(BOTH, b.by_identity(running, b.record(b.restore(b.M1, b.M2))), {})
    assert phases(after) == [("Pending", "BackupRunning")] * 2


def test_a_failed_backup_on_one_cluster_stops_the_restore_on_that_one_alone() -> None:
    broken = replace(DONE, runs=(replace(DONE.runs[0], phase=Phase.FAILED), DONE.runs[1]))
    after = decided(BOTH, b.by_identity(broken, b.record(b.restore(b.M1, b.M2))), READY)
    assert phases(after) == [("Failed", "BackupFailed"), ("Starting", "")]


def test_the_wait_ends_a_day_after_it_was_recorded() -> None:
    records = b.by_identity(DONE, b.record(b.restore(b.M1, b.M2)))
    assert phases(decided(BOTH, records, READY, b.LATER)) == [("Failed", "Expired")] * 2


@pytest.mark.parametrize(("within", "phase"), [("59m", "Failed"), ("61m", "Starting")])
def test_start_within_says_how_long_to_wait(within: str, phase: str) -> None:
    wanted = b.restore(startWithin=within)
    desired = b.ask(b.backup(), wanted)
    after = decided(desired, b.by_identity(DONE, b.record(wanted)), READY, b.NOW + timedelta(hours=1))
    assert b.only_run(after).phase == phase


def test_a_clock_that_goes_back_expires_nothing() -> None:
    records = b.by_identity(DONE, b.record(b.restore(b.M1, b.M2)))
    assert phases(decided(BOTH, records, READY, b.NOW - timedelta(days=400))) == [("Starting", "")] * 2


def test_at_most_a_thousand_start_in_one_commit() -> None:
    clusters = tuple(ClusterId("default", "AttachedCluster", f"c{number:04}") for number in range(600))
    names = ("a", "b")
    wanted = [b.backup(*clusters, identity=Identity("Backup", "default", name)) for name in names]
    records = b.drafted(*wanted)
    answers = {
        cluster: b.answer(
            accepted=[("Backup", record.runs_on(cluster)[0].object_name) for record in records.values()],
            uid=cluster.name,
        )
        for cluster in clusters
    }
    desired = b.ask(*wanted, members=clusters)

    def starting(found: Mapping[Identity, Record]) -> int:
        return sum(run.phase is Phase.STARTING for record in found.values() for run in record.runs)

    once = decided(desired, records, answers)
    assert starting(once) == STARTS_PER_COMMIT == 1000
    assert starting(decided(desired, once, answers)) == 1200


def test_what_a_skew_binds_starts_in_one_commit_however_much_it_is() -> None:
    """A newer backup that came between two commits would refuse the rest of the fleet."""
    clusters = tuple(
        ClusterId("default", "AttachedCluster", f"c{number:04}") for number in range(STARTS_PER_COMMIT + 9)
    )
    taken = b.ended(b.backup(*clusters))
    few, bound = (
        b.restore(*clusters[:5], identity=Identity("Restore", "default", "few")),
        b.restore(*clusters, identity=Identity("Restore", "default", "bound"), maxSkew="1h"),
    )
    desired = b.ask(b.backup(*clusters), few, bound, members=clusters)
    drafted = b.drafted(few, bound)
    answers = {
        run.cluster: b.answer(
            replace(b.there("Backup", run, "Completed"), started_at="2025-06-01T03:00:00Z"),
            accepted=[
                b.name_of(record.identity, each) for record in drafted.values() for each in record.runs_on(run.cluster)
            ],
            uid=run.cluster.name,
        )
        for run in taken.runs
    }

    def starting(found: Mapping[Identity, Record], wanted: Wanted) -> int:
        return sum(run.phase is Phase.STARTING for run in found[wanted.identity].runs)

    first_the_few = {each.identity: drafted[each.identity] for each in (few, bound)}
    once = decided(desired, {taken.identity: taken, **first_the_few}, answers)
    assert (starting(once, few), starting(once, bound)) == (5, 0)
    then = decided(desired, once, answers)
    assert (starting(then, few), starting(then, bound)) == (5, len(clusters))


# ---------------------------------------------------------------- which cluster is it


@pytest.mark.case("two-names", "two names for one cluster")
def test_two_names_for_one_cluster_are_both_refused() -> None:
    records = b.by_identity(DONE, b.record(b.restore(b.M1, b.M2)))
    same = ready(b.restore(b.M1, b.M2), uid="uid-of-both")
    after = decided(BOTH, records, same)
    assert phases(after) == [("Pending", "SameCluster")] * 2
    assert "m1 and m2 are one cluster" in after[b.RESTORE].runs[0].message


def test_two_names_for_one_cluster_tell_nothing_of_what_runs() -> None:
    running = b.by_identity(b.record(b.restore(b.M1, b.M2), Phase.IN_PROGRESS))
    gone = {cluster: b.answer(absent=[("Restore", f"{cluster.name}-restore-default-minimal")]) for cluster in READY}
    assert phases(decided(BOTH, running, gone)) == [("InProgress", "")] * 2


def test_members_that_did_not_tell_who_they_are_are_not_one_cluster() -> None:
    answers = {b.M1: b.unreachable(), b.M2: b.unreachable()}
    assert distrust(answers) == answers


@pytest.mark.case("two-names", "led elsewhere")
def test_a_kubeconfig_that_leads_elsewhere_tells_nothing_of_what_runs() -> None:
    running = b.record(b.restore(), Phase.IN_PROGRESS, cluster_uid="uid-before")
    gone = {b.M1: b.answer(absent=[b.name_of(b.RESTORE, running.runs[0])], uid="uid-now")}
    assert phases(decided(BOTH, b.by_identity(running), gone)) == [("InProgress", "")]


@pytest.mark.case("two-names", "led elsewhere")
def test_a_kubeconfig_that_leads_elsewhere_is_told_where_a_run_waits() -> None:
    waiting = b.record(b.restore(), Phase.PENDING, cluster_uid="uid-before")
    after = decided(b.ask(b.backup(), b.restore()), b.by_identity(DONE, waiting), READY)
    assert phases(after) == [("Pending", "ClusterChanged")]
