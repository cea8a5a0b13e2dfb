"""The metrics, by the conventions of Prometheus, in a registry of their own. `deploy/alerts.yaml` asks for them.

Told by the daemon and, for notifications, by their threads; every method may be called from any thread.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from importlib.metadata import version
from time import monotonic
from typing import Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import Counter as Count
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from reconciler.errors import Cause
from reconciler.plan.answers import UNKNOWN, Answer
from reconciler.plan.runs import DOUBTED
from reconciler.plan.shards import WHOLE, Shard
from reconciler.records import PLURALS, Part, Phase, Record, moment
from reconciler.resources import ClusterId, Identity

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
CAUSES: Final = tuple(map(str, Cause))
"""Of a rejection by git; what is called anything else counts as `other`, so that the series stay few."""
_PASS_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_GIT_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RUN_PHASES: Final = tuple(
    phase for phase in Phase if phase not in (Phase.ENABLED, Phase.PAUSED, Phase.REMOVING, Phase.REMOVED)
)
_SCHEDULE_PHASES: Final = (Phase.PENDING, Phase.ENABLED, Phase.PAUSED, Phase.FAILED, Phase.REMOVING, Phase.REMOVED)

# Else a second series for each counter, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call] # the package has no annotation there

OPERATIONS: Final = ("fetch", "ask", "commit", "push")
HookResult = Literal["accepted", "ignored", "denied", "refused"]
"""`ignored`: genuine, and of no concern; `denied`: not genuine; `refused`: too large, too slow, or too many at once."""


class Metrics:
    """One process's. What stands by exports no runs and no members: only who leads knows them."""

    def __init__(self, shard: Shard = WHOLE) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        build = Gauge("reconciler_build_info", "Always 1.", ("version", "python"), registry=registry)
        build.labels(version("fleet-restore"), platform.python_version()).set(1)
        self._passes = Count("reconciler_passes", "Passes, by how they ended.", ("result",), registry=registry)
        self._pass_seconds = Histogram(
            "reconciler_pass_duration_seconds", "How long a pass takes.", buckets=_PASS_SECONDS, registry=registry
        )
        self._succeeded_at = Gauge(
            "reconciler_last_success_timestamp_seconds",
            "When a pass last succeeded, or the branch was last asked and nothing was to be done; 0 before the first.",
            registry=registry,
        )
        self._git_seconds = Histogram(
            "reconciler_git_operation_duration_seconds",
            "How long git takes, whether it succeeds or not.",
            ("operation",),
            buckets=_GIT_SECONDS,
            registry=registry,
        )
        self._rejections = Count(
            "reconciler_git_rejections",
            "Git operations that failed, by cause; a race is tried again at once.",
            ("operation", "cause"),
            registry=registry,
        )
        self._runs = Gauge(
            "reconciler_runs",
            "The latest run of each object on each cluster.",
            ("kind", "phase"),
            registry=registry,
        )
        self._schedules = Gauge("reconciler_schedules", "Schedules on the members.", ("phase",), registry=registry)
        self._doubted = Gauge(
            "reconciler_restores_doubted",
            "Restores that Velero calls Completed, and that were not restored or not verified on some cluster.",
            ("reason",),
            registry=registry,
        )
        oldest = Gauge(
            "reconciler_oldest_waiting_run_age_seconds",
            "Since when the run that waits longest is recorded; 0 where none waits.",
            registry=registry,
        )
        self._reachable = Gauge(
            "reconciler_member_reachable",
            "Whether the member answered when it was last asked.",
            ("cluster_namespace", "cluster_kind", "cluster_name"),
            registry=registry,
        )
        self._leads = Gauge(
            "reconciler_leader", "1 where this process works, 0 where it stands by.", ("shard",), registry=registry
        ).labels(str(shard))
        self._leads.set(1)
        shards = Gauge("reconciler_shards", "Of how many shards this process is one.", registry=registry)
        shards.set(shard.count)
        self._notifications = Count(
            "reconciler_notifications", "Notifications, by whether they were delivered.", ("result",), registry=registry
        )
        self._hooks = Count("reconciler_webhook_requests", "Calls of the webhook.", ("result",), registry=registry)
        for result in ("success", "failure"):  # a rate needs the zero before the first one
            self._passes.labels(result)
            self._notifications.labels(result)
        for operation in OPERATIONS:
            for cause in CAUSES:
                self._rejections.labels(operation, cause)
        oldest.set_function(self._oldest_age)  # it grows between passes, too
        self._oldest_at: float | None = None
        self._told: set[ClusterId] = set()
        self._well = False

    def pass_ended(self, seconds: float, ok: bool) -> None:
        """A pass took so long; `ok` when no error ended it."""
        self._pass_seconds.observe(seconds)
        self._passes.labels("success" if ok else "failure").inc()
        self._well = ok
        if ok:
            self._succeeded_at.set_to_current_time()

    def git(self, operation: str, seconds: float, cause: str = "") -> None:
        """Git was called for one of OPERATIONS; `cause` says why it failed, empty where it did not.

        Between passes an `ask` that is answered is success: all is settled, and nobody moved the branch.
        """
        self._git_seconds.labels(operation).observe(seconds)
        if cause:
            self._rejections.labels(operation, cause if cause in CAUSES else str(Cause.OTHER)).inc()
        elif operation == "ask" and self._well:
            self._succeeded_at.set_to_current_time()

    def unmoved(self) -> None:
        """The branch stands where the last pass saw it: where that one succeeded, all is well by now, too."""
        if self._well:
            self._succeeded_at.set_to_current_time()

    def records(self, records: Mapping[Identity, Record], now: datetime) -> None:
        """What is recorded now."""
        runs = Counter((i.kind, run.phase) for i, record in records.items() for run in record.latest)
        schedules = Counter(schedule.phase for record in records.values() for schedule in record.schedules)
        for kind in PLURALS:
            for each in _RUN_PHASES:
                self._runs.labels(kind, str(each)).set(runs[kind, each])
        for phase in _SCHEDULE_PHASES:
            self._schedules.labels(str(phase)).set(schedules[phase])
        doubted = Counter(c.reason for record in records.values() for c in record.conditions if c.type == "Ready")
        for reason in DOUBTED:
            self._doubted.labels(reason).set(doubted[reason])
        ages = [
            (now - (moment(record.recorded_at) or now)).total_seconds()
            for record in records.values()
            if any(_waits(run) for run in record.latest)
        ]
        self._oldest_at = monotonic() - max([0.0, *ages]) if ages else None  # clocks may go back

    def members(self, answers: Mapping[ClusterId, Answer], known: Collection[ClusterId]) -> None:
        """What members answered in a pass. Of one that was not asked, or has not told all yet, the last word stands."""
        for cluster in self._told - set(known):
            self._reachable.remove(cluster.namespace, cluster.kind, cluster.name)
        self._told &= set(known)
        for cluster, answer in answers.items():
            if cluster in known and not (answer.failure and answer.failure.reason == UNKNOWN.reason):
                self._told.add(cluster)
                child = self._reachable.labels(cluster.namespace, cluster.kind, cluster.name)
                child.set(0 if answer.failure else 1)

    def leading(self, is_leading: bool) -> None:
        """Whether this process works, or stands by. Without an election it works."""
        self._leads.set(1 if is_leading else 0)
        if not is_leading:
            self._runs.clear()
            self._schedules.clear()
            self._doubted.clear()
            self._reachable.clear()
            self._told.clear()
            self._oldest_at = None

    def notification(self, ok: bool) -> None:
        """One was delivered to one receiver, or given up."""
        self._notifications.labels("success" if ok else "failure").inc()

    def hook(self, result: HookResult) -> None:
        """The webhook was called."""
        self._hooks.labels(result).inc()

    def text(self) -> bytes:
        """All of them, in `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def _oldest_age(self) -> float:
        return 0.0 if self._oldest_at is None else monotonic() - self._oldest_at


def _waits(run: Part) -> bool:
    return run.phase is Phase.PENDING or (run.phase is Phase.STARTING and bool(run.reason))
