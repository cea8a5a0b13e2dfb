"""The daemon's HTTP server: metrics, probes and the webhook. The only user of aiohttp's server in the daemon.

It may face strangers, so nothing of a connection lasts: one request, ten seconds, then it is cut. Where too many are
open the oldest makes room, so that a probe, which is done in no time, gets through a flood of slow ones.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import Any, Final, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from reconciler.errors import SettingsError
from reconciler.telemetry.health import Health
from reconciler.telemetry.hook import Hook, Verdict
from reconciler.telemetry.metrics import CONTENT_TYPE, HookResult, Metrics

BODY_BYTES: Final = 1024 * 1024
CONNECTION_SECONDS: Final = 10.0
CONNECTIONS: Final = 256
BODIES: Final = 16
"""Of the webhook read at one time, so that memory is bounded."""
_HEADER_BYTES: Final = 8190
# Whoever scrapes and probes would fill the log; what matters of the webhook is counted.
_SILENT: Final = logging.getLogger("reconciler.access")
_SILENT.disabled = True
# Our own mistakes are logged; what strangers send that is no HTTP is none of them, and would fill the log.
_LOG: Final = logging.getLogger("reconciler.http")
_LOG.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))
_RESULTS: Final[dict[Verdict, HookResult]] = {
    Verdict.ACCEPTED: "accepted",
    Verdict.IGNORED: "ignored",
    Verdict.DENIED: "denied",
}
_WORDS: Final = {Verdict.ACCEPTED: "accepted", Verdict.IGNORED: "nothing to do", Verdict.DENIED: "denied"}


class Server:
    """Serves while it is entered. `listen` is `HOST:PORT`, `[::1]:8080` for IPv6, `:8080` for every address.

    Entering raises SettingsError where it can't listen there. `address` is `HOST:PORT` as bound, once entered.
    """

    def __init__(
        self,
        listen: str,
        metrics: Metrics,
        health: Health,
        hook: Hook | None = None,
        connection_seconds: float = CONNECTION_SECONDS,
        connections: int = CONNECTIONS,
    ) -> None:
        self._listen = listen
        self._host, self._port = parse_listen(listen)
        self._metrics = metrics
        self._health = health
        self._hook = hook
        self._connection_seconds = connection_seconds
        self._connections = connections
        self._bodies = 0
        self._open: dict[_Connection, None] = {}
        self._server: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_get("/metrics", self._scraped)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        if self._hook:
            app.router.add_post("/hook", self._hooked)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._connection, self._host or None, self._port, backlog=128)
        except OSError as error:
            await self._runner.cleanup()
            raise SettingsError(f"--listen {self._listen}: {_why(error)}") from error
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        for connection in tuple(self._open):
            connection.cut()
        if self._runner:
            await self._runner.cleanup()

    def _connection(self) -> _Connection:
        if self._runner is None or self._runner.server is None:
            raise RuntimeError("served before it was entered")
        return _Connection(
            self._runner.server, self._open, self._connections, self._connection_seconds, asyncio.get_running_loop()
        )

    async def _scraped(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, _: web.Request) -> web.Response:
        good, words = self._health.alive()
        return web.Response(status=200 if good else 500, text=f"{words}\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        good, words = self._health.readiness()
        return web.Response(status=200 if good else 503, text=f"{words}\n")

    async def _hooked(self, request: web.Request) -> web.Response:
        if self._hook is None:
            raise web.HTTPNotFound
        if not self._hook.may_be_genuine(request.headers):
            return self._hook_answer(401, "denied", "denied")
        if (request.content_length or 0) > BODY_BYTES:
            return self._hook_answer(413, "refused", "larger than 1 MiB")
        if self._bodies >= BODIES:
            return self._hook_answer(503, "refused", "busy")
        self._bodies += 1
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._hook_answer(413, "refused", "larger than 1 MiB")
        except (asyncio.CancelledError, ConnectionError):
            self._metrics.hook("refused")
            raise
        finally:
            self._bodies -= 1
        verdict = self._hook.call(request.headers, body)
        return self._hook_answer(verdict.value, _RESULTS[verdict], _WORDS[verdict])

    def _hook_answer(self, status: int, result: HookResult, words: str) -> web.Response:
        self._metrics.hook(result)
        return web.Response(status=status, text=f"{words}\n")


class _Connection(web.RequestHandler):
    """One connection: cut after its time, whatever it does, and when others need its place."""

    __slots__ = ("_cut_at", "_places", "_room", "_seconds")

    def __init__(
        self,
        server: web.Server,
        places: dict[_Connection, None],
        room: int,
        seconds: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        limits: dict[str, Any] = {"max_line_size": _HEADER_BYTES, "max_field_size": _HEADER_BYTES, "max_headers": 64}
        super().__init__(
            server,
            loop=loop,
            access_log=_SILENT,
            logger=_LOG,
            keepalive_timeout=seconds,
            lingering_time=0,
            auto_decompress=False,  # the signature is that of the body as it came; and no bombs
            **limits,
        )
        self._places = places
        self._room = room
        self._seconds = seconds
        self._cut_at: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._places) >= self._room:
            next(iter(self._places)).cut()
        self._places[self] = None
        super().connection_made(transport)
        self._cut_at = asyncio.get_running_loop().call_later(self._seconds, self.cut)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._places.pop(self, None)
        if self._cut_at:
            self._cut_at.cancel()
        super().connection_lost(exc)

    def cut(self) -> None:
        """At once, without waiting for what is still to be sent."""
        self._places.pop(self, None)
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


def parse_listen(listen: str) -> tuple[str, int]:
    """Host (empty: every address) and port. Raises SettingsError."""
    host, separator, port = listen.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        separator = ""
    if not (separator and port.isascii() and port.isdigit() and int(port) < 65536):
        raise SettingsError(f"--listen {listen!r}: write HOST:PORT, as in 127.0.0.1:8080, [::1]:8080 or :8080")
    return host, int(port)


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another process listens there; choose another port"
    if error.errno == errno.EACCES:
        return "not allowed there; choose a port above 1023"
    return f"can't listen there: {error.strerror or error}"
