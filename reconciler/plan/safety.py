"""Removal as a policy: a pure check over what a pass would withdraw."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import Unsafe
from reconciler.records import Phase, Record
from reconciler.resources import Identity

FREE_REMOVALS = 5


def refuse_mass_removal(before: Mapping[Identity, Record], after: Mapping[Identity, Record]) -> None:
    """Raises Unsafe where more than 5 objects and more than half of those that wait to run would be withdrawn."""
    waiting = [identity for identity, record in before.items() if any(run.phase.open for run in record.runs)]
    withdrawn = [identity for identity in waiting if _withdrawn(after[identity]) > _withdrawn(before[identity])]
    if len(withdrawn) > FREE_REMOVALS and 2 * len(withdrawn) > len(waiting):
        raise Unsafe(
            f"the files of {len(withdrawn)} of {len(waiting)} objects that wait to run are gone; if that is meant, run "
            "again with --allow-mass-removal, otherwise put them back: nothing was changed"
        )


def _withdrawn(record: Record) -> int:
    return sum(run.phase is Phase.HELD and run.reason == "Withdrawn" for run in record.runs)
