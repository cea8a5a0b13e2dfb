"""`reconciler sync` as a process that goes on: started in a workspace, listened to, and ended as a supervisor does."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from types import TracebackType
from typing import Any

import requests

from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.workspace import Workspace

PATIENCE = 60.0
ENDS_WITHIN = 10.0
SELDOM = ("--interval", "1h")
OFTEN = ("--interval", "1s")
LONG = 60.0
FILES = {
    "backups/before.yaml": objects.backup("before"),
    "restores/copy.yaml": objects.restore("copy", "before", policy=objects.to_namespace("daemon-copy")),
}


class Daemon:
    """A context manager. Its log is JSON, a line each; `address` serves what `--listen` says."""

    def __init__(self, workspace: Workspace, *options: str) -> None:
        self._workspace = workspace
        self._options = ("sync", "--listen", "127.0.0.1:0", "--log-format", "json", *options)
        self.lines: list[str] = []

    def __enter__(self) -> Daemon:
        self.process = self._workspace.start(*self._options)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        assert error is not None or "Traceback" not in self.text, self.text

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line)

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def events(self, message: str) -> list[dict[str, Any]]:
        """What was logged with that message."""
        found = [json.loads(line) for line in tuple(self.lines) if line.startswith("{")]
        return [event for event in found if event["event"] == message]

    def wait(self, message: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """The event, once it was logged so many times."""

        def logged() -> dict[str, Any] | None:
            fitting = [e for e in self.events(message) if all(e.get(k) == v for k, v in fields.items())]
            assert self.process.poll() is None, self.text
            return fitting[count - 1] if len(fitting) >= count else None

        try:
            return wait_for(logged, PATIENCE, f"{message!r} in the log")
        except Exception as error:
            raise AssertionError(self.text) from error

    def settled(self, count: int = 1) -> None:
        self.wait("standing", count, now="Settled")

    @property
    def address(self) -> str:
        return f"http://{self.wait('serving')['address']}"

    def metric(self, name: str) -> float:
        """The sum over all labels."""
        page = requests.get(f"{self.address}/metrics", timeout=5).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in page if line.split("{")[0].split(" ")[0] == name)

    def end(self, number: int = signal.SIGTERM) -> float:
        """By a signal, as a supervisor does; how many seconds it took. It ends with 0, and in time."""
        started = time.monotonic()
        self.process.send_signal(number)
        try:
            code = self.process.wait(ENDS_WITHIN + 5)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end: {self.text}") from None
        took = time.monotonic() - started
        assert code == 0, self.text
        assert took < ENDS_WITHIN, f"it took {took:.1f} s to end"
        return took

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def phases(workspace: Workspace, name: str = "copy", revision: str = "HEAD") -> set[str]:
    """Of the runs of a Restore, empty before it is recorded."""
    if f"status/restores/default/{name}.yaml" not in workspace.git("ls-tree", "-r", "--name-only", revision):
        return set()
    details = workspace.record("restores", name, revision)["status"]["restoreDetails"]
    return {run["phase"] for run in details}
