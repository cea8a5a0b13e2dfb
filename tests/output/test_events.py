"""What one commit did to one object."""

from __future__ import annotations

from dataclasses import replace

from reconciler.plan.events import Event, event
from reconciler.records import Phase, Record
from tests.output import builders as b

STARTING = b.restore(b.run("m1", Phase.STARTING), b.run("m2", Phase.STARTING), phase=Phase.IN_PROGRESS)
ENDED = b.restore(b.run("m1"), b.run("m2", Phase.FAILED, reason="Vanished"), phase=Phase.FAILED)


def happened(before: Record | None, after: Record | None) -> Event:
    found = event(before, after)
    assert found is not None
    return found


def test_a_new_object() -> None:
    found = happened(None, STARTING)
    assert found.what == "Starting on 2 of 2 clusters"
    assert [(move.part.cluster.name, move.before) for move in found.moves] == [("m1", None), ("m2", None)]


def test_how_it_ended() -> None:
    found = happened(STARTING, ENDED)
    assert found.what == "Failed on 1, Completed on 1 of 2 clusters"
    assert {move.before for move in found.moves} == {Phase.STARTING}


def test_only_what_moved_is_told_of_and_a_reason_that_all_share() -> None:
    waits = replace(STARTING, runs=(STARTING.runs[0], b.run("m2", Phase.PENDING, reason="Unreachable")))
    found = happened(STARTING, waits)
    assert [move.part.cluster.name for move in found.moves] == ["m2"]
    assert found.what == "Starting on 1, Pending on 1 of 2 clusters (Unreachable)"


def test_a_new_attempt_beside_the_runs_of_the_earlier_one() -> None:
    again = b.restore(*ENDED.runs, b.run("m2", Phase.STARTING, attempt=2), phase=Phase.IN_PROGRESS)
    found = happened(ENDED, again)
    assert found.what == "Completed on 1, Starting on 1 of 2 clusters"
    assert [getattr(move.part, "attempt", 0) for move in found.moves] == [2]


def test_what_was_not_restored_is_counted_and_said_once() -> None:
    found = happened(None, b.restore(b.left_as_they_are("m1"), good=False))
    assert found.what == "Completed on 1 of 1 cluster, 1 object not restored though different"


def test_what_nobody_could_verify_is_said_once() -> None:
    found = happened(None, b.restore(b.run("m1", reason="NotVerified", message="2 warnings"), good=False))
    assert found.what == "Completed on 1 of 1 cluster, not verified on 1"


def test_a_schedule_that_took_a_backup() -> None:
    before = b.nightly(b.schedule("m1"), b.schedule("m2"))
    after = b.nightly(b.schedule("m1", backup_name="n-1", status=b.DONE), b.schedule("m2"))
    assert happened(before, after).what == "latest backup Completed on 1 of 2 clusters"


def test_a_schedule_that_was_paused_there() -> None:
    paused = b.nightly(b.schedule("m1", Phase.PAUSED, reason="PausedThere"), phase=Phase.PAUSED)
    assert happened(b.nightly(b.schedule("m1")), paused).what == "Paused on 1 of 1 cluster (PausedThere)"


def test_a_file_that_was_changed_in_vain() -> None:
    changed = replace(ENDED, conditions=(*ENDED.conditions, b.condition("SpecChanged", message="raise spec.attempt")))
    assert happened(ENDED, changed).what == "raise spec.attempt"
    assert happened(changed, ENDED).what == "recorded anew: no run changed"


def test_forgotten() -> None:
    found = happened(ENDED, None)
    assert (found.what, found.forgotten, found.moves, found.record) == ("forgotten", True, (), ENDED)


def test_nothing() -> None:
    assert event(ENDED, ENDED) is None
    assert event(None, None) is None
