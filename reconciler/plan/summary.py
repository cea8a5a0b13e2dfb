"""What a record says as a whole, from what it says of each cluster: its phase and its conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from reconciler.desired import Desired
from reconciler.plan.asks import changed_file, frozen, waiting_attempt
from reconciler.plan.runs import DOUBTED, NOT_RESTORED, NOT_VERIFIED
from reconciler.records import Condition, Part, Phase, Record, Run, timestamp
from reconciler.resources import plain

Parts = Sequence[Part]
_ENDED: Final = (
    Phase.REMOVED,
    Phase.COMPLETED,
    Phase.ENABLED,
    Phase.PAUSED,
    Phase.HELD,
    Phase.PARTIALLY_FAILED,
    Phase.FAILED_VALIDATION,
    Phase.FAILED,
)
"""From the best to the worst."""
OF_FILE: Final = ("SpecChanged", "AttemptWaiting")
"""Conditions that tell what of the file does not run."""
GOOD: Final = (Phase.COMPLETED, Phase.ENABLED, Phase.PAUSED, Phase.REMOVED)


def summarise(record: Record, desired: Desired, now: datetime) -> Record:
    """The record with phase and conditions that fit its runs, or its Schedules, and what the file says now."""
    summed = replace(record, phase=phase_of(record.parts))
    conditions = (_carry(condition, record.conditions, now) for condition in _conditions(summed, desired))
    return replace(summed, conditions=tuple(conditions))


def phase_of(parts: Parts) -> Phase:
    """The worst phase when all have ended; before that `Removing`, `Pending` until one has started, or `InProgress`."""
    phases = {part.phase for part in parts}
    if not any(phase.open for phase in phases):
        return max(phases, key=_ENDED.index, default=Phase.COMPLETED)
    if Phase.REMOVING in phases:
        return Phase.REMOVING
    started = phases - {Phase.PENDING, Phase.HELD}
    return Phase.IN_PROGRESS if started else Phase.PENDING


def counted(parts: Parts) -> str:
    """`Completed on 2 of 2 clusters`, or each phase with its count, worst first; what was not restored, or verified."""
    counts = {phase: sum(part.phase is phase for part in parts) for phase in reversed(Phase)}
    there = [f"{phase} on {count}" for phase, count in counts.items() if count]
    left = sum(
        part.items.left for part in parts if isinstance(part, Run) and part.items and part.reason == NOT_RESTORED
    )
    unread = sum(part.reason == NOT_VERIFIED for part in parts)
    text = f"{', '.join(there) or 'nothing'} of {len(parts)} cluster{'' if len(parts) == 1 else 's'}"
    text += f", {left} object{'' if left == 1 else 's'} not restored though different" if left else ""
    return f"{text}, not verified on {unread}" if unread else text


def doubt(record: Record) -> str:
    """Why what Velero calls Completed is not taken for restored, the worst of it; empty where it is."""
    reasons = {run.reason for run in record.latest}
    return next((reason for reason in DOUBTED if reason in reasons), "")


def accepted(record: Record, desired: Desired) -> bool:
    """Whether what is doubted counts as success: the file's word, and where there is none the last that is recorded.

    The spec is recorded with the attempt, so that an acceptance that came after it shows in the condition alone.
    """
    wanted = desired.wanted.get(record.identity)
    if wanted is not None:
        return bool(plain(wanted.spec).get("allowSkipped"))
    ready = next((c for c in record.conditions if c.type == "Ready"), None)
    if ready is not None and (ready.status or ready.reason in DOUBTED):
        return ready.status
    return bool(record.spec.get("allowSkipped"))


def _conditions(record: Record, desired: Desired) -> Iterable[Condition]:
    """Ready, Reconciling and Stalled as kstatus has them: Reconciling and Stalled stand only while true."""
    reason, message = _because(record), counted(record.parts)
    doubted = doubt(record) if record.phase is Phase.COMPLETED else ""
    left = bool(doubted) and not accepted(record, desired)
    reason = doubted if left else str(record.phase) if doubted else reason
    good = record.phase in GOOD and not left
    yield Condition("Ready", good, reason, message, "")
    if record.phase.open:
        yield Condition("Reconciling", True, reason, message, "")
    elif not good:
        yield Condition("Stalled", True, reason, message, "")
    if frozen(record.identity, desired):
        yield from (condition for condition in record.conditions if condition.type in OF_FILE)
        return
    changed, raised = changed_file(record, desired), waiting_attempt(record, desired)
    if changed:
        yield Condition("SpecChanged", True, "SpecChanged", changed, "")
    if raised:
        text = f"attempt {raised} waits until every run of attempt {record.attempt} has ended"
        yield Condition("AttemptWaiting", True, "EarlierAttempt", text, "")


def _because(record: Record) -> str:
    """The record's phase, or the one reason that all parts of that phase give."""
    reasons = {part.reason for part in record.parts if part.phase is record.phase and part.reason}
    return reasons.pop() if len(reasons) == 1 else str(record.phase)


def _carry(condition: Condition, before: tuple[Condition, ...], now: datetime) -> Condition:
    """No heartbeat: the time of a condition is when its status last changed."""
    old = next((c for c in before if c.type == condition.type and c.status == condition.status), None)
    return replace(condition, since=old.since if old else timestamp(now))
