"""Which records there are to be: those that are recorded, and a new one for each object that is new in the files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.desired import Desired, Wanted
from reconciler.records import Phase, Record, Run, run_id, timestamp
from reconciler.resources import ClusterId, Identity, plain
from reconciler.velero.objects import object_name, what


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked: the file, the first-parent commit at which the spec arrived, its author."""

    source: str
    revision: str
    author: str


def unrecorded(desired: Desired, records: Mapping[Identity, Record]) -> Iterable[Wanted]:
    """The objects whose asking commit must be looked up, because they are new or were edited before anything ran."""
    for identity, wanted in sorted(desired.wanted.items()):
        record = records.get(identity)
        if record is None or (untouched(record) and dict(record.spec) != plain(wanted.spec)):
            yield wanted


def draft(
    desired: Desired, records: Mapping[Identity, Record], asked: Mapping[Identity, Asked], ledger: str, now: datetime
) -> dict[Identity, Record]:
    """All records, new and edited ones among them with every run `Pending`; Backups before Restores."""
    drafted = dict(records)
    for identity, who in asked.items():
        wanted, before = desired.wanted[identity], records.get(identity)
        begun = _begin(wanted, who, ledger, timestamp(now))
        drafted[identity] = (
            replace(begun, recorded_at=before.recorded_at, conditions=before.conditions) if before else begun
        )
    return dict(sorted(drafted.items()))


def untouched(record: Record) -> bool:
    """Nothing of it has run or was refused, so the file may still be edited freely."""
    return all(run.phase is Phase.PENDING for run in record.runs)


def hold(record: Record, reason: str, message: str) -> Record:
    """The record with every run `Held`."""
    return replace(
        record, runs=tuple(replace(run, phase=Phase.HELD, reason=reason, message=message) for run in record.runs)
    )


def _begin(wanted: Wanted, asked: Asked, ledger: str, recorded_at: str) -> Record:
    return Record(
        identity=wanted.identity,
        spec=plain(wanted.spec),
        attempt=wanted.spec.attempt,
        source=asked.source,
        revision=asked.revision,
        requested_by=asked.author,
        recorded_at=recorded_at,
        phase=Phase.PENDING,
        conditions=(),
        runs=tuple(_pending(wanted, cluster, ledger) for cluster in wanted.clusters),
    )


def _pending(wanted: Wanted, cluster: ClusterId, ledger: str) -> Run:
    attempt = wanted.spec.attempt
    ours = run_id(ledger, wanted.identity, attempt, cluster)
    name = object_name(wanted.identity, cluster, attempt, ours)
    return Run(cluster, Phase.PENDING, name, ours, what(wanted.spec), attempt)
