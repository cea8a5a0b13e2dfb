"""Restores of ours that no record knows: recorded by their run id, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.plan.actions import Create
from reconciler.plan.answers import Answer
from reconciler.plan.changes import due
from reconciler.plan.decide import actions, decide
from reconciler.plan.drafts import unrecorded
from reconciler.plan.orphans import orphans
from reconciler.records import Phase, Record, Run
from reconciler.resources import ClusterId, Identity
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
    answers = {b.M1: b.answer(over)}
    made = orphans({}, answers, b.LEDGER, b.NOW)
    decided = decide(b.ask(), made, answers, b.LEDGER, b.NOW)
    assert b.only_run(decided).phase is Phase.COMPLETED
    assert [str(action) for action in actions(b.ask(), decided, answers, b.VELERO)] == [
        f"release Restore {LOST.object_name} on m1"
    ]
    gone = {b.M1: replace(b.answer(), seen={("Restore", over.name): None})}
    assert actions(b.ask(), made, gone, b.VELERO) == ()


def test_the_latest_of_several_attempts_is_the_records() -> None:
    """A lower one would let the file start that attempt again."""
    second = b.only_run(b.drafted(b.restore(attempt=2)))
    lost = [
        replace(b.there("Restore", run, "Completed"), object=str(b.RESTORE), source="restores/minimal.yaml")
        for run in (second, LOST)
    ]
    for objects in (lost, lost[::-1]):
        made = orphans({}, {b.M1: b.answer(*objects)}, b.LEDGER, b.NOW)
        assert (made[b.RESTORE].attempt, [run.attempt for run in made[b.RESTORE].runs]) == (2, [1, 2])
        assert list(unrecorded(b.ask(b.restore(attempt=2)), made)) == []


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


def a_later_attempt(found: Seen, phase: Phase) -> tuple[dict[Identity, Record], dict[ClusterId, Answer]]:
    """Attempt 2, recorded in that phase and absent, when the Restore of attempt 1 comes to light."""
    pinned = {"cluster_uid": "uid-1", "backup_name": "m1-backup-default-nightly", "backup_completed": "x"}
    base = b.ended(b.backup(), Phase.COMPLETED)
    second = b.record(b.restore(attempt=2), phase, **(pinned if phase is Phase.STARTING else {}))
    done = b.raw("Backup", base.runs[0].object_name, base.runs[0].run_id, "Completed")
    answer = b.answer(found, done, accepted=[b.name_of(b.RESTORE, second.runs[0])])
    return b.by_identity(base, second), {b.M1: answer}


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.STARTING])
def test_a_later_attempt_starts_nothing_until_the_one_that_came_to_light_has_ended(phase: Phase) -> None:
    asked = b.ask(b.backup(), b.restore(attempt=2))
    for found, goes_on in ((FOUND, False), (replace(FOUND, phase="Completed", terminal=Phase.COMPLETED), True)):
        records, answers = a_later_attempt(found, phase)
        drafted = records | orphans(records, answers, b.LEDGER, b.NOW)
        for _ in range(2):  # what is found to have ended lets the next pass go on
            drafted = decide(asked, drafted, answers, b.LEDGER, b.NOW)
        first, second = drafted[b.RESTORE].runs
        assert (first.phase.open, second.phase) == (not goes_on, Phase.STARTING if goes_on else phase)
        creates = [action for action in actions(asked, drafted, answers, b.VELERO) if isinstance(action, Create)]
        assert [create.name for create in creates] == [second.object_name] * goes_on


def test_what_came_to_light_is_committed_at_once() -> None:
    """Until then nothing that is committed says that the later attempt has to wait."""
    records, answers = a_later_attempt(FOUND, Phase.STARTING)
    asked = b.ask(b.backup(), b.restore(attempt=2))
    decided = decide(asked, records | orphans(records, answers, b.LEDGER, b.NOW), answers, b.LEDGER, b.NOW)
    assert [run.phase for run in decided[b.RESTORE].runs] == [Phase.IN_PROGRESS, Phase.STARTING]
    assert due(records, decided)
