"""What a member says is shown to people, and one that says our credentials back gives them away to nobody."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciler.errors import MemberError
from reconciler.members.connection import Connection
from reconciler.members.kubeconfig import of_secret

TOKEN = "a-token-that-nobody-may-read"


class _Echo(BaseHTTPRequestHandler):
    """Refuses everything, in words that hold what it was sent."""

    def do_GET(self) -> None:
        said = f"no such user: {self.headers['Authorization']}"
        body = json.dumps({"kind": "Status", "message": said, "reason": "Forbidden"}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.case("secrets", "kubeconfig", "what is printed")
def test_a_token_that_a_member_says_back_is_masked(url: str) -> None:
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "m1", "cluster": {"server": url}}],
        "users": [{"name": "us", "user": {"token": TOKEN}}],
        "contexts": [{"name": "m1", "context": {"cluster": "m1", "user": "us"}}],
        "current-context": "m1",
    }

    async def ask() -> str:
        connection = Connection("m1")
        try:
            client = await connection.client(of_secret(json.dumps(kubeconfig).encode(), "the test's", False))
            with pytest.raises(MemberError) as caught:
                await client.cluster_uid()
            return str(caught.value)
        finally:
            await connection.close()

    told = asyncio.run(ask())
    assert "no such user: Bearer ***" in told
    assert TOKEN not in told
