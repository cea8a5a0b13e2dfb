"""One reconciler as a process that stands still at any call of git or of a cluster, until it goes on, or dies there.

A process is a thread with a loop of its own, and what the product hands to other threads runs in it, too. Only one
thread ever runs: who drives the schedule gives the word to a process, and gets it back at the next gate at which that
is to stop. So every interleaving can be had, and none comes by chance.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.passed import Pass
from reconciler.reconcile import Reconciler
from reconciler.repository import Repository, Tracked
from reconciler.settings import SyncSettings
from tests.soak.clock import HERE, Clock
from tests.soak.gates import gate

Stop = Callable[[str], bool]
OpenMembers = Callable[["Process"], Any]


class Killed(BaseException):
    """`kill -9`: no `except` of the product's may catch it."""


@dataclass(slots=True)
class Counts:
    """What processes did, over all schedules."""

    passes: int = 0
    gates: int = 0
    kills: int = 0
    pauses: int = 0
    refusals: dict[str, int] = field(default_factory=dict)


class Process:
    """A reconciler. `at` is the gate where it stands in a pass, empty between two; `results` is what passes came to.

    `allowed`: it was told `--allow-mass-removal`. `losing`: see `gates`. `told` is what its last visit to a member
    brought, by the member and what was asked for; `visited` when that began, by the clock's `next`.
    """

    def __init__(
        self, clock: Clock, tracked: Tracked, members: OpenMembers, counts: Counts, allowed: bool = False
    ) -> None:
        self.tracked, self.allowed = tracked, allowed
        self.at = ""
        self.ahead = timedelta()
        self.losing: list[tuple[str, bool]] = []
        self.told: dict[tuple[str, str], bool] = {}
        self.visited: dict[str, int] = {}
        self.stood_since = 0.0
        self.results: list[Pass | ReconcilerError] = []
        self.crash: BaseException | None = None
        self._clock, self._members, self._counts = clock, members, counts
        self._reconciler: Reconciler | None = None
        self._stop: Stop = lambda label: False
        self._flush = False
        self._dead = False
        self._word, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    def monotonic(self) -> float:
        return self._clock.seconds

    def now(self) -> datetime:
        return self._clock.now() + self.ahead

    def advance(self, seconds: float) -> None:
        """It slept."""
        self._clock.advance(seconds)

    @property
    def busy(self) -> bool:
        """In the middle of a pass."""
        return bool(self.at)

    @property
    def last(self) -> Pass | ReconcilerError | None:
        return self.results[-1] if self.results else None

    def go(self, stop: Stop = lambda label: False, flush: bool = False) -> None:
        """Goes on with its pass, or begins one, up to the first gate for which `stop` holds, else to the end."""
        self._stop = stop
        if not self.busy:
            self._flush = flush
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, daemon=True)
            self._thread.start()
        self._word.release()
        self._back.acquire()
        if self.crash is not None:
            raise AssertionError(f"a pass ended by {self.crash!r}") from self.crash

    def kill(self) -> None:
        """Ends it where it stands."""
        self._dead = True
        if self._thread is not None:
            self._word.release()
            self._thread.join()
        self.at = ""

    def reached(self, label: str) -> None:
        """In its own thread: stands here if it is to."""
        self._counts.gates += 1
        if self._dead:
            raise Killed
        if not self._stop(label):
            return
        self.at, self.stood_since = label, self._clock.seconds
        self._wait()
        self._counts.pauses += self._clock.seconds - self.stood_since >= 3600
        if self._dead:
            raise Killed

    def _wait(self) -> None:
        self._back.release()
        self._word.acquire()

    def _live(self) -> None:
        HERE.process = self
        self._word.acquire()
        loop = _Loop(self)
        try:
            while not self._dead:
                self._pass(loop)
                self.at = ""
                self._wait()
        except Killed:
            pass
        except BaseException as error:
            self.crash = error
        finally:
            self._dead = True
            _end(loop)
            self._back.release()

    def _pass(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            if self._reconciler is None:
                opened = Stepped(Repository.open(self.tracked, lambda step: gate(f"step {step}")))
                accept = self.tracked.accept_rewrite
                settings = SyncSettings(accept_rewrite=accept, allow_mass_removal=self.allowed)
                self._reconciler = Reconciler(opened, self._members(self), settings)  # type: ignore[arg-type] # a door
            self._counts.passes += 1
            self.results.append(loop.run_until_complete(self._reconciler.run(self._flush)))
        except ReconcilerError as error:
            kind = type(error).__name__
            self._counts.refusals[kind] = self._counts.refusals.get(kind, 0) + 1
            self.results.append(error)


class Stepped:
    """A Repository: what it keeps on the disk without git is a gate, too."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)

    def save_state(self, *arguments: Any) -> None:
        gate("before save_state")
        self._repository.save_state(*arguments)
        gate("after save_state")


class _Inline(ThreadPoolExecutor):
    """Does at once, and in the thread that asks, what is handed to it; what kills the process kills it there."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _Selector(selectors.SelectSelector):
    """Where nothing is left to do but wait, the world's time goes on."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if not events and timeout is None:
            raise AssertionError("a pass waits for nothing")
        if not events and timeout:
            self._process.advance(timeout)
        return events


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, process: Process) -> None:
        self._process = process
        super().__init__(_Selector(process))
        self.set_default_executor(_Inline(1))
        self.set_exception_handler(lambda loop, context: None)  # tasks of a killed process end as they may

    def time(self) -> float:
        return self._process.monotonic()


def _end(loop: asyncio.AbstractEventLoop) -> None:
    with suppress(BaseException):
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
