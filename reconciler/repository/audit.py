"""The history of the records: our own commits, newest first, each with what it changed.

Called by `Repository.changes`. Whatever their number, two git processes: one lists, one gives the contents.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from reconciler.errors import RepositoryError
from reconciler.repository.approval import one_line
from reconciler.repository.git import Git
from reconciler.repository.history import QUIET, History, ledger_id, only_records
from reconciler.repository.model import LEDGER, STATUS, TRAILER, Change, FileChange, Snapshot

_TRAILER: Final = f"%(trailers:key={TRAILER},valueonly=true,unfold=true,separator=%x2C)"
_SHAPE: Final = ("-z", "--date=raw", f"--format=%H%x00%cd%x00%an <%ae>%x00{_TRAILER}%x00%B")
_DIFF: Final = ("--raw", "--root", "--no-abbrev", "--no-renames", "--full-diff", "--full-history")
_OURS: Final = ("--date-order", "--max-parents=1", "--fixed-strings", f"--grep={TRAILER}: ")
_LIKE_A_DATE: Final = re.compile(r"\d+[-/.]\d|\d{8}$")
_IN_FIGURES: Final = re.compile(r"(\d{1,4})[-/.](\d\d?)[-/.](\d{1,4})(?:[T ]+(\d\d?):(\d\d)(?::(\d\d))?)?(?![\d:])")
"""A date with its year first or last, and the time of day where one follows."""
_LAST_DAY: Final = 31
_LAST: Final = 253402214400
"""The last day of 9999, in seconds: what is later can't be told in every zone."""


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit as listed; `touched`: each path from the root with its object ids, "" where it isn't a file there."""

    oid: str
    seconds: int
    zone: str
    author: str
    ledger: str
    message: str
    touched: tuple[tuple[str, str, str], ...]


def changes(
    history: History, snapshot: Snapshot, paths: Collection[str], since: str, limit: int
) -> Generator[Change, None, None]:
    """See `Repository.changes`. What is wrong with the arguments is raised at once, the rest as one goes on."""
    for path in paths:
        parts = path.rstrip("/").split("/")
        if parts[0] != STATUS or any(part in ("", ".", "..") for part in parts) or not path.isprintable():
            raise ValueError(f"{path!r} is no path under {STATUS}/")
    wanted = [history.prefix + path.rstrip("/") for path in paths]
    return _changes(history, snapshot, wanted, earliest(history.git, since), limit)


def earliest(git: Git, since: str) -> int:
    """The time that `since` means, in seconds; 0 for an empty one.

    An RFC 3339 time, a date alone (its beginning, here), or what else `git log --since` takes.
    Raises RepositoryError where it is refused, is no day of any calendar, or git can't tell what time it is.
    """
    if not since:
        return 0
    if since.startswith("-") or not since.isprintable():
        raise RepositoryError(f"--since {since!r} is refused: it would be read as an option, or can't be shown")
    try:
        seconds = int(datetime.fromisoformat(since).timestamp())
    except (ValueError, OverflowError, OSError):
        told = git.text("rev-parse", f"--since={since}").rpartition("=")[2]
        seconds = int(told) if told.isdigit() else 0
        if seconds >= int(time.time()) - 1 or _no_day(since):  # git takes what it can't read for this moment
            raise RepositoryError(
                f"can't tell what time --since {since} is; write it as '2 days ago', 2026-01-31 or 2026-01-31T12:00:00Z"
            ) from None
    return max(seconds, 0)


def _no_day(text: str) -> bool:
    """Whether a text looks like a date in figures and is none: git makes some other day of 2026-02-30."""
    if not _LIKE_A_DATE.match(text):
        return False
    found = _IN_FIGURES.match(text)
    if found is None:
        return True
    one, two, three, *clock = (int(figures or 0) for figures in found.groups())
    orders = ((one, two, three),) if one > _LAST_DAY else ((three, two, one), (three, one, two))
    return not any(_is_time(*order, *clock) for order in orders)


def _is_time(*figures: int) -> bool:
    try:
        datetime(*figures)  # type: ignore[arg-type]  # mypy counts no stars
    except ValueError:
        return False
    return True


def _changes(
    history: History, snapshot: Snapshot, wanted: list[str], since: int, limit: int
) -> Generator[Change, None, None]:
    if snapshot.own_commit is None:
        return
    ledger = ledger_id(snapshot.recorded.get(LEDGER, b""))
    ends = history.shallow()
    count = 0
    with history.git.objects() as read:
        for commit in _listed(history.git, snapshot.own_commit, wanted):
            if commit.oid in ends or commit.ledger != ledger or commit.seconds < since:
                continue  # at the end of a shallow clone it can't be told what a commit changed
            if not only_records((os.fsencode(path) for path, _, _ in commit.touched), history.prefix):
                continue
            if ledger_id(read(f"{commit.oid}:{history.prefix}{LEDGER}") or b"") != ledger:
                continue
            yield _change(commit, history.prefix, wanted, read)
            count += 1
            if count == limit:
                return


def _listed(git: Git, start: str, wanted: list[str]) -> Iterator[_Commit]:
    """The commits with our trailer that `start` contains and that touch what is wanted, newest first."""
    with git.pieces("log", *QUIET, *_OURS, *_DIFF, *_SHAPE, start, "--", *wanted, end=b"\0") as pieces:
        piece = next(pieces, None)
        while piece is not None:
            commit = piece.decode()
            when, author, ledger, message = (next(pieces).decode(errors="replace") for _ in range(4))
            touched = []
            while (piece := next(pieces, None)) is not None and piece.lstrip(b"\n").startswith(b":"):
                before, after, old, new, _ = piece.lstrip(b"\n")[1:].decode().split()
                name = os.fsdecode(next(pieces))
                touched.append((name, old if before.startswith("100") else "", new if after.startswith("100") else ""))
            text, _, zone = when.partition(" ")
            seconds = int(text) if text.isdigit() else 0
            yield _Commit(commit, seconds, zone, author, ledger.strip(), message, tuple(touched))


def _change(commit: _Commit, prefix: str, wanted: list[str], read: Callable[[str], bytes | None]) -> Change:
    def content(oid: str) -> bytes | None:
        found = read(oid) if oid else None
        if oid and found is None:
            raise RepositoryError(f"the repository lacks object {oid[:10]}; run git fsck")
        return found

    under = wanted or [prefix + STATUS]
    files = tuple(
        FileChange(name.removeprefix(prefix), content(old), content(new))
        for name, old, new in commit.touched
        if any(name == path or name.startswith(f"{path}/") for path in under)
    )
    message = "\n".join(
        "".join(char if char.isprintable() else "?" for char in line) for line in commit.message.strip("\n").split("\n")
    )
    return Change(commit.oid, _moment(commit.seconds, commit.zone), one_line(commit.author), message, files)


def _moment(seconds: int, zone: str) -> datetime:
    """A time with the zone (`+0200`) it was written in; UTC where that is none."""
    try:
        offset = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
        where = timezone(offset)
    except (ValueError, IndexError):
        where = UTC
    return datetime.fromtimestamp(min(seconds, _LAST), where)
