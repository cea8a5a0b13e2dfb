"""When the next pass is due where nothing calls for one before."""

from __future__ import annotations

import math

import pytest

from reconciler.plan.pace import FAILED, FOLLOWED, SOON, WAITED, pause, pause_after_failure
from reconciler.plan.verdict import Standing


@pytest.mark.parametrize("found", Standing)
def test_after_something_was_done_it_looks_again_at_once(found: Standing) -> None:
    assert pause(found, True, 7) == SOON


def test_settled_it_waits_for_the_outside_alone() -> None:
    assert pause(Standing.SETTLED, False, 0) == math.inf


@pytest.mark.parametrize(("found", "longest"), [(Standing.WORKING, FOLLOWED), (Standing.WAITING, WAITED)])
def test_quiet_passes_come_ever_more_seldom_and_never_stop(found: Standing, longest: float) -> None:
    pauses = [pause(found, False, quiet) for quiet in range(100)]
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[1] < pauses[2]
    assert pauses[-1] == pauses[30] == longest


def test_what_runs_is_followed_more_closely_than_what_waits() -> None:
    assert all(pause(Standing.WORKING, False, n) < pause(Standing.WAITING, False, n) for n in range(100))


def test_failures_are_tried_again_ever_more_seldom() -> None:
    pauses = [pause_after_failure(times) for times in range(1, 100)]
    assert pauses[0] == 2.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == FAILED


def test_a_year_of_failures_does_not_overflow() -> None:
    assert pause_after_failure(10**9) == FAILED
