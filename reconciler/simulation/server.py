"""Simulated API servers over real HTTP and TLS, all in one thread of this process.

Why no library: kmock (0.8) was looked at, which has the paths and a store behind them, "a Kubernetes-like
database-over-http tool" in the words of its documentation. It has no resourceVersions and conflicts, no selectors, dry
runs or field validation, no namespaces that end, no patches but merging, no Tables, RBAC or OpenAPI, no TLS; what is
left is aiohttp's server, which is beneath it and here.

One port serves all members, each under `/members/<name>`; and each member of a small fleet has a port of its own, where
its kubeconfig points, so that it can refuse connections as a dead process does. On the shared port a dead
member's connections are cut before the request's body is read, and a hanging one's requests wait: an HTTP client sees
the difference only in the words of the error.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from aiohttp import web

from reconciler.simulation.api.requests import JSON, Answer, Request, target_of
from reconciler.simulation.api.rest import ApiServer
from reconciler.simulation.api.statuses import ApiStatusError, status
from reconciler.simulation.certificates import Certificates
from reconciler.simulation.cluster import StatusError
from reconciler.simulation.doors import Door
from reconciler.simulation.faults import Fault, Faults, Kind
from reconciler.simulation.velero import Bucket, StorageError

T = TypeVar("T")
_LARGEST_BODY = 3 << 20
_CALL_SECONDS = 60.0
_PREFIX = "/members/"


class Served(Protocol):
    """A member as the server sees it; in the server's loop but for `faults`."""

    name: str
    faults: Faults
    dead: bool
    going: asyncio.Event

    async def prepared(self) -> ApiServer:
        """Its API server, ready to answer."""
        ...


class SimulatedServer:
    """A context manager: within it the members are served. `call` and `wait` reach the loop from other threads."""

    def __init__(self, certificates: Certificates, bucket: Bucket) -> None:
        self._certificates, self._bucket = certificates, bucket
        self._members: dict[str, Served] = {}
        self._connections: dict[str, WeakSet[asyncio.Transport]] = {}
        self._doors: dict[str, Door] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="simulated-fleet", daemon=True)
        self._context = certificates.context()

    def __enter__(self) -> SimulatedServer:
        self._thread.start()
        self.wait(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, function: Callable[[], T]) -> T:
        """Runs a function in the loop's thread and returns what it returns."""
        if threading.current_thread() is self._thread:
            return function()

        async def run() -> T:
            return function()

        return self.wait(run())

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the loop, from another thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_CALL_SECONDS)

    @property
    def shared_port(self) -> int:
        """Where all members are, each under `/members/<name>`."""
        return self._shared.port

    def url(self, name: str) -> str:
        """Where a member's API server is."""
        if door := self._doors.get(name):
            return f"https://127.0.0.1:{door.port}"
        return f"https://127.0.0.1:{self._shared.port}{_PREFIX}{name}"

    async def add(self, member: Served, *, own_door: bool) -> None:
        self._members[member.name] = member
        self._connections[member.name] = WeakSet()
        if own_door:
            self._doors[member.name] = Door(self._runner, self._context)
            await self._doors[member.name].open()

    async def set_going(self, member: Served, *, dead: bool, hanging: bool) -> None:
        """Serves a member, or is dead or hangs in its place."""
        member.dead = dead
        if dead or not hanging:
            member.going.set()
        else:
            member.going.clear()
        if door := self._doors.get(member.name):
            await (door.refuse() if dead else door.hang() if hanging else door.open())
        if dead:
            for transport in tuple(self._connections[member.name]):
                transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _start(self) -> None:
        members = web.Application(client_max_size=_LARGEST_BODY)
        members.router.add_route("*", "/{path:.*}", self._handle)
        storage = web.Application()
        storage.router.add_get("/storage/{token}/{key:.+}", self._download)
        self._runner = web.AppRunner(members, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        self._storage_runner = web.AppRunner(storage, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await self._storage_runner.setup()
        self._shared = Door(self._runner, self._context)
        self._storage_door = Door(self._storage_runner, None)
        await self._shared.open()
        await self._storage_door.open()
        self._bucket.base_url = f"http://127.0.0.1:{self._storage_door.port}/storage"

    async def _end(self) -> None:
        for door in (*self._doors.values(), self._shared, self._storage_door):
            await door.close()
        for connections in self._connections.values():
            for transport in tuple(connections):
                transport.abort()
        await self._runner.cleanup()
        await self._storage_runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _download(self, request: web.Request) -> web.Response:
        """An object of the bucket by its signed URL, by plain HTTP as from a storage server in the same network."""
        try:
            content = self._bucket.download(request.match_info["token"], request.match_info["key"])
        except StorageError as error:
            return web.Response(status=error.code, text=str(error))
        return web.Response(body=content, content_type="application/octet-stream")

    def _place(self, request: web.Request) -> tuple[str, str]:
        """Whom a request is for, and the path there: a door of its own needs no prefix."""
        if request.path.startswith(_PREFIX):
            name, slash, rest = request.path.removeprefix(_PREFIX).partition("/")
            return name, slash + rest or "/"
        port = request.transport.get_extra_info("sockname")[1] if request.transport is not None else 0
        name = next((name for name, door in self._doors.items() if door.port == port), "")
        return name, request.path

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        name, path = self._place(request)
        member = self._members.get(name)
        if member is None:
            return web.Response(status=404, text="404 page not found\n")
        if request.transport is not None:
            self._connections[member.name].add(request.transport)
        if member.dead:
            return _cut(request)
        await member.going.wait()
        api = await member.prepared()
        query = dict(request.query)
        headers = {name.lower(): value for name, value in request.headers.items()}
        fault = _fault(member, api, target_of(request.method, path, query), headers.get("authorization", ""))
        if fault is not None and (broken := await _before(fault, member, request)) is not None:
            return broken
        body = await request.read()
        uri = request.path_qs.removeprefix(_PREFIX + name)
        answer = api.answer(Request(request.method, path, query, headers, body, uri))
        if fault is not None and fault.kind is Kind.LOST:
            return _cut(request)
        if fault is not None and fault.kind is Kind.HALF:
            return await _half(request, answer)
        return await _send(request, answer, member.going.wait)


def _fault(member: Served, api: ApiServer, target: Any, authorization: str) -> Fault | None:
    try:
        user = api.access.authenticate(authorization).name
    except StatusError:
        user = ""
    return member.faults.hit(user, target)


async def _before(fault: Fault, member: Served, request: web.Request) -> web.StreamResponse | None:
    """What a fault answers before anything is done; None where the request is to be carried out."""
    match fault.kind:
        case Kind.DEAD:
            return _cut(request)
        case Kind.HANG:
            while member.faults.stands(fault):  # noqa: ASYNC110 - it is cleared by another thread
                await asyncio.sleep(0.05)
            return _cut(request)
        case Kind.SLOW:
            await asyncio.sleep(fault.seconds)
        case Kind.GARBAGE:
            return web.Response(status=200, body=fault.body or b"", content_type=JSON)
        case Kind.STATUS:
            if fault.body is not None:
                return web.Response(status=fault.code, body=fault.body, content_type="text/plain")
            error = ApiStatusError(fault.code, fault.reason, f"a fault of the simulation: {fault.code}")
            return web.json_response(status(error), status=fault.code)
        case Kind.REDIRECT:
            return web.Response(status=fault.code, headers={"Location": fault.location})
    return None


def _cut(request: web.Request) -> web.StreamResponse:
    """Ends the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _half(request: web.Request, answer: Answer) -> web.StreamResponse:
    headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    return _cut(request)


async def _send(request: web.Request, answer: Answer, going: Callable[[], Awaitable[object]]) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    response.headers["Cache-Control"] = "no-cache, private"
    for warning in answer.warnings:
        text = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{text}"')
    if answer.stream is None:
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(answer.body)
    else:
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            async for line in answer.stream:
                await going()
                await response.write(line)
        finally:
            await answer.stream.aclose()  # type: ignore[attr-defined] # an async generator
    await response.write_eof()
    return response
