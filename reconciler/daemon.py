"""`sync`: passes whenever the branch moved, a run went on, or something waits; nothing at all while all is settled.

What wakes it is only a hint: each pass reads the tip and asks the members anew. So a hint that was lost costs time, and
one too many costs a look.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from time import monotonic
from typing import Protocol

from reconciler.errors import FetchFailed, ReconcilerError, RepositoryError
from reconciler.members.following import Following
from reconciler.passed import Pass
from reconciler.plan.pace import pause, pause_after_failure
from reconciler.plan.verdict import Standing, standing
from reconciler.reconcile import BATCH_SECONDS, Reconciler
from reconciler.records import Phase
from reconciler.repository import Repository
from reconciler.resources import ClusterId
from reconciler.wake import Reason, Wake, jittered, watch_refs

BEAT_SECONDS = 15.0
"""How often it says that it lives."""
LAST_SECONDS = 8.0
"""How long a pass under way may take after the signal; it may be killed at any moment all the same."""
LONGEST_PASS_SECONDS = 1200.0
"""A pass that goes on for longer hangs, and is no sign of life; a first clone may take ten minutes."""


class Witness(Protocol):
    """Who is told what happens: logs, metrics, health, notifications."""

    def passed(self, done: Pass, seconds: float) -> None: ...
    def failed(self, error: ReconcilerError, seconds: float, again_in: float) -> None: ...
    def beat(self) -> None: ...
    def unmoved(self) -> None: ...
    def unwatched(self, why: str) -> None: ...


class Daemon:
    """One loop over one repository. `run` ends after `stop`, or by being cancelled."""

    def __init__(
        self,
        repository: Repository,
        reconciler: Reconciler,
        following: Following,
        wake: Wake,
        interval: float,
        witness: Witness,
    ) -> None:
        self._repository = repository
        self._reconciler = reconciler
        self._following = following
        self._wake = wake
        self._interval = interval
        self._witness = witness
        self._stopping = False
        self._quiet = 0
        self._failures = 0
        self._away = False  # the remote could not be read the last time
        self._due = 0.0  # monotonic times: of the next pass, and of the next question where the branch stands
        self._ask_at = math.inf
        self._flush = False
        self._tidying: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Ends `run` after the pass under way."""
        self._stopping = True
        self._wake.stir(Reason.STOP)

    async def run(self) -> None:
        """Until it is stopped. One pass that fails is told to the witness and tried again, ever more seldom.

        Raises what is no ReconcilerError: a mistake of the program, after which another process starts afresh.
        """
        self._ask_at = monotonic() + jittered(self._interval)
        refs = asyncio.create_task(
            watch_refs(self._repository.watched(), self._wake, self._witness.unwatched, self._interval)
        )
        reason = Reason.MEMBERS
        try:
            while not self._stopping:
                self._witness.beat()
                await self._turn(reason)
                until = min(self._due, self._ask_at) - monotonic()
                reason = await self._wake.wait(min(until, BEAT_SECONDS))
        finally:
            beside = [task for task in (refs, self._tidying) if task]
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._following.close()

    async def _turn(self, reason: Reason) -> None:
        """A pass, if one is due, or the branch stands elsewhere than at the last one, or can be asked at all again.

        After a failure nothing is tried, nor asked, before its time, unless a hint says that somebody moved something.
        """
        started = monotonic()
        due = started >= self._due or (Reason.MEMBERS in reason and not self._failures)
        ask = started >= self._ask_at or Reason.REPOSITORY in reason
        try:
            if ask:
                self._ask_at = started + jittered(self._interval)
            if due or (ask and (await asyncio.to_thread(self._repository.stirred) or self._away)):
                await self._pass(started)
            elif ask:
                self._witness.unmoved()
        except ReconcilerError as error:
            self._failures += 1
            self._away = isinstance(error, FetchFailed)
            again_in = jittered(pause_after_failure(self._failures))
            self._due = self._ask_at = monotonic() + again_in
            self._witness.failed(error, monotonic() - started, again_in)

    async def _pass(self, started: float) -> None:
        done = await self._unless_stopped()
        if done is None:
            return
        self._failures, self._away = 0, False
        found = standing(done.desired, done.decided, done.answers, done.open_watch)
        active = done.commit is not None or bool(done.outcomes)
        waits_for_company = done.decided != done.committed
        self._flush = waits_for_company and found is not Standing.WORKING
        self._following.follow(_running(done), done.desired.members)
        self._due = monotonic() + min(
            0.0 if self._flush else BATCH_SECONDS if waits_for_company else math.inf,
            pause(Standing.WAITING if done.unlisted and found is Standing.SETTLED else found, active, self._quiet),
            min((each.seconds for each in done.waiting), default=math.inf),
            max(self._interval, self._reconciler.looks.next_in(done.committed, done.desired.members, done.elsewhere)),
        )
        if found is Standing.SETTLED and (self._tidying is None or self._tidying.done()):
            self._tidying = asyncio.create_task(self._tidy())  # beside the passes, since it may take minutes
        self._quiet = 0 if active else self._quiet + 1
        self._witness.passed(done, monotonic() - started)

    async def _tidy(self) -> None:
        with contextlib.suppress(RepositoryError):  # a disk that is full says so at the next fetch
            await asyncio.to_thread(self._repository.tidy)

    async def _unless_stopped(self) -> Pass | None:
        """One pass; after a signal it may end what it is at, and no longer than the last seconds."""
        work, started = asyncio.create_task(self._reconciler.run(self._flush)), monotonic()
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=0.5)
                if monotonic() - started < LONGEST_PASS_SECONDS:
                    self._witness.beat()
                if self._stopping and not work.done():
                    await asyncio.wait({work}, timeout=LAST_SECONDS)
                    break
            return work.result() if work.done() else None
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError, ReconcilerError):
                await work


def _running(done: Pass) -> dict[ClusterId, set[tuple[str, str]]]:
    """What Velero works on now, by cluster."""
    found: dict[ClusterId, set[tuple[str, str]]] = {}
    for identity, record in done.committed.items():
        for run in record.runs:
            if run.phase in (Phase.STARTING, Phase.IN_PROGRESS):
                found.setdefault(run.cluster, set()).add((identity.kind, run.object_name))
    return found
