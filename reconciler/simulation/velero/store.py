"""One BackupStorageLocation's part of the bucket: what Velero keeps there, and under which keys.

Called by the controllers. Every call may raise a StorageError, as the plugin's gRPC wraps it. Keys: Velero's
`pkg/persistence/object_store_layout.go`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from reconciler.simulation.cluster import Object
from reconciler.simulation.velero.bucket import Bucket, StorageError

# Kind of a DownloadRequest's target: folder, and the file's name.
_FILES: Final = {
    "BackupContents": ("backups", "{}.tar.gz"),
    "BackupLog": ("backups", "{}-logs.gz"),
    "BackupVolumeSnapshots": ("backups", "{}-volumesnapshots.json.gz"),
    "BackupItemOperations": ("backups", "{}-itemoperations.json.gz"),
    "BackupResourceList": ("backups", "{}-resource-list.json.gz"),
    "BackupResults": ("backups", "{}-results.gz"),
    "BackupVolumeInfos": ("backups", "{}-volumeinfo.json.gz"),
    "CSIBackupVolumeSnapshots": ("backups", "{}-csi-volumesnapshots.json.gz"),
    "CSIBackupVolumeSnapshotContents": ("backups", "{}-csi-volumesnapshotcontents.json.gz"),
    "RestoreLog": ("restores", "restore-{}-logs.gz"),
    "RestoreResults": ("restores", "restore-{}-results.gz"),
    "RestoreResourceList": ("restores", "restore-{}-resource-list.json.gz"),
    "RestoreItemOperations": ("restores", "restore-{}-itemoperations.json.gz"),
    "RestoreVolumeInfo": ("restores", "{}-volumeinfo.json.gz"),
}
_FOLDERS: Final = ("backups", "restores", "restic", "metadata", "plugins", "kopia")


@dataclass(frozen=True, slots=True)
class BackupStore:
    """What one location's Velero sees of the bucket."""

    bucket: Bucket
    root: str
    """Empty, or the location's prefix with a slash."""

    def validate(self) -> None:
        """Fails where a folder lies there that is none of Velero's."""
        with _as_the_plugin_says():
            tops = {key[len(self.root) :].partition("/")[0] for key in self.bucket.keys(self.root)}
        if strange := sorted(tops - set(_FOLDERS)):
            raise StorageError(400, f"Backup store contains invalid top-level directories: [{' '.join(strange)}]")

    def backups(self) -> set[str]:
        folder = f"{self.root}backups/"
        with _as_the_plugin_says():
            return {key[len(folder) :].partition("/")[0] for key in self.bucket.keys(folder)}

    def exists(self, backup: str) -> bool:
        with _as_the_plugin_says():
            return self._metadata_key(backup) in self.bucket.keys(self._metadata_key(backup))

    def metadata(self, backup: str) -> Object:
        """The Backup object as it was when its data were stored."""
        with _as_the_plugin_says():
            found: Object = json.loads(self.bucket.get(self._metadata_key(backup)))
            return found

    def put_metadata(self, backup: Object) -> None:
        with _as_the_plugin_says():
            self.bucket.put(self._metadata_key(backup["metadata"]["name"]), json.dumps(backup).encode())

    def put_backup(self, backup: Object, contents: bytes, log: str, resources: Any, results: Any) -> None:
        """All files of a backup that has been made."""
        name = backup["metadata"]["name"]
        self.put("BackupLog", name, log)
        self.put_metadata(backup)
        with _as_the_plugin_says():
            self.bucket.put(self.key("BackupContents", name), contents)
            self.bucket.put(f"{self.root}backups/{name}/{name}-podvolumebackups.json.gz", gzip.compress(b"[]"))
        for kind, nothing in (("BackupVolumeSnapshots", None), ("BackupItemOperations", []), ("BackupVolumeInfos", [])):
            self.put(kind, name, nothing)
        self.put("BackupResourceList", name, resources)
        self.put("BackupResults", name, results)

    def put(self, kind: str, name: str, content: Any) -> None:
        """One file, by the kind of the DownloadRequest that asks for it: text as it is, anything else as JSON."""
        text = content if isinstance(content, str) else json.dumps(content) + "\n"
        with _as_the_plugin_says():
            self.bucket.put(self.key(kind, name), gzip.compress(text.encode()))

    def contents(self, backup: str) -> bytes:
        key = self.key("BackupContents", backup)
        with _as_the_plugin_says(f"error getting object {key}: "):
            return self.bucket.get(key)

    def delete(self, folder: str, name: str) -> None:
        """All files of one backup or restore; that there are none is fine."""
        with _as_the_plugin_says():
            for key in self.bucket.keys(f"{self.root}{folder}/{name}/"):
                self.bucket.delete(key)

    def sign(self, kind: str, name: str, now: Callable[[], datetime]) -> str:
        return self.bucket.sign(self.key(kind, name), now)

    def key(self, kind: str, name: str) -> str:
        folder, file = _FILES[kind]
        return f"{self.root}{folder}/{name}/{file.format(name)}"

    def _metadata_key(self, backup: str) -> str:
        return f"{self.root}backups/{backup}/velero-backup.json"


def open_store(bucket: Bucket, location: Object, default_prefix: str) -> BackupStore:
    """The store of a BackupStorageLocation; StorageError where its spec is no good."""
    spec = location.get("spec") or {}
    storage = spec.get("objectStorage")
    if storage is None:
        raise StorageError(400, "backup storage location does not use object storage")
    if not spec.get("provider"):
        raise StorageError(400, "object storage provider name must not be empty")
    if str(storage.get("bucket", "")).strip("/") != bucket.name:
        text = "https response error StatusCode: 404, RequestID: 0, HostID: 0, NoSuchBucket: no such bucket"
        raise StorageError(404, f"rpc error: code = Unknown desc = operation error S3: ListObjectsV2, {text}")
    prefix = str(storage.get("prefix", default_prefix)).strip("/")
    return BackupStore(bucket, f"{prefix}/" if prefix else "")


@contextmanager
def _as_the_plugin_says(before: str = "") -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise StorageError(error.code, f"rpc error: code = Unknown desc = {before}{error}") from error
