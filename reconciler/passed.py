"""What one pass found and did. Made by `reconcile`; read by who waits for the next one, and by who tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.desired import Desired
from reconciler.gather import State
from reconciler.grace import Waiting
from reconciler.plan.actions import Outcome
from reconciler.plan.answers import Answer
from reconciler.plan.same_cluster import elsewhere
from reconciler.plan.watch import Watch, key_of
from reconciler.records import Record
from reconciler.resources import ClusterId, Identity


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass found and did. `decided` may be ahead of `committed` while small changes are batched.

    `before`: the records that what is told is told against: those that the pass read, but for what an earlier pass
    of this process recorded that was cut short. `waiting`: releases of what has ended, which come later.
    """

    state: State
    desired: Desired
    before: Mapping[Identity, Record]
    committed: Mapping[Identity, Record]
    decided: Mapping[Identity, Record]
    answers: Mapping[ClusterId, Answer]
    outcomes: tuple[Outcome, ...]
    watch: Watch
    commit: str | None
    waiting: tuple[Waiting, ...] = ()

    @property
    def changed(self) -> frozenset[Identity]:
        """What is to be told of: all that became otherwise, committed or about to be."""
        return frozenset(each for each, record in self.decided.items() if self.before.get(each) != record)

    @property
    def unlisted(self) -> frozenset[ClusterId]:
        """Members on which this machine could not look yet for what an earlier one left."""
        return frozenset(self.desired.members.keys() - self.watch.inventoried)

    @property
    def elsewhere(self) -> frozenset[ClusterId]:
        """Members that seem to be others than they were; see `same_cluster`."""
        return elsewhere(self.watch.uids, self.committed)

    @property
    def open_watch(self) -> Watch:
        """What is watched, but for what only time lets go of."""
        later = {key_of(each.release) for each in self.waiting}
        return replace(self.watch, unreleased={k: at for k, at in self.watch.unreleased.items() if k not in later})
