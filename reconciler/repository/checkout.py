"""Move the local branch, and the index and work tree under `status/` where it is checked out, to our next commit.

A move is noted first and forgotten last, so that one which was cut short anywhere is completed by the next `preflight`.
Only paths that our commit changes are read or written; whatever else the user has staged or edited stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from reconciler.errors import RepositoryError, TipMoved, WorkTreeBusy
from reconciler.repository import worktree
from reconciler.repository.commit import refs
from reconciler.repository.files import contents, empty_tree, entries, is_null
from reconciler.repository.git import Git, plain
from reconciler.repository.history import History
from reconciler.repository.localstate import LocalState, Move
from reconciler.repository.location import Place
from reconciler.repository.model import STATUS
from reconciler.repository.worktree import WorkTree

_LOCK_WAIT: Final = 2.0
"""Seconds to wait for another git process to let go of an index or ref."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A record before and after: object ids, None where it isn't there."""

    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Checkout:
    """The local side of one ledger. `step` is told each step by name, before or after which a process may die."""

    place: Place
    history: History
    state: LocalState
    step: Callable[[str], None]

    def preflight(self) -> None:
        """See `Repository.preflight`."""
        if self.place.local is None:
            return
        trees = self.ready()
        try:
            self._check_clean(trees)
        except WorkTreeBusy:
            with self.state.alone():  # another reconciler may just have been moving it: look again while none does
                for move in self.state.moves():
                    self._complete(move, trees)
                self._check_clean(trees)

    def _check_clean(self, trees: list[WorkTree]) -> None:
        commit = refs(self.place)[1] if trees else None
        for tree in trees if commit else ():
            dirty = self._dirty(tree, str(commit))
            if dirty:
                more = f" and {len(dirty) - 3} more" if len(dirty) > 3 else ""
                raise WorkTreeBusy(
                    f"{', '.join(dirty[:3])}{more} in {tree.top}: changed, staged or new, and only the reconciler"
                    f" writes there; put it back with: git checkout HEAD -- {self._status}; git clean -f {self._status}"
                )

    def ready(self) -> list[WorkTree]:
        """The work trees that have the branch checked out, after moves that were cut short are complete.

        Raises WorkTreeBusy where git is in the middle of something there.
        """
        if self.place.local is None:
            return []
        trees = worktree.checked_out(self.place)
        for tree in trees:
            worktree.check_idle(tree, _LOCK_WAIT)
        if self.state.moves():
            with self.state.alone():
                for move in self.state.moves():
                    self._complete(move, trees)
        return trees

    def advance(self, move: Move, trees: list[WorkTree], note: str) -> None:
        """Move the local branch from `move.old` to `move.new`, then its checkouts.

        Raises TipMoved where it stands elsewhere. Once it has moved nothing is raised: what keeps the checkout from
        following is found, and told, by the next `preflight`.
        """
        with self.state.alone():
            try:
                self._move_branch(move, note)
            except RepositoryError:
                self.state.end(move)
                raise
            self.step("branch-moved")
            try:
                for tree in trees:
                    self._move_tree(tree, move)
            except RepositoryError:
                return
            self.state.end(move)
            self.step("checkout-moved")

    @property
    def _status(self) -> str:
        return self.history.prefix + STATUS

    def _move_branch(self, move: Move, note: str) -> None:
        local = str(self.place.local)
        until = time.monotonic() + _LOCK_WAIT
        while True:
            done = self.place.git.run("update-ref", "-m", note, local, move.new, move.old, env=self.place.identity)
            if not done.code:
                return
            if not move.begins_at(refs(self.place)[1]):
                raise TipMoved(f"{self.place.branch} moved while we decided")
            if time.monotonic() > until:
                raise RepositoryError(f"can't move {self.place.branch}: {plain(done.err)}")
            time.sleep(0.1)

    def _complete(self, move: Move, trees: list[WorkTree]) -> None:
        """Bring a move that a killed process began to its end, or drop it where there is nothing to bring there."""
        tracked, local = refs(self.place)
        if move.begins_at(local):
            landed = self.place.upstream is not None and tracked and self.history.contains(tracked, move.new)
            if not landed:
                return  # its commit isn't the ledger, unless a process is about to make it so
            self._move_branch(move, "reconciler: record")
        elif local != move.new:
            self.state.end(move)
            return
        for tree in trees:
            self._move_tree(tree, move)
        self.state.end(move)

    def _move_tree(self, tree: WorkTree, move: Move) -> None:
        """Take index and files of one checkout to the new commit; any part of it may have been done already.

        Raises WorkTreeBusy where a human changed one of the paths, or another git process holds the index.
        """
        git = self.place.git.at(tree.top, tree.git_dir, tree.top)
        changes = self._changes(git, move)
        if not changes:
            return
        beside = [path for path in changes if not path.startswith(f"{self._status}/")]  # init's .gitkeep
        index = worktree.index(git, self._status, *beside)
        going = {path for path, change in changes.items() if change.new is None}
        for path, change in changes.items():
            entry = index.get(path)
            staged = entry.oid if entry else None
            absent_by_choice = entry is not None and entry.fileless
            on_disk = worktree.on_disk(tree.top, path, len(move.new), going)
            sides = (change.old, change.new)
            fits = None in sides or absent_by_choice if on_disk is None else any(oid in on_disk for oid in sides)
            if staged not in sides or not fits:
                raise WorkTreeBusy(
                    f"{path} in {tree.top} was changed by hand; put it back with: git checkout HEAD -- {path}"
                )
        self._move_index(git, changes, len(move.new))
        self.step("index-moved")
        new = contents(git, [change.new for change in changes.values() if change.new])
        worktree.write(
            tree.top, {path: new[change.new] if change.new else None for path, change in changes.items()}, self.step
        )

    def _changes(self, git: Git, move: Move) -> dict[str, _Change]:
        old = empty_tree(len(move.new)) if is_null(move.old) else move.old
        listed = git.out("diff-tree", "-r", "-z", "--no-renames", "--raw", old, move.new)
        pieces = listed.decode("utf-8", "surrogateescape").split("\0")
        changes = {}
        for about, path in zip(pieces[::2], pieces[1::2], strict=False):
            _, _, before, after, _ = about.split()
            changes[path] = _Change(*(None if is_null(oid) else oid for oid in (before, after)))
        return changes

    def _move_index(self, git: Git, changes: dict[str, _Change], width: int) -> None:
        gone = [f"0 {'0' * width}\t{path}\0" for path, change in changes.items() if change.new is None]
        there = [f"100644 {change.new}\t{path}\0" for path, change in changes.items() if change.new]
        lines = "".join(gone + there).encode("utf-8", "surrogateescape")
        until = time.monotonic() + _LOCK_WAIT
        while (done := git.run("update-index", "-z", "--index-info", stdin=lines)).code:
            if time.monotonic() > until:
                raise WorkTreeBusy(f"can't write the index: {plain(done.err)}")
            time.sleep(0.1)

    def _dirty(self, tree: WorkTree, commit: str) -> list[str]:
        """Paths under `status/` where index or work tree isn't what the branch holds."""
        git = self.place.git.at(tree.top, tree.git_dir, tree.top)
        wanted = {path: entry.oid for path, entry in entries(git, commit, [self._status]).items()}
        index = worktree.index(git, self._status)
        staged = {path: entry.oid for path, entry in index.items()}
        dirty = {path for path in wanted.keys() | staged.keys() if staged.get(path) != wanted.get(path)}
        found = worktree.walk(tree.top, self._status)
        for path, entry in index.items():
            if path not in found:
                dirty |= set() if entry.fileless else {path}
            elif entry.oid not in (worktree.on_disk(tree.top, path, len(commit)) or ()):
                dirty.add(path)
        if found - index.keys():
            others = git.out("ls-files", "--others", "--exclude-standard", "-z", "--", self._status)
            dirty |= {name for name in others.decode("utf-8", "surrogateescape").split("\0") if name}
        return sorted(dirty)
