"""What the probes of a platform ask: does the loop still turn, and did it ever get through a pass."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

STILL_SECONDS: Final = 120.0
"""The loop says every 15 s that it lives; this much longer, since a restart loses what is under way."""


class Health:
    """`beat` and `ready` are the daemon's to call; the server answers with `alive` and `readiness`."""

    def __init__(self, still_seconds: float = STILL_SECONDS, clock: Callable[[], float] = monotonic) -> None:
        self._still_seconds = still_seconds
        self._clock = clock
        self._beaten_at = clock()
        self._ready = False
        self._why = "the first pass has not ended yet"

    def beat(self) -> None:
        """The loop lives."""
        self._beaten_at = self._clock()

    def ready(self, is_ready: bool, why: str = "") -> None:
        """Whether it may be relied upon, and why (not). Both who leads and who stands by are ready."""
        self._ready, self._why = is_ready, why

    def alive(self) -> tuple[bool, str]:
        """Whether it beat lately, in words."""
        since = self._clock() - self._beaten_at
        if since <= self._still_seconds:
            return True, "ok"
        return False, f"the loop has stood still for {since:.0f} s"

    def readiness(self) -> tuple[bool, str]:
        """What was said last, in words."""
        return self._ready, self._why or ("ready" if self._ready else "not ready")
