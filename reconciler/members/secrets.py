"""Secrets of the hub, read one by one: a kubeconfig that is rotated there is used within ten seconds.

A GET for each visit that comes ten seconds after the last, and no watch: then a fleet at rest costs the hub nothing,
and the right to `get` is enough, with which nobody can list what Secrets there are.
"""

from __future__ import annotations

import asyncio
import binascii
import time
from base64 import b64decode
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from reconciler.errors import KubeconfigError, MemberError, Refused
from reconciler.members.hub import Hub
from reconciler.velero.plainly import mapping, text

FRESH_SECONDS: Final = 10.0
KEPT_SECONDS: Final = 300.0
"""While the hub gives no answer what was read so recently is still used: a hub that restarts stops no member."""
_DOWN_SECONDS: Final = 2.0
"""So long nobody else waits for a hub that just gave no answer."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a Secret held, base64 by key, and when (monotonic) it was asked for."""

    at: float
    data: dict[str, str]


class Secrets:
    """The Secrets of one hub."""

    def __init__(self, hub: Hub, fresh: float = FRESH_SECONDS, kept: float = KEPT_SECONDS) -> None:
        self._hub, self._fresh_for, self._kept_for = hub, fresh, kept
        self._read: dict[tuple[str, str], _Read] = {}
        self._reading: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._silent: tuple[float, MemberError] | None = None

    async def value(self, namespace: str, name: str, key: str) -> bytes:
        """What the Secret holds under that key. Raises KubeconfigError, which never tells what is in it."""
        async with self._reading[namespace, name]:
            data = await self._fresh(namespace, name)
        if key not in data:
            there = ", ".join(sorted(data)) or "nothing"
            raise KubeconfigError(
                "SecretMissing",
                f"Secret {namespace}/{name} of the hub has no key {key}, but {there}; add it, or name another in the "
                "AttachedCluster",
            )
        try:
            return b64decode(data[key], validate=True)
        except (binascii.Error, ValueError) as error:
            raise KubeconfigError(
                "InvalidKubeconfig", f"Secret {namespace}/{name} of the hub, key {key}, is no base64; write it anew"
            ) from error

    def forget(self, namespace: str, name: str) -> None:
        """What was read of it is not good any more: it is read anew before it is used."""
        self._read.pop((namespace, name), None)

    async def _fresh(self, namespace: str, name: str) -> dict[str, str]:
        known, now = self._read.get((namespace, name)), time.monotonic()
        if known and now - known.at < self._fresh_for:
            return known.data
        try:
            data = await self._get(namespace, name)
        except _Silent:
            if known and now - known.at < self._kept_for:
                return known.data
            raise
        except KubeconfigError:
            self.forget(namespace, name)
            raise
        self._read[namespace, name] = _Read(now, data)
        return data

    async def _get(self, namespace: str, name: str) -> dict[str, str]:
        what = f"Secret {namespace}/{name} of the hub"
        if self._silent and time.monotonic() - self._silent[0] < _DOWN_SECONDS:
            raise _Silent(self._silent[1].reason, f"{what} can't be read: {self._silent[1]}")
        try:
            found = await self._hub.request("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except Refused as error:
            raise _refused(what, name, error) from error
        except KubeconfigError:
            raise
        except MemberError as error:
            self._silent = (time.monotonic(), error)
            raise _Silent(error.reason, f"{what} can't be read: {error}") from error
        if mapping(found.get("metadata")).get("name") != name:
            raise _Silent("ServerError", f"{what} was asked for and something else came")
        return {key: text(value) for key, value in mapping(found.get("data")).items()}


class _Silent(KubeconfigError):
    """The hub gave no answer that tells anything of the Secret."""


def _refused(what: str, name: str, error: Refused) -> KubeconfigError:
    if error.code == 404 and error.subject == f"secrets/{name}":
        return KubeconfigError(
            "SecretMissing", f"{what} is not there; create it, or name another in the AttachedCluster"
        )
    if error.code == 403:
        return KubeconfigError(
            "Forbidden", f"{what} can't be read: {error}; allow the reconciler to `get` it, by a Role on the hub"
        )
    if error.code == 401:
        return KubeconfigError("Unauthorized", f"{what} can't be read: {error}; renew our own credentials for the hub")
    return KubeconfigError(error.reason, f"{what} can't be read: {error}")
