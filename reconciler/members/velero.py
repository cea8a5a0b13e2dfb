"""Velero's objects on one member: each call is one or a few requests, each answer a value of `velero.status`."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from reconciler.errors import AlreadyExists, MemberError, Refused
from reconciler.members.client import JSON_PATCH, Client
from reconciler.plan.answers import Failure
from reconciler.records import Texts
from reconciler.velero import status
from reconciler.velero.objects import API_VERSION, FINALIZER, MANAGED_BY, MANAGER
from reconciler.velero.status import Location, Seen

_PLURALS: Final = {"Backup": "backups", "Restore": "restores"}
_RESULTS: Final = {"Backup": "BackupResults", "Restore": "RestoreResults"}
_PAGE: Final = "500"
_DOWNLOAD_SECONDS: Final = 10.0
_RESULTS_LIMIT: Final = 16 << 20


class Velero:
    """The Velero of one member, in one namespace. Every call may raise a MemberError."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self._namespace = namespace

    async def get(self, kind: str, name: str) -> Seen | None:
        """The object, read uncached; None only where a Status proves that this very object is not there."""
        try:
            return status.seen(kind, await self.client.request("GET", self._path(kind, name)))
        except Refused as error:
            if error.code == 404 and error.subject == f"{_resource(kind)}/{name}":
                return None
            raise

    async def list(self, kind: str) -> dict[str, Seen]:
        """All objects of that kind that carry our label, by name."""
        found: dict[str, Seen] = {}
        query = {"labelSelector": f"{MANAGED_BY}={MANAGER}", "limit": _PAGE}
        while True:
            page = await self.client.request("GET", self._path(kind), query)
            for item in page.get("items") or ():
                one = status.seen(kind, item)
                found[one.name] = one
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return found
            query = {**query, "continue": token}

    async def locations(self) -> tuple[Location, ...]:
        """All BackupStorageLocations."""
        page = await self.client.request("GET", self._collection("backupstoragelocations"))
        return tuple(status.location(item) for item in page.get("items") or ())

    async def dry_run(self, manifest: Mapping[str, Any]) -> Failure | None:
        """None where the create would be accepted, else why not. Raises AlreadyExists, Unreachable, Unclear."""
        try:
            await self._create(manifest, {"dryRun": "All"})
        except Refused as error:
            if error.code == 404:
                text = f"{error}; install Velero there, or name its namespace with --velero-namespace"
                return Failure("VeleroMissing", text)
            return Failure(error.reason, str(error))
        return None

    async def create(self, manifest: Mapping[str, Any], run_id: str) -> Failure | None:
        """Creates the object by one request. A name that is taken by this very run is success."""
        try:
            await self._create(manifest, {})
        except AlreadyExists as error:
            there = await self.get(str(manifest["kind"]), str(manifest["metadata"]["name"]))
            ours = there is not None and there.run_id == run_id
            return None if ours else Failure("NameConflict", str(error))
        return None

    async def release(self, name: str, uid: str) -> None:
        """Takes our finalizer, and nothing else, off that very Restore; one that is gone needs nothing."""
        path = self._path("Restore", name)
        try:
            raw = await self.client.request("GET", path)
            finalizers = raw["metadata"].get("finalizers") or []
            if raw["metadata"]["uid"] != uid or FINALIZER not in finalizers:
                return
            at = f"/metadata/finalizers/{finalizers.index(FINALIZER)}"
            patch = [
                {"op": "test", "path": "/metadata/uid", "value": uid},
                {"op": "test", "path": at, "value": FINALIZER},
                {"op": "remove", "path": at},
            ]
            await self.client.request("PATCH", path, body=patch, content_type=JSON_PATCH)
        except Refused as error:
            if error.code != 404:
                raise

    async def texts(self, seen: Seen) -> Texts:
        """Error and warning texts of an object that has ended; where they can't be had, a note says why.

        They lie in the object storage: a DownloadRequest asks the server for a URL (downloadrequest_controller.go).
        """
        name = f"{seen.name[:200]}-{secrets.token_hex(4)}"
        request = {
            "apiVersion": API_VERSION,
            "kind": "DownloadRequest",
            "metadata": {"name": name, "namespace": self._namespace, "labels": {MANAGED_BY: MANAGER}},
            "spec": {"target": {"kind": _RESULTS[seen.kind], "name": seen.name}},
        }
        path = self._collection("downloadrequests")
        try:
            async with asyncio.timeout(_DOWNLOAD_SECONDS):
                await self.client.request("POST", path, body=request)
                try:
                    return status.texts(await _download(await self._url(f"{path}/{name}")))
                finally:
                    await self.client.request("DELETE", f"{path}/{name}")
        except (MemberError, aiohttp.ClientError, OSError, ValueError, EOFError) as error:
            reason = "no answer within 10 s" if isinstance(error, TimeoutError) else f"{type(error).__name__}"
            text = str(error) if isinstance(error, MemberError) else reason
            return Texts((), (), f"no texts, since {text}; try `velero {seen.kind.lower()} logs {seen.name}`")

    async def _url(self, path: str) -> str:
        pause = 0.05
        while True:
            answer = await self.client.request("GET", path)
            url = (answer.get("status") or {}).get("downloadURL")
            if url:
                return str(url)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 1.0)

    async def _create(self, manifest: Mapping[str, Any], query: Mapping[str, str]) -> None:
        strict = {"fieldValidation": "Strict", "fieldManager": MANAGER, **query}
        await self.client.request("POST", self._path(str(manifest["kind"])), strict, dict(manifest))

    def _path(self, kind: str, name: str = "") -> str:
        return self._collection(_PLURALS[kind]) + (f"/{name}" if name else "")

    def _collection(self, plural: str) -> str:
        return f"/apis/{API_VERSION}/namespaces/{self._namespace}/{plural}"


def _resource(kind: str) -> str:
    """A Status names the resource with its group (apimachinery's NewNotFound: `details.kind`)."""
    return _PLURALS[kind]


async def _download(url: str) -> Any:
    """A results file: gzipped JSON behind a pre-signed URL, fetched without any credentials of ours."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("the URL is neither http nor https")
    content = bytearray()
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(url, allow_redirects=False) as response:
        if response.status != 200:
            raise ValueError(f"HTTP {response.status}")
        async for chunk in response.content.iter_chunked(1 << 16):
            content += chunk
            if len(content) > _RESULTS_LIMIT:
                raise ValueError("larger than 16 MiB")
    with gzip.open(io.BytesIO(content)) as unpacked:
        results = json.loads(unpacked.read(_RESULTS_LIMIT))
    if not isinstance(results, dict):
        raise ValueError("not what Velero writes")
    return results
