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

    def beat(self) -> None:
        self.beats += 1

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


def test_a_pass_that_hangs_is_no_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives as long as a pass may take; then a platform's probe is to start it afresh."""
    monkeypatch.setattr(module, "LONGEST_PASS_SECONDS", 1.2)
    monkeypatch.setattr(module, "LAST_SECONDS", 0.1)

    async def run() -> tuple[int, int, int]:
        async with hanging() as witness:
            await asyncio.sleep(1.1)
            alive = witness.beats
            await asyncio.sleep(1.0)
            ended = witness.beats
            await asyncio.sleep(1.5)
            return alive, ended, witness.beats

    alive, ended, later = asyncio.run(run())
    assert alive > 1
    assert later == ended
