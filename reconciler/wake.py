"""What ends the daemon's sleep: a moved ref, a webhook, a member where something went on, a signal, or the time."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable
from enum import Flag, auto
from pathlib import Path

from watchfiles import Change, awatch

_DEBOUNCE_MILLISECONDS = 50


class Reason(Flag):
    """Why it woke; several may come together, and many of one are one."""

    TIME = 0
    REPOSITORY = auto()
    """The branch may have moved."""
    MEMBERS = auto()
    """Something went on, on a member."""
    STOP = auto()


class Wake:
    """Collects reasons until somebody waits for them. For one event loop; `stir` is safe from other threads."""

    def __init__(self) -> None:
        self._reasons = Reason.TIME
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def stir(self, reason: Reason) -> None:
        """Ends the sleep, or the next one if none is under way. Returns at once."""
        self._loop.call_soon_threadsafe(self._stir, reason)

    async def wait(self, seconds: float) -> Reason:
        """Sleeps so long at most; all that came since the last sleep, `TIME` if nothing did."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), max(0.0, seconds))
        found, self._reasons = self._reasons, Reason.TIME
        self._event.clear()
        return found

    def _stir(self, reason: Reason) -> None:
        self._reasons |= reason
        self._event.set()


async def watch_refs(paths: Iterable[Path], wake: Wake, told: Callable[[str], None], again_in: float) -> None:
    """Stirs whenever a file of git's refs under `paths` changes, until it is cancelled.

    Work trees are not watched: only what is committed counts. Where the system can't watch any more, `told` hears why,
    once a cause, and it begins anew after so many seconds; what moved meanwhile is found when the branch is asked.
    """
    paths, trouble = tuple(paths), ""
    while there := [path for path in paths if path.exists()]:
        why = "the system stopped watching"
        try:
            async for _ in awatch(*there, watch_filter=_is_ref, debounce=_DEBOUNCE_MILLISECONDS, step=10):
                wake.stir(Reason.REPOSITORY)
        except (OSError, RuntimeError) as error:  # watchfiles raises both, as where there are no more watches to be had
            why = str(error)
        if why != trouble:
            told(why)
        trouble = why
        await asyncio.sleep(again_in)


def jittered(seconds: float) -> float:
    """Within a tenth of it, so that many daemons don't ask one git server at the same moment."""
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311 - jitter


def _is_ref(change: Change, path: str) -> bool:
    """Not the lock that git writes before."""
    return not path.endswith(".lock")
