"""Watches: the events of one kind from a resourceVersion on, as the lines that a real server streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from reconciler.simulation.api.changes import Event
from reconciler.simulation.api.selectors import Selector
from reconciler.simulation.api.store import Store
from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object

_BOOKMARK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What a client asked to be told of."""

    kind: Kind
    namespace: str | None
    selector: Selector
    version: str = ""
    initial: bool = False
    bookmarks: bool = False
    seconds: float = 1800.0


class Watcher:
    """One watch. It begins when it is made; `lines` then streams it until its time is over or the loop ends it."""

    def __init__(self, store: Store, watch: Watch) -> None:
        self._watch = watch
        self._store = store
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self._first: list[Object] = []
        self._begin()
        self._stop = store.listen(self._queue.put_nowait)

    async def lines(self, shown: Callable[[Object], Object]) -> AsyncIterator[bytes]:
        """Each event as JSON with its newline, as `shown` makes it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._watch.seconds
        try:
            for first in self._first:
                yield line(shown(first))
            while (left := end - loop.time()) > 0:
                try:
                    event = await asyncio.wait_for(self._queue.get(), min(left, _BOOKMARK_SECONDS))
                except TimeoutError:
                    if self._watch.bookmarks:
                        yield line(shown(self._bookmark({})))
                    continue
                if told := self._told(event):
                    yield line(shown(told))
        finally:
            self._stop()

    def _begin(self) -> None:
        watch = self._watch
        version = int(watch.version or 0)
        if version == 0 or watch.initial:
            found = self._store.listed(watch.kind.type.name, watch.namespace)
            self._first = [{"type": "ADDED", "object": obj} for obj in found if watch.selector(obj)]
            if watch.initial and watch.bookmarks:
                self._first.append(self._bookmark({"k8s.io/initial-events-end": "true"}))
            return
        history = self._store.history
        if history and history[0].version > version + 1 and len(history) == history.maxlen:
            text = f"too old resource version: {version} ({history[0].version})"
            error = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": text}
            self._first = [{"type": "ERROR", "object": {**error, "reason": "Expired", "code": 410}}]
            return
        self._first = [told for event in history if event.version > version and (told := self._told(event))]

    def _told(self, event: Event) -> Object | None:
        """With a selector, an object that comes to be selected is ADDED, one that is no longer, DELETED."""
        watch = self._watch
        if event.kind.type.name != watch.kind.type.name:
            return None
        if watch.namespace is not None and event.obj["metadata"].get("namespace", "") != watch.namespace:
            return None
        selected = watch.selector(event.obj)
        before = event.old is not None and watch.selector(event.old)
        if event.type == "DELETED":
            return {"type": "DELETED", "object": event.obj} if before or selected else None
        if not selected:
            return {"type": "DELETED", "object": event.obj} if before else None
        return {"type": "MODIFIED" if before else "ADDED", "object": event.obj}

    def _bookmark(self, annotations: Object) -> Object:
        kind = self._watch.kind.type
        meta: Object = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        return {"type": "BOOKMARK", "object": {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta}}


def line(event: Object) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
