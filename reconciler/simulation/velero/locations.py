"""BackupStorageLocations: looked at on every change of their spec and when their frequency says; backups synced.

Called by `server`. Facts: `backup_storage_location_controller.go`, `backup_sync_controller.go`.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from reconciler.simulation.cluster import Object, StatusError
from reconciler.simulation.velero.bucket import StorageError
from reconciler.simulation.velero.machine import BACKUPS, LOCATIONS, SCHEDULES, Controller, Machine
from reconciler.simulation.velero.words import duration, label_value, moment, typed_spec

_MINUTE: Final = 60.0
_LOOK_EVERY: Final = 10.0
_SYNCED: Final = ("Completed", "PartiallyFailed", "Failed")
_UNFINISHED: Final = (
    "WaitingForPluginOperations",
    "WaitingForPluginOperationsPartiallyFailed",
    "Finalizing",
    "FinalizingPartiallyFailed",
)


def available(location: Object) -> bool:
    return (location.get("status") or {}).get("phase") == "Available"


class SpecChanges(Controller):
    """A controller that looks at new objects and at changes of the spec, not of the status."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self._specs: dict[str, Any] = {}

    def wants(self, event: str, obj: Object) -> bool:
        name, spec = obj["metadata"]["name"], obj.get("spec")
        changed = event == "ADDED" or self._specs.get(name) != spec
        self._specs[name] = copy.deepcopy(spec)
        return changed

    def removed(self, obj: Object) -> None:
        self._specs.pop(obj["metadata"]["name"], None)


class Validation(SpecChanges):
    """Sets the phase."""

    resource = LOCATIONS
    period = _LOOK_EVERY

    def due(self, obj: Object) -> bool:
        wanted = (obj.get("spec") or {}).get("validationFrequency")
        frequency = _MINUTE if wanted is None or duration(wanted) < 0 else duration(wanted)
        last = moment((obj.get("status") or {}).get("lastValidationTime"))
        if last is None:
            return True
        return frequency > 0 and (self.machine.clock.now() - last).total_seconds() >= frequency

    async def reconcile(self, name: str) -> None:
        location = self.machine.get(LOCATIONS, name)
        if location is None:
            return
        self._one_default()
        phase, message = "Available", None
        try:
            self.machine.store(location).validate()
        except StorageError as error:
            phase, message = "Unavailable", f'BackupStorageLocation "{name}" is unavailable: {error}'
        now = self.machine.stamp()
        self.machine.set_status(LOCATIONS, name, phase=phase, message=message, lastValidationTime=now)

    def _one_default(self) -> None:
        """Of several, the one created last stays the default."""
        defaults = [one for one in self.machine.all(LOCATIONS) if (one.get("spec") or {}).get("default")]
        defaults.sort(key=lambda one: str(one["metadata"].get("creationTimestamp", "")))
        for one in defaults[:-1]:
            self.machine.change(LOCATIONS, one["metadata"]["name"], lambda found: found["spec"].pop("default"))


class Sync(Controller):
    """Brings backups that others made under the same prefix into the cluster, and takes away what is gone there."""

    resource = LOCATIONS
    period = _MINUTE

    def wants(self, event: str, obj: Object) -> bool:
        return False

    def due(self, obj: Object) -> bool:
        wanted = (obj.get("spec") or {}).get("backupSyncPeriod")
        if wanted is not None and duration(wanted) == 0:
            return False
        pause = duration(wanted) if wanted is not None and duration(wanted) > 0 else _MINUTE
        last = moment((obj.get("status") or {}).get("lastSyncedTime"))
        return last is None or (self.machine.clock.now() - last).total_seconds() >= pause

    async def reconcile(self, name: str) -> None:
        location = self.machine.get(LOCATIONS, name)
        if location is None or not available(location):
            return
        try:
            store = self.machine.store(location)
            stored = store.backups()
            here = {backup["metadata"]["name"] for backup in self.machine.all(BACKUPS)}
            for backup in sorted(stored - here):
                if store.exists(backup):
                    self._bring(store.metadata(backup), name)
        except StorageError:
            return
        self._take_away(name, stored)
        self.machine.set_status(LOCATIONS, name, lastSyncedTime=self.machine.stamp())

    def _bring(self, backup: Object, location: str) -> None:
        status = backup.get("status") or {}
        if status.get("phase") in _UNFINISHED:
            expires = moment(status.get("expiration"))
            if expires is None or expires > self.machine.clock.now():
                return
            status["phase"] = "PartiallyFailed"
        elif status.get("phase") not in _SYNCED:
            return
        metadata = backup["metadata"]
        metadata.pop("resourceVersion", None)
        metadata["namespace"] = self.machine.namespace
        metadata.setdefault("labels", {})["velero.io/storage-location"] = label_value(location)
        owners = [one for one in metadata.pop("ownerReferences", []) if self._here(one)]
        metadata |= {"ownerReferences": owners} if owners else {}
        backup["spec"] = typed_spec({**backup["spec"], "storageLocation": location, "hooks": {}})
        try:
            self.machine.cluster.create(BACKUPS, self.machine.namespace, backup)
        except StatusError as error:
            if error.code != 409:
                raise

    def _here(self, owner: Object) -> bool:
        """Whether a schedule that owns a backup is the one of this cluster."""
        if owner.get("kind") != "Schedule":
            return True
        found = self.machine.get(SCHEDULES, owner.get("name", ""))
        return found is not None and found["metadata"].get("uid") == owner.get("uid")

    def _take_away(self, location: str, stored: set[str]) -> None:
        for backup in self.machine.all(BACKUPS):
            metadata = backup["metadata"]
            ours = (metadata.get("labels") or {}).get("velero.io/storage-location") == label_value(location)
            ended = (backup.get("status") or {}).get("phase") in ("Completed", "PartiallyFailed")
            if ours and ended and metadata["name"] not in stored:
                self.machine.delete(BACKUPS, metadata["name"])
