"""Whose kubeconfig a member is reached with: from a folder, the user's own file, or a Secret of the hub."""

from __future__ import annotations

import asyncio

from reconciler.desired import Member
from reconciler.members.hub import Hub
from reconciler.members.kubeconfig import Kubeconfig, find, of_secret
from reconciler.members.secrets import Secrets
from reconciler.settings import MemberSettings


class Credentials:
    """The kubeconfigs of one command. Close it in the loop that used it."""

    def __init__(self, settings: MemberSettings) -> None:
        self._settings = settings
        self._hub = Hub(settings.hub) if settings.hub else None
        self._secrets = Secrets(self._hub) if self._hub else None

    async def find(self, member: Member) -> Kubeconfig:
        """The kubeconfig of a member as it is by now. Raises KubeconfigError with the reason its runs then give."""
        if self._secrets is None:
            return await asyncio.to_thread(find, member, self._settings)
        namespace = member.id.namespace
        content = await self._secrets.value(namespace, member.secret, member.key)
        what = f"Secret {namespace}/{member.secret} of the hub, key {member.key}"
        return await asyncio.to_thread(of_secret, content, what, self._settings.insecure_exec)

    def distrust(self, member: Member) -> None:
        """The member did not take its credentials: they are read anew before the next try."""
        if self._secrets is not None:
            self._secrets.forget(member.id.namespace, member.secret)

    async def close(self) -> None:
        """Ends the connection to the hub."""
        if self._hub is not None:
            await self._hub.close()
