"""`sync --once`: passes until nothing is left that goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from reconciler.passed import Pass
from reconciler.plan.verdict import Exit, Standing, exit_code, standing
from reconciler.plan.watch import after_pass, dump_watch
from reconciler.reconcile import Reconciler
from reconciler.records import Texts
from reconciler.repository import Repository
from reconciler.resources import Identity
from reconciler.settings import OnceSettings

if TYPE_CHECKING:
    from reconciler.members import Members

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
SECOND_LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it ended: the last pass, what changed since the command began, the exit code."""

    last: Pass
    touched: frozenset[Identity]
    exit_code: Exit
    timed_out: bool
    put_back: tuple[str, ...]
    """Paths under `status/` that somebody had changed."""
    texts: Mapping[str, Texts]
    """Velero's words about runs that ended meanwhile, by run id."""


async def settle(reconciler: Reconciler, settings: OnceSettings, show: Callable[[Pass], None]) -> Verdict:
    """Repeats passes; `show` sees each. What waits for the outside is believed only after a second look."""
    end = monotonic() + settings.timeout_seconds
    touched: set[Identity] = set()
    texts: dict[str, Texts] = {}
    put_back: dict[str, None] = {}
    pause, waited = FIRST_PAUSE, False
    while True:
        done = await reconciler.run()
        show(done)
        touched |= done.changed
        texts |= _texts(done)
        put_back |= dict.fromkeys(done.state.snapshot.tampered)
        found = standing(done.desired, done.decided, done.answers, done.open_watch)
        idle = done.commit is None and not done.outcomes
        late = monotonic() >= end
        waiting = found is Standing.WAITING and idle
        if found is Standing.SETTLED or late or not settings.wait or (waiting and waited):
            last = await _finish(reconciler, done, show)
            touched |= last.changed
            code = exit_code(last.desired, last.committed, frozenset(touched))
            return Verdict(
                last, frozenset(touched), code, late and found is not Standing.SETTLED, tuple(put_back), texts
            )
        waited = waiting
        pause = SECOND_LOOK_SECONDS if waiting else FIRST_PAUSE if not idle else min(pause * 1.3, LONGEST_PAUSE)
        await asyncio.sleep(max(0.0, min(pause, end - monotonic())))


async def let_go(repository: Repository, members: Members, done: Pass, part: str) -> None:
    """Takes our finalizer off what ended, once no other process can create it again. `part`: of the local state.

    Safe to be cut off: the next sync does it.
    """
    await asyncio.sleep(max(each.seconds for each in done.waiting))
    outcomes = await members.apply((each.release for each in done.waiting), monotonic())
    watch = after_pass(done.watch, done.committed, {}, outcomes, datetime.now(UTC))
    await asyncio.to_thread(repository.save_state, dump_watch(watch), part)


async def _finish(reconciler: Reconciler, done: Pass, show: Callable[[Pass], None]) -> Pass:
    """What was decided and still waits for company in a commit is committed now."""
    if done.decided == done.committed:
        return done
    last = await reconciler.run(flush=True)
    show(last)
    return last


def _texts(done: Pass) -> dict[str, Texts]:
    return {
        run.run_id: answer.texts[name]
        for identity, record in done.decided.items()
        for run in record.runs
        if (answer := done.answers.get(run.cluster)) and (name := (identity.kind, run.object_name)) in answer.texts
    }
