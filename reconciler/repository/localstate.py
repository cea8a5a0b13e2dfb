"""What this machine remembers in the git directory: the caller's small JSON, the last own commit seen, and moves of a
checkout that are under way.

All of it lies in `<common git dir>/reconciler/`, one set of files for each branch, path and status branch, and may be
lost: then one look at every member replaces the caller's state, and the guard against rewritten history begins anew.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.errors import Cause, RepositoryError, WorkTreeBusy

_STALE: Final = 3600.0
"""Seconds after which a scratch folder is taken for one that a killed process left."""
_WAIT: Final = 20.0
"""Seconds to wait for another reconciler that is moving the same checkout."""


@dataclass(frozen=True, slots=True)
class Move:
    """A branch on its way from one commit (`old`, all zeros where there is no branch yet) to our next (`new`)."""

    old: str
    new: str

    def begins_at(self, commit: str | None) -> bool:
        """Whether a branch that stands at `commit` (None: it isn't there) is where this move begins."""
        return self.old == (commit or "0" * len(self.new))


class LocalState:
    """The files of one branch, path and status branch. Everything that writes raises RepositoryError where the disk
    refuses.
    """

    def __init__(self, common: Path, branch: str, path: str, status_branch: str = "") -> None:
        self._folder = common / "reconciler"
        ledger = "\0".join((branch, path, status_branch) if status_branch else (branch, path))
        self._key = hashlib.sha256(ledger.encode()).hexdigest()[:16]

    def load(self, part: str = "") -> dict[str, Any] | None:
        """The caller's state, or a part of it that is another process's; None where there is none."""
        try:
            state = json.loads(self._file(f"{part}json").read_bytes())
        except (OSError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def save(self, state: dict[str, Any], part: str = "") -> None:
        """Replace the caller's state, whole or not at all, and on the disk when this returns."""
        self._write(f"{part}json", json.dumps(state, sort_keys=True).encode())

    def seen(self) -> str | None:
        """The last own commit that this machine saw."""
        try:
            text = self._file("seen").read_text().strip()
        except (OSError, ValueError):
            return None
        return text if text and all(char in "0123456789abcdef" for char in text) else None

    def see(self, commit: str, instead: str | None) -> None:
        """Remember an own commit instead of the one that was read before, unless another process was faster."""
        if commit != instead and self.seen() == instead:
            self._write("seen", commit.encode())

    def forget(self) -> None:
        """Remember no own commit any more. Raises OSError."""
        self._file("seen").unlink(missing_ok=True)

    def moves(self) -> list[Move]:
        """Moves that were begun and not ended; usually none."""
        found = []
        for file in self._folder.glob(f"{self._key}.move-*"):
            with contextlib.suppress(OSError, ValueError):
                old, new = file.read_text().split()
                found.append(Move(old, new))
        return found

    def begin(self, move: Move) -> None:
        """Note a move before its first step."""
        self._write(f"move-{move.new}", f"{move.old} {move.new}\n".encode())

    def end(self, move: Move) -> None:
        """Forget a move that is complete or will never be."""
        with contextlib.suppress(OSError):  # the next look at it will drop it
            self._file(f"move-{move.new}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for the making of one commit; what killed processes left is cleared on the way."""
        self._make()
        for old in self._folder.glob("tmp-*"):
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > _STALE:
                    for file in old.iterdir():
                        file.unlink()
                    old.rmdir()
        try:
            folder = tempfile.TemporaryDirectory(prefix="tmp-", dir=self._folder, ignore_cleanup_errors=True)
        except OSError as error:
            raise self._refused(error) from error
        with folder as name:
            yield Path(name)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other reconcilers off the local branch and its checkout. Raises WorkTreeBusy after 20 s."""
        self._make()
        with locked(self._file("lock"), _WAIT):
            yield

    def _file(self, suffix: str) -> Path:
        return self._folder / f"{self._key}.{suffix}"

    def _make(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise self._refused(error) from error

    def _write(self, suffix: str, content: bytes) -> None:
        self._make()
        target = self._file(suffix)
        temporary = None
        try:
            handle, temporary = tempfile.mkstemp(prefix="new-", dir=self._folder)
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)  # there only where something failed

    def _refused(self, error: OSError) -> RepositoryError:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
        cause = Cause.DISK if full else Cause.OTHER
        return RepositoryError(f"can't write into {self._folder}: {error.strerror}", cause)


@contextlib.contextmanager
def locked(file: Path, wait: float) -> Iterator[None]:
    """Hold `file` against other processes and threads; the kernel frees it when the process dies.

    Raises WorkTreeBusy where another holds it for `wait` seconds, RepositoryError where it can't be made.
    """
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RepositoryError(f"can't write {file}: {error.strerror}") from error
    try:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > until:
                    raise WorkTreeBusy(f"another reconciler has held {file} for {wait:.0f} s; try again") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)
