"""What Velero wrote about a run lies in the object storage: a DownloadRequest asks the server for a URL.

Called by `velero`. Facts: Velero's `download_request_controller.go`. A DownloadRequest is the one thing that is written
on a member in order to read; it is asked for only once a run has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import aiohttp

from reconciler.errors import MemberError, Refused
from reconciler.members.client import Client
from reconciler.records import Phase, Texts
from reconciler.velero import results
from reconciler.velero.objects import API_VERSION, MANAGED_BY, MANAGER
from reconciler.velero.plainly import mapping, text
from reconciler.velero.status import Seen

_RESULTS: Final = {"Backup": "BackupResults", "Restore": "RestoreResults"}
_RESOURCES: Final = "RestoreResourceList"
_SECONDS: Final = 10.0
_PAUSES: Final = (1.0, 3.0)
"""Seconds before a download is tried again: what is recorded without its texts stays so, and storage stumbles."""
_LIMIT: Final = 16 << 20
# whatever is wrong with a file, or with the way to it, costs its texts and nothing else
_BROKEN: Final = (MemberError, aiohttp.ClientError, OSError, ValueError, EOFError, zlib.error, RecursionError)


@dataclass(frozen=True, slots=True)
class _File:
    """A downloaded file, or why there is none; `final` where another try can't help."""

    content: Mapping[str, Any] | None
    why: str = ""
    final: bool = False


async def texts(client: Client, collection: str, seen: Seen) -> Texts:
    """Errors and warnings of an object that has ended, and what a Restore did; a note says why something is missing.

    `collection` is the path of the DownloadRequests. Only a Restore that came to an end of its own has a list of what
    it did. Never raises a MemberError.
    """
    kinds = [_RESULTS[seen.kind]]
    if seen.kind == "Restore" and seen.terminal in (Phase.COMPLETED, Phase.PARTIALLY_FAILED):
        kinds.append(_RESOURCES)
    found, *listed = await asyncio.gather(*(_file(client, collection, kind, seen.name) for kind in kinds))
    if found.content is None:  # without the warnings, what could not be restored and what was left can't be told apart
        note = f"no texts, since {found.why}; try `velero {seen.kind.lower()} logs {seen.name}`"
        return Texts((), (), note, unread=found.why)
    resources = listed[0] if listed else _File(None)
    made = results.texts(found.content, resources.content)
    if resources.why:
        note = f"what became of each object is not known, since {resources.why}"
        made = replace(made, note=f"{made.note}; {note}" if made.note else note, unread=resources.why)
    return made


async def _file(client: Client, collection: str, kind: str, name: str) -> _File:
    for pause in _PAUSES:
        found = await _try(client, collection, kind, name)
        if found.content is not None or found.final:
            return found
        await asyncio.sleep(pause)
    return await _try(client, collection, kind, name)


async def _try(client: Client, collection: str, kind: str, name: str) -> _File:
    request_name = f"{name[:200]}-{secrets.token_hex(4)}"
    request = {
        "apiVersion": API_VERSION,
        "kind": "DownloadRequest",
        "metadata": {"name": request_name, "labels": {MANAGED_BY: MANAGER}},
        "spec": {"target": {"kind": kind, "name": name}},
    }
    path = f"{collection}/{request_name}"
    try:
        async with asyncio.timeout(_SECONDS):
            await client.request("POST", collection, body=request)
            try:
                return _File(await _download(await _url(client, path)))
            finally:
                with contextlib.suppress(MemberError):  # Velero itself deletes it after ten minutes
                    await client.request("DELETE", path)
    except TimeoutError:
        return _File(None, f"no answer within {_SECONDS:.0f} s")
    except Refused as error:
        return _File(None, str(error), final=True)
    except _BROKEN as error:
        return _File(None, str(error) if isinstance(error, MemberError) else type(error).__name__)


async def _url(client: Client, path: str) -> str:
    pause = 0.05
    while True:
        answer = await client.request("GET", path)
        url = text(mapping(answer.get("status")).get("downloadURL"))
        if url:
            return url
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 1.0)


async def _download(url: str) -> Mapping[str, Any]:
    """A file: gzipped JSON behind a pre-signed URL, fetched without any credentials of ours."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("the URL is neither http nor https")
    content = bytearray()
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(url, allow_redirects=False) as response:
        if response.status != 200:
            raise ValueError(f"HTTP {response.status}")
        async for chunk in response.content.iter_chunked(1 << 16):
            content += chunk
            if len(content) > _LIMIT:
                raise ValueError("larger than 16 MiB")
    with gzip.open(io.BytesIO(content)) as unpacked:
        found = json.loads(unpacked.read(_LIMIT))
    if not isinstance(found, dict):
        raise ValueError("not what Velero writes")
    return found
