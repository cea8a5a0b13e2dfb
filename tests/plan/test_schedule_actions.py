"""What is done to Schedules on members: ours are made, changed and deleted, never somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired import Desired
from reconciler.plan.actions import Action, Create, Delete, Update
from reconciler.plan.answers import Answer
from reconciler.plan.asks import Ask
from reconciler.plan.decide import actions, decide
from reconciler.plan.drafts import draft, unrecorded
from reconciler.plan.same_cluster import compared
from reconciler.records import Phase, Record, Schedule
from reconciler.resources import ClusterId, Identity
from reconciler.velero.status import SeenSchedule
from tests.plan import builders as b
from tests.plan.velero_schedules import ANY, FOREIGN, NAME, answer, at, step, there

ASKED = b.ask(b.scheduled())
GONE = b.ask()
M3 = ClusterId("default", "AttachedCluster", "m3")


def recorded(*schedules: Schedule) -> Record:
    return replace(b.drafted(b.scheduled())[b.BACKUP], schedules=schedules)


def todo(
    schedule: Schedule, seen: SeenSchedule | None = None, desired: Desired = ASKED, told: Answer | None = None
) -> tuple[Action, ...]:
    answers = {b.M1: told or answer(seen)}
    return actions(desired, b.by_identity(recorded(schedule)), answers, b.VELERO)


# ---------------------------------------------------------------- create


def test_what_is_starting_and_proven_absent_is_created() -> None:
    (create,) = todo(at(Phase.STARTING))
    assert isinstance(create, Create)
    assert (create.member, create.name, create.cluster_uid) == (b.member(b.M1), NAME, "uid-1")
    assert create.manifest["kind"] == "Schedule"
    assert create.manifest["spec"] == {"schedule": b.DAILY, "template": {}}
    assert create.manifest["metadata"]["annotations"]["reconciler/run-id"] == create.run_id == at(Phase.STARTING).run_id
    assert "finalizers" not in create.manifest["metadata"]


def test_one_that_is_suspended_is_created_paused() -> None:
    (create,) = todo(at(Phase.STARTING), desired=b.ask(b.scheduled(suspend=True)))
    assert isinstance(create, Create)
    assert create.manifest["spec"]["paused"] is True
    assert create.manifest["metadata"]["annotations"]["reconciler/suspended"] == "true"


@pytest.mark.parametrize("schedule", ANY, ids=lambda schedule: f"{schedule.phase}-{schedule.reason}")
def test_none_is_to_be_made_where_velero_is_not_and_what_is_there_stays(schedule: Schedule) -> None:
    nowhere = step(schedule, answer(None, locations=()))
    assert (nowhere.phase, nowhere.reason) == (Phase.PENDING, "VeleroMissing")
    assert step(nowhere, answer(None, locations=())) == nowhere
    assert step(nowhere, answer(None)).phase is Phase.STARTING
    assert step(schedule, answer(None, locations=None)).phase is Phase.STARTING  # that was not asked
    assert step(schedule, answer(there(), locations=())).phase is Phase.ENABLED


# ---------------------------------------------------------------- update


@pytest.mark.parametrize(
    ("seen", "suspend", "paused"),
    [
        (there(what="other"), False, None),
        (there(what="other", paused=True), False, None),
        (there(what="other", paused=True), True, None),
        (there(), True, True),
        (there(paused=True, suspended=True), False, False),
        (there(suspended=True), False, False),
        (there(what="other", paused=True, suspended=True), True, None),
    ],
)
def test_ours_is_changed_in_place_and_somebody_elses_pause_stays(
    seen: SeenSchedule, suspend: bool, paused: bool | None
) -> None:
    (update,) = todo(at(Phase.STARTING), seen, b.ask(b.scheduled(suspend=suspend)))
    assert isinstance(update, Update)
    assert (update.name, update.uid, update.run_id, update.paused) == (NAME, "uid-of-it", seen.run_id, paused)
    assert update.manifest["spec"]["schedule"] == b.DAILY


@pytest.mark.parametrize("seen", [there(), there(paused=True), there(what="other", deleting=True)])
def test_what_is_as_asked_or_goes_away_is_not_changed(seen: SeenSchedule) -> None:
    assert todo(at(Phase.STARTING), seen) == ()


# ---------------------------------------------------------------- delete


@pytest.mark.parametrize("seen", [there(), there(paused=True), there(what="other")])
def test_ours_is_deleted_by_its_uid_once_the_record_says_removing(seen: SeenSchedule) -> None:
    (delete,) = todo(at(Phase.REMOVING), seen, GONE)
    assert isinstance(delete, Delete)
    assert (delete.name, delete.uid, delete.member) == (NAME, "uid-of-it", b.member(b.M1))
    assert str(delete) == f"delete Schedule {NAME} on m1"


@pytest.mark.parametrize("phase", [each for each in Phase if each is not Phase.REMOVING])
def test_nothing_is_deleted_that_the_committed_record_does_not_call_removing(phase: Phase) -> None:
    assert todo(at(phase), there(), GONE) == ()


def test_a_file_that_is_back_before_the_delete_was_sent_keeps_it() -> None:
    assert todo(at(Phase.REMOVING), there()) == ()


# ---------------------------------------------------------------- never


@pytest.mark.parametrize("schedule", ANY, ids=lambda each: f"{each.phase}-{each.reason}")
@pytest.mark.parametrize("desired", [ASKED, GONE, b.ask(b.scheduled(b.M2)), b.ask(b.scheduled(suspend=True))])
@pytest.mark.parametrize("seen", [FOREIGN, replace(FOREIGN, what="other"), replace(FOREIGN, paused=True)])
def test_somebody_elses_schedule_is_never_touched(schedule: Schedule, desired: Desired, seen: SeenSchedule) -> None:
    assert todo(schedule, seen, desired) == ()


@pytest.mark.parametrize("schedule", [at(Phase.STARTING), at(Phase.REMOVING)], ids=lambda each: each.phase)
@pytest.mark.parametrize(
    "desired",
    [
        b.ask(complete=False),
        b.ask(refused=[b.BACKUP]),
        b.ask(b.scheduled(b.M2), complete=False),
        b.ask(b.scheduled(), refused=[Identity("AttachedCluster", "default", "m1")], complete=False),
        b.ask(b.backup()),
        b.ask(b.scheduled(), members=[b.M2]),
    ],
    ids=["unread", "refused", "cluster left, unread", "cluster refused", "immediate now", "undeclared"],
)
@pytest.mark.parametrize("seen", [None, there(), there(what="other")], ids=["absent", "ours", "edited"])
def test_while_a_file_has_an_error_nothing_is_done(
    schedule: Schedule, desired: Desired, seen: SeenSchedule | None
) -> None:
    assert todo(schedule, seen, desired) == ()


@pytest.mark.parametrize("seen", [None, there(what="other")], ids=["absent", "edited"])
def test_in_a_paused_repository_nothing_is_made_or_changed(seen: SeenSchedule | None) -> None:
    assert todo(at(Phase.STARTING), seen, b.ask(b.scheduled(), paused=True)) == ()


def test_in_a_paused_repository_nothing_is_deleted() -> None:
    assert todo(at(Phase.REMOVING), there(), b.ask(paused=True)) == ()


@pytest.mark.parametrize("told", [Answer(), b.answer(), b.unreachable()], ids=["nothing", "not asked", "silent"])
@pytest.mark.parametrize(("schedule", "desired"), [(at(Phase.STARTING), ASKED), (at(Phase.REMOVING), GONE)])
def test_what_was_not_looked_at_is_left_alone(schedule: Schedule, desired: Desired, told: Answer) -> None:
    assert todo(schedule, desired=desired, told=told) == ()


@pytest.mark.parametrize(("schedule", "desired"), [(at(Phase.STARTING), ASKED), (at(Phase.REMOVING), GONE)])
@pytest.mark.parametrize("seen", [None, there(what="other")], ids=["absent", "ours"])
def test_on_another_cluster_than_the_recorded_one_nothing_is_done(
    schedule: Schedule, desired: Desired, seen: SeenSchedule | None
) -> None:
    """A cluster that was rebuilt from the other's objects carries our run ids too."""
    assert todo(schedule, desired=desired, told=answer(seen, uid="uid-of-another")) == ()


def test_on_one_cluster_with_two_names_nothing_is_done() -> None:
    both = {b.M1: answer(there(what="other")), b.M2: answer(None)}
    answers = compared(both, {}, ASKED.members)
    assert actions(ASKED, b.by_identity(recorded(at(Phase.STARTING))), answers, b.VELERO) == ()


# ---------------------------------------------------------------- a fleet that grows and shrinks


def redrafted(desired: Desired, records: Mapping[Identity, Record]) -> dict[Identity, Record]:
    return draft(desired, records, {each.identity: b.WHO for each in unrecorded(desired, records)}, b.LEDGER, b.NOW)


def phases(records: Mapping[Identity, Record]) -> dict[str, str]:
    return {each.cluster.name: str(each.phase) for each in records[b.BACKUP].schedules}


def decided(desired: Desired, records: Mapping[Identity, Record], *answers: Answer) -> dict[Identity, Record]:
    told = dict(zip((b.M1, b.M2, M3), answers, strict=False))
    return decide(desired, redrafted(desired, records), told, b.LEDGER, b.NOW)


def in_place(*clusters: ClusterId) -> dict[Identity, Record]:
    record = b.drafted(b.scheduled(*clusters))[b.BACKUP]
    what = at(Phase.ENABLED).what
    return b.by_identity(
        replace(record, schedules=tuple(replace(s, phase=Phase.ENABLED, what=what) for s in record.schedules))
    )


def test_a_new_scheduled_backup_has_a_schedule_on_each_cluster_and_no_run() -> None:
    record = b.drafted(b.scheduled(b.M1, b.M2))[b.BACKUP]
    assert record.runs == ()
    assert [(s.cluster, s.phase, s.object_name) for s in record.schedules] == [
        (b.M1, Phase.PENDING, "m1-backup-default-nightly"),
        (b.M2, Phase.PENDING, "m2-backup-default-nightly"),
    ]
    assert len({s.run_id for s in record.schedules}) == 2


def test_a_cluster_that_joins_the_fleet_gets_one() -> None:
    """Although the file itself is as it was."""
    grown = b.ask(b.scheduled(b.M1, b.M2))
    assert list(unrecorded(grown, in_place(b.M1))) == []
    assert phases(redrafted(grown, in_place(b.M1))) == {"m1": "Enabled", "m2": "Pending"}


def test_a_cluster_that_leaves_the_fleet_loses_its_own() -> None:
    shrunk = b.ask(b.scheduled(b.M1))
    after = decided(shrunk, in_place(b.M1, b.M2))
    assert phases(after) == {"m1": "Enabled", "m2": "Removing"}
    gone = {b.M2: b.answer(schedules={after[b.BACKUP].schedules[1].object_name: None})}
    removed = decide(shrunk, after, gone, b.LEDGER, b.NOW)
    assert phases(removed) == {"m1": "Enabled", "m2": "Removed"}
    again = b.ask(b.scheduled(b.M1, b.M2))
    back = decide(again, redrafted(again, removed), gone, b.LEDGER, b.NOW)
    assert phases(back) == {"m1": "Enabled", "m2": "Starting"}


def test_an_edit_is_recorded_and_keeps_what_is_known_of_the_schedules() -> None:
    edited = b.ask(b.scheduled(schedule="0 4 * * *"))
    after = redrafted(edited, in_place(b.M1))[b.BACKUP]
    assert after.spec["schedule"] == "0 4 * * *"
    assert after.schedules == in_place(b.M1)[b.BACKUP].schedules


def test_an_edit_to_an_immediate_one_changes_and_removes_nothing() -> None:
    desired = b.ask(b.backup())
    after = decided(desired, in_place(b.M1), answer(there()))
    assert after[b.BACKUP].schedules == in_place(b.M1)[b.BACKUP].schedules
    assert "SpecChanged" in {condition.type for condition in after[b.BACKUP].conditions}


def test_an_immediate_backup_gets_no_schedules() -> None:
    ended = b.by_identity(b.ended(b.backup()))
    assert redrafted(b.ask(b.scheduled()), ended) == ended


@pytest.mark.parametrize("uid", ["uid-1", "another"])
def test_a_kubeconfig_that_leads_elsewhere_removes_nothing(uid: str) -> None:
    removing: dict[str, Any] = {"desired": GONE, "records": b.by_identity(recorded(at(Phase.REMOVING)))}
    (after,) = decided(*removing.values(), answer(None, uid=uid))[b.BACKUP].schedules
    expected = (Phase.REMOVED, "") if uid == "uid-1" else (Phase.REMOVING, "ClusterChanged")
    assert (after.phase, after.reason) == expected


@pytest.mark.parametrize("schedule", ANY, ids=lambda schedule: f"{schedule.phase}-{schedule.reason}")
@pytest.mark.parametrize("ask", [Ask.WITHDRAWN, Ask.ABANDONED])
def test_one_that_is_removed_is_tied_to_no_cluster(schedule: Schedule, ask: Ask) -> None:
    after = step(replace(schedule, cluster_uid="uid-1", what="x"), answer(None), ask, None)
    assert (after.phase, after.cluster_uid, after.what) == (Phase.REMOVED, "", "")
