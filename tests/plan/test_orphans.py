"""Restores of ours that no record knows: recorded by their run id, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.plan.decide import actions, decide
from reconciler.plan.orphans import orphans
from reconciler.records import Phase, Run
from reconciler.velero.status import Seen
from tests.plan import builders as b

LOST = b.only_run(b.drafted(b.restore()))
FOUND = replace(b.there("Restore", LOST), object=str(b.RESTORE), source="restores/minimal.yaml", revision="6f1c")


def told(seen: Seen) -> list[Run]:
    answer = replace(b.answer(), seen={("Restore", seen.name): seen}, leftovers=(seen,))
    made = orphans({}, {b.M1: answer}, b.LEDGER, b.NOW)
    return [run for record in made.values() for run in record.runs]


def test_it_gets_a_record_that_says_where_it_came_from() -> None:
    answer = replace(b.answer(), seen={("Restore", FOUND.name): FOUND})
    made = orphans({}, {b.M1: answer}, b.LEDGER, b.NOW)[b.RESTORE]
    assert (made.source, made.revision, made.attempt) == ("restores/minimal.yaml", "6f1c", 1)
    (run,) = made.runs
    assert (run.run_id, run.object_name, run.cluster) == (LOST.run_id, LOST.object_name, b.M1)


def test_it_is_followed_to_its_end_and_released_and_never_created() -> None:
    over = replace(FOUND, phase="Completed", terminal=Phase.COMPLETED, status={"phase": "Completed"})
    answers = {b.M1: replace(b.answer(), seen={("Restore", over.name): over})}
    made = orphans({}, answers, b.LEDGER, b.NOW)
    decided = decide(b.ask(), made, answers, b.NOW)
    assert b.only_run(decided).phase is Phase.COMPLETED
    assert [str(action) for action in actions(b.ask(), decided, answers, b.VELERO)] == [
        f"release Restore {LOST.object_name} on m1"
    ]
    gone = {b.M1: replace(b.answer(), seen={("Restore", over.name): None})}
    assert actions(b.ask(), made, gone, b.VELERO) == ()


def test_what_has_a_record_is_no_orphan() -> None:
    answer = replace(b.answer(), seen={("Restore", FOUND.name): FOUND})
    assert orphans(b.drafted(b.restore()), {b.M1: answer}, b.LEDGER, b.NOW) == {}


@pytest.mark.parametrize(
    "other",
    [
        replace(FOUND, run_id="0" * 32),
        replace(FOUND, object="Restore default/another"),
        replace(FOUND, object="Backup default/minimal"),
        replace(FOUND, object="nonsense"),
        replace(FOUND, object="Restore a/b/c"),
        replace(FOUND, name="another-name"),
    ],
)
def test_what_only_says_that_it_is_ours_is_left_alone(other: Seen) -> None:
    assert told(FOUND)
    assert told(other) == []


def test_another_ledgers_is_left_alone() -> None:
    answer = replace(b.answer(), seen={("Restore", FOUND.name): FOUND})
    assert orphans({}, {b.M1: answer}, "another-ledger", b.NOW) == {}
