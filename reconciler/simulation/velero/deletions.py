"""DeleteBackupRequests, by users or by the garbage collection of what expired: a backup goes with all its Restores.

Called by `server`. Facts: `backup_deletion_controller.go`, `gc_controller.go`.
"""

from __future__ import annotations

import secrets
from typing import Final

from reconciler.simulation.cluster import Object, StatusError
from reconciler.simulation.velero.backups import phase_of
from reconciler.simulation.velero.bucket import StorageError
from reconciler.simulation.velero.locations import available
from reconciler.simulation.velero.machine import BACKUPS, DELETIONS, RESTORES, Again, Controller, Machine
from reconciler.simulation.velero.words import label_value, moment

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_WAIT_SECONDS: Final = 60
_FAILURE_LABEL: Final = "velero.io/gc-failure"
_NAME_LABEL: Final = "velero.io/backup-name"
_UID_LABEL: Final = "velero.io/backup-uid"
_GENERATED: Final = "bcdfghjklmnpqrstvwxz2456789"


class Deletions(Controller):
    """New → InProgress → Processed, with errors; where there are none the request goes too."""

    resource = DELETIONS
    period = _HOUR

    async def reconcile(self, name: str) -> None:
        request = self.machine.get(DELETIONS, name)
        if request is None:
            return
        if phase_of(request) in ("InProgress", "Processed"):
            made = moment(request["metadata"].get("creationTimestamp"))
            if made and (self.machine.clock.now() - made).total_seconds() >= _DAY:
                self.machine.delete(DELETIONS, name)
            return
        backup_name = (request.get("spec") or {}).get("backupName", "")
        if backup_name:
            self._drop_earlier(name, backup_name)
        refusal = self._refusal(backup_name)
        if refusal:
            self.machine.set_status(DELETIONS, name, phase="Processed", errors=[f"backup deletion failed: {refusal}"])
        else:
            await self._carry_out(name, backup_name)

    def _refusal(self, name: str) -> str:
        if not name:
            return "spec.backupName is required"
        if name in self.machine.under_way:
            return "backup is still in progress"
        backup = self.machine.get(BACKUPS, name)
        if backup is None:
            return "backup not found"
        where, location = (backup.get("spec") or {}).get("storageLocation", ""), self.machine.location(backup)
        if location is None:
            return f"backup storage location {where} not found"
        before = f"cannot delete backup because backup storage location {where} is currently in"
        if (location.get("spec") or {}).get("accessMode") == "ReadOnly":
            return f"{before} read-only mode"
        return "" if available(location) else f"{before} Unavailable state"

    def _drop_earlier(self, name: str, backup: str) -> None:
        for other in self.machine.all(DELETIONS):
            label = (other["metadata"].get("labels") or {}).get(_NAME_LABEL)
            if label == label_value(backup) and other["metadata"]["name"] != name:
                self.machine.delete(DELETIONS, other["metadata"]["name"])

    async def _carry_out(self, name: str, backup_name: str) -> None:
        backup = self.machine.set_status(BACKUPS, backup_name, phase="Deleting")
        if backup is None:
            return
        uid = backup["metadata"].get("uid", "")

        def begin(found: Object) -> None:
            found["status"] = {"phase": "InProgress"}
            labels = found["metadata"].get("labels") or {}
            found["metadata"]["labels"] = {_NAME_LABEL: label_value(backup_name), _UID_LABEL: uid} | labels

        self.machine.change(DELETIONS, name, begin)
        await self.machine.step()
        await self.machine.reached("Deleting")
        errors = self._delete_data(backup)
        for restore in self._restores_of(backup_name):
            self.machine.delete(RESTORES, restore["metadata"]["name"])
        if not await self._restores_gone(backup_name):
            errors.append("error deleting restore context deadline exceeded: context deadline exceeded")
        if not errors:
            self.machine.delete(BACKUPS, backup_name)
        self.machine.set_status(DELETIONS, name, phase="Processed", errors=errors or None)
        for request in self.machine.all(DELETIONS) if not errors else ():
            labels = request["metadata"].get("labels") or {}
            if (labels.get(_NAME_LABEL), labels.get(_UID_LABEL)) == (label_value(backup_name), uid):
                self.machine.delete(DELETIONS, request["metadata"]["name"])

    def _delete_data(self, backup: Object) -> list[str]:
        location = self.machine.location(backup)
        try:
            self.machine.store(location or {}).delete("backups", backup["metadata"]["name"])
        except StorageError as error:
            return [f"error removing backup from backup storage: {error}"]
        return []

    async def _restores_gone(self, backup: str) -> bool:
        """Their own finalizer is taken off by the controller of restores; another's may stay."""
        pause = min(1.0, self.machine.step_seconds)
        for _ in range(_WAIT_SECONDS):
            if not self._restores_of(backup):
                return True
            await self.machine.step(pause)
            pause = 1.0
        return not self._restores_of(backup)

    def _restores_of(self, backup: str) -> list[Object]:
        return [one for one in self.machine.all(RESTORES) if (one.get("spec") or {}).get("backupName") == backup]


class GarbageCollection(Controller):
    """Asks for the deletion of expired backups: looked at when they appear, and every hour."""

    resource = BACKUPS
    period = _HOUR

    def wants(self, event: str, obj: Object) -> bool:
        return event == "ADDED"

    async def reconcile(self, name: str) -> None:
        backup = self.machine.get(BACKUPS, name)
        expires = moment(((backup or {}).get("status") or {}).get("expiration"))
        if backup is None or expires is None or expires > self.machine.clock.now():
            return
        location = self.machine.location(backup)
        if location is None:
            self._mark(name, "BSLNotFound")
            raise Again("the storage location is gone")
        if not available(location):
            raise Again("the storage is unavailable")
        if (location.get("spec") or {}).get("accessMode") == "ReadOnly":
            self._mark(name, "BSLReadOnly")
            return
        self._mark(name, None)
        if not self._asked_for(backup):
            request_deletion(self.machine, backup)

    def _mark(self, name: str, failure: str | None) -> None:
        def change(backup: Object) -> None:
            labels = {**(backup["metadata"].get("labels") or {})}
            labels.pop(_FAILURE_LABEL, None)
            backup["metadata"]["labels"] = labels | ({_FAILURE_LABEL: failure} if failure else {})

        self.machine.change(BACKUPS, name, change)

    def _asked_for(self, backup: Object) -> bool:
        wanted = _labels(backup).items()
        return any(
            phase_of(one) in ("New", "InProgress") and wanted <= (one["metadata"].get("labels") or {}).items()
            for one in self.machine.all(DELETIONS)
        )


def request_deletion(machine: Machine, backup: Object) -> None:
    """Creates a DeleteBackupRequest under a generated name."""
    name = backup["metadata"]["name"]
    generated = "".join(secrets.choice(_GENERATED) for _ in range(5))
    request = {
        "apiVersion": "velero.io/v1",
        "kind": "DeleteBackupRequest",
        "metadata": {"name": f"{name}-{generated}", "namespace": machine.namespace, "labels": _labels(backup)},
        "spec": {"backupName": name},
    }
    try:
        machine.cluster.create(DELETIONS, machine.namespace, request)
    except StatusError as error:
        raise Again(error.message) from error


def _labels(backup: Object) -> dict[str, str]:
    return {_NAME_LABEL: label_value(backup["metadata"]["name"]), _UID_LABEL: backup["metadata"].get("uid", "")}
