"""The git door: one branch and folder of one repository, read as snapshots and written one commit at a time.

Called by `reconcile` and `cli`, which run it by `asyncio.to_thread`: everything here blocks. Safe to use from several
processes on one repository; one instance is for one thread at a time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from reconciler.errors import NoSuchBranch, RepositoryError
from reconciler.repository import commit as commits
from reconciler.repository.checkout import Checkout
from reconciler.repository.files import Entry
from reconciler.repository.git import CLONE, NETWORK
from reconciler.repository.history import History, ledger_id
from reconciler.repository.localstate import LocalState, Move
from reconciler.repository.location import Place, clean_path, locate
from reconciler.repository.model import FOLDERS, LEDGER, STATUS, TRAILER, Arrival, Snapshot, Tip, Tracked
from reconciler.repository.snapshot import Reader, View, status_of
from reconciler.repository.worktree import WorkTree

STEPS: Final = (
    "record", "commit-built", "move-noted", "pushed", "branch-moved", "index-moved", "file-moved", "checkout-moved",
    "recorded",
)  # fmt: skip
"""What `checkpoint` is told while a record is made, in this order; `file-moved` once a file. Not all come each time."""
_NAMED: Final = 20
"""Unpushed commits that a snapshot names."""


def _nothing(step: str) -> None:
    """Go on: the checkpoint of real runs."""


class Repository:
    """One branch and folder of one repository. Make it with `open`."""

    def __init__(self, tracked: Tracked, place: Place, path: str, checkpoint: Callable[[str], None]) -> None:
        self._place = place
        self._history = History(place.git, place.common, path)
        self._state = LocalState(place.common, place.branch, path)
        self._checkout = Checkout(place, self._history, self._state, checkpoint)
        self._step = checkpoint
        self._reader = Reader(place, self._history, self._state, tracked.accept_rewrite)
        self._fetched = False
        self._view: View | None = None
        self.branch = place.branch
        self.path = path

    @classmethod
    def open(cls, tracked: Tracked, checkpoint: Callable[[str], None] = _nothing) -> Repository:
        """Find the repository and the ledger in it. For a URL this asks the remote and sets up the mirror.

        `checkpoint` is told the name of each step (`STEPS`) as it is done; tests stop the process there.
        Raises NotARepository, NoSuchBranch, FetchFailed (a URL), RepositoryError.
        """
        path = clean_path(tracked.path)
        return cls(tracked, locate(tracked), path, checkpoint)

    @property
    def description(self) -> str:
        """Branch, folder and place for people, without any password."""
        folder = f"{self.path}/ on " if self.path else ""
        local = "" if self._place.upstream or self._place.local is None else " (local)"
        return f"{folder}branch {self.branch} of {self._place.shown}{local}"

    def read(self) -> Snapshot:
        """Fetch where there is a remote, and read everything of the tip; a tip read before costs no further process.

        Raises FetchFailed, NoSuchBranch, HistoryRewritten, TooShallow, RepositoryError.
        """
        started = time.monotonic()
        seen = self._state.seen()  # before the fetch: another process may record in between
        tip, local = self._refs()
        view = self._view
        if view is None or view.snapshot.tip.commit != tip or seen not in (None, view.snapshot.own_commit):
            view = self._reader.load(tip, seen, view)
        snapshot = replace(view.snapshot, tip=Tip(tip, started))
        if view.local != local:
            snapshot = replace(snapshot, unpushed=self._unpushed(tip, local))
        self._view = replace(view, snapshot=snapshot, local=local)
        if snapshot.own_commit:
            with contextlib.suppress(RepositoryError):  # what is read-only can be shown all the same, if not written
                self._state.see(snapshot.own_commit, seen)
        return snapshot

    def confirm(self, snapshot: Snapshot) -> Tip | None:
        """Ask again where the branch stands: the fresh tip if still at the snapshot's commit, else None.

        Raises FetchFailed, RepositoryError.
        """
        started = time.monotonic()
        upstream = self._place.upstream
        tip = commits.remote_tip(self._place, upstream) if upstream else commits.refs(self._place)[0]
        return Tip(snapshot.tip.commit, started) if tip == snapshot.tip.commit else None

    def preflight(self) -> None:
        """Complete what a killed process left half done, then see whether the checkout can take our commits.

        Raises WorkTreeBusy where the branch is checked out and the index is locked, a merge, rebase or the like is
        under way, or anything under `status/` is changed, staged or untracked.
        """
        self._checkout.preflight()

    def record(
        self,
        snapshot: Snapshot,
        files: Mapping[str, bytes | None],
        message: str,
        extra: Mapping[str, bytes] | None = None,
    ) -> Tip:
        """Commit on the snapshot's tip: `status/` becomes what the snapshot recorded, with `files` on top.

        `files`: paths under `status/` with their new content, None to delete. `extra`: `.gitkeep` files elsewhere, for
        `init`; those that exist stay. The message must end with the trailer `Reconciler-Ledger: <id of the ledger>`.
        Makes no commit where nothing would change. Pushed first where there is a remote, then the local branch follows
        if it stood at the tip. The `Tip` returned counts from before the push.

        Raises TipMoved, PushFailed, WorkTreeBusy, RepositoryError; ValueError for paths or a message that aren't fit.
        """
        wanted = dict(snapshot.recorded)
        for path, content in files.items():
            _check_record(path)
            wanted.pop(path, None)
            if content is not None:
                wanted[path] = content
        _check_message(message, wanted.get(LEDGER))
        started = time.monotonic()
        seen = self._state.seen()
        trees = self._checkout.ready()
        view = self._view_of(snapshot)
        prefix, parent = self._history.prefix, snapshot.tip.commit
        keep = {}
        for path, content in snapshot.recorded.items():
            if wanted.get(path) == content:
                keep[prefix + path] = replace(view.records[prefix + path], mode="100644")
        write = {prefix + path: content for path, content in wanted.items() if prefix + path not in keep}
        write |= self._extra(view, extra or {})
        standing = status_of(view.tree, prefix)
        if not write and keep == standing:
            return snapshot.tip
        self._step("record")
        with self._state.scratch() as scratch:
            made = commits.build(
                self._place.git,
                scratch,
                parent,
                drop=[name for name in standing if name not in keep and name not in write],
                keep={name: entry.oid for name, entry in keep.items() if standing.get(name) != entry},
                write=write,
                message=message,
                identity=self._place.identity,
            )
        self._step("commit-built")
        self._publish(Move(parent, made.commit), trees, message)
        with contextlib.suppress(RepositoryError):
            self._state.see(made.commit, seen)
        written = {name: Entry("100644", oid, len(write[name])) for name, oid in made.written.items()}
        self._view = _after(view, prefix, made.commit, wanted, keep, written)
        self._step("recorded")
        return Tip(made.commit, started)

    def arrival(self, commit: str, file: str, same: Callable[[bytes | None], bool]) -> Arrival:
        """The newest first-parent commit at or before `commit` that brought the content for which `same` is true.

        `file` is relative to `path`; `same` gets a version of it, None where it wasn't there or wasn't a plain file.
        Raises TooShallow where the walk ends at the end of a shallow clone, RepositoryError where nothing touches it.
        """
        return self._history.arrival(commit, file, same)

    def load_state(self) -> dict[str, Any] | None:
        """The small JSON object saved last for this branch and path; None where there is none, or it is unreadable."""
        return self._state.load()

    def save_state(self, state: dict[str, Any]) -> None:
        """Keep a small JSON object in the git directory, on the disk when this returns. Raises RepositoryError."""
        self._state.save(state)

    def _refs(self) -> tuple[str, str | None]:
        """Fetch; the tip of the ledger and the local branch."""
        place = self._place
        if place.upstream:
            first = place.local is None and not self._fetched
            commits.fetch(place, place.upstream, CLONE if first else NETWORK)
            self._fetched = True
        tip, local = commits.refs(place)
        if tip is None:
            raise NoSuchBranch(f"branch {self.branch} of {place.shown} is not there any more, or has no commit")
        return tip, local

    def _unpushed(self, tip: str, local: str | None) -> tuple[str, ...]:
        if local is None or local == tip:
            return ()
        shape = ("--no-commit-header", "--format=%h %s", f"-{_NAMED}")
        listed = self._place.git.text("rev-list", *shape, local, f"^{tip}")
        return tuple("".join(char if char.isprintable() else "?" for char in line) for line in listed.splitlines())

    def _view_of(self, snapshot: Snapshot) -> View:
        """What is known of a snapshot's commit; read anew where another was read since."""
        view = self._view
        if view and view.snapshot.tip.commit == snapshot.tip.commit and view.snapshot.own_commit == snapshot.own_commit:
            return view
        return self._reader.load(snapshot.tip.commit, snapshot.own_commit, view)

    def _extra(self, view: View, extra: Mapping[str, bytes]) -> dict[str, bytes]:
        found = {}
        for path, content in extra.items():
            folder, _, name = path.partition("/")
            if folder not in FOLDERS or name != ".gitkeep":
                raise ValueError(f"{path!r} is no .gitkeep of a folder of ours")
            if self._history.prefix + folder in view.tree:
                raise RepositoryError(f"{self._history.prefix}{folder} is in the way: a folder belongs there")
            if self._history.prefix + path not in view.tree:
                found[self._history.prefix + path] = content
        return found

    def _publish(self, move: Move, trees: list[WorkTree], message: str) -> None:
        """Push, then move the local branch if it stands at the parent; without a remote the latter alone counts."""
        upstream = self._place.upstream
        note = f"reconciler: {message.partition(chr(10))[0]}"
        follows = self._place.local is not None and (upstream is None or commits.refs(self._place)[1] == move.old)
        if follows:
            self._state.begin(move)
            self._step("move-noted")
        if upstream is None:
            self._checkout.advance(move, trees, note)
            return
        try:
            commits.push(self._place, upstream, move.old, move.new)
        except RepositoryError:
            self._state.end(move)
            raise
        self._step("pushed")
        if follows:
            with contextlib.suppress(RepositoryError):  # pushed, so it counts, wherever the local branch went
                self._checkout.advance(move, trees, note)


def _after(
    view: View,
    prefix: str,
    commit: str,
    recorded: Mapping[str, bytes],
    keep: Mapping[str, Entry],
    written: Mapping[str, Entry],
) -> View:
    """What is known of our own new commit without reading it."""
    standing = status_of(view.tree, prefix)
    tree = {name: entry for name, entry in view.tree.items() if name not in standing} | dict(keep) | dict(written)
    snapshot = replace(view.snapshot, tip=Tip(commit, 0.0), recorded=recorded, own_commit=commit, tampered=())
    return View(tree, status_of(tree, prefix), snapshot, view.local)


def _check_record(path: str) -> None:
    parts = path.split("/")
    if parts[0] != STATUS or len(parts) < 2 or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise ValueError(f"{path!r} is no path under {STATUS}/")
    if not path.isprintable():
        raise ValueError(f"{path!r} can't be the name of a record")


def _check_message(message: str, ledger: bytes | None) -> None:
    """Our own commits must be found again: by a trailer that names the ledger in the very same commit."""
    wanted = ledger_id(ledger or b"")
    last = message.strip().rpartition("\n\n")[2].splitlines()
    if wanted is None or f"{TRAILER}: {wanted}" not in last or "\0" in message:
        raise ValueError(f"the message lacks the trailer {TRAILER}: {wanted}, or {LEDGER} has no id")
