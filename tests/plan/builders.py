"""Readable values for the tests of the pure core: a fleet of small words, no repository, no cluster.

`ask(...)` makes desired state, `started(...)` and its siblings records, `there(...)` objects on members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.desired import Desired, Member, Wanted
from reconciler.manifests import Position, Problem
from reconciler.plan.answers import Answer, Failure, Name
from reconciler.plan.drafts import Asked, draft
from reconciler.plan.runs import needs_texts
from reconciler.records import Phase, Record, Run, Schedule, Texts
from reconciler.resources import BackupSpec, ClusterId, Identity, RestoreSpec
from reconciler.velero.objects import FINALIZER, RUN_ID
from reconciler.velero.status import Location, Seen, seen

NOW = datetime(2025, 6, 1, 12, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=25)
LEDGER = "5b0c7f9e-ledger"
HERE = Position("restores/minimal.yaml", 1)
WHO = Asked("restores/minimal.yaml", "6f1c" * 10, "Ada <ada@example.org>")

BACKUP = Identity("Backup", "default", "nightly")
RESTORE = Identity("Restore", "default", "minimal")
M1 = ClusterId("default", "AttachedCluster", "m1")
M2 = ClusterId("default", "AttachedCluster", "m2")
STORAGE = (Location("default", "Available", True, ""),)
VELERO = "velero"
DAILY = "0 3 * * *"
NOTHING = Texts((), ())
RUN_PHASES = tuple(phase for phase in Phase if phase.terminal or phase.value in ("Pending", "Held", "Starting"))
RUN_PHASES += (Phase.IN_PROGRESS,)


# ---------------------------------------------------------------- what the files ask for


def member(cluster: ClusterId) -> Member:
    return Member(cluster, f"{cluster.name}-kubeconfig", "value", Position("fleets/fleet.yaml", 1))


def backup(*clusters: ClusterId, identity: Identity = BACKUP, **spec: Any) -> Wanted:
    fields = {"destination": {"fleet": "quickstart"}, **spec}
    return Wanted(identity, BackupSpec.model_validate(fields), HERE, "quickstart", clusters or (M1,), None)


def scheduled(*clusters: ClusterId, **spec: Any) -> Wanted:
    """A Backup that a Schedule on each cluster takes."""
    return backup(*clusters, **{"schedule": DAILY, **spec})


def restore(*clusters: ClusterId, identity: Identity = RESTORE, of: Identity = BACKUP, **spec: Any) -> Wanted:
    fields = {"backupName": of.name, **spec}
    return Wanted(identity, RestoreSpec.model_validate(fields), HERE, "quickstart", clusters or (M1,), of)


def restore_of(*clusters: ClusterId, **spec: Any) -> Wanted:
    """A Restore of Velero's own objects: `source={"backup": …}` or `source={"schedule": …}`."""
    fields = {"destination": {"fleet": "quickstart"}, **spec}
    return Wanted(RESTORE, RestoreSpec.model_validate(fields), HERE, "quickstart", clusters or (M1,), None)


def to(*clusters: ClusterId) -> dict[str, Any]:
    """A destination that names clusters."""
    return {"fleet": "quickstart", "clusters": [{"kind": each.kind, "name": each.name} for each in clusters]}


def ask(
    *wanted: Wanted,
    members: Iterable[ClusterId] = (M1, M2),
    refused: Iterable[Identity] = (),
    complete: bool = True,
    paused: bool = False,
) -> Desired:
    problems = {identity: (problem(identity),) for identity in refused}
    return Desired(
        members={cluster: member(cluster) for cluster in members},
        wanted={each.identity: each for each in sorted(wanted, key=lambda each: each.identity)},
        refused=problems,
        problems=tuple(p for each in problems.values() for p in each),
        notes=(),
        complete=complete,
        paused=paused,
    )


def problem(identity: Identity | None = None) -> Problem:
    return Problem(HERE, "something is wrong", "mend it", identity)


# ---------------------------------------------------------------- what is recorded


def drafted(*wanted: Wanted, now: datetime = NOW) -> dict[Identity, Record]:
    """Records as they are when the files are new: every run `Pending`."""
    return draft(ask(*wanted), {}, {each.identity: WHO for each in wanted}, LEDGER, now)


def record(wanted: Wanted, phase: Phase = Phase.PENDING, **run: Any) -> Record:
    """A record with every run in that phase."""
    made = drafted(wanted)[wanted.identity]
    return replace(made, phase=phase, runs=tuple(replace(each, phase=phase, **run) for each in made.runs))


def ended(wanted: Wanted, phase: Phase = Phase.COMPLETED) -> Record:
    """A record that holds Velero's own last word for every run."""
    return record(wanted, phase, status={"phase": str(phase)})


def by_identity(*records: Record) -> dict[Identity, Record]:
    return {each.identity: each for each in sorted(records, key=lambda each: each.identity)}


def only_schedule(records: Mapping[Identity, Record], identity: Identity = BACKUP) -> Schedule:
    (schedule,) = records[identity].schedules
    return schedule


def only_run(records: Mapping[Identity, Record], identity: Identity = RESTORE) -> Run:
    (run,) = records[identity].runs
    return run


# ---------------------------------------------------------------- what is there


def there(
    kind: str, run: Run, phase: str = "InProgress", *, deleting: bool = False, held: bool = True, **status: Any
) -> Seen:
    """The object of a run, as Velero shows it."""
    return raw(kind, run.object_name, run.run_id, phase, deleting=deleting, held=held and kind == "Restore", **status)


def raw(
    kind: str, name: str, run_id: str, phase: str, *, deleting: bool = False, held: bool = False, **status: Any
) -> Seen:
    metadata: dict[str, Any] = {"name": name, "uid": f"uid-{name}-{run_id[:6]}", "annotations": {RUN_ID: run_id}}
    metadata |= {"deletionTimestamp": "2025-06-01T12:00:00Z"} if deleting else {}
    metadata |= {"finalizers": [FINALIZER]} if held else {}
    return seen(kind, {"metadata": metadata, "spec": {}, "status": {"phase": phase, **status} if phase else status})


def someone_elses(kind: str, run: Run, phase: str = "Completed") -> Seen:
    """An object of the run's name that is not ours."""
    return raw(kind, run.object_name, "f" * 32, phase)


def answer(
    *objects: Seen,
    absent: Iterable[Name] = (),
    accepted: Iterable[Name] = (),
    running: Iterable[Name] = (),
    texts: Mapping[Name, Texts] | None = None,
    uid: str = "uid-1",
    **fields: Any,
) -> Answer:
    """What a sound member answers; every object that it shows was asked for after its run began.

    Velero has nothing to tell about what has ended, unless `texts` says otherwise.
    """
    names = {(each.kind, each.name): each for each in objects}
    return Answer(
        cluster_uid=uid,
        locations=fields.pop("locations", STORAGE),
        seen={**names, **dict.fromkeys((*absent, *accepted))},
        dry_runs={**dict.fromkeys(accepted), **fields.pop("dry_runs", {})},
        texts={name: NOTHING for name, each in names.items() if needs_texts(each)} if texts is None else texts,
        running=frozenset((*names, *absent, *running)),
        **fields,
    )


def unreachable(reason: str = "Unreachable", message: str = "no connection") -> Answer:
    return Answer(failure=Failure(reason, message))


def name_of(identity: Identity, run: Run) -> Name:
    return (identity.kind, run.object_name)
