"""Read one commit: the users' files, what is recorded, and the guards against a history that was changed.

Called by `Repository.read`; what was read of the last commit serves the next one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import HistoryRewritten, RepositoryError
from reconciler.repository.branches import Branches
from reconciler.repository.files import Entry, check_folder, contents, entries, has_folder, ledgers, manifests
from reconciler.repository.history import History
from reconciler.repository.localstate import LocalState
from reconciler.repository.model import FOLDERS, LEDGER, STATUS, Blob, Snapshot, Tip
from reconciler.repository.revisions import is_paused


@dataclass(frozen=True, slots=True)
class View:
    """What is known of one commit.

    `tree`: everything in our folders at the tip, `status/` at that of the ledger's branch; `records`: the files under
    `status/` of the own commit; both by path from the root. `local`: where the local branch stood when the snapshot's
    `unpushed` was found.
    """

    tree: Mapping[str, Entry]
    records: Mapping[str, Entry]
    snapshot: Snapshot
    local: str | None


class Reader:
    """Reads commits of one branch and folder. `accept_rewrite` is about the history as the first reading finds it."""

    def __init__(self, branches: Branches, history: History, state: LocalState, accept_rewrite: bool) -> None:
        self._branches = branches
        self._place = branches.ledger
        self._history = history
        self._state = state
        self._accept = accept_rewrite
        self._accepted: frozenset[str] = frozenset()

    def load(self, tip: str, ledger: str | None, seen: str | None, old: View | None) -> View:
        """Read the commit `tip`, and the records on `ledger`: `tip` itself, or the tip of the status branch, if any.

        `seen` is the last own commit remembered from before it was known where they are.
        Raises HistoryRewritten, TooShallow, RepositoryError.
        """
        git, prefix = self._place.git, self._history.prefix
        own = self._own_commit(ledger, seen)
        tree = self._tree(tip, ledger, own)
        standing = status_of(tree, prefix)
        records = standing if own in (ledger, None) else entries(git, own or tip, [prefix + STATUS])
        records = {name: entry for name, entry in records.items() if own and entry.regular and name != prefix + STATUS}
        listed = manifests(tree, prefix)
        have = _known(old, prefix) if old else {}
        needed = [entry.oid for _, entry, problem in listed if not problem] + [entry.oid for entry in records.values()]
        have |= contents(git, [oid for oid in needed if oid not in have])
        files = tuple(Blob(path, None if problem else have[entry.oid], problem) for path, entry, problem in listed)
        if old and files == old.snapshot.files:
            files = old.snapshot.files
        both = records.keys() | standing.keys()
        changed = [name for name in both if _differ(records.get(name), standing.get(name))]
        snapshot = Snapshot(
            tip=Tip(tip, 0.0),
            ledger_tip=ledger or "",
            files=files,
            recorded={name.removeprefix(prefix): have[entry.oid] for name, entry in records.items()},
            own_commit=own,
            tampered=tuple(sorted(name.removeprefix(prefix) for name in changed)) if own else (),
            unpushed=(),
            location=self._place.shown,
            paused=is_paused(self._history, tip),
            folder=bool(own) or has_folder(git, tip, self._history.path),
            ledgers=() if own else tuple(sorted({each for at in {tip, ledger or tip} for each in ledgers(git, at)})),
        )
        self._accept = False  # what comes later nobody has seen
        return View(tree, records, snapshot, tip)

    def _tree(self, tip: str, ledger: str | None, own: str | None) -> dict[str, Entry]:
        """Everything in the users' folders at `tip`, and under `status/` at `ledger`."""
        if tip == ledger:
            return self._folders(tip, *FOLDERS, STATUS)
        users = self._folders(tip, *FOLDERS, LEDGER)
        if users.pop(self._history.prefix + LEDGER, None) and own is None:
            raise RepositoryError(
                f"the ledger is on branch {self._branches.tracked.branch}, and there is none on branch"
                f" {self._place.branch}: run without --status-branch; or move it: {self._branches.how_to_move(tip)}"
            )
        return users | (self._folders(ledger, STATUS) if ledger else {})

    def _folders(self, commit: str, *names: str) -> dict[str, Entry]:
        found = entries(self._place.git, commit, [self._history.prefix + name for name in names])
        if not found:
            check_folder(self._place.git, commit, self._history.path)
        return found

    def _own_commit(self, tip: str | None, seen: str | None) -> str | None:
        """The newest own commit in `tip`, where the ledger's branch stands if it is there, after the guards."""
        history = self._history
        shallow = bool(tip and history.shallow())
        if seen and not (tip and history.contains(tip, seen)):
            if shallow and not self._accept:
                raise history.too_shallow(f"our last commit {seen[:10]}")
            if not self._accept:
                now = f"now stands at {tip[:10]}, which doesn't contain" if tip else "is not there any more, nor is"
                raise HistoryRewritten(
                    f"branch {self._place.branch} {now} {seen[:10]}, the last"
                    " commit of ours that this machine saw: history was rewritten, so what ran may be missing from it."
                    f" Bring {seen[:10]} back, or go on with --accept-rewrite"
                )
            seen, self._accept = None, False
        own = history.newest_own(tip, seen) if tip else None
        if tip is None or own is None:
            if shallow:
                raise history.too_shallow("our last commit, if there is one,")
            with contextlib.suppress(OSError):
                self._state.forget()
            return None
        others = frozenset(history.strangers(tip, own))
        if others and not others <= self._accepted:
            if not self._accept:
                raise RepositoryError(
                    f"two ledgers were merged: commits {own[:10]} and {min(others)[:10]} are both ours and neither"
                    " contains the other, so what ran can't be told. Undo the merge; or, once you have compared what"
                    f" ran, go on with the records of {own[:10]} alone by --accept-rewrite"
                )
            self._accepted, self._accept = others, False
        return own


def status_of(tree: Mapping[str, Entry], prefix: str) -> dict[str, Entry]:
    """The entries at or under `status`, which may be something else than a folder."""
    under = prefix + STATUS
    return {name: entry for name, entry in tree.items() if name == under or name.startswith(f"{under}/")}


def _known(view: View, prefix: str) -> dict[str, bytes]:
    """Contents that need not be read again, by object id."""
    snapshot = view.snapshot
    known = {view.tree[prefix + blob.path].oid: blob.content for blob in snapshot.files if blob.content is not None}
    records = {entry.oid: snapshot.recorded[name.removeprefix(prefix)] for name, entry in view.records.items()}
    return known | records


def _differ(recorded: Entry | None, standing: Entry | None) -> bool:
    if recorded is None or standing is None:
        return True
    return recorded.oid != standing.oid or not standing.regular
