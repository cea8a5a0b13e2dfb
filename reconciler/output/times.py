"""Times as people read them: how long ago, how long it took, when a schedule comes due next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.cron import Cron, CronError
from reconciler.plan.points import rounded
from reconciler.records import Phase, Schedule, moment, timestamp


def age(seconds: float) -> str:
    """As kubectl shows ages; clocks differ, so never below zero."""
    whole = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def age_of(text: str, now: datetime) -> str:
    """The age of an RFC 3339 time, empty where it tells none."""
    at = moment(text)
    return age((now - at).total_seconds()) if at else ""


def dated(text: str, now: datetime) -> str:
    """`2026-11-23T03:00:00Z (3h ago)`; empty where the text tells no time."""
    at = moment(text)
    return f"{timestamp(at)} ({age((now - at).total_seconds())} ago)" if at else ""


def took(status: Mapping[str, Any]) -> str:
    """From Velero's start to its end, empty where one of them is not known."""
    start = moment(str(status.get("startTimestamp") or ""))
    end = moment(str(status.get("completionTimestamp") or ""))
    return rounded(end - start) if start and end else ""


def next_time(expression: str, now: datetime) -> str:
    """When a schedule that begins now comes due first, RFC 3339 in UTC; empty where it never does."""
    try:
        following = Cron(expression).after(now) if expression else None
    except CronError:
        return ""
    return timestamp(following) if following else ""


def next_run(spec: Mapping[str, Any], schedule: Schedule, now: datetime) -> str:
    """When a Schedule that is in place comes due next, RFC 3339 in UTC; empty where it doesn't, or nobody can tell.

    `@every` counts from the last backup; that one may be older than what was recorded, but a whole number of times.
    """
    if schedule.phase is not Phase.ENABLED:
        return ""
    expression = str(spec.get("schedule") or "")
    try:
        every = Cron(expression).every
    except CronError:
        return ""
    if every is None:
        return next_time(expression, now)
    last = moment(str(schedule.status.get("startTimestamp") or ""))
    if last is None or every <= timedelta(0):
        return ""
    return timestamp(last + every * (max(0, int((now - last) / every)) + 1))


def next_run_of_changed(spec: Mapping[str, Any], schedule: Schedule, now: datetime) -> str:
    """The same of a Schedule that is changed now: Velero counts from its last backup, so it may be due at once."""
    last = moment(str(schedule.status.get("startTimestamp") or "")) or now
    following = moment(next_time(str(spec.get("schedule") or ""), last))
    return timestamp(max(following, now)) if following else ""
