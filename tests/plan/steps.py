"""One step of the state machine on one run of a Restore, as `test_runs` and `test_outcomes` take it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler.plan.answers import Answer
from reconciler.plan.asks import Ask
from reconciler.plan.runs import advance
from reconciler.records import Phase, Run
from tests.plan import builders as b

RUN = b.only_run(b.drafted(b.restore()))
NAME = b.name_of(b.RESTORE, RUN)
UNHEARD = b.unreachable()
DEADLINE = b.NOW + timedelta(hours=24)


def at(phase: Phase, **fields: Any) -> Run:
    return replace(RUN, phase=phase, **fields)


def opens(run: Run, answer: Answer) -> Run:
    """A gate with nothing left to wait for."""
    return replace(run, phase=Phase.STARTING, reason="", message="", cluster_uid=answer.cluster_uid)


def never_asked(run: Run, answer: Answer) -> Run:
    raise AssertionError("the gate was asked")


def step(run: Run, answer: Answer = UNHEARD, ask: Ask = Ask.ASKED, late: bool = False, gate: Any = opens) -> Run:
    now = b.LATER if late else b.NOW
    return advance(run, b.RESTORE, ask, answer, now, DEADLINE, gate)


ANY = [
    at(Phase.PENDING, reason="Unreachable"),
    at(Phase.STARTING),
    at(Phase.HELD, reason="Withdrawn"),
    at(Phase.HELD, reason="Suspended"),
    at(Phase.FAILED, reason="Expired"),
    at(Phase.FAILED, reason="Vanished"),
    at(Phase.FAILED, reason="NameConflict"),
]
