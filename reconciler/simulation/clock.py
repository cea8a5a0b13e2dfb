"""Time as the simulation sees it: it can run faster than the wall's, and be moved on by tests."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class Clock:
    """`now` starts at the true time and runs `speed` times as fast; `advance` moves it on at once."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._started = datetime.now(UTC)
        self._moved = timedelta()
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        """The simulated time, UTC."""
        return self._started + (datetime.now(UTC) - self._started) * self.speed + self._moved

    def advance(self, seconds: float) -> None:
        """Moves time on, and wakes whoever sleeps, so that they look again. For the loop's own thread."""
        self._moved += timedelta(seconds=seconds)
        self._changed.set()
        self._changed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Until that many simulated seconds have gone by."""
        end = self.now() + timedelta(seconds=seconds)
        while (left := (end - self.now()).total_seconds()) > 0:
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), left / self.speed)
            except TimeoutError:
                return
