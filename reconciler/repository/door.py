"""The git door: one branch and folder of one repository, read as snapshots and written one commit at a time.

Called by `reconcile` and `cli`, which run it by `asyncio.to_thread`: everything here blocks. Safe to use from several
processes on one repository; one instance is for one thread at a time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from reconciler.errors import RepositoryError
from reconciler.repository import audit
from reconciler.repository import commit as commits
from reconciler.repository.branches import Branches, find
from reconciler.repository.checkout import Checkout
from reconciler.repository.edits import after, edits, overlaid
from reconciler.repository.history import History
from reconciler.repository.localstate import LocalState, Move
from reconciler.repository.location import clean_path
from reconciler.repository.mirror import tidy
from reconciler.repository.model import Arrival, Change, Revision, Snapshot, Tip, Tracked
from reconciler.repository.pinned import HeededState, NoState
from reconciler.repository.revisions import read_revision
from reconciler.repository.snapshot import Reader, View
from reconciler.repository.timing import Timed, timing, untimed
from reconciler.repository.worktree import WorkTree

STEPS: Final = (
    "record", "commit-built", "move-noted", "pushed", "branch-moved", "index-moved", "file-moved", "checkout-moved",
    "recorded",
)  # fmt: skip
"""What `checkpoint` is told while a record is made, in this order; `file-moved` once a file. Not all come each time."""


def _nothing(step: str) -> None:
    """Go on: the checkpoint of real runs."""


class Repository:
    """One branch and folder of one repository. Make it with `open`."""

    def __init__(
        self, tracked: Tracked, branches: Branches, path: str, checkpoint: Callable[[str], None], timed: Timed
    ) -> None:
        self._branches = branches
        self._timed = timed
        self._place = place = branches.tracked
        self._history = History(place.git, place.common, path)
        looks = HeededState if tracked.pinned else LocalState
        state = looks if place.pinned is None else NoState
        self._state: LocalState = state(place.common, place.branch, path, tracked.status_branch)
        self._checkout = Checkout(branches.ledger, self._history, self._state, checkpoint)
        self._step = checkpoint
        self._reader = Reader(branches, self._history, self._state, tracked.accept_rewrite)
        self._view: View | None = None
        self._landed: tuple[str, str] | None = None  # our last record: what the ledger's branch stood at, our commit
        self._stood: tuple[str, str] | None = None  # the tracked branch and the ledger's, as of the last read or record
        self.made = ""  # the commit that `record` made last, wherever that ended
        self.branch = place.branch
        self.status_branch = tracked.status_branch
        self.path = path
        self.pushed_to = branches.pushed_to  # the names of both at the remote, where there is one

    @classmethod
    def open(cls, tracked: Tracked, checkpoint: Callable[[str], None] = _nothing, timed: Timed = untimed) -> Repository:
        """Find the repository and the ledger in it. For a URL this asks the remote and sets up the mirror.

        `checkpoint` is told the name of each step (`STEPS`) as it is done; tests stop the process there. `timed` is
        told of each commit and each operation over the network (see `timing`).
        Raises NotARepository, NoSuchBranch, FetchFailed (a URL), RepositoryError; SettingsError for `Tracked.access`.
        """
        return cls(tracked, find(tracked, timed), clean_path(tracked.path), checkpoint, timed)

    @property
    def shallow(self) -> bool:
        """Whether the repository is a shallow clone, so that `changes` may be incomplete."""
        return bool(self._history.shallow())

    @property
    def pinned(self) -> bool:
        """Whether a commit stands for the branch (`Tracked.pinned`), and nothing can be written."""
        return self._place.pinned is not None

    @property
    def description(self) -> str:
        """Branch, folder and place for people, without any password."""
        folder = f"{self.path}/ on " if self.path else ""
        local = "" if self._place.upstream or self._place.local is None else " (local)"
        records = f", records on branch {self._branches.ledger.branch}" if self._branches.apart else ""
        branch = f"branch {self.branch}" if self._place.pinned is None else f"commit {self._place.pinned[:10]}"
        return f"{folder}{branch} of {self._place.shown}{local}{records}"

    def read(self) -> Snapshot:
        """Fetch where there is a remote, and read everything of the tip; a tip read before costs no further process.

        Raises FetchFailed, NoSuchBranch, HistoryRewritten, TooShallow, RepositoryError.
        """
        started = time.monotonic()
        seen = self._state.seen()  # before the fetch: another process may record in between
        stand = self._branches.read()
        tip, local, view = stand.tip, stand.local, self._view
        stands = view is not None and _commits(view.snapshot) == (tip, stand.ledger or "")
        if view is None or not stands or seen not in (None, view.snapshot.own_commit):
            view = self._reader.load(tip, stand.ledger, seen, view)
        snapshot = replace(view.snapshot, tip=Tip(tip, started))
        if view.local != local:
            snapshot = replace(snapshot, unpushed=self._branches.unpushed(tip, local))
        self._view = replace(view, snapshot=snapshot, local=local)
        self._stood = _commits(snapshot)
        if snapshot.own_commit:
            with contextlib.suppress(RepositoryError):  # what is read-only can be shown all the same, if not written
                self._state.see(snapshot.own_commit, seen)
        return snapshot

    def confirm(self, snapshot: Snapshot) -> Tip | None:
        """Ask again where the branch stands: the fresh tip if still at the snapshot's commit, else None.

        With a status branch both must stand where the snapshot has them, or that one at our own `record` on it.
        Raises FetchFailed, RepositoryError.
        """
        started = time.monotonic()
        tip, ledger = self._branches.ask()
        ours = self._branches.apart and self._landed == (snapshot.ledger_tip, ledger)
        stands = tip == snapshot.tip.commit and (ours or (ledger or "") == snapshot.ledger_tip)
        return Tip(snapshot.tip.commit, started) if stands else None

    def stirred(self) -> bool:
        """Whether the branch, or the ledger's, stands elsewhere than as of the last `read` or `record`.

        One `ls-remote` where there is a remote. True before the first `read`. Raises FetchFailed, RepositoryError.
        """
        if self._stood is None:
            return True
        tip, ledger = self._branches.ask()
        return (tip or "", ledger or "") != self._stood

    def holds(self, commit: str) -> bool:
        """Whether the ledger, as of the last `read` or `record`, contains that commit. Raises RepositoryError."""
        return self._stood is not None and self._history.contains(self._stood[1], commit)

    def watched(self) -> tuple[Path, ...]:
        """Files and folders in the git directory, there or not, whose change means that `stirred` may be true now.

        With an upstream: our copies of its branches too, which `git fetch` and `git push` move. Empty for a URL.
        """
        return self._branches.watched()

    def tidy(self) -> bool:
        """Collect garbage in the mirror of a URL, at most once a day and for five minutes; whether it was done.

        Does nothing in a user's repository, and may run beside any other call. Raises RepositoryError.
        """
        return tidy(self._place)

    def preflight(self) -> None:
        """Complete what a killed process left half done, then see whether the checkout can take our commits.

        Raises WorkTreeBusy where the branch is checked out and the index is locked, a merge, rebase or the like is
        under way, or anything under `status/` is changed, staged or untracked.
        """
        self._place.check_writable()
        self._checkout.preflight()

    def record(
        self,
        snapshot: Snapshot,
        files: Mapping[str, bytes | None],
        message: str,
        extra: Mapping[str, bytes] | None = None,
    ) -> Tip:
        """Commit on the snapshot's `ledger_tip`: `status/` becomes what it recorded, with `files` on top.

        `files`: paths under `status/` with their new content, None to delete. `extra`: `.gitkeep` files elsewhere, for
        `init`; those that exist stay. The message must end with the trailer `Reconciler-Ledger: <id of the ledger>`.
        Makes no commit where nothing would change. Pushed first where there is a remote, then the local branch follows
        if it stood at the tip. The `Tip` returned is our commit, and counts from before the push.

        On a status branch the commit is the first one where that branch isn't there yet, and `extra` is ignored, as it
        belongs on the other. The tracked branch is looked at again afterwards: where it moved TipMoved is raised,
        although the record is made, so that nothing is created which the files may not ask for any more. Else the
        commit is on the status branch, and the files were as read, at one moment no earlier than `fetched_at`.

        Raises TipMoved, PushFailed, FetchFailed (a status branch), WorkTreeBusy, RepositoryError; ValueError for paths
        or a message that aren't fit.
        """
        self._place.check_writable()
        recorded = overlaid(snapshot.recorded, files, message)
        started = time.monotonic()
        seen = self._state.seen()
        trees = self._checkout.ready()
        view, apart = self._view_of(snapshot), self._branches.apart
        todo = edits(view, self._history.prefix, recorded, {} if apart else extra or {})
        if todo.empty:
            return Tip(snapshot.ledger_tip, snapshot.tip.fetched_at)
        self._step("record")
        parent = snapshot.ledger_tip or "0" * len(snapshot.tip.commit)
        with timing(self._timed, "commit"), self._state.scratch() as scratch:
            made = commits.build(
                self._place.git,
                scratch,
                parent,
                drop=todo.drop,
                keep=todo.put_back,
                write=todo.write,
                message=message,
                identity=self._place.identity,
                signing=self._place.signing,
            )
        self.made = made.commit
        self._step("commit-built")
        self._publish(Move(parent, made.commit), trees, message)
        with contextlib.suppress(RepositoryError):
            self._state.see(made.commit, seen)
        self._view = after(view, self._history.prefix, todo, made, apart)
        self._landed = (snapshot.ledger_tip, made.commit)
        self._stood = (snapshot.tip.commit if apart else made.commit, made.commit)
        self._step("recorded")
        self._branches.check_tracked(snapshot.tip.commit)
        return Tip(made.commit, started)

    def arrival(self, commit: str, file: str, same: Callable[[bytes | None], bool]) -> Arrival:
        """The newest first-parent commit at or before `commit` that brought the content for which `same` is true.

        `file` is relative to `path`; `same` gets a version of it, None where it wasn't there or wasn't a plain file.
        Raises TooShallow where the walk ends at the end of a shallow clone, RepositoryError where nothing touches it.
        """
        return self._history.arrival(commit, file, same)

    def at(self, revision: str) -> Revision:
        """The users' files of any revision: HEAD, a commit, a branch, `origin/x`. Of a URL it is fetched by its name.

        Raises RepositoryError where there is no such commit, FetchFailed (a URL).
        """
        return read_revision(self._history, self._branches.resolve(revision), self._branches.apart)

    def fork(self, one: str, other: str) -> str:
        """The commit at which two revisions parted (`Branches.fork`). Raises as `at` does."""
        return self._branches.fork(one, other)

    def changes(self, paths: Collection[str] = (), since: str = "", limit: int = 0) -> Iterator[Change]:
        """Our own commits as of the last `read` (made here if there was none), newest first, with what they recorded.

        `paths`: only commits that touch one of these files or folders under `status/`, and these in them alone.
        `since`: an RFC 3339 time, a date, or what else `git log --since` takes; `limit`: so many at most, 0 for all.
        Where `shallow` is true the oldest may be missing. Raises ValueError for paths that aren't fit, RepositoryError,
        and what `read` raises; while one goes on RepositoryError.
        """
        return audit.changes(self._history, self._view.snapshot if self._view else self.read(), paths, since, limit)

    def load_state(self, part: str = "") -> dict[str, Any] | None:
        """The small JSON object saved last for this branch and path, None where there is none or it is unreadable.
        `part`: one of several, each of a process of its own; fit for a file's name."""
        return self._state.load(part and f"{part}.")

    def save_state(self, state: dict[str, Any], part: str = "") -> None:
        """Keep a small JSON object in the git directory, on the disk when this returns. Raises RepositoryError."""
        self._place.check_writable()
        self._state.save(state, part and f"{part}.")

    def _view_of(self, snapshot: Snapshot) -> View:
        """What is known of a snapshot's commit; read anew where another was read since."""
        view = self._view
        if view and _commits(view.snapshot) == _commits(snapshot) and view.snapshot.own_commit == snapshot.own_commit:
            return view
        return self._reader.load(snapshot.tip.commit, snapshot.ledger_tip or None, snapshot.own_commit, view)

    def _publish(self, move: Move, trees: list[WorkTree], message: str) -> None:
        """Push, then move the local branch if it stands at the parent; without a remote the latter alone counts."""
        place, upstream = self._branches.ledger, self._branches.ledger.upstream
        note = f"reconciler: {message.partition(chr(10))[0]}"
        follows = place.local is not None and (upstream is None or commits.refs(place)[1] == move.old)
        if follows:
            self._state.begin(move)
            self._step("move-noted")
        if upstream is None:
            self._checkout.advance(move, trees, note)
            return
        try:
            with timing(self._timed, "push"):
                commits.push(place, upstream, move.old, move.new)
        except RepositoryError:
            self._state.end(move)
            raise
        self._step("pushed")
        if follows:
            with contextlib.suppress(RepositoryError):  # pushed, so it counts, wherever the local branch went
                self._checkout.advance(move, trees, note)


def _commits(snapshot: Snapshot) -> tuple[str, str]:
    return snapshot.tip.commit, snapshot.ledger_tip
