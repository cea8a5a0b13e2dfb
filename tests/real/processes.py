"""One started process of the fleet: its log, its stopping, pausing and dying, and waiting for something to come true.

Called by `fleet.py`, `member.py` and the tests. Each process runs under `guard.py`, so that a test run that is
killed leaves none behind.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

GUARD = Path(__file__).with_name("guard.py")
T = TypeVar("T")


class ProcessDied(Exception):
    """A process of the fleet ended by itself; the text holds its exit code and the end of its log."""

    def __init__(self, name: str, exit_code: int, log_tail: str) -> None:
        super().__init__(f"{name} ended by itself with exit code {exit_code}; the end of its log:\n{log_tail}")
        self.name = name
        self.exit_code = exit_code


class WaitTimeout(Exception):
    """Something that was waited for did not come; the text says what."""


class Process:
    """A command with its own log file; can be stopped and started again any number of times."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.command = tuple(str(word) for word in command)
        self.log = log
        self._directory = directory
        self._environment = dict(environment or {})
        self._guard: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._changing = threading.RLock()  # members that are reset side by side start the storage that they share

    def start(self) -> None:
        with self._changing:
            if not self.alive:
                self._start()

    def _start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", GUARD, str(os.getpid()), *self.command],
                cwd=self._directory,
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C goes to the parent alone, which then stops things in order
            )
        assert self._guard.stdout is not None
        line = self._guard.stdout.readline()
        self._guard.stdout.close()
        if not line:
            raise ProcessDied(self.name, self._guard.wait(), self.log_tail())
        self._pid = int(line)

    @property
    def alive(self) -> bool:
        return self._guard is not None and self._guard.poll() is None

    @property
    def pid(self) -> int:
        """The command's own process id (not the guard's); its process group has the same number."""
        return self._pid

    def check(self) -> None:
        """Raise ProcessDied, once, when the process was started and has ended without being asked to."""
        if self._guard is not None and self._guard.poll() is not None:
            exit_code, self._guard = self._guard.returncode, None
            raise ProcessDied(self.name, exit_code, self.log_tail())

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end, then make it."""
        if self._guard is None:
            return
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a paused process cannot obey
        with suppress(subprocess.TimeoutExpired):
            self._guard.wait(grace)
        self.kill()

    def kill(self) -> None:
        with self._changing:
            if self._guard is None:
                return
            self._signal(signal.SIGKILL)
            self._guard.wait()
            self._guard = None

    def pause(self) -> None:
        """Stop the process and its children where they are: connections stay open, nobody answers."""
        self.check()
        self._signal(signal.SIGSTOP)

    def paused(self) -> AbstractContextManager[None]:
        """Stopped for a while."""
        return _meanwhile(self.pause, self.resume)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def ended(self) -> AbstractContextManager[None]:
        """Killed for a while."""
        return _meanwhile(self.kill, self.start)

    def log_tail(self, lines: int = 30) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_ready(self, ready: Callable[[], object], timeout: float) -> None:
        """Wait until it serves; one that dies meanwhile ends the wait at once."""

        def serving() -> object:
            self.check()
            return ready()

        try:
            wait_for(serving, timeout, f"{self.name} to be ready")
        except WaitTimeout as error:
            raise WaitTimeout(f"{error}; the end of its log:\n{self.log_tail()}") from error

    def _signal(self, number: signal.Signals) -> None:
        # Once the guard has ended, the number may belong to someone else.
        if self.alive:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, number)


@contextmanager
def _meanwhile(begin: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    begin()
    try:
        yield
    finally:
        end()


def wait_for(predicate: Callable[[], T | None], timeout: float, what: str, every: float = 0.05) -> T:
    """Ask again and again until the answer is true, and return it; a late answer is a WaitTimeout that names `what`."""
    end = time.monotonic() + timeout
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise WaitTimeout(f"waited {timeout:g} s for {what}, in vain")
        time.sleep(every)
