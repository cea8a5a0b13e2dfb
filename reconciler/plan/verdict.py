"""What a pass leaves: is there work that goes on by itself, and what is the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum

from reconciler.desired import Desired
from reconciler.plan.answers import UNASKED, Answer, Name
from reconciler.plan.asks import ask_of
from reconciler.plan.runs import Ask
from reconciler.plan.watch import Watch
from reconciler.records import Phase, Record, Run
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
    found = {_standing(record, run, desired, answers) for record, run in _open(records)}
    found |= {
        _releasing(cluster, answers)
        for cluster, name in watch.unreleased
        if cluster in desired.members and not _absent(name, answers.get(cluster, UNASKED))
    }
    return next((s for s in (Standing.WORKING, Standing.WAITING) if s in found), Standing.SETTLED)


def exit_code(desired: Desired, records: Mapping[Identity, Record], touched: frozenset[Identity]) -> Exit:
    """Counts what the files ask for, and what changed in this run of the command."""
    counted = [record for identity, record in records.items() if identity in desired.wanted or identity in touched]
    if desired.problems or any(_failed(record) for record in counted):
        return Exit.FAILED
    return Exit.WAITING if any(run.phase.open for record in counted for run in record.runs) else Exit.SUCCEEDED


def _failed(record: Record) -> bool:
    if any(condition.type == "SpecChanged" for condition in record.conditions):
        return True
    return any(not run.phase.open and run.phase is not Phase.COMPLETED for run in record.runs)


def _open(records: Mapping[Identity, Record]) -> Iterator[tuple[Record, Run]]:
    return ((record, run) for record in records.values() for run in record.runs if run.phase.open)


def _standing(record: Record, run: Run, desired: Desired, answers: Answers) -> Standing:
    if run.phase is not Phase.IN_PROGRESS and ask_of(record, run, desired) is Ask.FROZEN:
        return Standing.SETTLED  # refused, which the exit code says
    if run.phase in (Phase.PENDING, Phase.STARTING) and run.reason:
        return Standing.WAITING
    if run.phase is Phase.PENDING:
        return Standing.WORKING
    return Standing.WAITING if answers.get(run.cluster, UNASKED).failure else Standing.WORKING


def _absent(name: Name, answer: Answer) -> bool:
    """Nothing is there to release; a later pass looks again."""
    return name in answer.seen and answer.seen[name] is None


def _releasing(cluster: ClusterId, answers: Answers) -> Standing:
    return Standing.WAITING if answers.get(cluster, UNASKED).failure else Standing.WORKING
