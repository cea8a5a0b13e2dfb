"""A ledger and two machines in memory, for the tests that ask whether anything ever runs twice.

The ledger is a branch: a commit counts only on the tip that was read. A machine goes through
`reconcile.Reconciler.run` in steps, so that another one, a crash or an hour may come between any two of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.desired import Desired
from reconciler.plan.actions import Action, Create, Delete, Outcome, Release
from reconciler.plan.answers import Answer, Failure
from reconciler.plan.changes import due
from reconciler.plan.decide import actions, decide
from reconciler.plan.drafts import draft, unrecorded
from reconciler.plan.orphans import orphans
from reconciler.plan.questions import Looking, questions
from reconciler.plan.watch import Watch, after_pass, before_creates, dump_watch, load_watch
from reconciler.records import Phase, Record, Run
from reconciler.resources import ClusterId, Identity
from tests.plan import builders as b
from tests.plan.members import Member

LONG_AGO = datetime.min.replace(tzinfo=UTC)
REFRESH = timedelta(hours=1)


@dataclass
class Ledger:
    """The branch: what is recorded, and how often it moved."""

    records: dict[Identity, Record] = field(default_factory=dict)
    moved: int = 0


@dataclass
class World:
    """`restored`: by run id, what the ledger said that is restored when the Restore was created."""

    desired: Desired
    members: dict[ClusterId, Member]
    ledger: Ledger = field(default_factory=Ledger)
    now: datetime = b.NOW
    restored: dict[str, str] = field(default_factory=dict)

    def runs(self) -> dict[str, Run]:
        return {run.run_id: run for record in self.ledger.records.values() for run in record.runs}

    def recorded(self) -> dict[str, Phase]:
        return {run_id: run.phase for run_id, run in self.runs().items()}


class Machine:
    """One process with its local state; `crash` loses what is under way, `lose` the local state too.

    `ahead` is how wrong its clock is.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.ahead = timedelta()
        self.lose()

    @property
    def now(self) -> datetime:
        return self.world.now + self.ahead

    def crash(self) -> None:
        self.answers: dict[ClusterId, Answer] = {}
        self.read = Ledger()
        self.todo: tuple[Action, ...] | None = None
        self.refused: dict[str, Failure] = {}
        self.looked_at: dict[ClusterId, datetime] = {}

    def lose(self) -> None:
        self.crash()
        self.state: dict[str, Any] | None = None

    def observe(self) -> None:
        """Reads the tip and asks the members; settled Schedules only once in a while."""
        self.fetch()
        members = self.world.desired.members
        late = frozenset(c for c in members if self.now - self.looked_at.get(c, LONG_AGO) >= REFRESH)
        looking = Looking(self.now, REFRESH, late)
        watch = load_watch(self.state)
        asked = questions(self.world.desired, self._drafted(), watch, b.LEDGER, b.VELERO, looking)
        self.answers = {q.member.id: self.world.members[q.member.id].answer(q) for q in asked}
        self.looked_at |= {c: self.now for c in late if c in self.answers and not self.answers[c].failure}
        self.todo = None

    def fetch(self) -> None:
        self.read = replace(self.world.ledger)

    def decide(self, flush: bool = True) -> None:
        """Decides on what was observed and commits, unless the tip has moved: then it reads again, and decides again.

        Without `flush`, what starts nothing waits for company.
        """
        if self.read.moved != self.world.ledger.moved:
            self.fetch()
        desired, before = self.world.desired, self.read.records
        drafted = self._drafted()
        found = orphans(drafted, self.answers, b.LEDGER, self.now)
        decided = decide(desired, drafted | found, self.answers, b.LEDGER, self.now, self.refused)
        self.state = dump_watch(before_creates(load_watch(self.state), decided, self.answers, self.now))
        committed = decided if flush or due(before, decided) else before
        self.todo = actions(desired, committed, self.answers, b.VELERO)
        self._look_over(self.todo, before, committed)
        if committed != before:
            self.world.ledger = self.read = Ledger(committed, self.world.ledger.moved + 1)

    def act(self) -> None:
        """Carries out what the committed records ask for."""
        outcomes = []
        for action in self.todo or ():
            outcomes.append(Outcome(action, self.world.members[action.member.id].carry_out(action)))
            self._remember(action)
        done = after_pass(load_watch(self.state), self.read.records, self.answers, outcomes, self.now)
        failed = {o.action.run_id: o.failure for o in outcomes if not isinstance(o.action, Release)}
        self.refused = {run_id: failure for run_id, failure in failed.items() if failure}
        self.state = dump_watch(done)
        self.answers, self.todo = {}, None

    def too_late(self) -> None:
        """More than 60 s after the fetch nothing is created, changed or deleted any more."""
        self.todo = tuple(a for a in self.todo if isinstance(a, Release)) if self.todo is not None else None

    def a_pass(self) -> None:
        self.observe()
        self.decide()
        self.act()

    def watch(self) -> Watch:
        return load_watch(self.state)

    def _remember(self, action: Action) -> None:
        """A create of a Restore that may have taken effect: with the same content each time it is sent."""
        if isinstance(action, Create) and action.identity.kind == "Restore":
            runs = {run.run_id: run for record in self.read.records.values() for run in record.runs}
            recorded = runs[action.run_id].what
            assert self.world.restored.setdefault(action.run_id, recorded) == recorded

    def _look_over(
        self, todo: tuple[Action, ...], before: dict[Identity, Record], after: dict[Identity, Record]
    ) -> None:
        """What holds of every decision at the very tip that it is made on."""
        desired = self.world.desired
        for action in todo:
            if isinstance(action, Delete):
                assert desired.complete, action
                assert action.identity not in desired.refused, action
            elif not isinstance(action, Release):
                wanted = desired.wanted[action.identity]
                assert not desired.paused, action
                assert action.member.id in wanted.clusters, action
                assert action.identity.kind == "Backup" or not wanted.spec.suspend, action
        for identity, record in after.items():
            if identity in before and record.attempt > before[identity].attempt:
                assert not any(run.phase.open for run in before[identity].runs), identity

    def _drafted(self) -> dict[Identity, Record]:
        asked = {each.identity: b.WHO for each in unrecorded(self.world.desired, self.read.records)}
        return draft(self.world.desired, self.read.records, asked, b.LEDGER, self.now)


def minutes_later(world: World, machines: list[Machine], minutes: int) -> None:
    world.now += timedelta(minutes=minutes)
    for machine in machines:
        machine.too_late()
