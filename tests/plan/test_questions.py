"""What is asked of which member: only what is open, nothing that is settled."""

from __future__ import annotations

import pytest

from reconciler.desired import Desired
from reconciler.plan.answers import Question
from reconciler.plan.questions import questions
from reconciler.plan.watch import Watch
from reconciler.records import Phase, Record
from tests.plan import builders as b

BOTH = b.ask(b.backup(), b.restore(), members=[b.M1])
KNOWN = Watch({}, frozenset([b.M1, b.M2]))
TAKEN, RUN = ("Backup", "m1-backup-default-nightly"), ("Restore", "m1-restore-default-minimal")


def asked(*records: Record, desired: Desired = BOTH, watch: Watch = KNOWN) -> tuple[Question, ...]:
    return questions(desired, b.by_identity(*records), watch, b.VELERO)


def one(*records: Record, desired: Desired = BOTH, watch: Watch = KNOWN) -> Question:
    (question,) = asked(*records, desired=desired, watch=watch)
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


@pytest.mark.parametrize("phase", [p for p in Phase if not p.open])
def test_nothing_is_asked_about_what_is_settled_or_held(phase: Phase) -> None:
    assert asked(b.record(b.backup(), phase), b.record(b.restore(), phase)) == ()


def test_a_cluster_that_is_declared_nowhere_is_not_asked() -> None:
    assert asked(b.record(b.restore(), Phase.IN_PROGRESS), desired=b.ask(members=[])) == ()


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
