"""What is asked of which member: only what is open, nothing that is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.desired import Desired
from reconciler.plan.answers import Question
from reconciler.plan.questions import Looking, questions
from reconciler.plan.schedules import fingerprint
from reconciler.plan.watch import Watch
from reconciler.records import Phase, Record, timestamp
from reconciler.resources import BackupSpec
from tests.plan import builders as b

BOTH = b.ask(b.backup(), b.restore(), members=[b.M1])
KNOWN = Watch({}, frozenset([b.M1, b.M2]))
TAKEN, RUN = ("Backup", "m1-backup-default-nightly"), ("Restore", "m1-restore-default-minimal")


LATELY = Looking(b.NOW)
DUE = Looking(b.NOW, due=frozenset([b.M1]))


def asked(
    *records: Record, desired: Desired = BOTH, watch: Watch = KNOWN, looking: Looking = LATELY
) -> tuple[Question, ...]:
    return questions(desired, b.by_identity(*records), watch, b.LEDGER, b.VELERO, looking)


def one(*records: Record, desired: Desired = BOTH, watch: Watch = KNOWN, looking: Looking = LATELY) -> Question:
    (question,) = asked(*records, desired=desired, watch=watch, looking=looking)
    return question


def test_a_waiting_backup_asks_for_its_name_the_storage_and_a_dry_run() -> None:
    question = one(b.record(b.backup()))
    assert question.objects == question.dry_runs.keys() == {TAKEN}
    assert question.storage
    assert question.dry_runs[TAKEN]["kind"] == "Backup"
    assert question.member == b.member(b.M1)


def test_a_waiting_restore_asks_for_its_backup_too() -> None:
    question = one(b.ended(b.backup()), b.record(b.restore()))
    assert question.objects == {TAKEN, RUN}
    assert question.dry_runs[RUN]["spec"] == {"backupName": TAKEN[1]}
    assert question.storage


@pytest.mark.parametrize("phase", [Phase.IN_PROGRESS, Phase.FAILED])
def test_a_restore_that_its_backup_stops_asks_nothing(phase: Phase) -> None:
    found = asked(b.record(b.backup(), phase), b.record(b.restore()))
    assert all(RUN not in question.objects and RUN not in question.dry_runs for question in found)


@pytest.mark.parametrize(("phase", "running"), [(Phase.STARTING, set()), (Phase.IN_PROGRESS, {RUN})])
def test_what_has_started_is_looked_for_and_nothing_else(phase: Phase, running: set[tuple[str, str]]) -> None:
    question = one(b.record(b.restore(), phase))
    assert question.objects == question.texts == {RUN}
    assert question.running == running
    assert (question.storage, question.dry_runs, question.leftovers) == (False, {}, False)


@pytest.mark.parametrize("desired", [b.ask(), b.ask(complete=False), b.ask(refused=[b.RESTORE])])
def test_what_runs_is_looked_for_although_no_file_asks_for_it(desired: Desired) -> None:
    assert one(b.record(b.restore(), Phase.IN_PROGRESS), desired=desired).objects == {RUN}
    assert not one(b.record(b.restore()), desired=desired).objects


@pytest.mark.parametrize("phase", [p for p in b.RUN_PHASES if not p.open])
def test_nothing_is_asked_about_what_is_settled_or_held(phase: Phase) -> None:
    assert asked(b.record(b.backup(), phase), b.record(b.restore(), phase)) == ()


def test_a_cluster_that_is_declared_nowhere_is_not_asked() -> None:
    assert asked(b.record(b.restore(), Phase.IN_PROGRESS), desired=b.ask(members=[])) == ()


def test_a_member_that_seems_to_be_another_cluster_is_listed_once_in_a_while() -> None:
    """A kubeconfig leads astray when a machine lists it for the first time, and is put right later."""
    ran = b.record(b.restore(), Phase.COMPLETED, status={"phase": "Completed"}, cluster_uid="uid-1")
    astray = replace(KNOWN, uids={b.M1: "uid-2"})
    assert one(ran, watch=astray, looking=DUE).leftovers
    assert asked(ran, watch=astray) == ()
    assert asked(ran, watch=replace(KNOWN, uids={b.M1: "uid-1"}), looking=DUE) == ()
    assert asked(b.record(b.restore(), Phase.HELD), watch=astray, looking=DUE) == (), "nothing ever ran there"


def test_where_a_member_is_asked_so_is_whoever_told_of_the_same_cluster() -> None:
    """Its kubeconfig may be put right by now, and nothing else be asked of it."""
    desired = b.ask(b.backup(), members=[b.M1, b.M2])
    one_cluster = replace(KNOWN, uids={b.M1: "uid-1", b.M2: "uid-1"})
    open_on_one = asked(b.record(b.backup()), desired=desired, watch=one_cluster)
    assert [question.member.id for question in open_on_one] == [b.M1, b.M2]
    assert asked(b.ended(b.backup()), desired=desired, watch=one_cluster) == ()


def test_what_may_carry_our_finalizer_is_looked_for_until_it_is_released() -> None:
    watch = Watch({(b.M1, RUN): "2025-06-01T12:00:00Z"}, KNOWN.inventoried)
    settled = one(b.ended(b.restore()), watch=watch)
    assert settled.objects == {RUN}
    assert not settled.texts


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.HELD])
def test_the_texts_of_a_run_that_was_given_up_and_may_be_there_are_asked_for(phase: Phase) -> None:
    """Without them its outcome would never be recorded."""
    watch = Watch({(b.M1, RUN): "2025-06-01T12:00:00Z"}, KNOWN.inventoried)
    assert one(b.record(b.restore(), phase, reason="Expired"), watch=watch).texts == {RUN}


def test_a_machine_that_remembers_nothing_lists_what_carries_our_finalizer_once() -> None:
    assert one(watch=Watch()).leftovers
    assert asked(watch=KNOWN) == ()


@pytest.mark.parametrize("ask", [b.ask(b.restore(suspend=True)), b.ask(b.restore(), paused=True)])
def test_nothing_is_asked_about_what_is_not_to_start_now(ask: Desired) -> None:
    question = one(b.ended(b.backup()), b.record(b.restore()), desired=ask)
    assert not question.objects
    assert not question.dry_runs
    assert not question.storage


# ---------------------------------------------------------------- which backup it will be


def test_every_attempt_of_a_backup_that_may_have_left_one_is_looked_for() -> None:
    first, second = b.ended(b.backup(), Phase.PARTIALLY_FAILED), b.ended(b.backup(attempt=2))
    both = replace(second, runs=(*first.runs, *second.runs))
    names = {("Backup", run.object_name) for run in both.runs}
    assert one(both, b.record(b.restore())).objects == {RUN, *names}
    failed = replace(both, runs=(replace(first.runs[0], phase=Phase.FAILED), *second.runs))
    assert one(failed, b.record(b.restore())).objects == {RUN, ("Backup", second.runs[0].object_name)}


def test_a_restore_from_a_scheduled_backup_asks_for_all_its_backups() -> None:
    scheduled = b.ask(b.scheduled(), b.restore(), members=[b.M1])
    question = one(in_place(), b.record(b.restore()), desired=scheduled)
    assert question.objects == {RUN}
    assert question.backups_of == {TAKEN[1]}
    assert not question.schedules
    assert question.dry_runs[RUN]["spec"] == {"backupName": TAKEN[1]}
    assert not one(in_place(), b.record(b.restore(), Phase.IN_PROGRESS), desired=scheduled).backups_of


@pytest.mark.parametrize(
    ("source", "objects", "backups_of"),
    [({"backup": "by-hand"}, {RUN, ("Backup", "by-hand")}, set()), ({"schedule": "theirs"}, {RUN}, {"theirs"})],
)
def test_a_restore_of_veleros_own_objects_asks_for_those(
    source: dict[str, str], objects: set[tuple[str, str]], backups_of: set[str]
) -> None:
    wanted = b.restore_of(source=source)
    question = one(b.record(wanted), desired=b.ask(wanted))
    assert question.objects == objects
    assert question.backups_of == backups_of


# ---------------------------------------------------------------- Schedules

SCHEDULED = b.ask(b.scheduled(), members=[b.M1])


def in_place(**fields: Any) -> Record:
    known: dict[str, Any] = {"phase": Phase.ENABLED, "what": fingerprint(spec()), **fields}
    record = b.drafted(b.scheduled())[b.BACKUP]
    return replace(record, schedules=tuple(replace(each, **known) for each in record.schedules))


def spec() -> BackupSpec:
    found = b.scheduled().spec
    assert isinstance(found, BackupSpec)
    return found


def test_a_schedule_to_be_made_asks_for_a_dry_run() -> None:
    question = one(in_place(phase=Phase.PENDING), desired=SCHEDULED)
    assert question.dry_runs.keys() == {("Schedule", TAKEN[1])}
    assert question.dry_runs["Schedule", TAKEN[1]]["spec"]["schedule"] == b.DAILY
    assert (question.schedules, question.objects, question.storage) == (frozenset(), frozenset(), True)


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.ENABLED, Phase.PAUSED, Phase.FAILED_VALIDATION])
def test_one_that_may_be_there_and_is_not_as_asked_is_looked_at(phase: Phase) -> None:
    question = one(in_place(phase=phase, what="another"), desired=SCHEDULED)
    assert question.schedules == {TAKEN[1]}
    assert question.storage
    assert not question.dry_runs
    assert not question.backups_of


def test_one_that_is_as_asked_is_looked_at_once_in_a_while_with_its_backups() -> None:
    assert asked(in_place(), desired=SCHEDULED) == ()
    question = one(in_place(), desired=SCHEDULED, looking=DUE)
    assert question.schedules == question.backups_of == {TAKEN[1]}


@pytest.mark.parametrize(("minutes", "expected"), [(59, frozenset()), (60, {TAKEN[1]}), (-1, {TAKEN[1]})])
def test_backups_that_were_recorded_lately_are_not_listed_again(minutes: int, expected: frozenset[str]) -> None:
    """Also not by another machine, or after a restart; by one whose clock was ahead they are."""
    at = timestamp(b.NOW - timedelta(minutes=minutes))
    assert one(in_place(refreshed=at), desired=SCHEDULED, looking=DUE).backups_of == expected
    half_an_hour = Looking(b.NOW, timedelta(minutes=30), DUE.due)
    assert one(in_place(refreshed=at), desired=SCHEDULED, looking=half_an_hour).backups_of


@pytest.mark.parametrize("desired", [b.ask(complete=False), b.ask(refused=[b.BACKUP]), b.ask(b.backup())])
def test_a_frozen_one_is_not_asked_about(desired: Desired) -> None:
    assert asked(in_place(phase=Phase.REMOVING), desired=desired, looking=DUE) == ()


def test_one_to_be_removed_is_looked_at_until_it_is_gone_and_then_seldom() -> None:
    """Seldom, because a create of another process may have landed since."""
    assert one(in_place(phase=Phase.REMOVING), desired=b.ask()).schedules == {TAKEN[1]}
    given_up = in_place(phase=Phase.REMOVED, reason="Abandoned")
    assert one(given_up, desired=b.ask()).schedules == {TAKEN[1]}, "nobody could look while its cluster was gone"
    assert asked(in_place(phase=Phase.REMOVED), desired=b.ask()) == ()
    assert one(in_place(phase=Phase.REMOVED), desired=b.ask(), looking=DUE).schedules == {TAKEN[1]}
