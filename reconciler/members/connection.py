"""One API server by credentials that may change meanwhile. Used for each member, and for the hub."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from reconciler.errors import KubeconfigError
from reconciler.members.client import Client
from reconciler.members.kubeconfig import Kubeconfig

GRACE_SECONDS: Final = 300.0
"""How long requests and watches that began with the old credentials may go on."""
OPEN_SECONDS: Final = 30.0
"""How long a program that a kubeconfig names for credentials is waited for."""


class Connection:
    """Opened when first needed, and anew when the credentials changed. Close it in the loop that used it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._fingerprint = ""
        self._client: Client | None = None
        self._retired: list[tuple[float, Client]] = []
        self._opening = asyncio.Lock()
        self._coming: tuple[str, asyncio.Task[Client]] | None = None

    async def client(self, kubeconfig: Kubeconfig) -> Client:
        """The client with those credentials. Raises KubeconfigError."""
        async with self._opening:
            await self._close_retired(time.monotonic() - GRACE_SECONDS)
            if self._client is None or self._fingerprint != kubeconfig.fingerprint:
                opened = await self._open(kubeconfig)
                self.drop()
                self._client, self._fingerprint = opened, kubeconfig.fingerprint
            return self._client

    def drop(self) -> None:
        """The server did not take the credentials: what made them (a program, a file beside) is asked anew."""
        if self._client is not None:
            self._retired.append((time.monotonic(), self._client))
        self._client = None

    async def _open(self, kubeconfig: Kubeconfig) -> Client:
        """Waits for one that is still opening rather than start its program a second time."""
        if self._coming is None or self._coming[0] != kubeconfig.fingerprint:
            self._give_up()
            self._coming = kubeconfig.fingerprint, asyncio.create_task(Client.open(self._name, kubeconfig))
        opening = self._coming[1]
        await asyncio.wait({opening}, timeout=OPEN_SECONDS)
        if not opening.done():
            raise KubeconfigError(
                "InvalidKubeconfig",
                f"the kubeconfig of cluster {self._name} runs a program for credentials that has said nothing for"
                f" {OPEN_SECONDS:.0f} s; run it by hand, or end it",
            )
        self._coming = None
        return opening.result()

    def _give_up(self) -> None:
        if self._coming is not None:
            self._coming[1].cancel()
        self._coming = None

    async def close(self) -> None:
        """Ends all that is open."""
        self._give_up()
        self.drop()
        await self._close_retired(time.monotonic())

    async def _close_retired(self, before: float) -> None:
        due = [client for at, client in self._retired if at <= before]
        self._retired = [(at, client) for at, client in self._retired if at > before]
        for client in due:
            await client.close()
