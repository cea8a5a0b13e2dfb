"""Some hundred schedules of the soak (`python -m tests.soak` runs as many as one likes), and that they go to places."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.machine import Soak
from tests.soak.stage import Stage, stage

SCHEDULES = 120
STEPS = 25


@pytest.mark.timeout(900)
def test_whatever_comes_between_nothing_runs_twice_and_nothing_is_lost() -> None:
    chosen = settings(
        max_examples=SCHEDULES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=True,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    with stage() as there:
        Soak.stage = there
        run_state_machine_as_test(Soak, settings=chosen)
        _assert_it_went_to_places(there)


def _assert_it_went_to_places(there: Stage) -> None:
    """A soak in which nothing happens shows nothing."""
    figures = there.figures
    assert figures.schedules >= SCHEDULES
    for done in (figures.creates, figures.kills, figures.records, figures.commits):
        assert done >= SCHEDULES // 2, figures
    for done in (figures.pauses, figures.lost):
        assert done >= SCHEDULES // 12, figures


def test_the_clock_of_every_module_of_a_pass_is_steered() -> None:
    with stage() as there:
        assert {
            "reconciler.reconcile.datetime",
            "reconciler.reconcile.monotonic",
            "reconciler.members.time",
            "reconciler.members.apply.time",
            "reconciler.repository.door.time",
        } <= set(there.steered)
