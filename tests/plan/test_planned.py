"""What a plan says of runs that are over: how each would run again."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.plan.planned import Verb, planned
from reconciler.records import Phase
from tests.plan import builders as b

UPDATE = {"policy": {"existingResourcePolicy": "update"}}


@pytest.mark.parametrize(
    ("phase", "file", "again"),
    [
        (Phase.COMPLETED, {}, "; to run it again raise spec.attempt with rerun: All, or add a new Restore"),
        (Phase.COMPLETED, UPDATE, "; to run it again raise spec.attempt, or add a new Restore"),
        (Phase.FAILED, {}, "; to run it again raise spec.attempt, or add a new Restore"),
        (Phase.PARTIALLY_FAILED, UPDATE, "; to run it again raise spec.attempt, or add a new Restore"),
    ],
)
def test_where_the_same_has_completed_a_raised_attempt_alone_runs_nothing(
    phase: Phase, file: dict[str, Any], again: str
) -> None:
    records = b.by_identity(b.ended(b.restore(), phase))
    (steps,) = planned(b.ask(b.restore(**file)), records, records, (), {})
    (step,) = steps.steps
    assert (step.verb, step.message) == (Verb.SKIP, f"{phase} in attempt 1{again}")
