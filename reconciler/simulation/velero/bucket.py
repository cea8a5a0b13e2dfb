"""The object storage that the simulated members share: one bucket, keys as real Velero lays them out.

Made by the fleet, one for all its members; read and written by each member's simulated Velero.

For whoever serves it over HTTP (the product downloads results with the system's trust, hence by plain HTTP): set
`base_url` to, say, `http://127.0.0.1:<port>/storage`, and answer `GET /storage/<token>/<key>` (the key holds slashes
and comes percent-encoded) with the bytes of `download(token, key)` as `application/octet-stream`, without a
Content-Encoding, since the content itself is gzip; a `StorageError` is answered with its `code` and text.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

URL_SECONDS: Final = 600
_PORT: Final = "http://127.0.0.1:9000"


class StorageError(Exception):
    """What the object storage refuses; `code` is the HTTP status."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Bucket:
    """Objects by key. While `available` is false every request fails, as with a storage server that is down."""

    def __init__(self, name: str = "velero") -> None:
        self.name = name
        self.available = True
        self.base_url = ""
        self._objects: dict[str, bytes] = {}
        self._urls: dict[str, tuple[str, datetime, Callable[[], datetime]]] = {}

    def put(self, key: str, content: bytes) -> None:
        self._ask("PutObject", key)
        self._objects[key] = content

    def get(self, key: str) -> bytes:
        self._ask("GetObject", key)
        if key not in self._objects:
            raise StorageError(404, _refused("GetObject", 404, "NoSuchKey: The specified key does not exist."))
        return self._objects[key]

    def delete(self, key: str) -> None:
        self._ask("DeleteObject", key)
        self._objects.pop(key, None)

    def keys(self, prefix: str = "") -> list[str]:
        self._ask("ListObjectsV2", prefix)
        return sorted(key for key in self._objects if key.startswith(prefix))

    def empty(self, prefix: str) -> None:
        """Removes every object under a member's prefix, available or not: for tests."""
        folder = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._objects = {key: content for key, content in self._objects.items() if not key.startswith(folder)}

    def sign(self, key: str, now: Callable[[], datetime]) -> str:
        """A URL that needs no credentials, for ten minutes by that clock. Like S3, it signs what is not there too."""
        token = secrets.token_hex(16)
        ended = [old for old, (_, until, clock) in self._urls.items() if clock() >= until]
        for old in ended:
            del self._urls[old]
        self._urls[token] = (key, now() + timedelta(seconds=URL_SECONDS), now)
        return f"{self.base_url}/{token}/{quote(key)}"

    def download(self, token: str, key: str) -> bytes:
        """What a signed URL gives: 403 for an unknown or expired one, 404 where there is nothing, 503 when down."""
        signed, until, now = self._urls.get(token) or ("", datetime.min, datetime.now)
        if signed != key or now() >= until:
            raise StorageError(403, "AccessDenied: Request has expired")
        return self.get(key)

    def _ask(self, operation: str, key: str) -> None:
        if not self.available:
            address = _PORT.removeprefix("http://")
            raise StorageError(
                503,
                f"operation error S3: {operation}, exceeded maximum number of attempts, 3, https response error "
                f"StatusCode: 0, RequestID: , HostID: , request send failed, {_verb(operation)} "
                f'"{_PORT}/{self.name}/{key}": dial tcp {address}: connect: connection refused',
            )


def _verb(operation: str) -> str:
    return {"PutObject": "Put", "DeleteObject": "Delete"}.get(operation, "Get")


def _refused(operation: str, code: int, text: str) -> str:
    return f"operation error S3: {operation}, https response error StatusCode: {code}, RequestID: 0, HostID: 0, {text}"
