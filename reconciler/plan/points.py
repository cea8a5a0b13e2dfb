"""Which backup a Restore takes on one cluster: the newest that fits, by when it was started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from reconciler.desired import Wanted
from reconciler.plan.answers import UNKNOWN, Answer, Failure, Name
from reconciler.plan.asks import scheduled
from reconciler.records import Phase, Record, Run, moment, run_id
from reconciler.resources import ClusterId, Identity, RestoreSpec, duration
from reconciler.velero.objects import object_name
from reconciler.velero.status import Seen

WAITS: Final = ("BackupRunning", "BackupNotFound", UNKNOWN.reason)
"""Reasons that time may mend; every other one is final."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a Restore's backups on one cluster are looked for; just one of these is set.

    `runs`: those of our immediate Backup there. `backup`: a Velero Backup. `schedule`: a Velero Schedule, ours or not.
    """

    title: str
    runs: tuple[Run, ...] | None = None
    backup: str = ""
    schedule: str = ""

    @property
    def names(self) -> frozenset[Name]:
        """The Backups to ask for by name."""
        if self.backup:
            return frozenset({("Backup", self.backup)})
        return frozenset(("Backup", run.object_name) for run in self.runs or () if _taken(run))


def origin_of(
    wanted: Wanted, cluster: ClusterId, of: Wanted | None, records: Mapping[Identity, Record], ledger: str
) -> Origin:
    """`of`: the Backup that the Restore names, if it names one; what kind it is the record tells, once there is one."""
    spec = wanted.spec
    assert isinstance(spec, RestoreSpec)
    if spec.source is not None:
        name = spec.source.backup or spec.source.schedule or ""
        title = f"{'Backup' if spec.source.backup else 'Schedule'} {name}"
        return Origin(title, backup=spec.source.backup or "", schedule=spec.source.schedule or "")
    title = f"Backup {spec.backup_name}"
    record = records.get(wanted.backup) if wanted.backup else None
    if of is not None and (record.schedules if record else scheduled(of)):
        ours = run_id(ledger, of.identity, 1, cluster)
        return Origin(title, schedule=object_name(of.identity, cluster, 1, ours))
    return Origin(title, runs=record.runs_on(cluster) if record else ())


def unusable(origin: Origin, spec: RestoreSpec) -> Failure | None:
    """Why the record says that our immediate Backup can't be restored from (yet); None where it can.

    A `Held` backup may be there already, made by Kurator under the same name: the member is asked.
    """
    if origin.runs is None:
        return None
    if not origin.runs:
        return Failure("BackupMissing", f"{origin.title} did not run on this cluster")
    under_way = next((run for run in origin.runs if run.phase.open), None)
    if under_way:
        return Failure("BackupRunning", f"{origin.title} is {under_way.phase} on this cluster")
    if not any(_good(run.phase, spec) or run.phase is Phase.HELD for run in origin.runs):
        return Failure("BackupFailed", f"{origin.title} ended {origin.runs[-1].phase} on this cluster")
    return None


def choose(origin: Origin, answer: Answer, spec: RestoreSpec, now: datetime) -> Seen | Failure:
    """The newest backup that fits, or why there is none; the reasons in `WAITS` may pass."""
    found = _candidates(origin, answer, spec)
    if isinstance(found, Failure):
        return found
    if not found:
        text = "is not on this cluster: expired, deleted, or not synced from the storage yet"
        if origin.schedule:
            text = "has no backup on this cluster: none was taken yet, all expired, or they are not synced yet"
        return Failure("BackupNotFound", f"{_which(origin)} {text}")
    reasons = [(seen, _misfit(seen, spec, now)) for seen in sorted(found, key=_started, reverse=True)]
    fitting = next((seen for seen, reason in reasons if reason is None), None)
    if fitting is not None:
        return fitting
    told = [reason for _, reason in reasons if reason is not None]
    return next((reason for reason in told if reason.reason == "BackupRunning"), told[0])


def started(seen: Seen) -> str:
    """When its content was taken; a backup that was copied by hand may have no start."""
    return seen.started_at or seen.completed_at


def _candidates(origin: Origin, answer: Answer, spec: RestoreSpec) -> list[Seen] | Failure:
    """The backups that are there, whatever their state."""
    if origin.schedule:
        listed = answer.backups_of.get(origin.schedule)
        return UNKNOWN if listed is None else list(listed)
    if any(name not in answer.seen for name in origin.names):
        return UNKNOWN
    there = [seen for name in origin.names if (seen := answer.seen[name]) is not None]
    ours = {run.object_name: run for run in origin.runs or ()}
    for seen in there:
        run = ours.get(seen.name)
        if run is not None and run.phase is not Phase.HELD and seen.run_id != run.run_id:
            return Failure("BackupReplaced", f"Backup {seen.name} is not the one that is recorded")
    return there


def _misfit(seen: Seen, spec: RestoreSpec, now: datetime) -> Failure | None:
    """Why that backup can't be taken. Velero itself does not look at its phase (restore_controller.go)."""
    name, at = f"Backup {seen.name}", moment(started(seen))
    limit = moment(spec.before or "")
    if limit is not None and at is not None and at > limit:
        return Failure("BackupTooNew", f"{name} was started at {started(seen)}, after spec.before ({spec.before})")
    if seen.deleting:
        return Failure("BackupDeleting", f"{name} is being deleted")
    if seen.terminal is None:
        return Failure("BackupRunning", f"{name} is {seen.phase or 'New'}")
    if not _good(seen.terminal, spec):
        return Failure("BackupFailed", f"{name} is {seen.phase}")
    if limit is not None and at is None:
        return Failure("BackupTooNew", f"{name} was started at an unknown time, and spec.before is {spec.before}")
    expires = moment(seen.expires_at)
    if expires is not None and expires <= now:
        return Failure("BackupExpired", f"{name} expired at {seen.expires_at}")
    age = (limit or now) - at if at else None
    if spec.max_backup_age and (age is None or age > duration(spec.max_backup_age)):
        measured = f"{rounded(age)} before {'spec.before' if limit else 'now'}" if age else "at an unknown time"
        text = f"{name} was started {measured}, and spec.maxBackupAge is {spec.max_backup_age}"
        return Failure("BackupTooOld", text)
    return None


def rounded(span: timedelta) -> str:
    """In two units at most: `2d3h`, `3h20m`, `45m`, `12s`."""
    seconds = max(0, int(span.total_seconds()))
    units = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    first = next((number for number, (count, _) in enumerate(units) if count), len(units) - 1)
    shown = [f"{count}{unit}" for count, unit in units[first : first + 2] if count]
    return "".join(shown) or "0s"


def _good(phase: Phase, spec: RestoreSpec) -> bool:
    return phase is Phase.COMPLETED or (phase is Phase.PARTIALLY_FAILED and spec.allow_partially_failed)


def _taken(run: Run) -> bool:
    """It may have left a Backup on the member."""
    return run.phase in (Phase.COMPLETED, Phase.PARTIALLY_FAILED, Phase.HELD)


def _started(seen: Seen) -> datetime:
    return moment(started(seen)) or _NEVER


def _which(origin: Origin) -> str:
    names: Iterable[str] = sorted(name for _, name in origin.names)
    return f"Schedule {origin.schedule}" if origin.schedule else f"Backup {', '.join(names)}"
