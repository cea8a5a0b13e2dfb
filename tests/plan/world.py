"""A member, a ledger and two machines in memory, for the tests that ask whether anything ever runs twice.

The member keeps the rules of a Kubernetes API server and of Velero that matter here: a name is taken once, an object
with a finalizer stays until that is off, a Restore is worked on only while it is not being deleted. The ledger is a
branch: a commit counts only on the tip that was read. A machine goes through `reconcile.Reconciler.run` in steps, so
that another one, a crash or an hour may come between any two of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.desired import Desired
from reconciler.plan.actions import Action, Create, Outcome, Release
from reconciler.plan.answers import Answer, Failure, Name, Question
from reconciler.plan.decide import actions, decide
from reconciler.plan.drafts import draft, unrecorded
from reconciler.plan.questions import questions
from reconciler.plan.runs import needs_texts
from reconciler.plan.watch import Watch, after_pass, before_creates, dump_watch, load_watch
from reconciler.records import Phase, Record, Texts
from reconciler.resources import ClusterId, Identity
from reconciler.velero.objects import FINALIZER, RUN_ID
from reconciler.velero.status import Seen, seen
from tests.plan import builders as b

TERMINAL = ("Completed", "PartiallyFailed", "Failed", "FailedValidation")


@dataclass
class Object:
    """One Velero object; `run_id` tells whose."""

    kind: str
    name: str
    run_id: str
    uid: str
    held: bool
    phase: str = ""
    deleting: bool = False
    errors: int = 0


class Member:
    """One cluster with its Velero."""

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self.objects: dict[Name, Object] = {}
        self.created: list[Object] = []
        self.reachable = True

    def create(self, manifest: Mapping[str, Any]) -> Failure | None:
        metadata = manifest["metadata"]
        name, run_id = (manifest["kind"], metadata["name"]), metadata["annotations"][RUN_ID]
        if name in self.objects:
            return None if self.objects[name].run_id == run_id else Failure("NameConflict", "taken")
        uid = f"{self.uid}-{len(self.created)}"
        made = Object(*name, run_id, uid, FINALIZER in metadata.get("finalizers", ()))
        self.objects[name] = made
        self.created.append(made)
        return None

    def release(self, name: str, uid: str) -> None:
        there = self.objects.get(("Restore", name))
        if there and there.uid == uid:
            there.held = False
            if there.deleting:
                del self.objects["Restore", name]

    def delete(self, name: Name) -> None:
        self.objects[name].deleting = True
        if not self.objects[name].held:
            del self.objects[name]

    def work(self, name: Name, phase: str, errors: int) -> None:
        """Velero takes the object one step on."""
        there = self.objects[name]
        if there.phase in TERMINAL or (there.phase == "" and there.deleting):
            return
        there.phase = "InProgress" if there.phase == "" else phase
        there.errors = errors if there.phase in TERMINAL else 0

    def look(self, name: Name) -> Seen | None:
        there = self.objects.get(name)
        if there is None:
            return None
        metadata: dict[str, Any] = {"name": there.name, "uid": there.uid, "annotations": {RUN_ID: there.run_id}}
        metadata |= {"deletionTimestamp": "2025-06-01T12:00:00Z"} if there.deleting else {}
        metadata |= {"finalizers": [FINALIZER]} if there.held else {}
        status = {"phase": there.phase, "errors": there.errors} if there.phase else {}
        return seen(there.kind, {"metadata": metadata, "spec": {}, "status": status})

    def answer(self, question: Question) -> Answer:
        if not self.reachable:
            return b.unreachable()
        found = {name: self.look(name) for name in question.objects | question.dry_runs.keys()}
        ended = {name for name, one in found.items() if one and name in question.texts and needs_texts(one)}
        restores = [one for name in self.objects if name[0] == "Restore" and (one := self.look(name))]
        return Answer(
            cluster_uid=self.uid,
            locations=b.STORAGE,
            seen=found,
            dry_runs={name: None for name in question.dry_runs if name not in self.objects},
            texts={name: Texts((("velero", "an error"),), ()) for name in ended},
            leftovers=tuple(restores) if question.leftovers else None,
            running=question.running,
        )


@dataclass
class Ledger:
    """The branch: what is recorded, and how often it moved."""

    records: dict[Identity, Record] = field(default_factory=dict)
    moved: int = 0


@dataclass
class World:
    desired: Desired
    members: dict[ClusterId, Member]
    ledger: Ledger = field(default_factory=Ledger)
    now: datetime = b.NOW

    def recorded(self) -> dict[str, Phase]:
        return {run.run_id: run.phase for record in self.ledger.records.values() for run in record.runs}


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

    def lose(self) -> None:
        self.crash()
        self.state: dict[str, Any] | None = None

    def observe(self) -> None:
        """Reads the tip and asks the members."""
        self.fetch()
        self.answers = {q.member.id: self.world.members[q.member.id].answer(q) for q in self._questions()}
        self.todo = None

    def fetch(self) -> None:
        self.read = replace(self.world.ledger)

    def decide(self, flush: bool = True) -> None:
        """Decides on what was observed and commits, unless the tip has moved: then it reads again, and decides again.

        Without `flush`, what starts nothing waits for company.
        """
        if self.read.moved != self.world.ledger.moved:
            self.fetch()
        drafted = self._drafted()
        decided = decide(self.world.desired, drafted, self.answers, self.now)
        self.state = dump_watch(before_creates(load_watch(self.state), decided, self.answers, self.now))
        begins = any(run.phase is Phase.STARTING for record in decided.values() for run in record.runs)
        committed = decided if flush or begins else self.read.records
        self.todo = actions(self.world.desired, committed, self.answers, b.VELERO)
        if committed != self.read.records:
            self.world.ledger = self.read = Ledger(committed, self.world.ledger.moved + 1)

    def act(self) -> None:
        """Carries out what the committed records ask for."""
        outcomes = []
        for action in self.todo or ():
            member = self.world.members[action.member.id]
            failure: Failure | None = b.unreachable().failure
            if member.reachable:
                failure = self._carry_out(action, member)
            outcomes.append(Outcome(action, failure))
        done = after_pass(load_watch(self.state), self.read.records, self.answers, outcomes, self.now)
        self.state = dump_watch(done)
        self.answers, self.todo = {}, None

    def too_late(self) -> None:
        """More than 60 s after the fetch nothing is created any more."""
        self.todo = tuple(a for a in self.todo if isinstance(a, Release)) if self.todo is not None else None

    def a_pass(self) -> None:
        self.observe()
        self.decide()
        self.act()

    def watch(self) -> Watch:
        return load_watch(self.state)

    def _carry_out(self, action: Action, member: Member) -> Failure | None:
        if isinstance(action, Create):
            return member.create(action.manifest)
        member.release(action.name, action.uid)
        return None

    def _drafted(self) -> dict[Identity, Record]:
        asked = {each.identity: b.WHO for each in unrecorded(self.world.desired, self.read.records)}
        return draft(self.world.desired, self.read.records, asked, b.LEDGER, self.now)

    def _questions(self) -> tuple[Question, ...]:
        return questions(self.world.desired, self._drafted(), load_watch(self.state), b.VELERO)


def minutes_later(world: World, machines: list[Machine], minutes: int) -> None:
    world.now += timedelta(minutes=minutes)
    for machine in machines:
        machine.too_late()
