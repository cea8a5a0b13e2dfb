"""What a pass leaves: work, waiting, or nothing; and the exit code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired import Desired
from reconciler.plan.answers import Answer
from reconciler.plan.summary import summarise
from reconciler.plan.verdict import Exit, Standing, exit_code, standing
from reconciler.plan.watch import Watch
from reconciler.records import Phase, Record
from reconciler.resources import Identity
from tests.plan import builders as b

ASKED = b.ask(b.backup(), b.restore())
RUN = b.only_run(b.drafted(b.restore()))
NAME = b.name_of(b.RESTORE, RUN)
SOUND, SILENT = b.answer(b.there("Restore", RUN)), b.unreachable()


def stands(
    *records: Record, answer: Answer = SOUND, desired: Desired = ASKED, watch: tuple[tuple[str, str], ...] = ()
) -> Standing:
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
        *((b.record(b.restore(), phase), SOUND, Standing.SETTLED) for phase in Phase if not phase.open),
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
        *((p, Exit.FAILED) for p in Phase if p is Phase.HELD or (p.terminal and p is not Phase.COMPLETED)),
        *((p, Exit.WAITING) for p in Phase if p.open),
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
    edited = summarise(b.ended(b.restore()), True, b.NOW)
    assert code(edited) is Exit.FAILED


def test_an_old_failure_whose_file_is_gone_is_not_told_again() -> None:
    old = b.record(b.restore(), Phase.FAILED)
    assert code(old, desired=b.ask()) is Exit.SUCCEEDED
    assert code(old, desired=b.ask(), touched=(b.RESTORE,)) is Exit.FAILED
