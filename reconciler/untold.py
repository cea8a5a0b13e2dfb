"""Records that landed although the pass that made them was cut short: the next one tells of them, and once.

A push may arrive and its answer get lost, the tracked branch may move beside the ledger's, a disk may be full then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.records import Record
from reconciler.resources import Identity

Records = Mapping[Identity, Record]


@dataclass(slots=True)
class Untold:
    """What this process committed, or tried to, since the last pass that came to its end."""

    _tried: list[tuple[str, dict[Identity, Record | None]]] = field(default_factory=list)

    def tried(self, commit: str, before: Records, wanted: Records) -> None:
        """A commit that records `wanted` on `before` was made here, and may have landed."""
        changed = {each: before.get(each) for each, record in wanted.items() if before.get(each) != record}
        self._tried.append((commit, changed))

    def before(self, records: Records, landed: Callable[[str], bool]) -> Records:
        """`records`, which this pass began with, as they were before ours. It is told now, so it is forgotten here."""
        earlier: dict[Identity, Record | None] = dict(records)
        for commit, changed in reversed(self._tried):
            earlier |= changed if landed(commit) else {}
        self._tried.clear()
        return {each: record for each, record in earlier.items() if record is not None}
