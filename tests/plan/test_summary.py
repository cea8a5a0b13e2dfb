"""What a record says as a whole: phase and conditions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from reconciler.plan.summary import counted, phase_of, summarise
from reconciler.records import Condition, Phase, Record
from tests.plan import builders as b

PENDING, HELD, STARTING, RUNNING = Phase.PENDING, Phase.HELD, Phase.STARTING, Phase.IN_PROGRESS
GOOD, PARTLY, FAILED, INVALID = Phase.COMPLETED, Phase.PARTIALLY_FAILED, Phase.FAILED, Phase.FAILED_VALIDATION
RUN = b.only_run(b.drafted(b.restore()))


def of(*phases: Phase, reasons: tuple[str, ...] = ()) -> Record:
    runs = tuple(
        replace(RUN, phase=phase, reason=reason)
        for phase, reason in zip(phases, reasons or ("",) * len(phases), strict=True)
    )
    return replace(b.record(b.restore()), runs=runs)


def conditions(record: Record, changed_file: bool = False) -> dict[str, tuple[bool, str]]:
    return {c.type: (c.status, c.reason) for c in summarise(record, changed_file, b.NOW).conditions}


@pytest.mark.parametrize(
    ("phases", "phase"),
    [
        ((GOOD, GOOD), GOOD),
        ((GOOD, HELD), HELD),
        ((GOOD, HELD, PARTLY), PARTLY),
        ((GOOD, PARTLY, INVALID), INVALID),
        ((GOOD, PARTLY, INVALID, FAILED, HELD), FAILED),
        ((PENDING, PENDING), PENDING),
        ((PENDING, HELD), PENDING),
        ((PENDING, GOOD), RUNNING),
        ((PENDING, FAILED), RUNNING),
        ((STARTING, PENDING), RUNNING),
        ((RUNNING, FAILED), RUNNING),
        ((RUNNING, HELD), RUNNING),
    ],
)
def test_the_phase_is_the_worst_once_all_have_ended(phases: tuple[Phase, ...], phase: Phase) -> None:
    for each in permutations(phases):
        assert phase_of(of(*each).runs) is phase


def test_ready_only_where_all_completed() -> None:
    assert conditions(of(GOOD, GOOD)) == {"Ready": (True, "Completed")}


@pytest.mark.parametrize("phases", [(PENDING,), (STARTING,), (RUNNING, GOOD)])
def test_reconciling_while_something_goes_on(phases: tuple[Phase, ...]) -> None:
    found = conditions(of(*phases))
    assert found.keys() == {"Ready", "Reconciling"}
    assert not found["Ready"][0]
    assert found["Reconciling"][0]


@pytest.mark.parametrize("phase", [HELD, PARTLY, FAILED, INVALID])
def test_stalled_where_it_ended_and_not_well(phase: Phase) -> None:
    found = conditions(of(phase, GOOD))
    assert found == {"Ready": (False, str(phase)), "Stalled": (True, str(phase))}


def test_the_reason_is_that_of_the_runs_where_they_agree() -> None:
    assert conditions(of(FAILED, FAILED, reasons=("Expired", "Expired")))["Ready"] == (False, "Expired")
    assert conditions(of(FAILED, FAILED, reasons=("Expired", "Vanished")))["Ready"] == (False, "Failed")
    assert conditions(of(PENDING, PENDING, reasons=("", "Unreachable")))["Ready"] == (False, "Unreachable")
    assert conditions(of(FAILED, HELD, reasons=("Expired", "Withdrawn")))["Ready"] == (False, "Expired")


def test_an_edit_that_runs_nothing_shows() -> None:
    assert conditions(of(GOOD), changed_file=True) == {
        "Ready": (True, "Completed"),
        "SpecChanged": (True, "SpecChanged"),
    }


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    first = summarise(of(PENDING), False, b.NOW)
    second = summarise(replace(first, runs=of(RUNNING).runs), False, b.NOW + timedelta(hours=1))
    assert {c.since for c in second.conditions} == {"2025-06-01T12:00:00Z"}
    assert second.conditions != first.conditions  # the reason did change
    third = summarise(replace(second, runs=of(GOOD).runs), False, b.NOW + timedelta(hours=2))
    assert third.conditions == (
        Condition("Ready", True, "Completed", "Completed on 1 of 1 cluster", "2025-06-01T14:00:00Z"),
    )


def test_there_is_no_heartbeat() -> None:
    first = summarise(of(RUNNING), False, b.NOW)
    assert summarise(first, False, b.NOW + timedelta(days=1)) == first


@pytest.mark.parametrize(
    ("phases", "text"),
    [
        ((GOOD,), "Completed on 1 of 1 cluster"),
        ((GOOD, GOOD), "Completed on 2 of 2 clusters"),
        ((GOOD, FAILED, GOOD), "Failed on 1, Completed on 2 of 3 clusters"),
        ((PENDING, PARTLY), "PartiallyFailed on 1, Pending on 1 of 2 clusters"),
        ((), "nothing of 0 clusters"),
    ],
)
def test_counting(phases: tuple[Phase, ...], text: str) -> None:
    assert counted(of(*phases).runs) == text
