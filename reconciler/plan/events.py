"""What one commit of ours did to one object: which runs and Schedules moved, in one line and cluster by cluster.

Called by `recall` for `history` with the record before and after that commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.plan.runs import DOUBTED
from reconciler.plan.summary import counted
from reconciler.records import Part, Phase, Record, Schedule
from reconciler.resources import Identity


@dataclass(frozen=True, slots=True)
class Move:
    """One run or Schedule that changed: how it was (None: it is new) and how it is."""

    part: Part
    before: Phase | None


@dataclass(frozen=True, slots=True)
class Event:
    """What became of an object. `record` is how it was left; how it was, where it was forgotten."""

    identity: Identity
    what: str
    record: Record
    moves: tuple[Move, ...]
    forgotten: bool = False


def event(before: Record | None, after: Record | None) -> Event | None:
    """What happened between the two; None where nothing did."""
    if after is None:
        return Event(before.identity, "forgotten", before, (), True) if before else None
    if before == after:
        return None
    moves = _moves(before, after)
    return Event(after.identity, _what(before, after, moves), after, moves)


def latest_backups(before: Record | None, after: Record) -> str:
    """What the latest backups of Schedules are now, where nothing else is news; else empty."""
    moves = _moves(before, after)
    known = {part.run_id: part for part in before.everything} if before else {}
    backups = [move.part for move in moves if isinstance(move.part, Schedule)]
    if not backups or any(_moved(move.part, known.get(move.part.run_id)) for move in moves):
        return ""
    return _latest(backups, len(after.schedules))


def _moves(before: Record | None, after: Record) -> tuple[Move, ...]:
    known = {part.run_id: part for part in before.everything} if before else {}
    return tuple(
        Move(part, known[part.run_id].phase if part.run_id in known else None)
        for part in after.everything
        if known.get(part.run_id) != part
    )


def _what(before: Record | None, after: Record, moves: Sequence[Move]) -> str:
    known = {part.run_id: part for part in before.everything} if before else {}
    parts = [move.part for move in moves]
    if any(_moved(part, known.get(part.run_id)) for part in parts):
        return counted(after.parts) + _because(parts)
    backups = [part for part in parts if isinstance(part, Schedule)]
    if backups:
        return _latest(backups, len(after.schedules))
    if parts:
        return f"more is known of {len(parts)} of {len(after.parts)} clusters"
    told = [c.message for c in after.conditions if before and c not in before.conditions and c.type == "SpecChanged"]
    return told[0] if told else "recorded anew: no run changed"


def _moved(part: Part, before: Part | None) -> bool:
    return before is None or (part.phase, part.reason) != (before.phase, before.reason)


def _because(parts: Sequence[Part]) -> str:
    """The one reason that all that moved give, unless the counts say it already."""
    reasons = {part.reason for part in parts}
    said = {"", *DOUBTED, *(str(part.phase) for part in parts)}
    return f" ({', '.join(reasons)})" if len(reasons) == 1 and not reasons & said else ""


def _latest(schedules: Sequence[Schedule], of: int) -> str:
    """`latest backup Completed on 2 of 2 clusters`, where Schedules as such did not change."""
    counts: dict[str, int] = {}
    for schedule in schedules:
        phase = str(schedule.status.get("phase") or "New")
        counts[phase] = counts.get(phase, 0) + 1
    told = ", ".join(f"{phase} on {count}" for phase, count in sorted(counts.items()))
    return f"latest backup {told} of {of} cluster{'' if of == 1 else 's'}"
