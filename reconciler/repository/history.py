"""What the history tells: which commits are ours, and which commit brought a content to the branch."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import RepositoryError, TooShallow
from reconciler.repository.approval import SHAPE, Landing, arrival_of, parse
from reconciler.repository.files import FILE_LIMIT, contents
from reconciler.repository.git import Git
from reconciler.repository.model import LEDGER, STATUS, TRAILER, Arrival

QUIET: Final = ("--no-show-signature", "--no-color", "--no-decorate", "--no-notes", "--no-ext-diff", "--no-follow")
"""What `git log` is not to add or do, whatever the user's configuration says."""
_ID: Final = re.compile(rb"""^\s*id:\s*["']?([0-9a-f-]+)["']?\s*$""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class History:
    """The history of one repository, as seen from the folder `path` in it."""

    git: Git
    common: Path
    path: str

    @property
    def prefix(self) -> str:
        return f"{self.path}/" if self.path else ""

    def shallow(self) -> frozenset[str]:
        """The commits at which a shallow clone ends; empty for a full one."""
        try:
            return frozenset((self.common / "shallow").read_text().split())
        except OSError:
            return frozenset()

    def contains(self, tip: str, commit: str) -> bool:
        """Whether `commit` is `tip` or an ancestor of it; False also where nobody has it any more."""
        return tip == commit or self.git.run("merge-base", "--is-ancestor", commit, tip).code == 0

    def newest_own(self, tip: str, known: str | None) -> str | None:
        """The newest own commit that `tip` contains; `known` is one that it contains for sure, and saves the search."""
        with contextlib.closing(self._own(tip, known)) as newer:
            return next(newer, known)

    def strangers(self, tip: str, newest: str) -> list[str]:
        """Own commits in `tip` that `newest` doesn't contain: another ledger was merged. Newest first, usually none."""
        return [] if tip == newest else list(self._own(tip, newest))

    def _own(self, tip: str, without: str | None) -> Generator[str]:
        """Own commits that `tip` contains and `without` doesn't, newest first."""
        wanted = f"--format=%H %(trailers:key={TRAILER},valueonly=true,separator=%x2C)"
        search = ["--date-order", "--max-parents=1", "--fixed-strings", f"--grep={TRAILER}: ", "--no-commit-header"]
        exclude = [f"^{without}"] if without else []
        with self.git.pieces("rev-list", *search, wanted, tip, *exclude) as lines:
            for line in lines:
                commit, _, ledger = line.decode(errors="replace").partition(" ")
                if ledger.strip() and self._is_own(commit, ledger.strip()):
                    yield commit

    def _is_own(self, commit: str, ledger: str) -> bool:
        """Whether a commit with our trailer is one of ours, for this path, and not a human's that copied the message.

        Ours hold that very ledger and touch only records, and once, at the beginning, `.gitkeep`.
        """
        held = self.git.run("cat-file", "blob", f"{commit}:{self.prefix}{LEDGER}")
        if held.code or ledger_id(held.out) != ledger:
            return False
        shape = ("-r", "-z", "--root", "--no-commit-id", "--name-only", "--no-renames")
        listed = self.git.out("diff-tree", *shape, commit)
        return only_records((name for name in listed.split(b"\0") if name), self.prefix)

    def arrival(self, commit: str, file: str, same: Callable[[bytes | None], bool]) -> Arrival:
        """See `Repository.arrival`."""
        landing = self._landing(commit, file, same)
        arrival = arrival_of(self.git, landing, self.prefix + file, self.shallow())
        if arrival is None:
            raise self.too_shallow(f"a part of what {landing.commit[:10]} merged, which brought {file},")
        return arrival

    def _landing(self, commit: str, file: str, same: Callable[[bytes | None], bool]) -> Landing:
        how = ["--first-parent", "--diff-merges=first-parent", "--raw", "--no-abbrev", "--no-renames", "-z"]
        boundary = self.shallow()
        name = self.prefix + file
        found: Landing | None = None
        with self.git.pieces("log", *QUIET, *how, SHAPE, commit, "--", name, end=b"\0") as pieces:
            for piece in pieces:
                text = piece.lstrip(b"\n")
                if text.startswith(b"\x01"):
                    found = parse(text)
                if not text.startswith(b":") or found is None:
                    continue  # the name, which we know
                if found.commit in boundary:
                    raise self.too_shallow(f"the commit that brought {file}")
                mode, _, oid = text[1:].decode().split()[:3]
                if not same(self._regular(mode, oid)):
                    return found
        if found is None:
            raise RepositoryError(f"no commit in the history of {commit[:10]} touches {name}")
        return found

    def _regular(self, mode: str, oid: str) -> bytes | None:
        """A file's content; None where it wasn't there, or was something that is refused."""
        if not mode.startswith("100"):
            return None
        content = contents(self.git, [oid])[oid]
        return content if len(content) <= FILE_LIMIT else None

    def too_shallow(self, what: str) -> TooShallow:
        """The error for a search that ended where a shallow clone ends."""
        return TooShallow(
            f"the clone is shallow, and {what} lies before its end; run `git fetch --unshallow`"
            " (in a CI job: check out with the full history, as with fetch-depth: 0)"
        )


def only_records(touched: Iterable[bytes], prefix: str) -> bool:
    """Whether a commit that touches these paths (from the root) may be ours."""
    records = f"{prefix}{STATUS}/".encode()
    return all(name.startswith(records) or name.rpartition(b"/")[2] == b".gitkeep" for name in touched)


def ledger_id(content: bytes) -> str | None:
    """The ledger id in the text of `status/ledger.yaml`, None where there is none."""
    match = _ID.search(content)
    return match[1].decode() if match else None
