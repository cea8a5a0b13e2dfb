"""A git server over https: git's own `http-backend` as CGI behind Python's server, with credentials and faults.

`Https` is what tests and the bench start. Repositories lie in one folder; whoever has the credentials may push.
"""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.repository import Access
from reconciler.simulation import certificates

PASSWORD = "s3same-open"
REALM = 'Basic realm="git"'


@dataclass(slots=True)
class Fault:
    """What goes wrong with requests whose address holds `where`, so many `times` (-1: always).

    `kind`: a status such as `500`; `slow`: an answer after `seconds`; `cut`: half an answer, after git did its work.
    """

    kind: str
    where: str = ""
    times: int = -1
    seconds: float = 0.0


@dataclass(slots=True)
class Https:
    """One server. `credentials`: who may in; `asked`: name and password of each request, `paths`: their addresses."""

    folder: Path
    authority: Path
    port: int
    credentials: set[tuple[str, str]]
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def url(self, repository: str = "fleet.git", user: str = "") -> str:
        return f"https://{user}{user and '@'}127.0.0.1:{self.port}/{repository}"

    def access(self, folder: Path) -> Access:
        """Our way in, by files that are made in `folder`."""
        user, password = min(self.credentials)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "token").write_text(f"{user}:{password}\n")
        return Access(token_file=folder / "token", ca_file=self.authority)

    def human(self) -> dict[str, str]:
        """Variables by which a human's git gets in."""
        user, password = min(self.credentials)
        header = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {
            "GIT_SSL_CAINFO": str(self.authority),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {header}",
        }

    def fault(self, path: str) -> Fault | None:
        """The fault of this request, which uses it up."""
        for fault in self.faults:
            if fault.where in path and fault.times != 0:
                fault.times -= 1
                return fault
        return None


@contextlib.contextmanager
def https(folder: Path, user: str = "ada", password: str = PASSWORD) -> Iterator[Https]:
    """Serve the repositories in `folder` until the end of the block."""
    made = certificates.make(folder / ".tls")
    server = _Server(("127.0.0.1", 0), _Handler)
    shown = Https(folder, made.authority, server.server_address[1], {(user, password)})
    server.git = shown
    # The handshake is made by the thread of the request: one that dawdles must not keep the others waiting.
    server.socket = made.context().wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield shown
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    git: Https

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up, or don't trust us, are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def _serve(self, body: bytes) -> None:
        git = self.server.git
        git.paths.append(self.path)
        user, _, password = base64.b64decode(self.headers.get("Authorization", "")[6:]).decode().partition(":")
        git.asked.append((user, password))
        fault = git.fault(self.path)
        if fault and fault.kind.isdigit():
            self._answer(int(fault.kind), b"refused\n", [("WWW-Authenticate", REALM)] if fault.kind == "401" else [])
            return
        if (user, password) not in git.credentials:
            self._answer(401, b"who are you?\n", [("WWW-Authenticate", REALM)])
            return
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        status, headers, content = self._backend(user, body)
        if fault and fault.kind == "cut":
            self._head(status, [*headers, ("Content-Length", str(len(content)))])
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(status, content, headers)

    def _backend(self, user: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        address = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.server.git.folder),  # no configuration of whoever runs the tests
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.server.git.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_HTTP_MAX_REQUEST_BUFFER": "100M",
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": user,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        pairs = [
            (name, value.strip()) for name, _, value in (line.partition(":") for line in head.decode().split("\r\n"))
        ]
        status = next((int(value.split()[0]) for name, value in pairs if name == "Status"), 200)
        return status, [(name, value) for name, value in pairs if name and name != "Status"], content

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, content: bytes, headers: list[tuple[str, str]]) -> None:
        self._head(status, [*headers, ("Content-Length", str(len(content)))])
        self.wfile.write(content)

    def _head(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()


@contextlib.contextmanager
def proxy() -> Iterator[tuple[int, list[str]]]:
    """A proxy that takes CONNECT alone: its port, and the `host:port` of all that went through it."""
    listener = socket.create_server(("127.0.0.1", 0))
    through: list[str] = []

    def pipe(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            where = head.split()[1].decode()
            through.append(where)
            host, _, port = where.rpartition(":")
            with socket.create_connection((host, int(port))) as far:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=pipe, args=(client, far), daemon=True).start()
                pipe(far, client)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1], through
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def strangers_authority(folder: Path) -> Path:
    """The certificate of a CA that signed nothing here."""
    made = certificates.make(folder)
    ssl.create_default_context(cafile=str(made.authority))  # it is a good one
    return made.authority
