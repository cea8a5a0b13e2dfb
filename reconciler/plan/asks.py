"""What the tip's files say about what is recorded: about a run, about a Schedule, about an edit."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from reconciler.desired import Desired, Wanted
from reconciler.records import Phase, Record, Run
from reconciler.resources import BackupSpec, ClusterId, Identity, plain
from reconciler.velero.objects import what


class Ask(StrEnum):
    """What the files say about a run, or a Schedule, on a cluster."""

    ASKED = "Asked"
    SUSPENDED = "Suspended"
    PAUSED = "Paused"
    SPEC_CHANGED = "SpecChanged"
    WITHDRAWN = "Withdrawn"
    ABANDONED = "Abandoned"
    FROZEN = "Frozen"
    """A file has an error, so nothing can be told: what runs is followed, nothing starts."""
    UNFINISHED = "Unfinished"
    """An earlier attempt has not ended: its Restore came to light when this one was recorded, or about to be."""


RESUMABLE: Final = ("Suspended", "Paused")
"""Reasons of `Held` that end when the files say so; every other one needs a new attempt."""
# Edits of these run nothing by themselves and are obeyed at once, so they need no attempt. `rerun` is none of them: it
# tells where a new attempt runs, and of one that is recorded that is fixed.
_FREE: Final = ("suspend", "allowSkipped")


def ask_of(record: Record, run: Run, desired: Desired) -> Ask:
    """Removed means: recorded, and absent at a tip where every file was read without error."""
    found = _place_of(record.identity, run.cluster, desired)
    wanted = desired.wanted.get(record.identity)
    if found is not Ask.ASKED or wanted is None:
        return found
    if wanted.spec.attempt != run.attempt or what(wanted.spec) != run.what:
        return Ask.SPEC_CHANGED
    if run.cluster not in wanted.clusters:
        return Ask.WITHDRAWN
    if wanted.spec.suspend:
        return Ask.SUSPENDED
    if desired.paused:
        return Ask.PAUSED
    earlier = any(each.attempt < run.attempt and each.phase.open for each in record.runs)
    return Ask.UNFINISHED if earlier else Ask.ASKED


def ask_of_schedule(record: Record, cluster: ClusterId, desired: Desired) -> Ask:
    """Whether a Schedule is to be on a cluster; one that is suspended is to be there, paused."""
    found = _place_of(record.identity, cluster, desired)
    wanted = desired.wanted.get(record.identity)
    if found is not Ask.ASKED or wanted is None:
        return found
    if not scheduled(wanted):
        return Ask.SPEC_CHANGED
    if cluster not in wanted.clusters:
        return Ask.WITHDRAWN if desired.complete else Ask.FROZEN
    return Ask.PAUSED if desired.paused else Ask.ASKED


def scheduled(wanted: Wanted) -> bool:
    """A Backup that is not taken once but by a Schedule on each cluster."""
    return isinstance(wanted.spec, BackupSpec) and bool(wanted.spec.schedule)


def changed_file(record: Record, desired: Desired) -> str:
    """Why what the file asks for now will not run, empty where nothing was changed in vain."""
    wanted = desired.wanted.get(record.identity)
    if wanted is None or untouched(record):
        return ""
    if record.schedules or scheduled(wanted):
        same_kind = bool(record.schedules) == scheduled(wanted)
        return "" if same_kind else "a Backup never changes between immediate and scheduled; use a new name"
    if wanted.spec.attempt < record.attempt:
        return f"attempt {record.attempt} is recorded already, so attempt {wanted.spec.attempt} runs nothing"
    if wanted.spec.attempt > record.attempt or _judged(record.spec) == _judged(plain(wanted.spec)):
        return ""
    return "the file differs from what ran, and nothing of that runs; raise spec.attempt to run it as it is now"


def waiting_attempt(record: Record, desired: Desired) -> int:
    """The attempt that the file asks for while an earlier one has not ended, else 0."""
    wanted = desired.wanted.get(record.identity)
    raised = wanted is not None and not record.schedules and wanted.spec.attempt > record.attempt
    return wanted.spec.attempt if wanted and raised and any(run.phase.open for run in record.runs) else 0


def untouched(record: Record) -> bool:
    """Nothing of its attempt has run or was refused, so the file may still be edited freely.

    A run that was `Starting` before it was suspended has its cluster pinned: its create may be under way yet.
    """
    runs = [run for run in record.runs if run.attempt == record.attempt]
    return bool(runs) and all(
        not run.cluster_uid and (run.phase is Phase.PENDING or (run.phase is Phase.HELD and run.reason in RESUMABLE))
        for run in runs
    )


def frozen(identity: Identity, desired: Desired) -> bool:
    """An error hides what the files ask of it, so what is recorded stays."""
    return identity in desired.refused or (identity not in desired.wanted and not desired.complete)


def gone(identity: Identity, desired: Desired) -> bool:
    """No file asks for it any more."""
    return identity not in desired.wanted and not frozen(identity, desired)


def _place_of(identity: Identity, cluster: ClusterId, desired: Desired) -> Ask:
    """Whether object and cluster are there at all."""
    member = Identity(cluster.kind, cluster.namespace, cluster.name)
    if desired.complete and cluster not in desired.members and member not in desired.refused:
        return Ask.ABANDONED
    if frozen(identity, desired) or member in desired.refused:
        return Ask.FROZEN
    return Ask.ASKED if identity in desired.wanted else Ask.WITHDRAWN


def _judged(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in _FREE}
