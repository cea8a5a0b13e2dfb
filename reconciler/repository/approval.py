"""Who asked for a change, who merged it and who approved it, as its commits tell.

Called by `History.arrival` for the one commit that it found; one further git process, and only for a merge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
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

    Approvals are those of that commit alone: whoever asks writes the commits that a merge brings, too.
    `ends`: the commits at which a shallow clone ends. None where who wrote the file lies before one of them.
    """
    approved = _approvals(landing.approved)
    if len(landing.parents) < 2:
        own_hand = landing.committer == landing.author or _robot(landing.committer)
        merged_by = "" if own_hand else landing.committer
        return Arrival(landing.commit, landing.author, landing.when, merged_by, approved)
    newest = ("--topo-order", "--no-merges", "--max-count=1", "--no-commit-header", "--format=%H %an <%ae>")
    told = git.text("rev-list", *newest, landing.commit, f"^{landing.parents[0]}", "--", file)
    writer, _, author = told.partition(" ")
    if writer in ends:
        return None  # cut off there, a commit looks as if it had brought every file
    return Arrival(landing.commit, one_line(author) or landing.author, landing.when, landing.author, approved)


def _approvals(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(one_line, values))))[:_MOST]


def _robot(person: str) -> bool:
    return person.rpartition("<")[2].lower().startswith(_ROBOTS)


def one_line(text: str) -> str:
    """`text` as one printable line, cut where it is very long."""
    return "".join(char if char.isprintable() else "?" for char in text.strip())[:_LENGTH]
