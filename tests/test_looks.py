"""When Schedules that need nothing are looked at again: once in a while, whatever the clock on the wall does."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from reconciler import looks
from reconciler.looks import Looks
from tests.plan import builders as b

HOUR = timedelta(hours=1)


class Monotonic:
    """In place of `time.monotonic`."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    steered = Monotonic()
    monkeypatch.setattr(looks, "monotonic", steered)
    return steered


def test_at_first_and_then_once_in_a_while(clock: Monotonic) -> None:
    schedules = Looks(HOUR)
    found = schedules.looking((b.M1, b.M2), b.NOW)
    assert found.due == {b.M1, b.M2}
    schedules.looked(found, {b.M1: b.answer(), b.M2: b.unreachable()})
    assert schedules.looking((b.M1, b.M2), b.NOW).due == {b.M2}, "who did not answer is asked again"
    schedules.looked(found, {b.M2: b.answer()})
    clock.seconds += 3599
    assert schedules.looking((b.M1, b.M2), b.NOW).due == frozenset()
    clock.seconds += 1
    assert schedules.looking((b.M1, b.M2), b.NOW).due == {b.M1, b.M2}


def test_a_clock_that_is_set_back_puts_off_nothing(clock: Monotonic) -> None:
    schedules = Looks(HOUR)
    schedules.looked(schedules.looking((b.M1,), b.NOW + timedelta(days=1)), {b.M1: b.answer()})
    clock.seconds += 3600
    assert schedules.looking((b.M1,), b.NOW).due == {b.M1}


def test_when_the_next_look_is_due(clock: Monotonic) -> None:
    schedules = Looks(HOUR)
    records = b.drafted(b.scheduled(b.M1))
    assert schedules.next_in({}, (b.M1,)) == math.inf
    assert schedules.next_in(records, (b.M2,)) == math.inf, "the member is declared no more"
    assert schedules.next_in(records, (b.M1,)) == -math.inf
    schedules.looked(schedules.looking((b.M1,), b.NOW), {b.M1: b.answer()})
    clock.seconds += 600
    assert schedules.next_in(records, (b.M1,)) == 3000
    assert schedules.next_in({}, (b.M1, b.M2), frozenset({b.M1})) == 3000
    assert schedules.next_in({}, (b.M2,), frozenset({b.M1})) == math.inf
