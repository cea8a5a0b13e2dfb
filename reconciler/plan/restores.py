"""What a Restore waits for on a member, and which backup it takes there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reconciler.plan.answers import UNKNOWN, Answer, Failure
from reconciler.plan.backups import dry_run_failure, storage_failure
from reconciler.plan.runs import refuse, wait
from reconciler.records import Phase, Run, moment
from reconciler.resources import RestoreSpec
from reconciler.velero.status import Seen


def usable(backup: Run | None, spec: RestoreSpec) -> Failure | None:
    """Why the record says that a Backup's run can't be restored from (yet); None where it can.

    A `Held` backup may be there already, made by Kurator under the same name: the member is asked.
    """
    if backup is None:
        return Failure("BackupNotFound", f"Backup {spec.backup_name} did not run on this cluster")
    if backup.phase.open:
        return Failure("BackupRunning", f"Backup {spec.backup_name} is {backup.phase} on this cluster")
    if backup.phase in (Phase.COMPLETED, Phase.HELD):
        return None
    if backup.phase is Phase.PARTIALLY_FAILED and spec.allow_partially_failed:
        return None
    return Failure("BackupFailed", f"Backup {spec.backup_name} ended {backup.phase} on this cluster")


def gate(run: Run, answer: Answer, backup: Run | None, spec: RestoreSpec, now: datetime) -> Run:
    """`Starting`, with the backup pinned, once that is there, whole, kept and readable, and a dry-run was accepted."""
    unusable = usable(backup, spec)
    if unusable and unusable.reason != "BackupRunning":
        return refuse(run, unusable.reason, unusable.message)
    if unusable or backup is None:
        return wait(run, unusable or UNKNOWN)
    if answer.failure:
        return wait(run, answer.failure)
    name = ("Backup", backup.object_name)
    if name not in answer.seen:
        return wait(run, UNKNOWN)
    seen = answer.seen[name]
    if seen is None:
        text = (
            f"Backup {backup.object_name} is not on this cluster: expired, deleted, or not synced from the storage yet"
        )
        return wait(run, Failure("BackupNotFound", text))
    refusal = _refusal(seen, backup, spec, now)
    if refusal:
        return refuse(run, refusal.reason, refusal.message)
    if seen.terminal is None:
        return wait(run, Failure("BackupRunning", f"Backup {seen.name} is {seen.phase or 'New'}"))
    failure = dry_run_failure(answer, "Restore", run) or storage_failure(answer, seen.storage)
    if failure:
        return wait(run, failure)
    return replace(
        run,
        phase=Phase.STARTING,
        reason="",
        message="",
        cluster_uid=answer.cluster_uid,
        backup_name=seen.name,
        backup_completed=seen.completed_at,
    )


def _refusal(seen: Seen, backup: Run, spec: RestoreSpec, now: datetime) -> Failure | None:
    """Velero itself does not look at a backup's phase (restore_controller.go): the client must."""
    if backup.phase is not Phase.HELD and seen.run_id != backup.run_id:
        return Failure("BackupNotFound", f"Backup {seen.name} is not the one that is recorded")
    if seen.deleting:
        return Failure("BackupDeleting", f"Backup {seen.name} is being deleted")
    good = (Phase.COMPLETED, Phase.PARTIALLY_FAILED) if spec.allow_partially_failed else (Phase.COMPLETED,)
    if seen.terminal is not None and seen.terminal not in good:
        return Failure("BackupFailed", f"Backup {seen.name} is {seen.phase}")
    expires = moment(seen.expires_at)
    if expires is not None and expires <= now:
        return Failure("BackupExpired", f"Backup {seen.name} expired at {seen.expires_at}")
    return None
