"""A Velero Schedule whose file, or whose cluster, is gone: `Removing` until its absence is proven, ours alone."""

from __future__ import annotations

import pytest

from reconciler.plan.answers import Answer
from reconciler.plan.asks import Ask
from reconciler.records import Phase, Schedule
from tests.plan import builders as b
from tests.plan.velero_schedules import ANY, FOREIGN, answer, at, named, short, step, there, words


@pytest.mark.parametrize("schedule", [each for each in ANY if each.phase is not Phase.REMOVED], ids=words)
def test_a_schedule_whose_file_is_gone_is_removing_until_its_absence_is_proven(schedule: Schedule) -> None:
    for seen in (there(), there(deleting=True), there(paused=True)):
        assert step(schedule, answer(seen), Ask.WITHDRAWN, None).phase is Phase.REMOVING
    unknown = step(schedule, b.unreachable(), Ask.WITHDRAWN, None)
    assert short(unknown) == (Phase.REMOVING, "Unreachable")
    assert short(step(unknown, answer(None), Ask.WITHDRAWN, None)) == (Phase.REMOVED, "")


@named
def test_somebody_elses_schedule_counts_as_gone(schedule: Schedule) -> None:
    assert short(step(schedule, answer(FOREIGN), Ask.WITHDRAWN, None))[0] is Phase.REMOVED


@pytest.mark.parametrize("told", [answer(None), answer(FOREIGN), b.answer(), b.unreachable()])
def test_removed_is_removed(told: Answer) -> None:
    assert step(at(Phase.REMOVED), told, Ask.WITHDRAWN, None) == at(Phase.REMOVED)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (answer(there()), (Phase.REMOVING, "")),
        (b.unreachable(), (Phase.REMOVING, "Unreachable")),
        (answer(None), (Phase.REMOVED, "")),
        (answer(FOREIGN), (Phase.REMOVED, "")),
    ],
)
def test_what_was_left_on_a_cluster_that_is_declared_again_is_removed(
    told: Answer, expected: tuple[Phase, str]
) -> None:
    assert short(step(at(Phase.REMOVED, "Abandoned"), told, Ask.WITHDRAWN, None)) == expected


def test_what_another_process_made_after_that_is_removed_too() -> None:
    assert step(at(Phase.REMOVED), answer(there()), Ask.WITHDRAWN, None).phase is Phase.REMOVING


@named
def test_a_file_with_an_error_freezes_it(schedule: Schedule) -> None:
    for told in (b.unreachable(), answer(None), answer(there(what="x")), answer(FOREIGN)):
        for ask in (Ask.FROZEN, Ask.SPEC_CHANGED):
            assert step(schedule, told, ask, None) is schedule


@named
def test_on_a_cluster_that_is_declared_nowhere_it_is_given_up(schedule: Schedule) -> None:
    after = step(schedule, b.unreachable(), Ask.ABANDONED, None)
    if schedule.phase is Phase.REMOVED:
        assert after == schedule
    else:
        assert short(after) == (Phase.REMOVED, "Abandoned")
        assert "may be there yet" in after.message
