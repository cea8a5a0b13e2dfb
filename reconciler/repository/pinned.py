"""Where no branch can be told, as in a CI job's checkout: a commit stands for it, and nothing is written.

Called by `location` and `branches` to find that commit, and by `door` for local states that nothing is written to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from reconciler.repository.git import Git
from reconciler.repository.localstate import LocalState
from reconciler.repository.model import LEDGER, Tracked
from reconciler.repository.revisions import resolve

_BRANCH: Final = re.compile(r"""^branch:\s*["']?([^"'\n]+?)["']?\s*$""", re.MULTILINE)
"""The branch in the text of a ledger."""
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

    Where it lags behind the branch that its ledger was made for, it is where that one stands, as far as is known here:
    what ran since is recorded there. Raises RepositoryError where it names no commit.
    """
    if not tracked.pinned:
        return None
    if tracked.branch:
        refs = branch_refs(git)
        return None if f"{_HEADS}{tracked.branch}" in refs else _copy(git, refs, tracked.branch) or None
    on_branch = not git.run("symbolic-ref", "--quiet", "HEAD").code
    if on_branch:
        return None
    commit = resolve(git, tracked.pinned)
    stands = _stands(git, _ledger_branch(git, commit, tracked.path))
    lags = bool(stands) and bool(git.run("merge-base", "--is-ancestor", stands, commit).code)
    return stands if lags else commit


def _ledger_branch(git: Git, commit: str, path: str) -> str:
    """The branch that the ledger in a commit was made for; empty where there is none."""
    folder = "/".join(part for part in path.split("/") if part not in ("", "."))
    held = git.run("cat-file", "blob", f"{commit}:{folder}/{LEDGER}".replace(":/", ":"))
    found = None if held.code else _BRANCH.search(held.out.decode(errors="replace"))
    return found[1] if found else ""


def _stands(git: Git, branch: str) -> str:
    """Where a branch stands: at the remote if it has an upstream, as that was fetched last; empty: not known here."""
    refs = branch_refs(git) if branch else {}
    local = f"{_HEADS}{branch}"
    ref = refs.get(local) or (local if local in refs else next(iter(remote_copies(refs, branch)), ""))
    return resolve(git, ref) if ref in refs else ""


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
