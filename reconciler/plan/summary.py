"""What a record says as a whole, from its runs: its phase and its conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from reconciler.records import Condition, Phase, Record, Run, timestamp

_WORST = (Phase.COMPLETED, Phase.HELD, Phase.PARTIALLY_FAILED, Phase.FAILED_VALIDATION, Phase.FAILED)


def summarise(record: Record, changed_file: bool, now: datetime) -> Record:
    """The record with phase and conditions that fit its runs.

    `changed_file`: the file asks for something else than what was recorded, and nothing of that runs.
    """
    summed = replace(record, phase=phase_of(record.runs))
    return replace(
        summed, conditions=tuple(_carry(c, record.conditions, now) for c in _conditions(summed, changed_file))
    )


def phase_of(runs: Iterable[Run]) -> Phase:
    """The worst phase when all runs have ended; before that `Pending` until one has started, then `InProgress`."""
    phases = {run.phase for run in runs}
    if not any(phase.open for phase in phases):
        return max(phases, key=_WORST.index, default=Phase.COMPLETED)
    started = phases - {Phase.PENDING, Phase.HELD}
    return Phase.IN_PROGRESS if started else Phase.PENDING


def counted(runs: tuple[Run, ...]) -> str:
    """`Completed on 2 of 2 clusters`, or each phase with its count, worst first."""
    counts = {phase: sum(run.phase is phase for run in runs) for phase in reversed(Phase)}
    there = [f"{phase} on {count}" for phase, count in counts.items() if count]
    return f"{', '.join(there) or 'nothing'} of {len(runs)} cluster{'' if len(runs) == 1 else 's'}"


def _conditions(record: Record, changed_file: bool) -> Iterable[Condition]:
    """Ready, Reconciling and Stalled as kstatus has them: Reconciling and Stalled stand only while true."""
    reason, message = _because(record), counted(record.runs)
    yield Condition("Ready", record.phase is Phase.COMPLETED, reason, message, "")
    if record.phase in (Phase.PENDING, Phase.IN_PROGRESS):
        yield Condition("Reconciling", True, reason, message, "")
    elif record.phase is not Phase.COMPLETED:
        yield Condition("Stalled", True, reason, message, "")
    if changed_file:
        text = "the file differs from what ran, and nothing of that runs; a new name runs it as it is now"
        yield Condition("SpecChanged", True, "SpecChanged", text, "")


def _because(record: Record) -> str:
    """The record's phase, or the one reason that all runs of that phase give."""
    reasons = {run.reason for run in record.runs if run.phase is record.phase and run.reason}
    return reasons.pop() if len(reasons) == 1 else str(record.phase)


def _carry(condition: Condition, before: tuple[Condition, ...], now: datetime) -> Condition:
    """No heartbeat: the time of a condition is when its status last changed."""
    old = next((c for c in before if c.type == condition.type and c.status == condition.status), None)
    return replace(condition, since=old.since if old else timestamp(now))
