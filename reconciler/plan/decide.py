"""What the records become, and what the committed records then ask of the members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from reconciler.desired import Desired, Wanted
from reconciler.plan import backups, restores, schedules
from reconciler.plan.actions import Action, Create, Release
from reconciler.plan.answers import UNASKED, Answer, Failure
from reconciler.plan.asks import Ask, ask_of, ask_of_schedule
from reconciler.plan.questions import manifest, origin
from reconciler.plan.runs import Gate, advance, explain
from reconciler.plan.same_cluster import believed, distrust
from reconciler.plan.summary import summarise
from reconciler.records import Phase, Record, Run, Schedule, moment
from reconciler.resources import BackupSpec, ClusterId, Identity, RestoreSpec, duration
from reconciler.velero.status import Seen

STARTS_PER_COMMIT = 1000
Answers = Mapping[ClusterId, Answer]


def decide(
    desired: Desired,
    drafted: Mapping[Identity, Record],
    answers: Answers,
    ledger: str,
    now: datetime,
    refused: Mapping[str, Failure] = MappingProxyType({}),
) -> dict[Identity, Record]:
    """All records as they should stand, Backups before Restores, so that a Restore sees what its Backup became.

    `refused`: why the last create of a run (by id) was refused; it goes on trying, and the record says so.
    """
    trusted = distrust(answers)
    starts = STARTS_PER_COMMIT
    decided = dict(drafted)
    for identity, record in drafted.items():
        advanced = _advanced(record, desired, decided, trusted, ledger, now)
        advanced = _limited(record, advanced, starts, _bound(desired.wanted.get(identity)))
        starts -= len(_begun(record, advanced))
        runs = [explain(run, refused.get(run.run_id)) for run in advanced]
        made = [
            schedules.explain(_scheduled(record, schedule, desired, trusted, now), refused.get(schedule.run_id))
            for schedule in record.schedules
        ]
        decided[identity] = summarise(replace(record, runs=tuple(runs), schedules=tuple(made)), desired, now)
    return decided


def actions(
    desired: Desired, committed: Mapping[Identity, Record], answers: Answers, velero_namespace: str
) -> tuple[Action, ...]:
    """Creates for what is `Starting` and proven absent, what Schedules need, releases for what ended and still carries
    our finalizer."""
    trusted = distrust(answers)
    found: list[Action] = list(_creates(desired, committed, trusted, velero_namespace))
    found += schedules.actions(desired, committed, trusted, velero_namespace)
    found += _releases(desired, committed, answers)
    return tuple(found)


def _advanced(
    record: Record,
    desired: Desired,
    records: Mapping[Identity, Record],
    answers: Answers,
    ledger: str,
    now: datetime,
) -> tuple[Run, ...]:
    """All runs of a record, each as its own cluster has it, then bound together where the file says so."""
    wanted = desired.wanted.get(record.identity)
    deadline = (moment(record.recorded_at) or now) + duration(str(record.spec.get("startWithin", "24h")))
    runs = []
    for run in record.runs:
        gate: Gate = backups.gate
        if wanted is not None and not isinstance(wanted.spec, BackupSpec):
            whence = origin(wanted, run.cluster, desired, records, ledger)
            gate = partial(restores.gate, origin=whence, spec=wanted.spec, now=now)
        answer = believed(run, answers.get(run.cluster, UNASKED))
        runs.append(advance(run, record.identity, ask_of(record, run, desired), answer, now, deadline, gate))
    if wanted is None or isinstance(wanted.spec, BackupSpec):
        return tuple(runs)
    return restores.bind(record.runs, tuple(runs), wanted.clusters, wanted.spec)


def _limited(record: Record, runs: tuple[Run, ...], starts: int, bound: bool) -> tuple[Run, ...]:
    """No more of them begin than may in this commit; the others wait for the next one.

    Those that `spec.maxSkew` binds begin in one commit: a newer backup could come between two, and refuse the rest.
    """
    begun = _begun(record, runs)
    if len(begun) <= starts or (bound and starts == STARTS_PER_COMMIT):
        return runs
    late = set(begun if bound else begun[max(starts, 0) :])
    return tuple(before if run.run_id in late else run for before, run in zip(record.runs, runs, strict=True))


def _bound(wanted: Wanted | None) -> bool:
    return wanted is not None and isinstance(wanted.spec, RestoreSpec) and bool(wanted.spec.max_skew)


def _begun(record: Record, runs: tuple[Run, ...]) -> list[str]:
    """The ids of those that would become `Starting` now."""
    pairs = zip(record.runs, runs, strict=True)
    return [run.run_id for before, run in pairs if (before.phase, run.phase) == (Phase.PENDING, Phase.STARTING)]


def _scheduled(record: Record, schedule: Schedule, desired: Desired, answers: Answers, now: datetime) -> Schedule:
    wanted = desired.wanted.get(record.identity)
    spec = wanted.spec if wanted and isinstance(wanted.spec, BackupSpec) else None
    ask = ask_of_schedule(record, schedule.cluster, desired)
    answer = believed(schedule, answers.get(schedule.cluster, UNASKED))
    after = schedules.advance(schedule, spec, ask, answer, now)
    return schedules.explain(after, schedules.PAUSED) if desired.paused and after.phase is Phase.REMOVING else after


def _creates(
    desired: Desired, committed: Mapping[Identity, Record], answers: Answers, velero_namespace: str
) -> Iterator[Create]:
    for identity, record in committed.items():
        wanted = desired.wanted.get(identity)
        for run in record.runs:
            seen = believed(run, answers.get(run.cluster, UNASKED)).seen
            name = (identity.kind, run.object_name)
            absent = name in seen and seen[name] is None
            if wanted and run.phase is Phase.STARTING and absent and ask_of(record, run, desired) is Ask.ASKED:
                made = manifest(record, run, wanted, run.backup_name, velero_namespace)
                member = desired.members[run.cluster]
                yield Create(member, identity, run.object_name, run.run_id, run.cluster_uid, made)


def _releases(desired: Desired, committed: Mapping[Identity, Record], answers: Answers) -> Iterator[Release]:
    """By run id, whatever question brought the object to light; never before its own outcome is recorded."""
    runs = {run.run_id: run for record in committed.values() for run in record.runs}
    for cluster, answer in answers.items():
        objects = {seen.uid: seen for seen in (*answer.seen.values(), *(answer.leftovers or ())) if seen}
        for seen in objects.values():
            run = runs.get(seen.run_id)
            if run and seen.kind == "Restore" and seen.held and cluster in desired.members and _told(run, seen):
                yield Release(desired.members[cluster], seen.name, seen.uid)


def _told(run: Run, seen: Seen) -> bool:
    """What `Expired` or `Vanished` calls ended may run after all; what is deleted while New never does."""
    return run.settled or (run.phase.terminal and seen.new and seen.deleting)
