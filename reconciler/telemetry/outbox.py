"""The messages for one receiver: a bounded queue and a thread, so that a receiver that is dead or hangs delays nobody.

Threads, and not the event loop, since what sends may block for as long as it likes; and all of them daemon threads,
since none may keep the process from ending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from time import monotonic
from typing import Final

from reconciler.plan.news import News
from reconciler.telemetry.logs import logger

WAITING: Final = 100
"""Messages that wait for one receiver; one more is dropped."""
PAUSES: Final = (2.0, 10.0, 60.0)
"""Seconds before each further try."""
SEND_SECONDS: Final = 20.0
_log = logger("notifications")

Send = Callable[[News], str]
"""Sends one message; why not, or empty where it was delivered. May block, may raise."""


class Outbox:
    """`put` returns at once. `name` says in logs which receiver it is, without its secrets.

    `counted` is told of each message whether it was delivered or dropped, from any thread.
    """

    def __init__(
        self,
        name: str,
        send: Send,
        counted: Callable[[bool], None],
        pauses: Sequence[float] = PAUSES,
        send_seconds: float = SEND_SECONDS,
        waiting: int = WAITING,
    ) -> None:
        self._name = name
        self._send = send
        self._counted = counted
        self._pauses = pauses
        self._send_seconds = send_seconds
        self._queue: Queue[News] = Queue(waiting)
        self._closing = threading.Event()
        self._stuck: threading.Thread | None = None
        self._thread = threading.Thread(target=self._work, name=f"notify {name}", daemon=True)
        self._thread.start()

    def put(self, news: News) -> None:
        """To be sent when its turn comes; dropped where too many wait."""
        try:
            self._queue.put_nowait(news)
        except Full:
            self._drop(news, f"{self._queue.maxsize} others wait already", 0)

    def close(self) -> None:
        """What waits is tried once more, without pauses; does not wait for that."""
        self._closing.set()

    @property
    def ended(self) -> bool:
        """Closed, and nothing is left."""
        return not self._thread.is_alive()

    def join(self, until: float) -> None:
        """Waits for that, until then (monotonic); what is left is dropped. `close` comes first."""
        self._thread.join(max(0.0, until - monotonic()))
        while self._thread.is_alive():
            try:
                self._drop(self._queue.get_nowait(), "the process ends", 0)
            except Empty:
                return

    def _work(self) -> None:
        while True:
            try:
                news = self._queue.get(timeout=0.2)
            except Empty:
                if self._closing.is_set():
                    return
                continue
            self._deliver(news)

    def _deliver(self, news: News) -> None:
        pauses = iter(self._pauses)
        tries = 1
        while why := self._try(news):
            pause = next(pauses, None)
            if pause is None or self._closing.is_set():
                self._drop(news, why, tries)
                return
            self._closing.wait(pause)
            tries += 1
        self._counted(True)

    def _try(self, news: News) -> str:
        """Why it was not delivered. What hangs is left behind, and while it hangs nothing more is sent beside it."""
        if self._stuck and self._stuck.is_alive():
            self._stuck.join(self._send_seconds)
            if self._stuck.is_alive():
                return "an earlier message hangs"
        outcome: list[str] = []
        sender = threading.Thread(target=self._call, args=(news, outcome), name=self._thread.name, daemon=True)
        sender.start()
        sender.join(self._send_seconds)
        self._stuck = sender
        return outcome[0] if outcome else f"no answer within {self._send_seconds:g} s"

    def _call(self, news: News, outcome: list[str]) -> None:
        try:
            outcome.append(self._send(news))
        except Exception as error:  # whatever a receiver's plug-in trips over, it concerns this message alone
            outcome.append(f"the plug-in failed: {type(error).__name__}")

    def _drop(self, news: News, why: str, tries: int) -> None:
        _log.warning("notification dropped", receiver=self._name, title=news.title, why=why, tries=tries)
        self._counted(False)
