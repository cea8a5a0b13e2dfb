"""What to ask which member: only what is open, nothing that is settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.desired import Desired, Wanted
from reconciler.plan.answers import Name, Question
from reconciler.plan.asks import ask_of
from reconciler.plan.restores import usable
from reconciler.plan.runs import Ask
from reconciler.plan.watch import Watch
from reconciler.records import Phase, Record, Run
from reconciler.resources import BackupSpec, ClusterId, Identity
from reconciler.velero import objects


@dataclass(slots=True)
class _Draft:
    objects: set[Name] = field(default_factory=set)
    storage: bool = False
    dry_runs: dict[Name, Mapping[str, Any]] = field(default_factory=dict)
    texts: set[Name] = field(default_factory=set)
    leftovers: bool = False
    running: set[Name] = field(default_factory=set)


def questions(
    desired: Desired, records: Mapping[Identity, Record], watch: Watch, velero_namespace: str
) -> tuple[Question, ...]:
    """One question for each member that something is open on."""
    asked: dict[ClusterId, _Draft] = defaultdict(_Draft)
    for record in records.values():
        for run in record.runs:
            _ask_about(asked, run, record, desired, records, velero_namespace)
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
    for cluster in desired.members.keys() - watch.inventoried:
        asked[cluster].leftovers = True
    return tuple(
        Question(
            member=desired.members[cluster],
            objects=frozenset(found.objects),
            storage=found.storage,
            dry_runs=found.dry_runs,
            texts=frozenset(found.texts),
            leftovers=found.leftovers,
            running=frozenset(found.running),
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


def backup_run(wanted: Wanted, run: Run, records: Mapping[Identity, Record]) -> Run | None:
    """The recorded run of a Restore's Backup on the same cluster."""
    record = records.get(wanted.backup) if wanted.backup else None
    return record.run_on(run.cluster) if record else None


def _ask_about(
    asked: dict[ClusterId, _Draft],
    run: Run,
    record: Record,
    desired: Desired,
    records: Mapping[Identity, Record],
    velero_namespace: str,
) -> None:
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
    wanted = desired.wanted.get(record.identity)
    if wanted is None or ask_of(record, run, desired) is not Ask.ASKED:
        return
    if isinstance(wanted.spec, BackupSpec):
        source = ""
    else:
        backup = backup_run(wanted, run, records)
        if backup is None or usable(backup, wanted.spec):
            return
        source = backup.object_name
        found.objects.add(("Backup", source))
    found.objects.add(name)
    found.texts.add(name)
    found.storage = True
    found.dry_runs[name] = manifest(record, run, wanted, source, velero_namespace)
