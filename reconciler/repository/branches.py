"""The tracked branch, and the branch that the ledger lies on: where both stand, here and at the remote.

They are one and the same unless `Tracked.status_branch` names another. Called by `door` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.errors import NoSuchBranch, RepositoryError, TipMoved
from reconciler.repository import commit as commits
from reconciler.repository.asked import resolve_there
from reconciler.repository.git import CLONE, NETWORK
from reconciler.repository.location import Place, Upstream, checked, locate, own_copy
from reconciler.repository.mirror import mirror
from reconciler.repository.model import Tracked
from reconciler.repository.pinned import pinned_beside
from reconciler.repository.revisions import resolve
from reconciler.repository.timing import Timed, timing, untimed
from reconciler.repository.urls import mask

_HEADS: Final = "refs/heads/"
_NAMED: Final = 20
"""Unpushed commits that a snapshot names."""


@dataclass(frozen=True, slots=True)
class Stand:
    """The commits that branches stand at: the tracked one, the ledger's (None: it isn't there), and the user's own
    copy of the tracked one (None: there is none, or it isn't there).
    """

    tip: str
    ledger: str | None
    local: str | None


class Branches:
    """Both branches of one repository. Make it with `find`."""

    def __init__(self, tracked: Place, ledger: Place, timed: Timed) -> None:
        self.tracked = tracked
        self.ledger = ledger
        self._timed = timed
        self._fetched = False

    @property
    def apart(self) -> bool:
        """Whether the ledger has a branch of its own."""
        return self.ledger is not self.tracked

    @property
    def pushed_to(self) -> frozenset[str]:
        """Both by the names that a push to them has: the remote's, where there is one."""
        return frozenset(
            place.upstream.ref.removeprefix(_HEADS) if place.upstream else place.branch
            for place in (self.tracked, self.ledger)
        )

    def read(self) -> Stand:
        """Fetch both at once where there is a remote, and see where they stand.

        Raises FetchFailed, NoSuchBranch, RepositoryError.
        """
        place, there = self.tracked, True
        if place.upstream:
            first = place.local is None and not self._fetched
            beside = self.ledger.upstream if self.apart else None
            with timing(self._timed, "fetch"):
                there = commits.fetch(place, place.upstream, CLONE if first else NETWORK, beside)
            self._fetched = True
        (tip, local), (ledger, _) = commits.refs_of(place, self.ledger)
        if tip is None:
            raise NoSuchBranch(f"branch {place.branch} of {place.shown} is not there any more, or has no commit")
        return Stand(tip, ledger if there else None, local)

    def ask(self) -> tuple[str | None, str | None]:
        """Where the tracked branch and the ledger's stand this moment, without fetching; None where one isn't there.

        Raises FetchFailed, RepositoryError.
        """
        upstreams = [place.upstream for place in (self.tracked, self.ledger) if place.upstream]
        if not upstreams:
            (tip, _), (ledger, _) = commits.refs_of(self.tracked, self.ledger)
            return tip, ledger
        with timing(self._timed, "ask"):
            tip, ledger = commits.remote_tips(self.tracked, *upstreams)
        return tip, ledger

    def watched(self) -> tuple[Path, ...]:
        """See `Repository.watched`."""
        common = self.tracked.common
        if self.tracked.local is None:
            return ()
        found = [common / "refs" / "heads", common / "packed-refs", common / "reftable"]
        for place in (self.tracked, self.ledger):
            if place.upstream:
                copies = common.joinpath(*place.upstream.tracking.split("/")[:3])
                found.append(copies if copies.is_dir() else copies.parent)  # packed refs may have no folder
        return tuple(dict.fromkeys(found))

    def resolve(self, revision: str) -> str:
        """The commit that a revision names. In a mirror, which has no branch of its own, those of the remote are meant.

        Raises RepositoryError, FetchFailed (a mirror).
        """
        place, upstream = self.tracked, self.tracked.upstream
        if upstream and place.local is None:
            if not self._fetched:
                self.read()
            with timing(self._timed, "fetch"):
                return resolve_there(place, upstream, revision)
        remote = upstream.remote if upstream else "origin"
        return resolve(place.git, revision, otherwise=f"refs/remotes/{remote}/{revision}")

    def fork(self, one: str, other: str) -> str:
        """The commit at which two revisions parted; that of `one` where it can't be told, as in a shallow clone.

        Raises as `resolve` does.
        """
        first, second = self.resolve(one), self.resolve(other)
        found = self.tracked.git.run("merge-base", first, second)
        return first if found.code else found.out.decode().strip()

    def how_to_move(self, commit: str) -> str:
        """What to type to move a ledger, all at `commit` of the tracked branch, to the branch of its own."""
        upstream, name = self.tracked.upstream, self.ledger.branch
        if upstream is None:
            command = f"git branch {name} {commit[:10]}"
        else:
            command = f"git push {mask(upstream.remote)} {commit[:10]}:{_HEADS}{name}"
        return f"`{command}`, then remove status/ from {self.tracked.branch}"

    def unpushed(self, tip: str, local: str | None) -> tuple[str, ...]:
        """`abc1234 subject` of the local branch's commits that `tip` lacks, the newest ones."""
        if local is None or local == tip:
            return ()
        shape = ("--no-commit-header", "--format=%h %s", f"-{_NAMED}")
        listed = self.tracked.git.text("rev-list", *shape, local, f"^{tip}")
        return tuple("".join(char if char.isprintable() else "?" for char in line) for line in listed.splitlines())

    def check_tracked(self, commit: str) -> None:
        """See, after a record on a branch of its own, that the tracked branch is still where its files were read.

        The push tells nothing about that. Raises TipMoved, FetchFailed, RepositoryError.
        """
        if self.apart and self.ask()[0] != commit:
            place = self.tracked
            raise TipMoved(
                f"{place.branch} moved at {place.shown} while we decided; what was recorded is on {self.ledger.branch}"
            )


def find(tracked: Tracked, timed: Timed = untimed) -> Branches:
    """Find the repository and the branches in it. For a URL this asks the remote and sets up the mirror.

    Raises NotARepository, NoSuchBranch, FetchFailed (a URL), RepositoryError; SettingsError for what `access` and
    `authorship` name.
    """
    url = checked(tracked)
    place = mirror(tracked, url, timed) if url else locate(tracked)
    name = tracked.status_branch
    if not name:
        return Branches(place, place, timed)
    upstream = place.upstream
    named = place.git.run("check-ref-format", "--branch", name)
    if named.out.decode(errors="replace").rstrip("\n") != name or name.startswith("refs/"):
        raise RepositoryError(f"--status-branch {name!r} is refused: no branch can have that name")
    for taken in (place.branch, upstream.ref.removeprefix(_HEADS) if upstream else place.branch):
        if name == taken:
            raise RepositoryError(
                f"--status-branch {name} is the tracked branch itself; name another, or leave it out to keep status/"
                " on the tracked branch"
            )
        if f"{name}/".startswith(f"{taken}/") or f"{taken}/".startswith(f"{name}/"):
            raise RepositoryError(f"--status-branch {name} is refused: git can't hold it beside branch {taken}")
    local = f"{_HEADS}{name}" if place.local else None
    beside = _beside(upstream, name) if upstream else None
    pinned = None if place.pinned is None else pinned_beside(place.git, name)
    return Branches(place, replace(place, branch=name, local=local, upstream=beside, pinned=pinned), timed)


def _beside(upstream: Upstream, name: str) -> Upstream:
    """Another branch of the same remote; our copy lies beside that of the tracked one, as the user's fetch has it."""
    ref = f"{_HEADS}{name}"
    branch = upstream.ref.removeprefix(_HEADS)
    folder = upstream.tracking.removesuffix(f"/{branch}")
    kept = folder.startswith("refs/remotes/") and folder != upstream.tracking
    return replace(upstream, ref=ref, tracking=f"{folder}/{name}" if kept else own_copy(upstream.remote, ref))
