"""What a record is to change: checked and worked out before anything is written, and what is known once it is.

Called by `Repository.record` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.errors import RepositoryError
from reconciler.repository.commit import Built
from reconciler.repository.files import Entry
from reconciler.repository.history import ledger_id
from reconciler.repository.model import FOLDERS, LEDGER, STATUS, TRAILER, Tip
from reconciler.repository.snapshot import View, status_of


@dataclass(frozen=True, slots=True)
class Edits:
    """The way from what stands at the tip of the ledger's branch to what is to be recorded.

    `recorded`: all records afterwards, by path relative to `Tracked.path`. By path from the root: `standing` is what
    lies under `status/` now, `keep` the records that stay as they were recorded, `write` new contents.
    """

    recorded: Mapping[str, bytes]
    standing: Mapping[str, Entry]
    keep: Mapping[str, Entry]
    write: Mapping[str, bytes]

    @property
    def empty(self) -> bool:
        return not self.write and self.keep == self.standing

    @property
    def drop(self) -> list[str]:
        """What is to go."""
        return [name for name in self.standing if name not in self.keep and name not in self.write]

    @property
    def put_back(self) -> dict[str, str]:
        """The object ids of records that stay but don't stand there."""
        return {name: entry.oid for name, entry in self.keep.items() if self.standing.get(name) != entry}


def overlaid(recorded: Mapping[str, bytes], files: Mapping[str, bytes | None], message: str) -> dict[str, bytes]:
    """The records with `files` on top. Raises ValueError for paths or a message that aren't fit."""
    found = dict(recorded)
    for path, content in files.items():
        _check_record(path)
        found.pop(path, None)
        if content is not None:
            found[path] = content
    _check_message(message, found.get(LEDGER))
    return found


def edits(view: View, prefix: str, recorded: Mapping[str, bytes], extra: Mapping[str, bytes]) -> Edits:
    """What brings the commit of `view` to `recorded`, and the files of `extra` that aren't there yet.

    Raises RepositoryError, and ValueError for an `extra` that isn't fit.
    """
    keep = {}
    for path, content in view.snapshot.recorded.items():
        if recorded.get(path) == content:
            keep[prefix + path] = replace(view.records[prefix + path], mode="100644")
    write = {prefix + path: content for path, content in recorded.items() if prefix + path not in keep}
    return Edits(recorded, status_of(view.tree, prefix), keep, write | _extra(view, prefix, extra))


def after(view: View, prefix: str, done: Edits, made: Built, apart: bool) -> View:
    """What is known of our own new commit without reading it. `apart`: it isn't on the tracked branch."""
    written = {name: Entry("100644", oid, len(done.write[name])) for name, oid in made.written.items()}
    tree = {name: entry for name, entry in view.tree.items() if name not in done.standing} | dict(done.keep) | written
    snapshot = replace(
        view.snapshot,
        tip=view.snapshot.tip if apart else Tip(made.commit, 0.0),
        ledger_tip=made.commit,
        recorded=done.recorded,
        own_commit=made.commit,
        tampered=(),
    )
    return View(tree, status_of(tree, prefix), snapshot, view.local)


def _extra(view: View, prefix: str, extra: Mapping[str, bytes]) -> dict[str, bytes]:
    found = {}
    for path, content in extra.items():
        folder, _, name = path.partition("/")
        if folder not in FOLDERS or name != ".gitkeep":
            raise ValueError(f"{path!r} is no .gitkeep of a folder of ours")
        if prefix + folder in view.tree:
            raise RepositoryError(f"{prefix}{folder} is in the way: a folder belongs there")
        if prefix + path not in view.tree:
            found[prefix + path] = content
    return found


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
