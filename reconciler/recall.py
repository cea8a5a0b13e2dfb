"""What is recorded, and what the history of the records tells: read from git for `get`, `describe` and `history`.

Blocking. Members are not asked; the tip is fetched, as for everything else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler import records
from reconciler.errors import NotFound, RecordError
from reconciler.gather import State, look
from reconciler.initialise import no_ledger
from reconciler.names import LABEL
from reconciler.plan.asks import gone
from reconciler.plan.events import Event, event
from reconciler.records import LEDGER_PATH, PLURALS, Record, Texts, load_texts, path_of, texts_path
from reconciler.repository import Change, FileChange, Repository
from reconciler.resources import Identity

NEWEST: Final = 20
"""Commits of an object that `describe` names."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects: of one kind or (empty) of all, in one namespace or (empty) in all, of one name or (empty) all."""

    kind: str = ""
    namespace: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        for text in (self.namespace, self.name):
            if text and not all(LABEL.fullmatch(part) for part in text.split(".")):
                raise NotFound(f"{text!r} is no name that anything can have")

    def __contains__(self, identity: Identity) -> bool:
        wanted = (self.kind, self.namespace, self.name)
        there = (identity.kind, identity.namespace, identity.name)
        return all(not want or want == have for want, have in zip(wanted, there, strict=True))

    def __str__(self) -> str:
        where = f"in namespace {self.namespace}" if self.namespace else "in any namespace"
        return " ".join(word for word in (self.kind or "Backup or Restore", self.name, "is recorded", where) if word)


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of ours; `subject` is the first line of its message."""

    id: str
    when: datetime
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one object.

    `texts` by run id; `commits`: its newest, each with what it did to the object; `complete` where these are all.
    `gone`: no file of the tip asks for it.
    """

    record: Record
    texts: Mapping[str, Texts]
    commits: tuple[tuple[Commit, str], ...]
    complete: bool
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """Events, newest first.

    `unreadable`: records that this version can't read; `shallow`: older ones may be missing; `since`: as was asked.
    """

    events: tuple[tuple[Commit, Event], ...]
    unreadable: tuple[str, ...] = ()
    shallow: bool = False
    since: str = ""


def selected(repository: Repository, wanted: Selection) -> tuple[Record, ...]:
    """The records of that selection. Raises NotFound where a name was given and nothing has it, NoLedger."""
    return _selected(_look(repository), wanted)


def known(repository: Repository, wanted: Selection) -> Known:
    """Everything about one object. Raises NotFound, NoLedger."""
    state = _look(repository)
    (record,) = _selected(state, wanted)
    files = state.snapshot.recorded
    found = {run.run_id: files.get(texts_path(record.identity, run)) for run in record.runs}
    ledger = files[LEDGER_PATH]
    changes = list(repository.changes([path_of(record.identity)], limit=NEWEST + 1))
    return Known(
        record,
        {run_id: load_texts(content) for run_id, content in found.items() if content},
        tuple((_commit(change), _done(change, ledger)) for change in changes[:NEWEST]),
        len(changes) <= NEWEST and not repository.shallow,
        gone(record.identity, state.desired),
    )


def past(repository: Repository, wanted: Selection, since: str = "", limit: int = 0) -> Past:
    """What happened to the objects of that selection.

    Raises NotFound where nothing was ever recorded of a name, NoLedger.
    """
    snapshot = repository.read()
    if snapshot.own_commit is None:
        raise no_ledger(repository, snapshot)
    ledger = snapshot.recorded.get(LEDGER_PATH, b"")
    paths = _paths(wanted)
    found: list[tuple[Commit, Event]] = []
    unreadable: dict[str, None] = {}
    for change in repository.changes(paths, since, limit):
        for file in change.files:
            try:
                happened = _event(file, ledger)
            except RecordError:
                unreadable[f"{change.commit[:7]}: {file.path}"] = None
                continue
            if happened and happened.identity in wanted:
                found.append((_commit(change), happened))
    named = any(path in snapshot.recorded for path in paths)
    if wanted.name and not found and not named and not any(True for _ in repository.changes(paths, limit=1)):
        missing = ", as far as this shallow clone goes" if repository.shallow else ""
        raise NotFound(f"no {wanted}, nor was it ever{missing}")
    return Past(tuple(found), tuple(unreadable), repository.shallow, since)


def _look(repository: Repository) -> State:
    state = look(repository)
    if state.recorded is None:
        raise no_ledger(repository, state.snapshot)
    return state


def _selected(state: State, wanted: Selection) -> tuple[Record, ...]:
    found = tuple(record for identity, record in sorted(state.records.items()) if identity in wanted)
    if found or not wanted.name:
        return found
    raise NotFound(f"no {wanted}{_asked_for(state, wanted)}")


def _asked_for(state: State, wanted: Selection) -> str:
    """Where a file does ask for it: why nothing is recorded."""
    for identity, found in state.desired.wanted.items():
        if identity in wanted:
            return f"; {found.position.file} asks for it, and no sync has recorded it yet"
    refused = (problems for identity, problems in state.desired.refused.items() if identity in wanted)
    return "".join(f"; its file is refused: {problems[0]}" for problems in refused)


def _paths(wanted: Selection) -> list[str]:
    if wanted.name and wanted.namespace:
        return [path_of(Identity(wanted.kind, wanted.namespace, wanted.name))]
    kinds = [wanted.kind] if wanted.kind else list(PLURALS)
    return [f"status/{PLURALS[kind]}" + (f"/{wanted.namespace}" if wanted.namespace else "") for kind in kinds]


def _done(change: Change, ledger: bytes) -> str:
    """What a commit did to the one object whose file it is listed with; its subject where that can't be told."""
    with contextlib.suppress(RecordError):
        happened = [_event(file, ledger) for file in change.files]
        return next((each.what for each in happened if each), _commit(change).subject)
    return _commit(change).subject


def _event(file: FileChange, ledger: bytes) -> Event | None:
    """None for what is no record, or did not change. Raises RecordError."""
    if ".d/" in file.path or file.path == LEDGER_PATH:
        return None
    return event(_before(file, ledger), _parsed(file.path, file.after, ledger))


def _before(file: FileChange, ledger: bytes) -> Record | None:
    """None also where it can't be read: all that follows is news then."""
    with contextlib.suppress(RecordError):
        return _parsed(file.path, file.before, ledger)
    return None


def _parsed(path: str, content: bytes | None, ledger: bytes) -> Record | None:
    """Raises RecordError."""
    loaded = records.load({LEDGER_PATH: ledger, path: content}) if content is not None else None
    return next(iter(loaded.records.values()), None) if loaded else None


def _commit(change: Change) -> Commit:
    return Commit(change.commit, change.when, change.author, change.message.partition("\n")[0])
