"""What all controllers of one simulated Velero server share: its cluster and storage, its clock, its queues.

Made by `server`. A real server's controllers work the same way: a queue of names each, one worker a queue, an object
that is asked for again while it is worked on comes once more, and what failed comes again after a growing pause.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from reconciler.simulation.clock import Clock
from reconciler.simulation.cluster import Cluster, Object, StatusError
from reconciler.simulation.velero.bucket import Bucket, StorageError
from reconciler.simulation.velero.store import BackupStore, open_store
from reconciler.simulation.velero.words import stamp

BACKUPS: Final = "backups.velero.io"
RESTORES: Final = "restores.velero.io"
SCHEDULES: Final = "schedules.velero.io"
LOCATIONS: Final = "backupstoragelocations.velero.io"
DELETIONS: Final = "deletebackuprequests.velero.io"
DOWNLOADS: Final = "downloadrequests.velero.io"
STATUS_REQUESTS: Final = "serverstatusrequests.velero.io"

_FIRST_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 1000.0
_log = logging.getLogger(__name__)


class Again(Exception):
    """A controller could not finish with an object and wants to see it again later."""


class Machine:
    """One server as its controllers see it."""

    def __init__(self, cluster: Cluster, bucket: Bucket, prefix: str, clock: Clock, namespace: str) -> None:
        self.cluster, self.bucket, self.prefix, self.clock, self.namespace = cluster, bucket, prefix, clock, namespace
        self.step_seconds = 0.05
        self.failures: dict[tuple[str, str, str], str] = {}
        """Items that can't be restored, by kind, namespace and name; the text is the API server's."""
        self.under_way: dict[str, str] = {}
        """Backups that this process knows of: "running" or, once their data are stored, "finalizing"."""
        self.loop: asyncio.AbstractEventLoop | None = None
        self.going = asyncio.Event()
        self._holds: dict[str, asyncio.Event] = {}

    # Time

    def stamp(self) -> str:
        return stamp(self.clock.now())

    async def step(self, seconds: float | None = None) -> None:
        """Work that takes its time; a process that is stopped meanwhile goes on when it runs again."""
        await asyncio.sleep(0)  # others' turn, also where a phase takes no time
        await self.clock.sleep(self.step_seconds if seconds is None else seconds)
        await self.going.wait()

    async def reached(self, phase: str) -> None:
        """Stays in that phase while a test holds it there."""
        while hold := self._holds.get(phase):
            await hold.wait()
        await self.going.wait()

    def holds(self, phase: str) -> bool:
        return phase in self._holds

    def hold(self, phase: str) -> None:
        self._holds.setdefault(phase, asyncio.Event())

    def release(self, phase: str | None) -> None:
        for name in [phase] if phase else [*self._holds]:
            if hold := self._holds.pop(name, None):
                hold.set()

    # Objects in Velero's namespace

    def get(self, resource: str, name: str) -> Object | None:
        return self.cluster.find(resource, self.namespace, name)

    def all(self, resource: str) -> list[Object]:
        return self.cluster.all(resource, self.namespace)

    def change(self, resource: str, name: str, change: Callable[[Object], None]) -> Object | None:
        """Patches the object as it is now; None where it is gone."""
        found = self.get(resource, name)
        if found is None:
            return None
        before = copy.deepcopy(found)
        change(found)
        return found if found == before else self.cluster.update(resource, found)

    def set_status(self, resource: str, name: str, **fields: Any) -> Object | None:
        """Patches fields of the status; None takes a field away."""

        def change(found: Object) -> None:
            status = {**(found.get("status") or {}), **fields}
            found["status"] = {key: value for key, value in status.items() if value is not None}

        return self.change(resource, name, change)

    def delete(self, resource: str, name: str) -> None:
        """Asks for its deletion; that it is gone already is fine."""
        try:
            self.cluster.delete(resource, self.namespace, name)
        except StatusError as error:
            if error.code != 404:
                raise

    # Storage

    def location(self, backup: Object) -> Object | None:
        """The BackupStorageLocation of a Backup."""
        name = (backup.get("spec") or {}).get("storageLocation", "")
        return self.get(LOCATIONS, name) if name else None

    def store(self, location: Object) -> BackupStore:
        return open_store(self.bucket, location, self.prefix)


class Queue:
    """Names, each waiting once; taken one after the other."""

    def __init__(self, machine: Machine, reconcile: Callable[[str], Awaitable[None]]) -> None:
        self._machine, self._reconcile = machine, reconcile
        self._waiting: dict[str, None] = {}
        self._failed: dict[str, int] = {}
        self._worker: asyncio.Task[None] | None = None
        self._pauses: set[asyncio.Task[None]] = set()

    def add(self, name: str) -> None:
        self._waiting.setdefault(name)
        if self._worker is None and self._machine.loop is not None:
            self._worker = self._machine.loop.create_task(self._work())

    def close(self) -> None:
        """Whatever was being done is left as it is."""
        for task in (*self._pauses, *([self._worker] if self._worker else [])):
            task.cancel()
        self._worker = None
        self._waiting.clear()
        self._failed.clear()

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._machine.going.wait()
                name = next(iter(self._waiting))
                del self._waiting[name]
                await self._one(name)
        finally:
            if self._worker is asyncio.current_task():
                self._worker = None

    async def _one(self, name: str) -> None:
        try:
            await self._reconcile(name)
        except (Again, StatusError, StorageError) as error:
            _log.debug("reconciled later", extra={"object": name, "error": str(error)})
            self._later(name)
        except Exception:
            _log.exception("the simulated Velero failed", extra={"object": name})
        else:
            self._failed.pop(name, None)

    def _later(self, name: str) -> None:
        count = self._failed.get(name, 0)
        self._failed[name] = count + 1
        task = asyncio.create_task(self._pause(name, min(_FIRST_PAUSE * 2.0**count, _LONGEST_PAUSE)))
        self._pauses.add(task)
        task.add_done_callback(self._pauses.discard)

    async def _pause(self, name: str, seconds: float) -> None:
        await self._machine.clock.sleep(seconds)
        self.add(name)


class Controller:
    """Reconciles the objects of one resource: on changes that it wants, and every `period` seconds on all that are due.

    What it does with one stands in `reconcile`.
    """

    resource = ""
    period = 0.0

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.queue = Queue(machine, self.reconcile)

    def wants(self, event: str, obj: Object) -> bool:
        """Whether a change (ADDED, also for what is there at the start, or MODIFIED) is worth a look."""
        return True

    def due(self, obj: Object) -> bool:
        """Whether to look at it now that the period is over."""
        return True

    def removed(self, obj: Object) -> None:
        """Told of an object that is gone."""

    async def reconcile(self, name: str) -> None:
        raise NotImplementedError
