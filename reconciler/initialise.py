"""Makes a repository ours: its ledger, its folders, and everything that is there already recorded as held."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler import records
from reconciler.errors import NoLedger, RepositoryError
from reconciler.gather import State, gather
from reconciler.plan.drafts import draft, hold
from reconciler.plan.message import LEDGER_TRAILER
from reconciler.plan.summary import summarise
from reconciler.records import LEDGER_PATH, Ledger, Record, path_of
from reconciler.repository import Repository, Snapshot
from reconciler.resources import BackupSpec, Identity

FOLDERS = ("fleets", "backups", "restores")
_THERE_ALREADY = "was there before the ledger, so it may have run; a new name runs it"


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `init` made: the ledger, its commit, and the records it holds."""

    ledger: Ledger
    commit: str
    held: tuple[Record, ...]


def check_afresh(repository: Repository, state: State) -> None:
    """See that a ledger may be made here without `init`: nothing can have run, and no other place is meant.

    Raises NoLedger.
    """
    others = [each for each in state.snapshot.ledgers if each != repository.path]
    if others or not state.snapshot.folder:
        raise no_ledger(repository, state.snapshot)
    if not state.desired.complete or state.desired.refused or any(_runs_once(state)):
        raise NoLedger(
            "there is no ledger here, but there are Backups or Restores that may have run already; "
            "`reconciler init` records them as held and runs none of them (where the records are on a branch of their "
            "own, name that with --status-branch)"
        )


def no_ledger(repository: Repository, snapshot: Snapshot) -> NoLedger:
    """The error where nothing tells what ran: where else there is a ledger, and how to make one here."""
    path, there = repository.path, [each for each in snapshot.ledgers if each != repository.path]
    here = f"folder {path}" if path else "the root"
    missing = "" if snapshot.folder else f", and no such folder on {repository.branch or snapshot.tip.commit[:10]}"
    missing += " (the file that lies there is of no commit of ours)" if path in snapshot.ledgers else ""
    places = " or ".join(f"--path {each}" if each else "no --path" for each in there)
    elsewhere = f"; there is one elsewhere: use {places}" if there else ""
    make = f"`reconciler init{f' --path {path}' if path else ''}` makes {'another' if there else 'one'}"
    branch = "" if repository.status_branch else ", and --status-branch names the branch that the records may be on"
    return NoLedger(f"there is no ledger in {here} of {snapshot.location}{missing}{elsewhere}; {make}{branch}")


def initialise(repository: Repository, state: State, run_existing: bool) -> Initialised:
    """Commits the ledger. Restores and immediate Backups that are there already are `Held`, unless `run_existing`.

    Raises RepositoryError where a file has an error: what it asks for could not be held.
    """
    if state.desired.problems and not run_existing:
        first = "\n  ".join(str(problem) for problem in state.desired.problems[:20])
        raise RepositoryError(f"files with errors can't be recorded as held; mend or remove them first:\n  {first}")
    now = datetime.now(UTC)
    ledger = Ledger(str(uuid.uuid4()), repository.branch, repository.path, repository.status_branch)
    drafted = draft(state.desired, {}, state.asked, ledger.id, now)
    existing = () if run_existing else tuple(drafted[identity] for identity in _runs_once(state))
    held = tuple(summarise(hold(record, "Existing", _THERE_ALREADY), state.desired, now) for record in existing)
    files: dict[str, bytes | None] = {path_of(record.identity): records.dump(record) for record in held}
    files[LEDGER_PATH] = records.dump_ledger(ledger)
    there = {blob.path.partition("/")[0] for blob in state.snapshot.files}
    folders = {f"{folder}/.gitkeep": b"" for folder in FOLDERS if folder not in there}
    lines = [f"{record.identity}: Held" for record in held]
    message = "\n".join(["status: a ledger of what runs", "", *lines, "", f"{LEDGER_TRAILER}: {ledger.id}", ""])
    tip = repository.record(state.snapshot, files, message, folders)
    return Initialised(ledger, tip.commit, held)


def begin(repository: Repository) -> State:
    """As `gather`, with a ledger: where there is none, one is made, if nothing may have run already.

    Raises NoLedger otherwise, and what `gather` raises.
    """
    state = gather(repository)
    if state.recorded:
        return state
    check_afresh(repository, state)
    initialise(repository, state, run_existing=False)
    return gather(repository)


def _runs_once(state: State) -> Iterator[Identity]:
    return (
        identity
        for identity, wanted in state.desired.wanted.items()
        if not (isinstance(wanted.spec, BackupSpec) and wanted.spec.schedule)
    )
