"""DownloadRequests and ServerStatusRequests: questions that clients put to the server as objects.

Called by `server`. Facts: `download_request_controller.go`, `server_status_request_controller.go`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from reconciler.simulation.cluster import Object
from reconciler.simulation.velero.bucket import URL_SECONDS, StorageError
from reconciler.simulation.velero.machine import BACKUPS, DOWNLOADS, RESTORES, STATUS_REQUESTS, Controller
from reconciler.simulation.velero.words import moment, stamp

SERVER_VERSION: Final = "v1.18.3"
_ANSWER_SECONDS: Final = 60.0
_PLUGINS: Final = {
    "BackupItemAction": ("crd-remap-version", "pod", "pv", "service-account"),
    "RestoreItemAction": (
        "add-pvc-from-pod",
        "admission-webhook-configuration",
        "apiservice",
        "cluster-role-bindings",
        "job",
        "pod",
        "pvc",
        "role-bindings",
        "secret",
        "service",
        "service-account",
    ),
    "ObjectStore": ("aws",),
    "VolumeSnapshotter": ("aws",),
}


class Downloads(Controller):
    """Answers with a URL. Where the backup or its location is gone, a request is left without one until it expires."""

    resource = DOWNLOADS
    period = 60.0

    def due(self, obj: Object) -> bool:
        expires = moment((obj.get("status") or {}).get("expiration"))
        return expires is None or expires < self.machine.clock.now()

    async def reconcile(self, name: str) -> None:
        request = self.machine.get(DOWNLOADS, name)
        if request is None:
            return
        now, status = self.machine.clock.now(), request.get("status") or {}
        expires = moment(status.get("expiration"))
        if expires is not None and expires < now:
            self.machine.delete(DOWNLOADS, name)
        elif status.get("phase") in (None, "", "New"):
            until = stamp(now + timedelta(seconds=URL_SECONDS))
            if url := self._url(request):
                self.machine.set_status(DOWNLOADS, name, phase="Processed", downloadURL=url, expiration=until)
            elif expires is None:
                self.machine.set_status(DOWNLOADS, name, expiration=until)

    def _url(self, request: Object) -> str:
        target = request["spec"]["target"]
        backup_name = target["name"]
        if target["kind"].startswith("Restore"):
            restore = self.machine.get(RESTORES, target["name"]) or {}
            backup_name = (restore.get("spec") or {}).get("backupName", "")
        backup = self.machine.get(BACKUPS, backup_name) if backup_name else None
        location = self.machine.location(backup) if backup else None
        if location is None:
            return ""
        try:
            return self.machine.store(location).sign(target["kind"], target["name"], self.machine.clock.now)
        except StorageError:
            return ""


class StatusRequests(Controller):
    """Answers with the version, and deletes what was answered a minute ago when it looks again, every five minutes."""

    resource = STATUS_REQUESTS
    period = 300.0

    async def reconcile(self, name: str) -> None:
        request = self.machine.get(STATUS_REQUESTS, name)
        if request is None:
            return
        status = request.get("status") or {}
        if status.get("phase") in (None, "", "New"):
            self.machine.set_status(
                STATUS_REQUESTS,
                name,
                phase="Processed",
                processedTimestamp=self.machine.stamp(),
                serverVersion=SERVER_VERSION,
                plugins=[
                    {"kind": kind, "name": f"velero.io/{plugin}"}
                    for kind, names in _PLUGINS.items()
                    for plugin in names
                ],
            )
            return
        processed = moment(status.get("processedTimestamp"))
        if processed is None or (self.machine.clock.now() - processed).total_seconds() >= _ANSWER_SECONDS:
            self.machine.delete(STATUS_REQUESTS, name)
