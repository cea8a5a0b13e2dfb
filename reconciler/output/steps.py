"""The words for a plan and its steps, the same in a table and on a pull request."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from reconciler.output.times import next_time
from reconciler.plan.planned import Plan, Steps, Verb
from reconciler.plan.points import rounded, started
from reconciler.records import moment
from reconciler.velero.status import Seen


def summary(plan: Plan) -> str:
    """`Plan: 2 to start, 1 waits.`, counted by object and cluster."""
    counts = Counter(step.verb for steps in plan.objects for step in steps.steps)
    words = {
        Verb.START: "to start",
        Verb.AFTER: "to start after their backup",
        Verb.CREATE: "Schedule{s} to create",
        Verb.UPDATE: "Schedule{s} to update",
        Verb.REMOVE: "Schedule{s} to remove",
        Verb.FOLLOW: "under way",
        Verb.WAIT: "waiting",
        Verb.HOLD: "to hold",
        Verb.REFUSE: "to refuse",
    }
    told = [_counted(counts[verb], word) for verb, word in words.items() if counts[verb]]
    rest = {
        "problem{s} in files": len(plan.problems),
        "edit{s} without effect": sum(_says(steps, "SpecChanged") for steps in plan.objects),
        "attempt{s} waiting for an earlier one": sum(_says(steps, "AttemptWaiting") for steps in plan.objects),
        "record{s} to bring up to date": sum(only_recorded(steps) for steps in plan.objects),
        "ledger to make": int(plan.new_ledger),
        "record{s} to put back": len(plan.put_back),
    }
    told += [_counted(count, word) for word, count in rest.items() if count]
    return f"Plan: {', '.join(told)}." if told else "Plan: nothing to do."


def only_recorded(steps: Steps) -> bool:
    """Nothing is done on any cluster, but the record would be another: what was seen there, or what its file says."""
    return steps.moved and not steps.why and all(step.verb is Verb.SKIP for step in steps.steps)


def _says(steps: Steps, condition: str) -> bool:
    return any(each.type == condition for each in steps.record.conditions)


def _counted(count: int, words: str) -> str:
    return f"{count} {words.format(s='' if count == 1 else 's')}"


def backup_columns(backup: Seen | None, now: datetime) -> tuple[str, str, str, str]:
    """Its name, age, size in items, and how long it is kept."""
    if backup is None:
        return ("", "", "", "")
    expires = moment(backup.expires_at)
    at = moment(started(backup))
    return (
        backup.name,
        rounded(now - at) if at else "",
        str(backup.progress[1]) if backup.progress else "",
        rounded(expires - now) if expires else "never",
    )


def attempt(steps: Steps) -> str:
    """` (attempt 2)`, nothing for the first."""
    return f" (attempt {steps.record.attempt})" if steps.record.attempt > 1 else ""


def next_run(steps: Steps, now: datetime) -> str:
    """When the Schedules of a Backup run next, RFC 3339; empty where it has none."""
    return next_time(str(steps.record.spec.get("schedule") or ""), now)
