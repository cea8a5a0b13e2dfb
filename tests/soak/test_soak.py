"""Some hundred schedules of the soak (`python -m tests.soak` runs as many as one likes), and that they go to places."""

from __future__ import annotations

import pytest

from tests.soak.breaking import BREAKS, PARAGRAPHS
from tests.soak.mutants import RULES
from tests.soak.running import run
from tests.soak.stage import stage
from tests.soak.world import LEAST, Figures

SCHEDULES = 100


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [1, 2])  # two halves, for two workers
def test_whatever_comes_between_nothing_runs_twice_and_nothing_is_lost(number: int) -> None:
    with stage() as there:
        found = run(there, number, SCHEDULES, shrink=True)
        assert found is None, found.text if found else ""
        assert there.figures.schedules >= SCHEDULES
        assert not there.figures.lacking(), there.figures


def test_a_soak_in_which_nothing_happens_shows_nothing() -> None:
    assert Figures(schedules=SCHEDULES).lacking() == list(LEAST)


def test_each_paragraph_of_the_ledgers_rules_is_broken_once() -> None:
    assert RULES
    assert {rule.partition(": ")[0] for rule in BREAKS} == set(PARAGRAPHS)


@pytest.mark.parametrize("rule", BREAKS)
def test_each_rule_can_still_be_broken(rule: str) -> None:
    """What it replaces is there."""
    with BREAKS[rule]():
        pass


def test_the_clock_of_every_module_of_a_pass_is_steered() -> None:
    with stage() as there:
        assert {
            "reconciler.reconcile.datetime",
            "reconciler.looks.monotonic",
            "reconciler.reconcile.monotonic",
            "reconciler.members.time",
            "reconciler.members.apply.time",
            "reconciler.repository.door.time",
        } <= set(there.steered)
