"""The hub's API server, by the user's kubeconfig or as the service account of this pod.

Kubeconfigs are read from its Secrets; `reconciler.hub` holds Leases and posts Events there.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.errors import KubeconfigError, Refused
from reconciler.members.connection import Connection
from reconciler.members.kubeconfig import Kubeconfig, namespace_of, own_file
from reconciler.settings import ServiceAccount


class Hub:
    """Requests as those of `Client`, with the credentials as they are by now. Close it in the loop that used it."""

    def __init__(self, place: Path | ServiceAccount) -> None:
        self._place = place
        self._connection = Connection("hub")

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """One request, sent once. Raises a MemberError; a KubeconfigError where the hub's own credentials are amiss."""
        client = await self._connection.client(await asyncio.to_thread(_credentials, self._place))
        try:
            return await client.request(method, path, query, body, content_type)
        except Refused as error:
            if error.code == 401:
                self._connection.drop()
            raise

    async def namespace(self) -> str:
        """Where our own objects belong: the pod's namespace, or that of the kubeconfig's context."""
        return await asyncio.to_thread(_namespace, self._place)

    async def close(self) -> None:
        """Ends its connections."""
        await self._connection.close()


def _credentials(place: Path | ServiceAccount) -> Kubeconfig:
    if isinstance(place, ServiceAccount):
        return _of_service_account(place)
    return own_file(str(place), None, "see --hub-kubeconfig")


def _of_service_account(account: ServiceAccount) -> Kubeconfig:
    """Read each time: the kubelet puts a new token there long before the old one ends."""
    try:
        token = (account.directory / "token").read_text("utf-8").strip()
        authority = (account.directory / "ca.crt").read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its token is no text"
        raise KubeconfigError(
            "KubeconfigMissing",
            f"the pod's service account: {account.directory} can't be read ({why}); mount its token, "
            "or name a kubeconfig with --hub-kubeconfig",
        ) from error
    cluster = {"server": account.server, "certificate-authority-data": b64encode(authority).decode()}
    content = {
        "clusters": [{"name": "hub", "cluster": cluster}],
        "users": [{"name": "hub", "user": {"token": token}}],
        "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": "hub"}}],
        "current-context": "hub",
    }
    seen = f"{account.server}\n{token}\n".encode() + authority
    return Kubeconfig(hashlib.sha256(seen).hexdigest(), None, content)


def _namespace(place: Path | ServiceAccount) -> str:
    if isinstance(place, ServiceAccount):
        try:
            return (place.directory / "namespace").read_text("utf-8").strip() or "default"
        except (OSError, ValueError):
            return "default"
    return namespace_of(_credentials(place))
