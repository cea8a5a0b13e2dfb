"""Where no branch can be told, as in a CI job's checkout: a commit stands for it, and nothing is written.

Called by `location` and `branches` to find that commit, and by `door` for local states that nothing is written to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.repository.git import Git
from reconciler.repository.localstate import LocalState
from reconciler.repository.model import Tracked
from reconciler.repository.revisions import resolve

_HEADS = "refs/heads/"
_REMOTES = "refs/remotes/"


class NoState(LocalState):
    """What this machine remembers is left alone: nothing of it is read, nothing written."""

    def load(self, part: str = "") -> dict[str, Any] | None:
        return None

    def seen(self) -> str | None:
        return None

    def see(self, commit: str, instead: str | None) -> None:
        return None

    def forget(self) -> None:
        return None


class HeededState(LocalState):
    """What this machine remembers is heeded and stays as it is: for commands that only look."""

    def see(self, commit: str, instead: str | None) -> None:
        return None

    def forget(self) -> None:
        return None


def pinned_tip(git: Git, tracked: Tracked) -> str | None:
    """The commit that stands for the tracked branch; None where that can be told, or `Tracked.pinned` is empty.

    Raises RepositoryError where it names no commit.
    """
    if not tracked.pinned:
        return None
    if tracked.branch:
        refs = branch_refs(git)
        return None if f"{_HEADS}{tracked.branch}" in refs else _copy(git, refs, tracked.branch) or None
    on_branch = not git.run("symbolic-ref", "--quiet", "HEAD").code
    return None if on_branch else resolve(git, tracked.pinned)


def pinned_beside(git: Git, branch: str) -> str:
    """The commit of another branch as it lies there: here, else as a copy of a remote's; empty where neither is."""
    refs = branch_refs(git)
    return resolve(git, f"{_HEADS}{branch}") if f"{_HEADS}{branch}" in refs else _copy(git, refs, branch)


def _copy(git: Git, refs: Iterable[str], branch: str) -> str:
    """The commit of a remote's branch as it was fetched last; empty where it never was."""
    copies = remote_copies(refs, branch)
    return resolve(git, copies[0]) if copies else ""


def branch_refs(git: Git) -> dict[str, str]:
    """All branches, local and remote-tracking, by full name; with the full name of the upstream (empty: none)."""
    listed = git.text("for-each-ref", "--format=%(refname) %(upstream)", _HEADS, _REMOTES).splitlines()
    return {ref: upstream for ref, _, upstream in (line.partition(" ") for line in listed)}


def remote_copies(refs: Iterable[str], branch: str) -> list[str]:
    """The remote-tracking refs of a branch, that of `origin` first."""
    copies = [ref for ref in refs if ref.startswith(_REMOTES) and ref.split("/", 3)[3:] == [branch]]
    return sorted(copies, key=lambda ref: not ref.startswith(f"{_REMOTES}origin/"))
