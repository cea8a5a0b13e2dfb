"""A receiver of notifications on the loopback: takes them, refuses them, or never answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """What it got, in order. `status` is what it answers; while `hangs` it does not."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        self.location = ""
        self.hangs = False
        self.released = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        """As a line of the file; the path stands for a token."""
        return f"json://127.0.0.1:{self.port}/hidden-token-4711"


@contextmanager
def receiver() -> Iterator[Receiver]:
    """One that listens on a free port."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if told.hangs:
                told.released.wait(30)
            if told.status == 200 and not told.hangs:
                told.got.append(json.loads(body))
            self.send_response(told.status)
            if told.location:
                self.send_header("Location", told.location)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.released.set()
        server.shutdown()
        server.server_close()
