"""Which records there are to be: those that are recorded, with what the files ask for anew in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.desired import Desired, Wanted
from reconciler.plan.asks import scheduled, untouched
from reconciler.records import Phase, Record, Run, Schedule, run_id, timestamp
from reconciler.resources import ClusterId, Identity, plain
from reconciler.velero.objects import object_name, what


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked: the file, the first-parent commit at which the spec arrived, its author; who merged and approved."""

    source: str
    revision: str
    author: str
    merged_by: str = ""
    approved_by: tuple[str, ...] = ()


def unrecorded(desired: Desired, records: Mapping[Identity, Record]) -> Iterator[Wanted]:
    """The objects whose asking commit must be looked up: new, edited before anything ran, or of a new attempt."""
    for identity, wanted in sorted(desired.wanted.items()):
        record = records.get(identity)
        if record is None or _asks_anew(wanted, record):
            yield wanted


def draft(
    desired: Desired, records: Mapping[Identity, Record], asked: Mapping[Identity, Asked], ledger: str, now: datetime
) -> dict[Identity, Record]:
    """All records, new and changed ones among them with every new run `Pending`; Backups before Restores."""
    drafted = dict(records)
    for identity, who in asked.items():
        wanted, before = desired.wanted[identity], records.get(identity)
        drafted[identity] = _begin(wanted, before, who, ledger, now)
    for identity, wanted in desired.wanted.items():
        if identity in drafted and scheduled(wanted) and not drafted[identity].runs:
            drafted[identity] = _with_schedules(drafted[identity], wanted, ledger)
    return dict(sorted(drafted.items()))


def hold(record: Record, reason: str, message: str) -> Record:
    """The record with every run `Held`."""
    return replace(
        record, runs=tuple(replace(run, phase=Phase.HELD, reason=reason, message=message) for run in record.runs)
    )


def attempted(wanted: Wanted, earlier: Iterable[Run]) -> tuple[ClusterId, ...]:
    """The clusters that a new attempt runs on, after the runs of earlier ones, all of them ended.

    Those of the destination, or of the first attempt where it names none, whose latest run isn't `Completed` with the
    same content; with `rerun: All` each of them.
    """
    runs = sorted(earlier, key=lambda run: run.attempt)
    destination = wanted.spec.destination
    clusters = wanted.clusters
    if runs and (destination is None or not destination.clusters):
        first = {run.cluster for run in runs if run.attempt == runs[0].attempt}
        clusters = tuple(cluster for cluster in clusters if cluster in first)
    done = {run.cluster: run.phase is Phase.COMPLETED and run.what == what(wanted.spec) for run in runs}
    return tuple(c for c in clusters if wanted.spec.rerun == "All" or not done.get(c, False))


def _asks_anew(wanted: Wanted, record: Record) -> bool:
    edited = dict(record.spec) != plain(wanted.spec)
    if record.schedules:
        return edited and scheduled(wanted)  # level-triggered: edits apply
    if scheduled(wanted):
        return False
    if wanted.spec.attempt > record.attempt:
        return not any(run.phase.open for run in record.runs)
    return edited and wanted.spec.attempt == record.attempt and untouched(record)


def _begin(wanted: Wanted, before: Record | None, asked: Asked, ledger: str, now: datetime) -> Record:
    """The record of a new attempt; an edit of one that has not begun keeps the time at which it was first recorded."""
    attempt = wanted.spec.attempt
    edit = before is not None and before.attempt == attempt
    earlier = tuple(run for run in before.runs if run.attempt < attempt) if before else ()
    clusters = () if scheduled(wanted) else attempted(wanted, earlier)
    return Record(
        identity=wanted.identity,
        spec=plain(wanted.spec),
        attempt=attempt,
        source=asked.source,
        revision=asked.revision,
        requested_by=asked.author,
        recorded_at=before.recorded_at if before and edit else timestamp(now),
        phase=Phase.PENDING,
        conditions=before.conditions if before else (),
        runs=(*earlier, *(_pending(wanted, cluster, ledger) for cluster in clusters)),
        schedules=before.schedules if before else (),
        merged_by=asked.merged_by,
        approved_by=asked.approved_by,
    )


def _pending(wanted: Wanted, cluster: ClusterId, ledger: str) -> Run:
    attempt = wanted.spec.attempt
    ours = run_id(ledger, wanted.identity, attempt, cluster)
    name = object_name(wanted.identity, cluster, attempt, ours)
    return Run(cluster, Phase.PENDING, name, ours, what(wanted.spec), attempt)


def _with_schedules(record: Record, wanted: Wanted, ledger: str) -> Record:
    """With an entry for each cluster that the fleet has by now."""
    known = {schedule.cluster for schedule in record.schedules}
    new = [cluster for cluster in wanted.clusters if cluster not in known]
    if not new:
        return record
    return replace(record, schedules=(*record.schedules, *(_schedule(wanted, cluster, ledger) for cluster in new)))


def _schedule(wanted: Wanted, cluster: ClusterId, ledger: str) -> Schedule:
    ours = run_id(ledger, wanted.identity, 1, cluster)
    return Schedule(cluster, Phase.PENDING, object_name(wanted.identity, cluster, 1, ours), ours)
