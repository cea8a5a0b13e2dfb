"""What a pass leaves: work, waiting, or nothing; and the exit code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired import Desired
from reconciler.plan.answers import Answer
from reconciler.plan.summary import summarise
from reconciler.plan.verdict import Exit, Standing, exit_code, standing
from reconciler.plan.watch import Watch
from reconciler.records import Items, Phase, Record
from reconciler.resources import Identity
from tests.plan import builders as b

ASKED = b.ask(b.backup(), b.restore())
RUN = b.only_run(b.drafted(b.restore()))
NAME = b.name_of(b.RESTORE, RUN)
SOUND, SILENT = b.answer(b.there("Restore", RUN)), b.unreachable()
LATE = replace(SILENT, late=True)


def stands(
    *records: Record, answer: Answer = SOUND, desired: Desired | None = None, watch: tuple[tuple[str, str], ...] = ()
) -> Standing:
    """`desired`: the files ask for just what is recorded."""
    desired = desired or b.ask(*(ASKED.wanted[record.identity] for record in records))
    remembered = Watch({(b.M1, name): "2025-06-01T12:00:00Z" for name in watch})
    return standing(desired, b.by_identity(*records), {b.M1: answer}, remembered)


@pytest.mark.parametrize(
    ("record", "answer", "expected"),
    [
        (b.record(b.restore()), SOUND, Standing.WORKING),
        (b.record(b.restore(), reason="Unreachable"), SOUND, Standing.WAITING),
        (b.record(b.restore(), Phase.STARTING), SOUND, Standing.WORKING),
        (b.record(b.restore(), Phase.STARTING), SILENT, Standing.WAITING),
        (b.record(b.restore(), Phase.IN_PROGRESS), SOUND, Standing.WORKING),
        (b.record(b.restore(), Phase.IN_PROGRESS), SILENT, Standing.WAITING),
        (b.record(b.restore(), reason="Unreachable"), LATE, Standing.WORKING),
        (b.record(b.restore(), Phase.STARTING), LATE, Standing.WORKING),
        (b.record(b.restore(), Phase.IN_PROGRESS), LATE, Standing.WORKING),
        (b.record(b.restore(), Phase.COMPLETED), LATE, Standing.SETTLED),
        *((b.record(b.restore(), phase), SOUND, Standing.SETTLED) for phase in b.RUN_PHASES if not phase.open),
    ],
)
def test_where_one_run_stands(record: Record, answer: Answer, expected: Standing) -> None:
    assert stands(record, answer=answer) is expected


def test_work_goes_before_waiting() -> None:
    waiting, working = b.record(b.restore(), reason="BackupRunning"), b.record(b.backup(), Phase.IN_PROGRESS)
    assert stands(waiting) is Standing.WAITING
    assert stands(waiting, working) is Standing.WORKING


def test_what_a_file_with_an_error_freezes_is_not_waited_for_unless_it_runs() -> None:
    frozen = b.ask(refused=[b.RESTORE])
    assert stands(b.record(b.restore()), desired=frozen) is Standing.SETTLED
    assert stands(b.record(b.restore(), Phase.IN_PROGRESS), desired=frozen) is Standing.WORKING


def test_a_finalizer_that_is_still_on_is_work() -> None:
    ended = b.ended(b.restore())
    assert stands(ended, watch=(NAME,)) is Standing.WORKING
    assert stands(ended, watch=(NAME,), answer=SILENT) is Standing.WAITING
    assert stands(ended, watch=(NAME,), desired=b.ask(members=[])) is Standing.SETTLED


def test_what_is_not_there_is_remembered_and_not_waited_for() -> None:
    withdrawn = b.record(b.restore(), Phase.HELD, reason="Withdrawn")
    assert stands(withdrawn, watch=(NAME,), answer=b.answer(absent=[NAME])) is Standing.SETTLED


# ---------------------------------------------------------------- exit code


def code(*records: Record, desired: Desired = ASKED, touched: tuple[Identity, ...] = ()) -> Exit:
    return exit_code(desired, b.by_identity(*records), frozenset(touched))


def test_the_numbers_are_those_of_the_design() -> None:
    assert [int(each) for each in (Exit.SUCCEEDED, Exit.FAILED, Exit.CANNOT_RUN, Exit.WAITING)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (Phase.COMPLETED, Exit.SUCCEEDED),
        *((p, Exit.FAILED) for p in b.RUN_PHASES if p is Phase.HELD or (p.terminal and p is not Phase.COMPLETED)),
        *((p, Exit.WAITING) for p in b.RUN_PHASES if p.open),
    ],
)
def test_the_exit_code_of_one_phase(phase: Phase, expected: Exit) -> None:
    assert code(b.record(b.restore(), phase)) is expected


def test_nothing_to_do_is_success() -> None:
    assert code() is Exit.SUCCEEDED


def test_failure_beats_waiting() -> None:
    two = b.record(b.restore(b.M1, b.M2))
    mixed = replace(two, runs=(two.runs[0], replace(two.runs[1], phase=Phase.FAILED)))
    assert code(mixed) is Exit.FAILED
    assert code(b.record(b.backup(), Phase.IN_PROGRESS), b.record(b.restore(), Phase.FAILED)) is Exit.FAILED


def test_a_refused_file_is_a_failure() -> None:
    assert code(b.ended(b.restore()), desired=b.ask(b.restore(), refused=[b.BACKUP])) is Exit.FAILED


def test_an_edit_that_runs_nothing_is_a_failure() -> None:
    files = b.ask(b.restore(before="2025-06-01T00:00:00Z"))
    assert code(summarise(b.ended(b.restore()), files, b.NOW), desired=files) is Exit.FAILED


def test_a_lowered_attempt_is_a_failure_and_one_that_waits_is_not() -> None:
    second = b.ended(b.restore(attempt=2))
    assert code(summarise(second, b.ask(b.restore()), b.NOW), desired=b.ask(b.restore())) is Exit.FAILED
    running, raised = b.record(b.restore(), Phase.IN_PROGRESS), b.ask(b.restore(attempt=2))
    assert code(summarise(running, raised, b.NOW), desired=raised) is Exit.WAITING


def test_what_failed_before_and_completed_in_a_later_attempt_is_no_failure() -> None:
    first, second = b.record(b.restore(), Phase.FAILED), b.ended(b.restore(attempt=2))
    assert code(replace(second, runs=(*first.runs, *second.runs))) is Exit.SUCCEEDED


# ---------------------------------------------------------------- what was not restored

LEFT = b.record(b.restore(), Phase.COMPLETED, reason="NotRestored", items=Items(not_restored=1))
BOTH = b.record(b.restore(b.M1, b.M2), Phase.COMPLETED, reason="NotRestored", items=Items(not_restored=1))
SKIPS = b.ask(b.restore(allowSkipped=True))


@pytest.mark.parametrize("reason", ["NotRestored", "NotVerified"])
def test_what_is_not_taken_for_restored_is_a_failure_unless_the_file_accepts_it(reason: str) -> None:
    left = replace(LEFT, runs=(replace(LEFT.runs[0], reason=reason),))
    assert code(summarise(left, ASKED, b.NOW)) is Exit.FAILED
    assert code(summarise(left, SKIPS, b.NOW), desired=SKIPS) is Exit.SUCCEEDED


def test_it_beats_waiting_as_every_failure_does() -> None:
    half = replace(BOTH, runs=(BOTH.runs[0], replace(BOTH.runs[1], phase=Phase.IN_PROGRESS, reason="", items=None)))
    assert code(summarise(half, ASKED, b.NOW)) is Exit.FAILED
    assert code(summarise(half, SKIPS, b.NOW), desired=SKIPS) is Exit.WAITING


# ---------------------------------------------------------------- Schedules

DAILY = b.ask(b.scheduled())


def made(phase: Phase, reason: str = "") -> Record:
    record = b.drafted(b.scheduled())[b.BACKUP]
    return replace(record, schedules=tuple(replace(each, phase=phase, reason=reason) for each in record.schedules))


@pytest.mark.parametrize(
    ("phase", "reason", "expected", "told"),
    [
        (Phase.PENDING, "", Standing.WORKING, Exit.WAITING),
        (Phase.PENDING, "Unreachable", Standing.WAITING, Exit.WAITING),
        (Phase.STARTING, "", Standing.WORKING, Exit.WAITING),
        (Phase.STARTING, "Rejected", Standing.WAITING, Exit.WAITING),
        (Phase.REMOVING, "", Standing.WORKING, Exit.WAITING),
        (Phase.REMOVING, "Unreachable", Standing.WAITING, Exit.WAITING),
        (Phase.ENABLED, "", Standing.SETTLED, Exit.SUCCEEDED),
        (Phase.PAUSED, "PausedThere", Standing.SETTLED, Exit.SUCCEEDED),
        (Phase.REMOVED, "", Standing.SETTLED, Exit.SUCCEEDED),
        (Phase.FAILED_VALIDATION, "FailedValidation", Standing.SETTLED, Exit.FAILED),
        (Phase.FAILED, "NameConflict", Standing.SETTLED, Exit.FAILED),
    ],
)
def test_where_a_schedule_stands(phase: Phase, reason: str, expected: Standing, told: Exit) -> None:
    assert stands(made(phase, reason), desired=DAILY) is expected
    assert code(made(phase, reason), desired=DAILY) is told


def test_a_schedule_that_is_still_to_be_removed_is_waited_for_although_its_file_is_gone() -> None:
    assert code(made(Phase.REMOVING), desired=b.ask()) is Exit.WAITING
    assert stands(made(Phase.REMOVING), desired=b.ask()) is Standing.WORKING
    assert stands(made(Phase.REMOVING), desired=b.ask(), answer=SILENT) is Standing.WAITING


def test_a_schedule_that_a_file_with_an_error_freezes_is_not_waited_for() -> None:
    assert stands(made(Phase.PENDING), desired=b.ask(refused=[b.BACKUP])) is Standing.SETTLED


# ---------------------------------------------------------------- what begins in the next pass


def test_a_raised_attempt_is_work_once_the_one_before_has_ended() -> None:
    raised = b.ask(b.restore(attempt=2))
    assert stands(b.ended(b.restore()), desired=raised) is Standing.WORKING
    assert stands(b.record(b.restore(), reason="Unreachable"), desired=raised) is Standing.WAITING
    assert stands(b.ended(b.restore(attempt=2)), desired=raised) is Standing.SETTLED


def test_an_old_failure_whose_file_is_gone_is_not_told_again() -> None:
    old = b.record(b.restore(), Phase.FAILED)
    assert code(old, desired=b.ask()) is Exit.SUCCEEDED
    assert code(old, desired=b.ask(), touched=(b.RESTORE,)) is Exit.FAILED
