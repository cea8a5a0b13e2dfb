"""Time that schedules move: what the product reads as `time.monotonic` and `datetime.now` in the thread of a process.

Everybody else (hypothesis, pytest, the thread that drives it all) goes on with the true time.
"""

from __future__ import annotations

import datetime as real
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Protocol

START: Final = real.datetime(2025, 6, 1, 12, tzinfo=real.UTC)
_PACKAGES: Final = ("reconciler.members", "reconciler.repository", "reconciler.reconcile", "reconciler.looks")


class Clock:
    """The world's time; nothing but `advance` moves it. As `simulation.Clock` for a store."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._order = 0

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> real.datetime:
        return START + timedelta(seconds=self.seconds)

    def next(self) -> int:
        """A number for what happens now: which of two things came first where no time passes between them."""
        self._order += 1
        return self._order


class Steered(Protocol):
    """A process: `monotonic` can't be wrong, `now` is as wrong as its machine's clock. See `gates`."""

    losing: list[tuple[str, bool]]

    def monotonic(self) -> float: ...
    def now(self) -> real.datetime: ...
    def reached(self, label: str) -> None: ...


class _Here(threading.local):
    process: Steered | None = None


HERE: Final = _Here()
"""The process that this thread is."""


def _monotonic() -> float:
    return HERE.process.monotonic() if HERE.process else time.monotonic()


class _Time:
    """The module `time`, but for `monotonic`."""

    monotonic = staticmethod(_monotonic)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class _Meta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, real.datetime)


class _Datetime(real.datetime, metaclass=_Meta):
    """The class `datetime`, but for `now`."""

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> Any:
        return HERE.process.now().astimezone(tz) if HERE.process else real.datetime.now(tz)


@contextmanager
def steered() -> Iterator[tuple[str, ...]]:
    """Within it the modules of a pass read the time of the process that runs them; yields which names were put there.

    What reads time in the product is found by the names that its modules import, so that a new one is not forgotten.
    """
    places: list[tuple[Any, str, Any, Any]] = []
    steered: tuple[tuple[str, object, Callable[[], Any]], ...] = (
        ("time", time, _Time),
        ("monotonic", time.monotonic, lambda: _monotonic),
        ("datetime", real.datetime, lambda: _Datetime),
    )
    for name, module in sorted(sys.modules.items()):
        if not name.startswith(_PACKAGES):
            continue
        for attribute, what, instead in steered:
            if vars(module).get(attribute) is what and name != "reconciler.repository.localstate":  # its lock is real
                places.append((module, attribute, what, instead()))
    for module, attribute, _, instead_of_it in places:
        setattr(module, attribute, instead_of_it)
    try:
        yield tuple(f"{module.__name__}.{attribute}" for module, attribute, _, _ in places)
    finally:
        for module, attribute, what, _ in places:
            setattr(module, attribute, what)
