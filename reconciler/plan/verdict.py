"""What a pass leaves: is there work that goes on by itself, and what is the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum

from reconciler.desired import Desired
from reconciler.plan.answers import UNASKED, Answer, Name
from reconciler.plan.asks import Ask, ask_of, ask_of_schedule
from reconciler.plan.drafts import unrecorded
from reconciler.plan.runs import DOUBTED
from reconciler.plan.same_cluster import believed
from reconciler.plan.summary import GOOD, accepted, doubt
from reconciler.plan.watch import Watch
from reconciler.records import Part, Phase, Record, Run
from reconciler.resources import ClusterId, Identity

Answers = Mapping[ClusterId, Answer]


class Standing(StrEnum):
    """Of all that is open."""

    WORKING = "Working"
    WAITING = "Waiting"
    SETTLED = "Settled"


class Exit(IntEnum):
    """Exit codes of `sync --once` (design §6): failure beats waiting."""

    SUCCEEDED = 0
    FAILED = 1
    CANNOT_RUN = 2
    WAITING = 3


def standing(desired: Desired, records: Mapping[Identity, Record], answers: Answers, watch: Watch) -> Standing:
    """`Working`: worth looking again soon; `Waiting`: only an outside change helps; `Settled`: nothing is open."""
    found = {_standing(record, part, desired, answers) for record, part in _open(records)}
    found |= {Standing.WORKING for _ in unrecorded(desired, records)}  # a raised attempt begins in the next pass
    found |= {
        _releasing(cluster, answers)
        for cluster, name in watch.unreleased
        if cluster in desired.members and not _absent(name, answers.get(cluster, UNASKED))
    }
    return next((s for s in (Standing.WORKING, Standing.WAITING) if s in found), Standing.SETTLED)


def exit_code(desired: Desired, records: Mapping[Identity, Record], touched: frozenset[Identity]) -> Exit:
    """Counts what the files ask for, and what changed in this run of the command."""
    counted = [record for identity, record in records.items() if identity in desired.wanted or identity in touched]
    if desired.problems or any(failed(record) or _left(record, desired) for record in counted):
        return Exit.FAILED
    return Exit.WAITING if any(part.phase.open for _, part in _open(records)) else Exit.SUCCEEDED


def failed(record: Record) -> bool:
    """Something of it failed, is held, was refused or is not taken for restored though Velero calls it Completed."""
    if any(c.type == "SpecChanged" or (c.type == "Ready" and c.reason in DOUBTED) for c in record.conditions):
        return True
    return any(not part.phase.open and part.phase not in GOOD for part in record.parts)


def _left(record: Record, desired: Desired) -> bool:
    """Told at once, although the record says so only when all have ended."""
    return bool(doubt(record)) and not accepted(record, desired)


def _open(records: Mapping[Identity, Record]) -> Iterator[tuple[Record, Part]]:
    return ((record, part) for record in records.values() for part in record.everything if part.phase.open)


def _standing(record: Record, part: Part, desired: Desired, answers: Answers) -> Standing:
    if part.phase is not Phase.IN_PROGRESS and _ask(record, part, desired) is Ask.FROZEN:
        return Standing.SETTLED  # refused, which the exit code says
    answer = believed(part, answers.get(part.cluster, UNASKED))
    if answer.late:
        return Standing.WORKING  # Velero is slow to hand out texts, for one
    if part.phase in (Phase.PENDING, Phase.STARTING, Phase.REMOVING) and part.reason:
        return Standing.WAITING
    if part.phase is Phase.PENDING:
        return Standing.WORKING
    return Standing.WAITING if answer.failure else Standing.WORKING


def _ask(record: Record, part: Part, desired: Desired) -> Ask:
    if isinstance(part, Run):
        return ask_of(record, part, desired)
    return ask_of_schedule(record, part.cluster, desired)


def _absent(name: Name, answer: Answer) -> bool:
    """Nothing is there to release; a later pass looks again."""
    return name in answer.seen and answer.seen[name] is None


def _releasing(cluster: ClusterId, answers: Answers) -> Standing:
    answer = answers.get(cluster, UNASKED)
    return Standing.WAITING if answer.failure and not answer.late else Standing.WORKING
