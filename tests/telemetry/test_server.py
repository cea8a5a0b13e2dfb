"""The server over real HTTP on the loopback, with clients that are slow, large or many."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from reconciler.errors import SettingsError
from reconciler.telemetry.health import Health
from reconciler.telemetry.hook import Hook
from reconciler.telemetry.metrics import Metrics
from reconciler.telemetry.server import Server, parse_listen

SECRET = b"secret"
BODY = b'{"ref": "refs/heads/main"}'
Use = Callable[[Server, aiohttp.ClientSession], Awaitable[None]]


def signed(body: bytes) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()}


class Stand:
    """A server with all that it needs; `run` serves while the test uses it."""

    def __init__(self, folder: Path) -> None:
        (folder / "secret").write_bytes(SECRET)
        self.metrics = Metrics()
        self.now = 0.0
        self.health = Health(60, lambda: self.now)
        self.stirred = asyncio.Event()
        self.hook: Hook | None = Hook(folder / "secret", self.stirred.set, ("main",))
        self.seconds = 10.0
        self.connections = 256

    def run(self, use: Use) -> None:
        async def main() -> None:
            server = Server("127.0.0.1:0", self.metrics, self.health, self.hook, self.seconds, self.connections)
            async with server, aiohttp.ClientSession(f"http://{server.address}") as client, asyncio.timeout(20):
                await use(server, client)

        asyncio.run(main())


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


async def get(client: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with client.get(path) as answer:
        return answer.status, await answer.text()


async def post(client: aiohttp.ClientSession, body: bytes, headers: dict[str, str] | None = None) -> int:
    async with client.post("/hook", data=body, headers=signed(body) if headers is None else headers) as answer:
        return answer.status


def connect(server: Server) -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = server.address.rpartition(":")
    return asyncio.open_connection(host, int(port))


def test_metrics_are_text_that_prometheus_takes(stand: Stand) -> None:
    async def use(_: Server, client: aiohttp.ClientSession) -> None:
        stand.metrics.pass_ended(1, True)
        async with client.get("/metrics") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert 'reconciler_passes_total{result="success"} 1.0' in await answer.text()

    stand.run(use)


def test_it_is_alive_while_the_loop_beats(stand: Stand) -> None:
    async def use(_: Server, client: aiohttp.ClientSession) -> None:
        assert await get(client, "/healthz") == (200, "ok\n")
        stand.now = 61
        assert await get(client, "/healthz") == (500, "the loop has stood still for 61 s\n")
        stand.health.beat()
        assert await get(client, "/healthz") == (200, "ok\n")

    stand.run(use)


def test_it_is_ready_when_it_is_said_to_be(stand: Stand) -> None:
    async def use(_: Server, client: aiohttp.ClientSession) -> None:
        assert await get(client, "/readyz") == (503, "the first pass has not ended yet\n")
        stand.health.ready(True, "stands by")
        assert await get(client, "/readyz") == (200, "stands by\n")
        stand.health.ready(False, "the branch is gone")
        assert await get(client, "/readyz") == (503, "the branch is gone\n")

    stand.run(use)


def test_a_genuine_push_stirs(stand: Stand) -> None:
    async def use(_: Server, client: aiohttp.ClientSession) -> None:
        assert await post(client, BODY, {}) == 401
        assert await post(client, BODY, {"X-Gitlab-Token": "wrong"}) == 401
        assert await post(client, b'{"ref": "refs/heads/other"}') == 200
        assert not stand.stirred.is_set()
        assert await post(client, BODY) == 202
        assert stand.stirred.is_set()

    stand.run(use)
    text = stand.metrics.text().decode()
    assert 'reconciler_webhook_requests_total{result="accepted"} 1.0' in text
    assert 'reconciler_webhook_requests_total{result="denied"} 2.0' in text
    assert 'reconciler_webhook_requests_total{result="ignored"} 1.0' in text


def test_the_signature_is_that_of_the_bytes_on_the_wire(stand: Stand) -> None:
    """And a body that would unpack to much more than it is, is not unpacked."""

    async def use(_: Server, client: aiohttp.ClientSession) -> None:
        packed = gzip.compress(b"0" * 50_000_000)
        assert await post(client, packed, {**signed(packed), "Content-Encoding": "gzip"}) == 202

    stand.run(use)


def test_without_a_secret_there_is_no_webhook(stand: Stand) -> None:
    stand.hook = None

    async def use(_: Server, client: aiohttp.ClientSession) -> None:
        assert await post(client, BODY) == 404

    stand.run(use)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("GET", "/hook", 405), ("PUT", "/hook", 405), ("POST", "/metrics", 405), ("DELETE", "/healthz", 405)),
        *(("GET", "/", 404), ("GET", "/metrics/", 404), ("GET", "/../etc/passwd", 404), ("GET", "/debug", 404)),
    ],
)
def test_there_is_nothing_else(stand: Stand, method: str, path: str, status: int) -> None:
    async def use(_: Server, client: aiohttp.ClientSession) -> None:
        async with client.request(method, path) as answer:
            assert answer.status == status
            assert "Traceback" not in await answer.text()

    stand.run(use)


def test_a_body_over_one_mebibyte_is_refused_whether_it_says_so_or_not(stand: Stand) -> None:
    largest = b"x" * 1024 * 1024

    async def use(server: Server, client: aiohttp.ClientSession) -> None:
        assert await post(client, largest) == 202
        assert await post(client, largest + b"x") == 413
        reader, writer = await connect(server)
        writer.write(b"POST /hook HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(18):
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()
        assert await get(client, "/healthz") == (200, "ok\n")

    stand.run(use)


def test_headers_without_end_are_refused(stand: Stand) -> None:
    async def use(server: Server, client: aiohttp.ClientSession) -> None:
        for lines in (b"X-Long: " + b"x" * 100_000, b"\r\n".join(b"X-%d: x" % number for number in range(5000))):
            reader, writer = await connect(server)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n\r\n")
            assert (await reader.readline()).split()[1] == b"400"
            writer.close()
        assert await get(client, "/healthz") == (200, "ok\n")

    stand.run(use)


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"GET /metr",
        b"POST /hook HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: x\r\nContent-Length: 100\r\n\r\nab",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea",
    ],
    ids=["says nothing", "half a header", "half a body", "half a second request"],
)
def test_a_slow_client_is_cut_and_blocks_nobody(stand: Stand, words: bytes) -> None:
    stand.seconds = 0.5

    async def use(server: Server, client: aiohttp.ClientSession) -> None:
        slow = [await connect(server) for _ in range(40)]
        for _, writer in slow:
            writer.write(words)
        started = asyncio.get_running_loop().time()
        assert await get(client, "/healthz") == (200, "ok\n")
        assert asyncio.get_running_loop().time() - started < 0.4
        for reader, writer in slow:
            with contextlib.suppress(ConnectionError):  # cut off is cut off, politely or not
                await reader.read()
            writer.close()
        assert asyncio.get_running_loop().time() - started < 5

    stand.run(use)


def test_where_too_many_are_open_the_oldest_makes_room(stand: Stand) -> None:
    stand.connections = 8

    async def use(server: Server, client: aiohttp.ClientSession) -> None:
        slow = [await connect(server) for _ in range(30)]
        for _ in range(3):
            assert await get(client, "/healthz") == (200, "ok\n")
        with pytest.raises((ConnectionError, EOFError)):
            await slow[0][0].readexactly(1)
        for _, writer in slow:
            writer.close()

    stand.run(use)


def test_a_port_in_use_is_a_mistake_of_the_user(stand: Stand) -> None:
    async def use(server: Server, _: aiohttp.ClientSession) -> None:
        with pytest.raises(SettingsError, match=r"another process listens there; choose another port"):
            async with Server(server.address, stand.metrics, stand.health):
                pass

    stand.run(use)


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        (":8080", ("", 8080)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:9", ("localhost", 9)),
    ],
)
def test_where_to_listen(listen: str, expected: tuple[str, int]) -> None:
    assert parse_listen(listen) == expected


@pytest.mark.parametrize("listen", ["", "8080", "host:", "::1:8080", "host:65536", "host:x", "host:-1", "host:٣"])
def test_where_not(listen: str) -> None:
    with pytest.raises(SettingsError, match="write HOST:PORT"):
        parse_listen(listen)


def test_it_ends_at_once_and_frees_its_port(stand: Stand) -> None:
    async def main() -> None:
        async with Server("127.0.0.1:0", stand.metrics, stand.health) as server:
            address = server.address
            _, writer = await connect(server)
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 2
        writer.close()
        async with Server(address, stand.metrics, stand.health) as again:
            assert again.address == address

    asyncio.run(main())
