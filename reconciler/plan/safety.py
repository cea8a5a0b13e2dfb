"""Removal as a policy: a pure check over what a pass would withdraw or remove."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconciler.desired import Desired
from reconciler.errors import Unsafe
from reconciler.plan.decide import decide
from reconciler.records import Phase, Record
from reconciler.resources import ClusterId, Identity

FREE_REMOVALS = 5
_LEAVING = (Phase.REMOVING, Phase.REMOVED)


def refuse_mass_removal(before: Mapping[Identity, Record], after: Mapping[Identity, Record]) -> None:
    """Raises Unsafe where more than 5 objects and more than half of those that wait to run would be withdrawn, or as
    many Backups would lose Schedules that are on clusters."""
    waiting = [identity for identity, record in before.items() if any(run.phase.open for run in record.runs)]
    withdrawn = [identity for identity in waiting if _withdrawn(after[identity]) > _withdrawn(before[identity])]
    if _mass(len(withdrawn), len(waiting)):
        raise Unsafe(_refusal(f"the files of {len(withdrawn)} of {len(waiting)} objects that wait to run are gone"))
    there = [identity for identity, record in before.items() if _in_place(record)]
    leaving = [identity for identity in there if _in_place(before[identity]) - _in_place(after[identity])]
    if _mass(len(leaving), len(there)):
        raise Unsafe(_refusal(f"{len(leaving)} of {len(there)} scheduled Backups would be removed from clusters"))


def foreseen(
    desired: Desired, records: Mapping[Identity, Record], mine: Mapping[Identity, Record], ledger: str, now: datetime
) -> dict[Identity, Record]:
    """One shard's decision, and what the files by themselves make of all other records: what a tip removes is judged
    as a whole, or many objects could go at once because each shard sees only a few of them."""
    others = {identity: record for identity, record in records.items() if identity not in mine}
    return {**decide(desired, others, {}, ledger, now), **mine}


def _mass(gone: int, known: int) -> bool:
    return gone > FREE_REMOVALS and 2 * gone > known


def _refusal(what: str) -> str:
    return (
        f"{what}; if that is meant, run again with --allow-mass-removal, otherwise put the files back: "
        "nothing was changed"
    )


def _withdrawn(record: Record) -> int:
    return sum(run.phase is Phase.HELD and run.reason == "Withdrawn" for run in record.runs)


def _in_place(record: Record) -> frozenset[ClusterId]:
    """The clusters that it has, or may have, a Schedule on."""
    return frozenset(schedule.cluster for schedule in record.schedules if schedule.phase not in _LEAVING)
