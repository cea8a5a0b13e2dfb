"""Velero's objects on one member: each call is one or a few requests, each answer a value of `velero.status`.

Schedules are in `schedules`, what lies in the object storage is fetched by `downloads`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from reconciler.errors import AlreadyExists, Refused, Unclear
from reconciler.members import downloads
from reconciler.members.client import JSON_PATCH, Client
from reconciler.plan.answers import Failure
from reconciler.records import Texts
from reconciler.velero import status
from reconciler.velero.objects import API_VERSION, FINALIZER, MANAGED_BY, MANAGER, RUN_ID, SCHEDULE_NAME
from reconciler.velero.plainly import mapping, sequence, text
from reconciler.velero.status import Location, Seen

OURS: Final = f"{MANAGED_BY}={MANAGER}"
STRICT: Final = {"fieldValidation": "Strict", "fieldManager": MANAGER}
"""Query of a write: a field that the server does not know is an error, not left out in silence."""
_PLURALS: Final = {"Backup": "backups", "Restore": "restores", "Schedule": "schedules"}
_PAGE: Final = "500"


class Velero:
    """The Velero of one member, in one namespace. Every call may raise a MemberError."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self._namespace = namespace

    async def read(self, kind: str, name: str) -> dict[str, Any] | None:
        """The object, read uncached; None only where a Status proves that this very object is not there."""
        try:
            raw = await self.client.request("GET", self.path(kind, name))
        except Refused as error:
            if is_absent(error, kind, name):
                return None
            raise
        if mapping(raw.get("metadata")).get("name") != name:
            raise Unclear("ServerError", f"{kind} {name} was asked for and something else came")
        return raw

    async def get(self, kind: str, name: str) -> Seen | None:
        """A Backup or Restore, as `read`."""
        raw = await self.read(kind, name)
        return None if raw is None else status.seen(kind, raw)

    async def pages(self, kind: str, selector: str) -> AsyncIterator[Mapping[str, Any]]:
        """All objects of that kind that a label selector matches, read page by page."""
        query = {"labelSelector": selector, "limit": _PAGE}
        while True:
            page = await self.client.request("GET", self.path(kind), query)
            for item in _items(page, _PLURALS[kind]):
                yield item
            token = text(mapping(page.get("metadata")).get("continue"))
            if not token:
                return
            query = {**query, "continue": token}

    async def list(self, kind: str) -> dict[str, Seen]:
        """All Backups or Restores that carry our label, by name, but none of the many that a Schedule of ours made."""
        found = [status.seen(kind, raw) async for raw in self.pages(kind, runs_of(kind))]
        return {seen.name: seen for seen in found}

    async def locations(self) -> tuple[Location, ...]:
        """All BackupStorageLocations."""
        page = await self.client.request("GET", self._collection("backupstoragelocations"))
        return tuple(status.location(item) for item in _items(page, "backupstoragelocations"))

    async def dry_run(self, manifest: Mapping[str, Any]) -> Failure | None:
        """None where the create would be accepted, else why not. Raises AlreadyExists, Unreachable, Unclear."""
        try:
            await self._create(manifest, {"dryRun": "All"})
        except Refused as error:
            if error.code == 404:
                why = f"{error}; install Velero there, or name its namespace with --velero-namespace"
                return Failure("VeleroMissing", why)
            return Failure(error.reason, str(error))
        return None

    async def create(self, manifest: Mapping[str, Any], run_id: str) -> Failure | None:
        """Creates the object by one request. A name that is taken by this very run is success."""
        try:
            await self._create(manifest, {})
        except AlreadyExists as error:
            there = await self.read(str(manifest["kind"]), str(manifest["metadata"]["name"]))
            ours = there is not None and mapping(there["metadata"].get("annotations")).get(RUN_ID) == run_id
            return None if ours else Failure("NameConflict", str(error))
        return None

    async def release(self, name: str, uid: str) -> None:
        """Takes our finalizer, and nothing else, off that very Restore; one that is gone needs nothing."""
        raw = await self.read("Restore", name)
        metadata = mapping((raw or {}).get("metadata"))
        finalizers = sequence(metadata.get("finalizers"))
        if metadata.get("uid") != uid or FINALIZER not in finalizers:
            return
        at = f"/metadata/finalizers/{finalizers.index(FINALIZER)}"
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "test", "path": at, "value": FINALIZER},
            {"op": "remove", "path": at},
        ]
        try:
            await self.client.request("PATCH", self.path("Restore", name), body=patch, content_type=JSON_PATCH)
        except Refused as error:
            if not is_absent(error, "Restore", name):
                raise

    async def texts(self, seen: Seen) -> Texts:
        """Velero's words about an object that has ended, and what a Restore did; never raises."""
        return await downloads.texts(self.client, self._collection("downloadrequests"), seen)

    async def _create(self, manifest: Mapping[str, Any], query: Mapping[str, str]) -> None:
        await self.client.request("POST", self.path(str(manifest["kind"])), {**STRICT, **query}, dict(manifest))

    def path(self, kind: str, name: str = "") -> str:
        """Of an object, or of all of its kind."""
        return self._collection(_PLURALS[kind]) + (f"/{name}" if name else "")

    def _collection(self, plural: str) -> str:
        return f"/apis/{API_VERSION}/namespaces/{self._namespace}/{plural}"


def runs_of(kind: str) -> str:
    """The label selector of what we created of a kind.

    Velero gives a Schedule's labels to its backups, too (`FromSchedule` of its `backup_builder.go`).
    """
    return f"{OURS},!{SCHEDULE_NAME}" if kind == "Backup" else OURS


def is_absent(error: Refused, kind: str, name: str) -> bool:
    """A Status names the very object that is not there (apimachinery's NewNotFound: `details.kind` is the resource)."""
    return error.code == 404 and error.subject == f"{_PLURALS[kind]}/{name}"


def _items(page: Mapping[str, Any], plural: str) -> list[Mapping[str, Any]]:
    """The objects of a list. Whoever answers with anything else has not said that there are none."""
    items = page.get("items")
    if not isinstance(items, list) or not all(
        text(mapping(mapping(item).get("metadata")).get("name")) for item in items
    ):
        raise Unclear("ServerError", f"a list of {plural} was asked for and something else came")
    return items
