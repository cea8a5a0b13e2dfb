"""What to ask which member: only what is open, nothing that is settled but Schedules, and those seldom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.desired import Desired, Wanted
from reconciler.plan import schedules
from reconciler.plan.answers import Name, Question
from reconciler.plan.asks import Ask, ask_of, ask_of_schedule
from reconciler.plan.points import Origin, origin_of, unusable
from reconciler.plan.same_cluster import elsewhere, known_uids, suspects
from reconciler.plan.watch import Watch
from reconciler.records import Phase, Record, Run, Schedule, moment
from reconciler.resources import BackupSpec, ClusterId, Identity
from reconciler.velero import objects


@dataclass(frozen=True, slots=True)
class Looking:
    """When settled Schedules are looked at: those of `due` clusters, their latest backup once in `refresh`; and what is
    on members that seem to be others than they were."""

    at: datetime
    refresh: timedelta = timedelta(hours=1)
    due: frozenset[ClusterId] = frozenset()


@dataclass(slots=True)
class _Draft:
    objects: set[Name] = field(default_factory=set)
    storage: bool = False
    dry_runs: dict[Name, Mapping[str, Any]] = field(default_factory=dict)
    texts: set[Name] = field(default_factory=set)
    leftovers: bool = False
    running: set[Name] = field(default_factory=set)
    schedules: set[str] = field(default_factory=set)
    backups_of: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _All:
    """What every question is made from."""

    desired: Desired
    records: Mapping[Identity, Record]
    ledger: str
    velero_namespace: str
    looking: Looking


def questions(
    desired: Desired,
    records: Mapping[Identity, Record],
    watch: Watch,
    ledger: str,
    velero_namespace: str,
    looking: Looking,
) -> tuple[Question, ...]:
    """One question for each member that something is open on, or whose Schedules are due for a look."""
    asked: dict[ClusterId, _Draft] = defaultdict(_Draft)
    everything = _All(desired, records, ledger, velero_namespace, looking)
    for record in records.values():
        for run in record.runs:
            _ask_about(asked, run, record, everything)
        for schedule in record.schedules:
            _ask_about_schedule(asked, schedule, record, everything)
    settled = {
        (run.cluster, (record.identity.kind, run.object_name))
        for record in records.values()
        for run in record.runs
        if run.settled
    }
    for cluster, name in watch.unreleased:
        asked[cluster].objects.add(name)
        if (cluster, name) not in settled:
            asked[cluster].texts.add(name)
    unlisted = (desired.members.keys() - watch.inventoried) | (elsewhere(watch.uids, records) & looking.due)
    for cluster in unlisted:
        asked[cluster].leftovers = True
    for one in suspects(known_uids(watch.uids, records), desired.members):
        for cluster in one if one & asked.keys() else ():
            asked.setdefault(cluster, _Draft())  # its UID comes with any answer
    return tuple(
        Question(
            member=desired.members[cluster],
            objects=frozenset(found.objects),
            storage=found.storage,
            dry_runs=found.dry_runs,
            texts=frozenset(found.texts),
            leftovers=found.leftovers,
            running=frozenset(found.running),
            schedules=frozenset(found.schedules),
            backups_of=frozenset(found.backups_of),
        )
        for cluster, found in sorted(asked.items())
        if cluster in desired.members
    )


def manifest(record: Record, run: Run, wanted: Wanted, backup_name: str, velero_namespace: str) -> dict[str, Any]:
    """The Velero object of a run."""
    meta = objects.metadata(
        record.identity, run.object_name, velero_namespace, wanted.fleet, run.run_id, record.source, record.revision
    )
    if isinstance(wanted.spec, BackupSpec):
        return objects.backup(meta, wanted.spec)
    return objects.restore(meta, wanted.spec, backup_name)


def origin(
    wanted: Wanted, cluster: ClusterId, desired: Desired, records: Mapping[Identity, Record], ledger: str
) -> Origin:
    """Where the backups of a Restore are looked for on a cluster."""
    of = desired.wanted.get(wanted.backup) if wanted.backup else None
    return origin_of(wanted, cluster, of, records, ledger)


def _ask_about(asked: dict[ClusterId, _Draft], run: Run, record: Record, everything: _All) -> None:
    if not run.phase.open:
        return
    name = (record.identity.kind, run.object_name)
    found = asked[run.cluster]
    if run.phase is not Phase.PENDING:
        found.objects.add(name)
        found.texts.add(name)
        if run.phase is Phase.IN_PROGRESS:
            found.running.add(name)
        return
    wanted = everything.desired.wanted.get(record.identity)
    if wanted is None or ask_of(record, run, everything.desired) is not Ask.ASKED:
        return
    source = ""
    if not isinstance(wanted.spec, BackupSpec):
        whence = origin(wanted, run.cluster, everything.desired, everything.records, everything.ledger)
        if unusable(whence, wanted.spec):
            return
        found.objects |= whence.names
        found.backups_of |= {whence.schedule} - {""}
        # which backup it will be is not known yet; the API server looks at the fields, not at whether that is there
        source = whence.schedule or min(name for _, name in whence.names)
    found.objects.add(name)
    found.texts.add(name)
    found.storage = True
    found.dry_runs[name] = manifest(record, run, wanted, source, everything.velero_namespace)


def _ask_about_schedule(asked: dict[ClusterId, _Draft], schedule: Schedule, record: Record, everything: _All) -> None:
    looking, name = everything.looking, schedule.object_name
    wanted = everything.desired.wanted.get(record.identity)
    ask = ask_of_schedule(record, schedule.cluster, everything.desired)
    if ask is Ask.WITHDRAWN and (not schedules.proven_gone(schedule) or schedule.cluster in looking.due):
        asked[schedule.cluster].schedules.add(name)
    if ask not in (Ask.ASKED, Ask.PAUSED) or wanted is None or not isinstance(wanted.spec, BackupSpec):
        return
    unsettled = schedules.unsettled(schedule, wanted.spec)
    due = schedule.cluster in looking.due
    if unsettled or due:
        asked[schedule.cluster].storage = True  # it tells whether Velero is there, and one can be made
    if unsettled and schedule.phase is not Phase.STARTING and schedule.phase not in schedules.IN_PLACE:
        made = schedules.manifest(record, schedule, wanted, everything.velero_namespace)
        asked[schedule.cluster].dry_runs["Schedule", name] = made
    elif unsettled or due:
        asked[schedule.cluster].schedules.add(name)
    since = moment(schedule.refreshed)
    if due and (since is None or not timedelta() <= looking.at - since < looking.refresh):  # clocks may go back
        asked[schedule.cluster].backups_of.add(name)
