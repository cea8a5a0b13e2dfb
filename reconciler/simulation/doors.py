"""Where a server listens, so that it can be away as a dead or a stopped process is.

A member of a small fleet has a door of its own; with very many, all share one (see `server`).
"""

from __future__ import annotations

import socket
import ssl

from aiohttp import web

_WAITING = 128


class Door:
    """A port on 127.0.0.1: open, or refusing connections, or taking them and never answering."""

    def __init__(self, runner: web.AppRunner, context: ssl.SSLContext | None) -> None:
        self._runner, self._context = runner, context
        self._socket = _bound(0)
        self._site: web.SockSite | None = None
        self.port: int = self._socket.getsockname()[1]

    async def open(self) -> None:
        """Serves, beginning with those who have been waiting."""
        if self._site is None:
            # The site closes what it is given; our own copy keeps the port, and those who wait, when it stops.
            self._site = web.SockSite(self._runner, self._socket.dup(), ssl_context=self._context, backlog=_WAITING)
            await self._site.start()

    async def hang(self) -> None:
        """As a process that is stopped: the system takes connections, and nobody greets them."""
        await self._stop()
        self._socket.listen(_WAITING)

    async def refuse(self) -> None:
        """As a process that is gone, but nobody else gets the port."""
        await self._stop()
        self._socket.close()
        self._socket = _bound(self.port)

    async def close(self) -> None:
        await self._stop()
        self._socket.close()

    async def _stop(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None


def _bound(port: int) -> socket.socket:
    """Bound, not listening: connections to it are refused."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made
