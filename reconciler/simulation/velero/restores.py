"""Restores: one at a time, validated, run, finalized; and what a deleted one leaves in the storage.

Called by `server`. Facts: `restore_controller.go`, `restore_finalizer_controller.go`.
"""

from __future__ import annotations

from typing import Any, Final

from reconciler.simulation.cluster import Object
from reconciler.simulation.velero.archive import unpack
from reconciler.simulation.velero.asking import Asked, complete
from reconciler.simulation.velero.backups import phase_of
from reconciler.simulation.velero.bucket import StorageError
from reconciler.simulation.velero.locations import available
from reconciler.simulation.velero.machine import BACKUPS, RESTORES, Again, Controller
from reconciler.simulation.velero.restoring import Restoring
from reconciler.simulation.velero.results import Results
from reconciler.simulation.velero.store import BackupStore

FINALIZER: Final = "restores.velero.io/external-resources-finalizer"
_DEPLOYMENT: Final = "velero"
_WAITING: Final = "WaitingForPluginOperations"


class Restores(Controller):
    """New → InProgress → Finalizing. A delete waits behind the restore that runs."""

    resource = RESTORES

    async def reconcile(self, name: str) -> None:
        restore = self.machine.get(RESTORES, name)
        if restore is not None and phase_of(restore) == "New" and not _deleted(restore):
            await self.machine.reached("New")
            restore = self.machine.get(RESTORES, name)
        if restore is None:
            return
        if _deleted(restore):
            self._clean_up(restore)
            return
        self.machine.change(RESTORES, name, _hold_on)
        if phase_of(restore) == "New":
            await self._start(name)

    async def _start(self, name: str) -> None:
        asked: list[Asked] = []
        restore = self.machine.change(RESTORES, name, lambda found: asked.append(complete(self.machine, found)))
        if restore is None or asked[0].wrong:
            return
        await self.machine.step()
        await self.machine.reached("InProgress")
        try:
            status = await self._run(restore, asked[0])
        except StorageError as error:
            reason = f"restore execution failed: {error}"
            status = {"phase": "Failed", "failureReason": reason, "completionTimestamp": self.machine.stamp()}
        self.machine.set_status(RESTORES, name, **status)

    async def _run(self, restore: Object, asked: Asked) -> dict[str, Any]:
        name, backup_name = restore["metadata"]["name"], restore["spec"]["backupName"]
        location = self.machine.location(asked.backup)
        store = self.machine.store(location or {})
        try:
            contents = unpack(store.contents(backup_name))
        except StorageError as error:
            text = f"error downloading backup: error copying Backup to temp file: {error}"
            raise StorageError(error.code, text) from error
        results = Results()
        results.log(self.machine.stamp(), "info", f"Starting restore of backup {self.machine.namespace}/{backup_name}")
        status: dict[str, Any] = {"hookStatus": {}}
        restoring = Restoring(self.machine, restore, contents, asked.rules, results)
        if self.machine.cluster.find("deployments.apps", self.machine.namespace, _DEPLOYMENT) is None:
            # The plugin that adds an init container to pods asks for its image when it is loaded: nothing is restored.
            text = f'rpc error: code = Unknown desc = deployments.apps "{_DEPLOYMENT}" not found'
            results.errors.velero.append(text)
        elif not contents:
            results.warnings.velero.append("zero items to be restored: directory not exist")
        else:
            await restoring.run()
            count = len(restoring.done)
            status["progress"] = {"totalItems": count, "itemsRestored": count} if count else {}
        self._keep(store, name, restoring, results)
        counts = {"errors": len(results.errors), "warnings": len(results.warnings)}
        partly = "PartiallyFailed" if results.errors else ""
        waits = self.machine.holds(_WAITING + partly)
        status["phase"] = (_WAITING if waits else "Finalizing") + partly
        return status | {word: number for word, number in counts.items() if number}

    def _keep(self, store: BackupStore, name: str, restoring: Restoring, results: Results) -> None:
        """Its log and results, in the storage; that this fails is an error of a restore that goes on."""
        now = self.machine.stamp()
        for (kind, namespace, item), action in restoring.done.items():
            results.log(now, "info", f"{kind} {namespace}/{item}: {action}")
        for level, texts in (("error", results.errors), ("warning", results.warnings)):
            for namespace, lines in texts.namespaces.items():
                for line in lines:
                    results.log(now, level, f"Namespace {namespace}, resource restore {level}: {line}")
            for line in (*texts.velero, *texts.cluster):
                results.log(now, level, f"Velero restore {level}: {line}")
        results.log(now, "info", "restore completed")
        try:
            store.put("RestoreLog", name, results.text())
        except StorageError as error:
            results.errors.velero.append(f"error uploading log file to backup storage: {error}")
            return
        store.put("RestoreResults", name, results.plain())
        store.put("RestoreResourceList", name, restoring.listed())
        for kind in ("RestoreItemOperations", "RestoreVolumeInfo"):
            store.put(kind, name, [])

    def _clean_up(self, restore: Object) -> None:
        """Removes its files, never what it restored; waits where the storage is unavailable."""
        if FINALIZER not in (restore["metadata"].get("finalizers") or ()):
            return
        name = restore["metadata"]["name"]
        of = (restore.get("spec") or {}).get("backupName")
        backup = self.machine.get(BACKUPS, of) if of else None
        location = self.machine.location(backup) if backup else None
        if location is not None:
            if not available(location):
                raise Again("the storage is unavailable")
            self.machine.store(location).delete("restores", name)

        def let_go(found: Object) -> None:
            found["metadata"]["finalizers"].remove(FINALIZER)

        self.machine.change(RESTORES, name, let_go)


class RestoreFinalizer(Controller):
    """WaitingForPluginOperations → Finalizing → Completed or PartiallyFailed."""

    resource = RESTORES

    async def reconcile(self, name: str) -> None:
        restore = self.machine.get(RESTORES, name)
        if restore is None:
            return
        phase = phase_of(restore)
        if phase.startswith(_WAITING):
            await self.machine.reached(phase)
            self.machine.set_status(RESTORES, name, phase=phase.replace(_WAITING, "Finalizing"))
        elif phase.startswith("Finalizing"):
            await self.machine.step()
            await self.machine.reached(phase)
            self._complete(name, phase)

    def _complete(self, name: str, phase: str) -> None:
        restore = self.machine.get(RESTORES, name)
        if restore is None:
            return
        backup = self.machine.get(BACKUPS, restore["spec"]["backupName"])
        location = self.machine.location(backup) if backup else None
        if location is not None:
            self.machine.store(location).backups()  # it reads what was restored; without storage it tries again
        partly = phase.endswith("PartiallyFailed") or location is None
        ended = "PartiallyFailed" if partly else "Completed"
        self.machine.set_status(RESTORES, name, phase=ended, completionTimestamp=self.machine.stamp())


def _deleted(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _hold_on(restore: Object) -> None:
    finalizers = restore["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        restore["metadata"]["finalizers"] = [*finalizers, FINALIZER]
