"""Kubernetes Events on the hub about what happened, for whoever looks there with kubectl. They delay nothing.

An Event is a courtesy: what the hub does not take is counted and forgotten, the ledger has it all.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal

from reconciler.errors import MemberError
from reconciler.hub.lease import Requests

WAITING: Final = 100
"""Events that may wait for the hub at once."""
NOTE_BYTES: Final = 1024
"""As much as the API server takes (`validateV1Event` of kubernetes/pkg/apis/core/validation/events.go)."""
_REASON_BYTES: Final = 128
_SEND_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2.0
_CONTROLLER: Final = "reconciler/fleet-restore"


class Events:
    """Posts in the background while one is within it; at the end what waits has two seconds to go out."""

    def __init__(
        self,
        hub: Requests,
        regarding: Mapping[str, Any],
        instance: str,
        told: Callable[[str], None] = lambda trouble: None,
    ) -> None:
        self.sent = 0
        self.dropped = 0
        """Those that the hub did not take, or that came when too many waited."""
        self.trouble = ""
        """Why the last one was not taken; empty when it was. `told` is called with each other one."""
        self._told = told
        self._hub, self._regarding, self._instance = hub, dict(regarding), instance[:128]
        self._path = f"/apis/events.k8s.io/v1/namespaces/{regarding['namespace']}/events"
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(WAITING)
        self._task: asyncio.Task[None] | None = None

    def post(self, kind: Literal["Normal", "Warning"], reason: str, note: str, action: str = "Reconcile") -> None:
        """Puts an Event on its way, and returns at once. `reason` and `action` are CamelCase."""
        try:
            self._queue.put_nowait(self._event(kind, reason, note, action))
        except asyncio.QueueFull:
            self.dropped += 1

    async def __aenter__(self) -> Events:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._task is not None
        idle = asyncio.ensure_future(self._queue.join())
        await asyncio.wait({idle, self._task}, timeout=_CLOSE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        self._task.cancel()
        await asyncio.gather(idle, self._task, return_exceptions=True)
        self.dropped += self._queue.qsize()

    async def _run(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    await self._hub.request("POST", self._path, {"fieldManager": "reconciler"}, event)
                self.sent += 1
                self._say("")
            except (MemberError, TimeoutError) as failed:
                self.dropped += 1
                self._say(str(failed) or "the hub gives no answer")
            except asyncio.CancelledError:
                self.dropped += 1
                raise
            finally:
                self._queue.task_done()

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._told(trouble)

    def _event(self, kind: str, reason: str, note: str, action: str) -> dict[str, Any]:
        name = f"{str(self._regarding['name'])[:200]}.{secrets.token_hex(8)}"
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": self._regarding["namespace"]},
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": _CONTROLLER,
            "reportingInstance": self._instance,
            "action": _cut(action, _REASON_BYTES),
            "reason": _cut(reason, _REASON_BYTES),
            "regarding": self._regarding,
            "note": _cut(note, NOTE_BYTES),
            "type": kind,
        }


def _cut(words: str, limit: int) -> str:
    """At most so many bytes of UTF-8, whole characters."""
    encoded = words.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"
