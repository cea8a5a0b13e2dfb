"""`forget`: drops a record, which is the one way to make the ledger know nothing of an object any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.errors import NotFound, Unsafe
from reconciler.gather import State
from reconciler.initialise import no_ledger
from reconciler.plan.message import LEDGER_TRAILER
from reconciler.plan.watch import Key, load_watch
from reconciler.records import Phase, Record, path_of
from reconciler.repository import Repository
from reconciler.resources import Identity


def forget(repository: Repository, state: State, identity: Identity) -> str:
    """Commits the removal and returns the commit.

    Raises NoLedger, NotFound; Unsafe while it would lose or repeat something.
    """
    if state.recorded is None:
        raise no_ledger(repository, state.snapshot)
    record = state.records.get(identity)
    if record is None:
        raise NotFound(f"{identity} is not recorded")
    _refuse(state, record, load_watch(repository.load_state()).unreleased.keys())
    path = path_of(identity)
    folder = path.removesuffix(".yaml") + ".d/"
    files: Mapping[str, bytes | None] = {
        name: None for name in state.snapshot.recorded if name == path or name.startswith(folder)
    }
    name = f"{identity.kind.lower()} {identity.namespace}/{identity.name}"
    message = f"{name}: forgotten\n\n{LEDGER_TRAILER}: {state.recorded.ledger.id}\n"
    return repository.record(state.snapshot, files, message).commit


def _refuse(state: State, record: Record, unreleased: Iterable[Key]) -> None:
    if record.identity in state.desired.wanted or record.identity in state.desired.refused:
        raise Unsafe(
            f"a file still asks for {record.identity}: once forgotten it would run again; remove the file first"
        )
    if not state.desired.complete:
        raise Unsafe("files with errors may still ask for it; mend them first (`reconciler validate`)")
    if any(schedule.phase is not Phase.REMOVED for schedule in record.schedules):
        raise Unsafe(f"Schedules of {record.identity} may still be there; `reconciler sync --once` removes them")
    if any(run.phase.open for run in record.runs):
        raise Unsafe(f"{record.identity} has runs that did not end; `reconciler sync --once` follows them to their end")
    names = {(run.cluster, (record.identity.kind, run.object_name)) for run in record.runs}
    if names.intersection(unreleased):
        raise Unsafe(f"our finalizer is still on an object of {record.identity}; `reconciler sync --once` takes it off")
