"""The state of a Velero Schedule on one cluster, level-triggered: made, kept as its file says, removed.

`Pending` → `Starting` (recorded and pushed before it is created or changed) → `Enabled` or `Paused`; `Removing` →
`Removed` once its file, or the cluster, is gone. It may be created again at any time: that is harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from reconciler.desired import Desired, Wanted
from reconciler.plan.actions import Action, Create, Delete, Update
from reconciler.plan.answers import UNASKED, UNKNOWN, Answer, Failure
from reconciler.plan.asks import Ask, ask_of_schedule
from reconciler.plan.backups import velero_failure
from reconciler.plan.points import started
from reconciler.records import Phase, Record, Schedule, moment, timestamp
from reconciler.resources import BackupSpec, ClusterId, Identity
from reconciler.velero import objects
from reconciler.velero.status import Seen, SeenSchedule

IN_PLACE: Final = (Phase.ENABLED, Phase.PAUSED, Phase.FAILED_VALIDATION)
PAUSED: Final = Failure("Paused", "the repository is paused; it goes on once .reconciler-paused is removed")


def advance(schedule: Schedule, spec: BackupSpec | None, ask: Ask, answer: Answer, now: datetime) -> Schedule:
    """The Schedule as it should be recorded now; `spec` is the file's, None where there is none."""
    schedule = _refreshed(schedule, answer, now)
    match ask:
        case Ask.ABANDONED:
            return _abandoned(schedule)
        case Ask.FROZEN | Ask.SPEC_CHANGED:
            return schedule
        case Ask.WITHDRAWN:
            return _remove(schedule, answer)
    assert spec is not None  # it is asked for
    return _keep(schedule, spec, ask, answer)


def unsettled(schedule: Schedule, spec: BackupSpec) -> bool:
    """It is not, as far as is recorded, as its file says."""
    if schedule.phase not in IN_PLACE or schedule.what != fingerprint(spec):
        return True
    suspended = schedule.phase is Phase.PAUSED and schedule.reason == "Suspended"
    return spec.suspend != suspended if schedule.reason != "PausedThere" else False


def proven_gone(schedule: Schedule) -> bool:
    """Its absence was seen; where its cluster was given up, nobody could look."""
    return schedule.phase is Phase.REMOVED and schedule.reason != "Abandoned"


def fingerprint(spec: BackupSpec) -> str:
    """Of the Schedule that a Backup asks for."""
    found: str = objects.fingerprint(objects.schedule({"annotations": {}}, spec)["spec"])
    return found


def explain(schedule: Schedule, failure: Failure | None) -> Schedule:
    """One that could not be created, changed or deleted says why."""
    if failure is None or not schedule.phase.open or schedule.reason == failure.reason:
        return schedule
    return replace(schedule, reason=failure.reason, message=failure.message)


def actions(
    desired: Desired, committed: Mapping[Identity, Record], answers: Mapping[ClusterId, Answer], velero_namespace: str
) -> Iterator[Action]:
    """What the committed records ask for: creates, updates and deletes of Schedules of ours, never of others'."""
    for record in committed.values():
        wanted = desired.wanted.get(record.identity)
        for schedule in record.schedules:
            answer = answers.get(schedule.cluster, UNASKED)
            if schedule.object_name not in answer.schedules or schedule.cluster not in desired.members:
                continue
            if schedule.cluster_uid not in ("", answer.cluster_uid):
                continue  # the kubeconfig leads to another cluster now
            seen = answer.schedules[schedule.object_name]
            ask = ask_of_schedule(record, schedule.cluster, desired)
            gone = ask is Ask.WITHDRAWN and not desired.paused
            action: Action | None = None
            if ask is Ask.ASKED and wanted and schedule.phase is Phase.STARTING:
                action = _towards(record, schedule, wanted, seen, desired, velero_namespace)
            elif gone and schedule.phase is Phase.REMOVING and _ours(seen, schedule) and seen:
                member = desired.members[schedule.cluster]
                action = Delete(member, record.identity, seen.name, seen.uid, schedule.run_id)
            if action:
                yield action


def manifest(record: Record, schedule: Schedule, wanted: Wanted, velero_namespace: str) -> dict[str, object]:
    """The Velero Schedule."""
    assert isinstance(wanted.spec, BackupSpec)
    meta = objects.metadata(
        record.identity,
        schedule.object_name,
        velero_namespace,
        wanted.fleet,
        schedule.run_id,
        record.source,
        record.revision,
    )
    return objects.schedule(meta, wanted.spec)


def _keep(schedule: Schedule, spec: BackupSpec, ask: Ask, answer: Answer) -> Schedule:
    name = schedule.object_name
    if name not in answer.schedules:
        if schedule.phase in IN_PLACE and not unsettled(schedule, spec):
            return schedule
        return _wait(schedule, answer.failure or answer.dry_runs.get(("Schedule", name)) or UNKNOWN)
    seen = answer.schedules[name]
    if ask is Ask.PAUSED and (seen is None or _differs(seen, spec)):
        return _wait(schedule, PAUSED)
    if seen is None and (missing := velero_failure(answer)):
        return _wait(schedule, missing)
    if seen is None:
        return replace(schedule, phase=Phase.STARTING, reason="", message="", cluster_uid=answer.cluster_uid)
    if not _ours(seen, schedule):
        text = f"Schedule {name} is there already and not ours; use a new name, or delete it"
        return replace(schedule, phase=Phase.FAILED, reason="NameConflict", message=text)
    if seen.deleting:
        return _wait(schedule, Failure("Deleting", f"Schedule {name} is being deleted; it is made again after that"))
    if _differs(seen, spec):
        return replace(schedule, phase=Phase.STARTING, reason="", message="", cluster_uid=answer.cluster_uid)
    return _in_place(replace(schedule, what=seen.what, cluster_uid=answer.cluster_uid), seen)


def _in_place(schedule: Schedule, seen: SeenSchedule) -> Schedule:
    if seen.invalid:
        return replace(schedule, phase=Phase.FAILED_VALIDATION, reason="FailedValidation", message=seen.invalid)
    if seen.paused and seen.suspended:
        return replace(schedule, phase=Phase.PAUSED, reason="Suspended", message="spec.suspend is set")
    if seen.paused:
        text = "somebody paused it on the cluster; it is left so: velero schedule unpause " + seen.name
        return replace(schedule, phase=Phase.PAUSED, reason="PausedThere", message=text)
    return replace(schedule, phase=Phase.ENABLED, reason="", message="")


def _remove(schedule: Schedule, answer: Answer) -> Schedule:
    """Ours only, and only what was there: `Removing` until its absence is proven.

    A create that another process sent may land after that: what is there once more is removed once more. So is what
    may have been left on a cluster that was given up, and is declared again.
    """
    if proven_gone(schedule) and not _ours(answer.schedules.get(schedule.object_name), schedule):
        return _untied(schedule)
    begun = schedule if schedule.phase is Phase.REMOVING else _removing(schedule)
    if schedule.object_name not in answer.schedules:
        return explain(begun, answer.failure)
    if _ours(answer.schedules[schedule.object_name], schedule):
        return begun
    return _untied(replace(begun, phase=Phase.REMOVED, reason="", message=""))


def _untied(schedule: Schedule) -> Schedule:
    """One that is removed is tied to no cluster any more: one that is rebuilt under the name gets it again."""
    return replace(schedule, cluster_uid="", what="")


def _removing(schedule: Schedule) -> Schedule:
    return replace(schedule, phase=Phase.REMOVING, reason="", message="")


def _abandoned(schedule: Schedule) -> Schedule:
    """A cluster that was given up is no failure of the Backup for ever after; what may be left there is said."""
    if schedule.phase is Phase.REMOVED:
        return _untied(schedule)
    text = (
        f"{schedule.cluster.kind} {schedule.cluster.name} is declared nowhere any more; the Schedule may be there yet"
    )
    return _untied(replace(schedule, phase=Phase.REMOVED, reason="Abandoned", message=text))


def _wait(schedule: Schedule, failure: Failure) -> Schedule:
    """The text of a reason that is recorded already stays, and what is unknown overwrites nothing."""
    if schedule.phase is Phase.STARTING and failure is UNKNOWN:
        return schedule
    if schedule.phase is Phase.PENDING and schedule.reason and failure.reason in (schedule.reason, UNKNOWN.reason):
        return schedule
    return replace(schedule, phase=Phase.PENDING, reason=failure.reason, message=failure.message)


def _towards(
    record: Record,
    schedule: Schedule,
    wanted: Wanted,
    seen: SeenSchedule | None,
    desired: Desired,
    velero_namespace: str,
) -> Action | None:
    assert isinstance(wanted.spec, BackupSpec)
    member, made = desired.members[schedule.cluster], manifest(record, schedule, wanted, velero_namespace)
    if seen is None:
        name = schedule.object_name
        return Create(member, record.identity, name, schedule.run_id, schedule.cluster_uid, made)
    if not _ours(seen, schedule) or seen.deleting or not _differs(seen, wanted.spec):
        return None
    paused = wanted.spec.suspend if _pause_differs(seen, wanted.spec) else None
    return Update(member, record.identity, seen.name, seen.uid, schedule.run_id, made, paused)


def _differs(seen: SeenSchedule, spec: BackupSpec) -> bool:
    return seen.what != fingerprint(spec) or _pause_differs(seen, spec)


def _pause_differs(seen: SeenSchedule, spec: BackupSpec) -> bool:
    """Somebody else's pause is left as it is; our mark is taken off with our own, lest theirs be lifted later."""
    return not seen.paused if spec.suspend else seen.suspended


def _ours(seen: SeenSchedule | None, schedule: Schedule) -> bool:
    return seen is not None and seen.run_id == schedule.run_id


def _refreshed(schedule: Schedule, answer: Answer, now: datetime) -> Schedule:
    """With its latest backup, where that was asked for; progress alone, and the time of the look, change nothing."""
    listed = answer.backups_of.get(schedule.object_name)
    if not listed:
        return schedule
    latest = max(listed, key=_order)
    if (latest.name, latest.status.get("phase")) == (schedule.backup_name, schedule.status.get("phase")):
        return schedule
    return replace(schedule, backup_name=latest.name, status=latest.status, refreshed=timestamp(now))


def _order(seen: Seen) -> tuple[str, str]:
    at = moment(started(seen))
    return (timestamp(at) if at else "", seen.name)
