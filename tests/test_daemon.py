"""The daemon's loop where a pass does not come to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler import daemon as module
from reconciler.daemon import Daemon
from reconciler.wake import Wake


class Hanging:
    """A reconciler whose passes never end."""

    async def run(self, flush: bool) -> None:
        await asyncio.Event().wait()


class Witness:
    """Counts the signs of life."""

    def __init__(self) -> None:
        self.beats = 0
        self.lives = asyncio.Event()

    def beat(self) -> None:
        self.beats += 1
        if self.beats == 3:
            self.lives.set()

    def unwatched(self, why: str) -> None:
        """There is nothing to watch."""


@asynccontextmanager
async def hanging() -> AsyncIterator[Witness]:
    async def close() -> None:
        return None

    witness: Any = Witness()
    reconciler: Any = Hanging()
    repository: Any = SimpleNamespace(watched=tuple)
    following: Any = SimpleNamespace(close=close)
    daemon = Daemon(repository, reconciler, following, Wake(), 3600.0, witness)
    work = asyncio.create_task(daemon.run())
    try:
        yield witness
    finally:
        daemon.stop()
        await work


def test_a_pass_is_a_sign_of_life_for_as_long_as_one_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_SECONDS", 0.1)

    async def run() -> None:
        async with hanging() as witness, asyncio.timeout(60):
            await witness.lives.wait()

    asyncio.run(run())


def test_a_pass_that_hangs_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform's probe is to start it afresh then."""
    monkeypatch.setattr(module, "LONGEST_PASS_SECONDS", 0)
    monkeypatch.setattr(module, "LAST_SECONDS", 0.1)

    async def run() -> int:
        async with hanging() as witness:
            await asyncio.sleep(2)
            return witness.beats

    assert asyncio.run(run()) == 1, "the loop's own, before the pass"
