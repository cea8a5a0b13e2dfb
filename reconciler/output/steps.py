"""The words for a plan and its steps, the same in a table and on a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from reconciler.output import times
from reconciler.plan.planned import Plan, Step, Steps, Verb
from reconciler.plan.points import rounded, started
from reconciler.records import Schedule, moment
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
    """When a Schedule of a Backup runs next, the first on whichever cluster, RFC 3339; empty where none does."""
    spec = steps.record.spec
    if spec.get("suspend"):
        return ""
    found = (_next_run(spec, step, now) for step in steps.steps if isinstance(step.part, Schedule))
    return min(filter(None, found), default="")


def _next_run(spec: Mapping[str, Any], step: Step, now: datetime) -> str:
    assert isinstance(step.part, Schedule)
    if step.verb is Verb.CREATE:
        return times.next_time(str(spec.get("schedule") or ""), now)
    if step.verb is Verb.UPDATE:
        return times.next_run_of_changed(spec, step.part, now)
    return times.next_run(spec, step.part, now)


def edits(plan: Plan, steps: Steps) -> dict[str, tuple[Any, Any]] | None:
    """What an update of Schedules brings, by field of `spec`: as recorded, as it is to be (None: left out).

    None where none is updated; empty where the file is as it was recorded, so that a Schedule was changed there.
    """
    if not any(step.verb is Verb.UPDATE for step in steps.steps):
        return None
    old, new = plan.specs.get(steps.record.identity, {}), steps.record.spec
    return {key: (old.get(key), new.get(key)) for key in sorted({*old, *new}) if old.get(key) != new.get(key)}


def scheduling(plan: Plan, steps: Steps, now: datetime) -> Iterator[str]:
    """What there is to say of the Schedules of a Backup: what changes, and when they run next."""
    changed = edits(plan, steps)
    if changed:
        yield ", ".join(_edit(key, *values) for key, values in changed.items())
    elif changed is not None:
        yield "was changed on a cluster, and is to be as its file says again"
    following = next_run(steps, now)
    if following:
        yield f"next run {following}"


def _edit(field: str, old: Any, new: Any) -> str:
    if isinstance(old or new, dict | list):
        return f"{field} changed"
    return f"{field} {_word(field, old)} → {_word(field, new)}"


def _word(field: str, value: Any) -> str:
    if isinstance(value, bool) or (value is None and field == "suspend"):
        return str(bool(value)).lower()
    return "none" if value is None else str(value)
