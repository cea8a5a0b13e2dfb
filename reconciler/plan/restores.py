"""What a Restore waits for on a member, and what binds its clusters together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reconciler.plan.answers import Answer, Failure
from reconciler.plan.backups import dry_run_failure, storage_failure, velero_failure
from reconciler.plan.points import WAITS, Origin, choose, rounded, started, unusable
from reconciler.plan.runs import refuse, wait
from reconciler.records import Phase, Run, moment
from reconciler.resources import ClusterId, RestoreSpec, duration


def gate(run: Run, answer: Answer, origin: Origin, spec: RestoreSpec, now: datetime) -> Run:
    """`Starting`, with the backup pinned, once that is there, whole, kept and readable, and a dry-run was accepted."""
    failure = unusable(origin, spec)
    if failure:
        return _wait_or_refuse(run, failure)
    failure = answer.failure or velero_failure(answer)
    if failure:
        return wait(run, failure)
    chosen = choose(origin, answer, spec, now)
    if isinstance(chosen, Failure):
        return _wait_or_refuse(run, chosen)
    failure = dry_run_failure(answer, "Restore", run) or storage_failure(answer, chosen.storage)
    if failure:
        return wait(run, failure)
    return replace(
        run,
        phase=Phase.STARTING,
        reason="",
        message="",
        cluster_uid=answer.cluster_uid,
        backup_name=chosen.name,
        backup_started=started(chosen),
        backup_completed=chosen.completed_at,
    )


def bind(
    before: tuple[Run, ...], after: tuple[Run, ...], clusters: tuple[ClusterId, ...], spec: RestoreSpec
) -> tuple[Run, ...]:
    """With `spec.maxSkew` the clusters of an attempt start together or not at all.

    None starts while another's backup is not known; all are refused where one is, or where their backups lie too far
    apart. A run that has started keeps its backup, and the others are measured against it; likewise those of
    `clusters`, the destination's, that need no new attempt because an earlier one restored the same.
    """
    group = [run for run in after if run.attempt == spec.attempt]
    if not spec.max_skew or not any(run.phase.open for run in group):
        return after
    again, same = {run.cluster for run in group}, {run.what for run in group}
    stands = {run.cluster: run for run in after if run.cluster in clusters and run.cluster not in again}
    done = [run for run in stands.values() if run.phase is Phase.COMPLETED and run.what in same]
    failure = _apart([*done, *group], spec.max_skew)
    if failure is None:
        return after
    was = {run.run_id: run for run in before}
    return tuple(_held_back(run, was.get(run.run_id, run), failure) if run in group else run for run in after)


def _apart(group: list[Run], limit: str) -> Failure | None:
    """Why the group can't start together."""
    refused = next((run for run in group if run.phase is Phase.FAILED and not run.status and not run.backup_name), None)
    if refused:
        text = f"spec.maxSkew binds all clusters, and on {refused.cluster.name}: {refused.message}"
        return Failure("SkewExceeded", text)
    missing = next((run for run in group if run.phase is Phase.PENDING), None)
    if missing:
        reason = missing.message if missing.reason != "FleetNotReady" else ""
        text = f"spec.maxSkew binds all clusters, and {missing.cluster.name} has no backup yet"
        return Failure("FleetNotReady", f"{text}: {reason}" if reason else text)
    unknown = next((run for run in group if run.phase is Phase.STARTING and not moment(run.backup_started)), None)
    if unknown:
        text = f"nobody knows when the backup of {unknown.cluster.name} was started, and spec.maxSkew is {limit}"
        return Failure("SkewExceeded", text)
    pinned = sorted(
        (at, run.cluster.name) for run in group if run.phase is not Phase.HELD and (at := moment(run.backup_started))
    )
    if not pinned or pinned[-1][0] - pinned[0][0] <= duration(limit):
        return None
    (first, oldest), (last, newest) = pinned[0], pinned[-1]
    text = f"the backup of {newest} was started {rounded(last - first)} after that of {oldest}"
    return Failure("SkewExceeded", f"{text}, and spec.maxSkew is {limit}")


def _held_back(run: Run, before: Run, failure: Failure) -> Run:
    """Only what has not started yet; what waits for a reason of its own keeps it."""
    if before.phase is not Phase.PENDING or run.phase not in (Phase.PENDING, Phase.STARTING):
        return run
    if failure.reason == "SkewExceeded":
        return refuse(before, failure.reason, failure.message)
    return wait(before, failure) if run.phase is Phase.STARTING else run


def _wait_or_refuse(run: Run, failure: Failure) -> Run:
    return wait(run, failure) if failure.reason in WAITS else refuse(run, failure.reason, failure.message)
