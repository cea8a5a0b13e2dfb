"""How long a Restore keeps our finalizer after the ledger called it begun: until no other process can create it again.

One that read the ledger just before that may send its create up to 60 s later, and a request takes up to 20 s. While
the finalizer holds the object, whoever deletes it, the API server refuses a second one of that name (design §4).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from reconciler.plan.actions import Action, Release
from reconciler.plan.watch import Key, key_of


@dataclass(frozen=True, slots=True)
class Waiting:
    """A release that is due in so many `seconds`."""

    release: Release
    seconds: float


class Grace:
    """Remembered by the monotonic clock, for the life of the process: a new one waits anew, and clocks may jump."""

    def __init__(self, length: timedelta) -> None:
        self._seconds = length.total_seconds()
        self._begun: dict[Key, float] = {}

    def divided(
        self, todo: tuple[Action, ...], begun: Collection[Key], now: float
    ) -> tuple[tuple[Action, ...], tuple[Waiting, ...]]:
        """What is to be done now, and the releases that wait.

        `begun`: what the ledger, as it is pushed, calls begun and this machine still watches; `now`: monotonic.
        """
        self._begun = {key: self._begun.get(key, now) for key in begun}
        waiting = tuple(
            Waiting(action, left)
            for action in todo
            if isinstance(action, Release) and (left := self._left(key_of(action), now)) > 0
        )
        late = {id(each.release) for each in waiting}
        return tuple(action for action in todo if id(action) not in late), waiting

    def _left(self, key: Key, now: float) -> float:
        return self._begun.get(key, now) + self._seconds - now
