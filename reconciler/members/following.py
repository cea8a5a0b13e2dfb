"""Watches what runs on the members, and says when it went on, so that an outcome is recorded as it comes.

A watch tells only that a pass is worth while. What it says is never believed: the pass asks the member itself, and a
watch that broke, or was never possible, costs no more than waiting for the next pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.desired import Member
from reconciler.errors import MemberError
from reconciler.members.velero import Velero, runs_of
from reconciler.plan.answers import Name
from reconciler.resources import ClusterId
from reconciler.velero import status
from reconciler.velero.plainly import mapping

MOST: Final = 500
"""Members watched at once, each by a connection a kind; the others are looked at by passes alone."""
_LIFE_SECONDS: Final = 240
"""How long the server is asked to keep one watch; then another follows."""
_LONGEST_PAUSE: Final = 60.0

Running = Mapping[ClusterId, Collection[Name]]


@dataclass(frozen=True, slots=True)
class _Watched:
    """One kind on one member."""

    cluster: ClusterId
    kind: str


class Following:
    """Watches of the members that something runs on. Close it in the loop that used it."""

    def __init__(self, connect: Callable[[Member], Awaitable[Velero]], stir: Callable[[], None]) -> None:
        self._connect = connect
        self._stir = stir
        self._tasks: dict[_Watched, asyncio.Task[None]] = {}

    def follow(self, running: Running, members: Mapping[ClusterId, Member]) -> None:
        """From now on watch these and no others: the names (kind, name) of what runs, by cluster. Returns at once."""
        chosen = sorted(running.keys() & members.keys())[:MOST]
        wanted = {_Watched(cluster, kind) for cluster in chosen for kind, _ in running[cluster]}
        for watched in self._tasks.keys() - wanted:
            self._tasks.pop(watched).cancel()
        for watched in wanted:
            task = self._tasks.get(watched)
            if task is None or task.done():
                self._tasks[watched] = asyncio.create_task(self._watch(members[watched.cluster], watched.kind))

    @property
    def watched(self) -> int:
        """How many watches stand."""
        return sum(not task.done() for task in self._tasks.values())

    async def close(self) -> None:
        """Ends all watches."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _watch(self, member: Member, kind: str) -> None:
        """One watch after another; pauses grow while they fail."""
        phases: dict[str, str] = {}
        pause = 1.0
        while True:
            with contextlib.suppress(MemberError):
                velero = await self._connect(member)
                query = {"watch": "1", "labelSelector": runs_of(kind), "timeoutSeconds": str(_LIFE_SECONDS)}
                async for event in velero.client.stream(velero.path(kind), query):
                    pause = 1.0
                    if _went_on(kind, event, phases):
                        self._stir()
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            pause = min(pause * 2, _LONGEST_PAUSE)


def _went_on(kind: str, event: Mapping[str, Any], phases: dict[str, str]) -> bool:
    """An object ended or went away, or its phase is another than before; `phases` remembers, by name.

    A watch begins with what is there: that something runs is known then, only its end would be news.
    """
    if event.get("type") not in ("ADDED", "MODIFIED", "DELETED"):
        return False
    seen = status.seen(kind, mapping(event.get("object")))
    before = phases.get(seen.name)
    if event["type"] == "DELETED":
        return phases.pop(seen.name, None) is not None
    phases[seen.name] = seen.phase
    return seen.terminal is not None if before is None else seen.phase != before
