"""Backups: queued, run one at a time, finalized.

Called by `server`. Facts: `backup_queue_controller.go`, `backup_controller.go`, `backup_finalizer_controller.go`.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from reconciler.simulation.cluster import Object
from reconciler.simulation.velero.archive import pack
from reconciler.simulation.velero.bucket import StorageError
from reconciler.simulation.velero.collecting import Collection, Collector
from reconciler.simulation.velero.drafting import prepare
from reconciler.simulation.velero.machine import BACKUPS, Controller
from reconciler.simulation.velero.results import Results

_WAITING: Final = "WaitingForPluginOperations"


def phase_of(obj: Object) -> str:
    return str((obj.get("status") or {}).get("phase") or "New")


class BackupQueue(Controller):
    """New → Queued → ReadyToStart, in the order in which they came."""

    resource = BACKUPS

    async def reconcile(self, name: str) -> None:
        backup = self.machine.get(BACKUPS, name)
        if backup is not None and phase_of(backup) == "New":
            await self.machine.reached("New")
            last = max((one["status"].get("queuePosition", 0) for one in self._queued()), default=0)
            self.machine.set_status(BACKUPS, name, phase="Queued", queuePosition=last + 1)
        await self._start_next()

    def removed(self, obj: Object) -> None:
        if phase_of(obj) != "InProgress":
            self.machine.under_way.pop(obj["metadata"]["name"], None)
            self.queue.add(obj["metadata"]["name"])

    async def _start_next(self) -> None:
        if not self._queued() or "running" in self.machine.under_way.values():
            return
        await self.machine.reached("Queued")
        waiting = self._queued()
        if waiting:
            name = waiting[0]["metadata"]["name"]
            self.machine.under_way[name] = "running"
            self.machine.set_status(BACKUPS, name, phase="ReadyToStart", queuePosition=None)
        for position, one in enumerate(waiting[1:], 1):
            self.machine.set_status(BACKUPS, one["metadata"]["name"], queuePosition=position)

    def _queued(self) -> list[Object]:
        found = [one for one in self.machine.all(BACKUPS) if phase_of(one) == "Queued"]
        return sorted(found, key=lambda one: int(one["status"].get("queuePosition", 0)))


class Backups(Controller):
    """ReadyToStart → InProgress → its data stored, and Finalizing."""

    resource = BACKUPS

    async def reconcile(self, name: str) -> None:
        backup = self.machine.get(BACKUPS, name)
        if backup is None or phase_of(backup) != "ReadyToStart":
            return
        await self.machine.reached("ReadyToStart")
        self.machine.under_way[name] = "running"
        self.machine.change(BACKUPS, name, self._prepared)
        backup = self.machine.get(BACKUPS, name)
        if backup is None or phase_of(backup) != "InProgress":
            self.machine.under_way.pop(name, None)
            return
        await self.machine.step()
        await self.machine.reached("InProgress")
        try:
            self._run(backup)
        except StorageError as error:
            self.machine.under_way.pop(name, None)
            self._failed(name, f"backup execution failed: {error}")
        else:
            self.machine.under_way[name] = "finalizing"
        if self.machine.get(BACKUPS, name) is None:
            self.machine.under_way.pop(name, None)

    def _prepared(self, backup: Object) -> None:
        wrong = prepare(self.machine, backup)
        status = backup["status"]
        if wrong:
            status |= {"phase": "FailedValidation", "validationErrors": wrong}
        else:
            status |= {"phase": "InProgress", "startTimestamp": self.machine.stamp()}

    def _run(self, backup: Object) -> None:
        name = backup["metadata"]["name"]
        location = self.machine.location(backup)
        if location is None:
            raise StorageError(404, "the backup storage location is gone")
        store = self.machine.store(location)
        if store.exists(name):
            raise StorageError(409, "backup already exists in object storage")
        results = Results()
        results.log(self.machine.stamp(), "info", f"Backing up {self.machine.namespace}/{name}")
        collection = Collector(self.machine.cluster, backup["spec"], results).collect()
        self._log(collection, results)
        status = self._counted(len(collection.items), results)
        stored = copy.deepcopy(backup)
        stored["status"] |= status
        stored["metadata"].pop("managedFields", None)
        store.put_backup(stored, pack(collection.packed()), results.text(), collection.listed(), results.plain())
        self.machine.set_status(BACKUPS, name, **status)

    def _counted(self, items: int, results: Results) -> dict[str, Any]:
        partly = "PartiallyFailed" if results.errors else ""
        waits = self.machine.holds(_WAITING + partly)
        status: dict[str, Any] = {
            "phase": (_WAITING if waits else "Finalizing") + partly,
            "progress": {"totalItems": items, "itemsBackedUp": items} if items else {},
            "hookStatus": {},
        }
        counts = {"errors": len(results.errors), "warnings": len(results.warnings)}
        return status | {word: count for word, count in counts.items() if count}

    def _log(self, collection: Collection, results: Results) -> None:
        now = self.machine.stamp()
        for resource, namespace, name in collection.items:
            results.log(now, "info", f"Backing up item {resource} {namespace}/{name}")
        for text in results.warnings.velero:
            results.log(now, "warning", text)
        for text in results.errors.velero:
            results.log(now, "error", text)
        results.log(now, "info", f"Backed up a total of {len(collection.items)} items")

    def _failed(self, name: str, reason: str) -> None:
        now = self.machine.stamp()
        self.machine.set_status(
            BACKUPS, name, phase="Failed", failureReason=reason, completionTimestamp=now, hookStatus={}
        )


class BackupFinalizer(Controller):
    """WaitingForPluginOperations → Finalizing → Completed or PartiallyFailed."""

    resource = BACKUPS

    async def reconcile(self, name: str) -> None:
        backup = self.machine.get(BACKUPS, name)
        if backup is None:
            return
        phase = phase_of(backup)
        if phase.startswith(_WAITING):
            await self.machine.reached(phase)
            self.machine.set_status(BACKUPS, name, phase=phase.replace(_WAITING, "Finalizing"))
        elif phase.startswith("Finalizing"):
            await self.machine.step()
            await self.machine.reached(phase)
            self._complete(name, phase)

    def _complete(self, name: str, phase: str) -> None:
        backup = self.machine.get(BACKUPS, name)
        location = self.machine.location(backup) if backup else None
        if backup is None or location is None:
            return
        ended = "PartiallyFailed" if phase.endswith("PartiallyFailed") else "Completed"
        status = {"phase": ended, "completionTimestamp": self.machine.stamp()}
        stored = {**backup, "status": {**backup["status"], **status}}
        stored["metadata"] = {key: value for key, value in backup["metadata"].items() if key != "managedFields"}
        self.machine.store(location).put_metadata(stored)
        self.machine.under_way.pop(name, None)
        self.machine.set_status(BACKUPS, name, **status)
