"""Runs schedules until one fails or all are done; for `__main__` and `mutants`."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.machine import Soak
from tests.soak.stage import Stage

STEPS = 15
"""Rules of a schedule; many of them are stories of several passes."""


@dataclass(frozen=True, slots=True)
class Found:
    """What went wrong: its first line, and all that hypothesis says, the shrunk schedule in it."""

    line: str
    text: str


def run(there: Stage, number: int, schedules: int, *, shrink: bool) -> Found | None:
    """So many schedules, drawn from the seed `number`."""

    class Drawn(Soak):
        """With a seed of its own."""

    Drawn.stage = there
    chosen = settings(
        max_examples=schedules,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
    )
    said = io.StringIO()
    try:
        with redirect_stdout(said):
            run_state_machine_as_test(seed(number)(Drawn), settings=chosen)
    except Exception as error:
        line = str(error).partition("\n")[0] or type(error).__name__
        notes = "\n".join(getattr(error, "__notes__", ()))
        return Found(line, f"{type(error).__name__}: {error}\n{notes}\n{said.getvalue()}")
    return None


def rate(there: Stage, begun: float) -> float:
    """Schedules a second."""
    return there.figures.schedules / max(time.monotonic() - begun, 0.001)


def say(text: str, write: Callable[[str], object] = sys.stdout.write) -> None:
    write(f"{text}\n")
    sys.stdout.flush()
