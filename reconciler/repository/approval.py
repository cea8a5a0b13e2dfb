"""Who asked for a change, who merged it and who approved it, as its commits tell.

Called by `History.arrival` for the one commit that it found; at most two further git processes, and only for a merge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from reconciler.repository.git import Git
from reconciler.repository.model import Arrival

_TRAILERS: Final = "%(trailers:key=Reviewed-by,key=Approved-by,valueonly=true,unfold=true,separator=%x0A)"
SHAPE: Final = f"--format=%x01%H%n%P%n%ct%n%an <%ae>%n%cn <%ce>%n{_TRAILERS}%x03"
"""What `parse` takes; an identity holds no newline, nor does an unfolded trailer."""
_MOST: Final = 20
"""Approvals that are kept of one arrival."""
_LENGTH: Final = 200
"""Characters of a name or an approval."""
_ROBOTS: Final = ("noreply@", "no-reply@")
"""How the mail of a forge begins that commits in a person's stead, as GitHub does for a squash merge."""


@dataclass(frozen=True, slots=True)
class Landing:
    """A first-parent commit as git tells of it: `parents` by full id, `approved` the values of its trailers."""

    commit: str
    parents: tuple[str, ...]
    when: datetime
    author: str
    committer: str
    approved: tuple[str, ...]


def parse(text: bytes) -> Landing:
    """One commit that was printed in `SHAPE`."""
    head, _, _ = text.lstrip(b"\x01").rpartition(b"\x03")
    commit, parents, seconds, author, committer, *approved = head.decode(errors="replace").split("\n")
    when = datetime.fromtimestamp(int(seconds), UTC)
    return Landing(commit, tuple(parents.split()), when, one_line(author), one_line(committer), tuple(approved))


def arrival_of(git: Git, landing: Landing, file: str, ends: frozenset[str]) -> Arrival | None:
    """Who brought `file` (from the root) by that commit.

    `ends`: the commits at which a shallow clone ends. None where it lacks a part of what was merged.
    """
    if len(landing.parents) < 2:
        own_hand = landing.committer == landing.author or _robot(landing.committer)
        merged_by = "" if own_hand else landing.committer
        return Arrival(landing.commit, landing.author, landing.when, merged_by, _approvals(landing.approved))
    merged = (landing.commit, f"^{landing.parents[0]}")
    approved = _merged_approvals(git, merged, ends)
    if approved is None:
        return None
    newest = ("--topo-order", "--no-merges", "--max-count=1", "--no-commit-header", "--format=%an <%ae>")
    author = one_line(git.text("rev-list", *newest, *merged, "--", file)) or landing.author
    return Arrival(landing.commit, author, landing.when, landing.author, approved)


@lru_cache(maxsize=16)  # one merge may bring hundreds of files, and each asks
def _merged_approvals(git: Git, merged: tuple[str, ...], ends: frozenset[str]) -> tuple[str, ...] | None:
    """The approvals of a merge and of all that it merged, newest first.

    None where the clone is shallow and the merged side ends before it meets the branch: some of these commits may have
    been on the branch before, and their approvals be for something else.
    """
    found = []
    shape = ("--topo-order", "--no-commit-header", f"--format=%P%x00{_TRAILERS}%x00")
    with git.pieces("rev-list", *shape, *merged, end=b"\0") as pieces:
        for parents, approved in zip(pieces, pieces, strict=False):
            if ends and not parents.strip():
                return None
            found += approved.decode(errors="replace").split("\n")
    return _approvals(found)


def _approvals(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(one_line, values))))[:_MOST]


def _robot(person: str) -> bool:
    return person.rpartition("<")[2].lower().startswith(_ROBOTS)


def one_line(text: str) -> str:
    """`text` as one printable line, cut where it is very long."""
    return "".join(char if char.isprintable() else "?" for char in text.strip())[:_LENGTH]
