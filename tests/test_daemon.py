"""The daemon's loop: when it goes on by itself, and what it does where a pass does not come to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler import daemon as module
from reconciler.daemon import Daemon
from reconciler.desired import Desired
from reconciler.looks import Looks
from reconciler.passed import Pass
from reconciler.plan.watch import Watch
from reconciler.records import Phase
from reconciler.wake import Wake
from tests.plan import builders as b


class Hanging:
    """A reconciler whose passes never end."""

    async def run(self, flush: bool) -> None:
        await asyncio.Event().wait()


class Settled:
    """A reconciler whose passes find all done on a member that last told this UID; the records know `uid-m1`."""

    def __init__(self, uid: str) -> None:
        self.looks = Looks(timedelta(seconds=0.2))
        self.passes = 0
        self._records = b.by_identity(b.record(b.restore(), Phase.COMPLETED, cluster_uid="uid-m1"))
        self._desired = Desired({b.M1: b.member(b.M1)}, {}, {}, (), (), True)
        self._watch = Watch(inventoried=frozenset({b.M1}), uids={b.M1: uid})

    async def run(self, flush: bool) -> Pass:
        self.passes += 1
        self.looks.looked(self.looks.looking((b.M1,), b.NOW), {b.M1: b.answer()})
        state: Any = None
        known = self._records
        return Pass(state, self._desired, known, known, known, {}, (), self._watch, None)


class Witness:
    """Counts the signs of life."""

    def __init__(self) -> None:
        self.beats = 0
        self.lives = asyncio.Event()

    def passed(self, done: Pass, seconds: float) -> None:
        """That is counted by who makes them."""

    def unmoved(self) -> None:
        """It was asked, and the branch stands where it stood."""

    def beat(self) -> None:
        self.beats += 1
        if self.beats == 3:
            self.lives.set()

    def unwatched(self, why: str) -> None:
        """There is nothing to watch."""


@asynccontextmanager
async def running(reconciler: Any, interval: float = 3600.0) -> AsyncIterator[Witness]:
    async def close() -> None:
        return None

    witness: Any = Witness()
    repository: Any = SimpleNamespace(watched=tuple, stirred=lambda: False, tidy=lambda: False)
    following: Any = SimpleNamespace(close=close, follow=lambda running, members: None)
    daemon = Daemon(repository, reconciler, following, Wake(), interval, witness)
    work = asyncio.create_task(daemon.run())
    try:
        yield witness
    finally:
        daemon.stop()
        await work


def test_a_pass_is_a_sign_of_life_for_as_long_as_one_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_SECONDS", 0.1)

    async def run() -> None:
        async with running(Hanging()) as witness, asyncio.timeout(60):
            await witness.lives.wait()

    asyncio.run(run())


def test_a_pass_that_hangs_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform's probe is to start it afresh then."""
    monkeypatch.setattr(module, "LONGEST_PASS_SECONDS", 0)
    monkeypatch.setattr(module, "LAST_SECONDS", 0.1)

    async def run() -> int:
        async with running(Hanging()) as witness:
            await asyncio.sleep(2)
            return witness.beats

    assert asyncio.run(run()) == 1, "the loop's own, before the pass"


@pytest.mark.parametrize(("uid", "again"), [("uid-m1", False), ("uid-other", True)])
def test_settled_it_looks_again_only_where_a_member_seems_to_be_another_cluster(uid: str, again: bool) -> None:
    """What carries our finalizer may be on the one that it was."""

    async def run() -> int:
        reconciler = Settled(uid)
        async with running(reconciler, interval=0.2):
            await asyncio.sleep(2)
        return reconciler.passes

    assert (asyncio.run(run()) > 2) == again
