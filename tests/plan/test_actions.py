"""What the committed records ask of the members: creates and releases, and never one too many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired import Desired
from reconciler.plan.actions import Action, Create, Release
from reconciler.plan.answers import Answer
from reconciler.plan.decide import actions
from reconciler.plan.same_cluster import compared
from reconciler.records import Phase, Record
from tests.plan import builders as b

STARTING = b.record(
    b.restore(), Phase.STARTING, cluster_uid="uid-1", backup_name="m1-backup-default-nightly", backup_completed="x"
)
RUN = STARTING.runs[0]
NAME = b.name_of(b.RESTORE, RUN)
ASKED = b.ask(b.backup(), b.restore())
ABSENT = b.answer(absent=[NAME])


def todo(record: Record, answer: Answer, desired: Desired = ASKED) -> tuple[Action, ...]:
    return actions(desired, b.by_identity(record), {b.M1: answer}, b.VELERO)


def test_what_is_starting_and_absent_and_asked_for_is_created() -> None:
    (create,) = todo(STARTING, ABSENT)
    assert isinstance(create, Create)
    assert (create.member, create.identity, create.name) == (b.member(b.M1), b.RESTORE, RUN.object_name)
    assert create.run_id == create.manifest["metadata"]["annotations"]["reconciler/run-id"] == RUN.run_id
    assert create.manifest["spec"]["backupName"] == "m1-backup-default-nightly"
    assert create.manifest["metadata"]["namespace"] == "velero"
    assert str(create) == "create Restore m1-restore-default-minimal on m1"


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.STARTING])
def test_nothing_is_created_that_the_committed_record_does_not_call_starting(phase: Phase) -> None:
    assert todo(replace(STARTING, runs=(replace(RUN, phase=phase),)), ABSENT) == ()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(),
        b.answer(),
        b.unreachable(),
        b.answer(b.there("Restore", RUN)),
        b.answer(b.someone_elses("Restore", RUN)),
        b.answer(absent=[("Backup", RUN.object_name), ("Restore", "other")]),
        b.answer(absent=[NAME], uid="uid-of-another-cluster"),
    ],
    ids=["nothing asked", "not asked", "unreachable", "ours", "another's", "others absent", "another cluster"],
)
def test_nothing_is_created_where_absence_is_not_proven(answer: Answer) -> None:
    assert not any(isinstance(action, Create) for action in todo(STARTING, answer))


@pytest.mark.parametrize(
    "desired",
    [
        b.ask(),
        b.ask(complete=False),
        b.ask(refused=[b.RESTORE]),
        b.ask(b.backup(), b.restore(b.M2)),
        b.ask(b.backup(), b.restore(allowPartiallyFailed=True)),
        b.ask(b.backup(), b.restore(attempt=2)),
        b.ask(b.backup(), b.restore(), members=[b.M2]),
    ],
    ids=["gone", "unread", "refused", "cluster left", "edited", "attempt", "undeclared"],
)
def test_nothing_is_created_that_the_files_no_longer_ask_for(desired: Desired) -> None:
    assert todo(STARTING, ABSENT, desired) == ()


def test_nothing_is_created_on_a_cluster_with_two_names() -> None:
    both = {b.M1: ABSENT, b.M2: b.answer()}
    assert actions(ASKED, b.by_identity(STARTING), compared(both, {}, ASKED.members), b.VELERO) == ()


# ---------------------------------------------------------------- releases


def release(phase: Phase, seen: str = "Completed", recorded: str | None = None, **fields: Any) -> tuple[Action, ...]:
    status = {"phase": recorded or str(phase)}
    ended = replace(STARTING, runs=(replace(RUN, phase=phase, status=status),))
    return todo(ended, b.answer(b.there("Restore", RUN, seen, **fields)))


@pytest.mark.parametrize("phase", [p for p in Phase if p.terminal])
def test_a_restore_whose_outcome_is_recorded_is_released(phase: Phase) -> None:
    (action,) = release(phase, str(phase))
    assert isinstance(action, Release)
    assert (action.name, action.uid) == (RUN.object_name, f"uid-{RUN.object_name}-{RUN.run_id[:6]}")
    assert str(action) == "release Restore m1-restore-default-minimal on m1"


@pytest.mark.parametrize("phase", [p for p in Phase if not p.terminal])
def test_it_is_not_released_before_its_outcome_is_recorded(phase: Phase) -> None:
    assert release(phase, recorded="InProgress") == ()


@pytest.mark.parametrize("seen", ["New", "InProgress", "Completed"])
@pytest.mark.parametrize("reason", ["Expired", "Vanished", "Abandoned", "NameConflict"])
def test_what_was_given_up_and_is_there_after_all_is_followed_first(reason: str, seen: str) -> None:
    given_up = replace(STARTING, runs=(replace(RUN, phase=Phase.FAILED, reason=reason),))
    assert todo(given_up, b.answer(b.there("Restore", RUN, seen))) == ()
    leftover = b.answer(leftovers=(b.there("Restore", RUN, seen),))
    assert todo(given_up, leftover) == ()


def test_what_was_deleted_while_new_is_released() -> None:
    deleted = replace(STARTING, runs=(replace(RUN, phase=Phase.FAILED, reason="Deleted"),))
    (action,) = todo(deleted, b.answer(b.there("Restore", RUN, "New", deleting=True)))
    assert isinstance(action, Release)


def test_without_our_finalizer_there_is_nothing_to_release() -> None:
    assert release(Phase.COMPLETED, held=False) == ()


def test_another_ledgers_restore_is_never_released() -> None:
    foreign = b.raw("Restore", RUN.object_name, "f" * 32, "Completed", held=True)
    assert todo(b.ended(b.restore()), b.answer(foreign)) == ()
    assert todo(b.ended(b.restore()), b.answer(leftovers=(foreign,))) == ()


def test_a_backup_is_never_released() -> None:
    run = b.record(b.backup()).runs[0]
    strange = b.raw("Backup", run.object_name, run.run_id, "Completed", held=True)
    assert todo(b.ended(b.backup()), b.answer(strange)) == ()


def test_a_leftover_whose_outcome_is_recorded_is_released_once() -> None:
    left = b.there("Restore", RUN, "Completed")
    assert len(todo(b.ended(b.restore()), b.answer(left, leftovers=(left,)))) == 1


def test_it_is_released_although_its_file_is_gone() -> None:
    left = b.answer(b.there("Restore", RUN, "Completed"))
    assert len(todo(b.ended(b.restore()), left, b.ask())) == 1


def test_on_a_cluster_that_is_declared_nowhere_nothing_is_done() -> None:
    left = b.answer(b.there("Restore", RUN, "Completed"))
    assert todo(b.ended(b.restore()), left, b.ask(members=[b.M2])) == ()
