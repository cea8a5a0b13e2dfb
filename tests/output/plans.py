"""Plans as values, in a few words: `plan(steps(restore_record, step("m1", Verb.START)))`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from reconciler.manifests import Problem
from reconciler.plan.planned import Plan, Step, Steps, Verb
from reconciler.records import Part, Phase, Record, timestamp
from reconciler.velero.status import Seen
from tests.output.builders import NOW, run
from tests.plan.builders import raw


def backup(name: str, hours: int = 5, items: int = 40, **status: Any) -> Seen:
    """A Velero Backup that was started so many hours ago, and is kept for thirty days."""
    started = NOW - timedelta(hours=hours)
    times = {"startTimestamp": timestamp(started), "completionTimestamp": timestamp(started)}
    kept = {"expiration": timestamp(started + timedelta(days=30)), "progress": {"totalItems": items}}
    return raw("Backup", name, "0" * 32, "Completed", **(times | kept | status))


def step(
    on: str | Part, verb: Verb = Verb.START, reason: str = "", message: str = "", taken: Seen | None = None
) -> Step:
    part = run(on, Phase.STARTING) if isinstance(on, str) else on
    return Step(verb, part, reason, message, taken)


def starts(on: str, **taken: Any) -> Step:
    """A start, with its backup pinned."""
    return step(on, taken=backup(f"{on}-backup-default-before", **taken))


def steps(record: Record, *each: Step, why: str = "", moved: bool = True) -> Steps:
    return Steps(record, each, why, moved)


def plan(*objects: Steps, problems: tuple[Problem, ...] = (), **fields: Any) -> Plan:
    values = {"revision": "6f1c" * 10, "base": "", "paused": False, **fields}
    return Plan(objects=objects, problems=problems, **values)
