"""The members door as the passes of a command use it, on members of either fleet: over HTTPS, by kubeconfig.

What tests put there or look at goes past the door; on a simulated member no fault hits it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from reconciler import desired
from reconciler.manifests import Position
from reconciler.members import Members
from reconciler.plan.actions import Action, Create, Delete, Outcome, Update
from reconciler.plan.answers import Answer, Question
from reconciler.resources import BackupSpec, ClusterId, Identity
from reconciler.settings import MemberSettings
from reconciler.simulation.cluster import Object
from reconciler.simulation.member import SimulatedMember
from reconciler.velero import objects
from tests.behaviour.velero import path
from tests.fleets import Fleet, Member

NIGHTLY = Identity("Backup", "default", "nightly")
RUN = "0d9c"
SPEC: dict[str, Any] = {
    "schedule": "0 3 * * *",
    "destination": {"fleet": "quickstart"},
    "policy": {"ttl": "720h", "resourceFilter": {"includedNamespaces": ["none-*"]}},
}


class Clock:
    """In place of module `time` where a freshness is judged."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def passes(self, seconds: float) -> None:
        self._ahead += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead


class Door:
    """A connection that is new for each call, as each command has its own."""

    def __init__(self, fleet: Fleet) -> None:
        self._settings = MemberSettings(kubeconfig_dir=fleet.kubeconfig_directory)

    def ask(self, member: Member, **question: Any) -> Answer:
        """What one member answers."""
        (answer,) = self.ask_all([Question(declared(member), **question)]).values()
        return answer

    def ask_all(self, questions: Iterable[Question]) -> dict[ClusterId, Answer]:
        async def run() -> dict[ClusterId, Answer]:
            members = Members(self._settings)
            try:
                return await members.observe(questions)
            finally:
                await members.close()

        return asyncio.run(run())

    def do(self, *actions: Action, age: float = 0.0) -> tuple[Outcome, ...]:
        """What became of actions that were decided on a ledger read so many seconds ago."""

        async def run() -> tuple[Outcome, ...]:
            members = Members(self._settings)
            try:
                return await members.apply(actions, time.monotonic() - age)
            finally:
                await members.close()

        return asyncio.run(run())

    def do_after(self, seconds: float, clock: Clock, *actions: Action) -> tuple[Outcome, ...]:
        """As `do`, with a ledger that is read anew, when so many seconds have gone since the members were asked."""

        async def run() -> tuple[Outcome, ...]:
            members = Members(self._settings)
            try:
                await members.observe([Question(action.member) for action in actions])
                clock.passes(seconds)
                return await members.apply(actions, clock.monotonic())
            finally:
                await members.close()

        return asyncio.run(run())

    def fails(self, action: Action, age: float = 0.0) -> str:
        """The reason of one action's failure, empty where it succeeded."""
        (outcome,) = self.do(action, age=age)
        return outcome.failure.reason if outcome.failure else ""


def declared(member: Member) -> desired.Member:
    """As the files of a fleet declare it."""
    cluster = ClusterId("default", "AttachedCluster", member.name)
    return desired.Member(cluster, member.name, "value", Position("fleet.yaml", 1))


def manifest(name: str = "nightly", run: str = RUN, revision: str = "one", **spec: Any) -> dict[str, Any]:
    """A Schedule of ours."""
    meta = objects.metadata(NIGHTLY, name, "velero", "quickstart", run, "backups/nightly.yaml", revision)
    return objects.schedule(meta, BackupSpec.model_validate(SPEC | spec))


def put_schedule(member: Member, name: str = "nightly", **fields: Any) -> Object:
    """Makes a Schedule of ours on a member."""
    made: Object = member.api.create(path("Schedule"), manifest(name, **fields))
    return made


def schedule(member: Member, name: str = "nightly") -> Object:
    found = member.api.get(path("Schedule", name))
    assert found is not None
    return dict(found)


def create(member: Member, cluster_uid: str, made: dict[str, Any] | None = None) -> Create:
    made = made or manifest()
    return Create(declared(member), NIGHTLY, made["metadata"]["name"], RUN, cluster_uid, made)


def update(member: Member, uid: str, run: str = RUN, paused: bool | None = None, **spec: Any) -> Update:
    made = manifest(revision="two", **spec)
    return Update(declared(member), NIGHTLY, "nightly", uid, run, made, paused)


def delete(member: Member, uid: str) -> Delete:
    return Delete(declared(member), NIGHTLY, "nightly", uid, RUN)


def cluster_uid(member: Member) -> str:
    found = member.api.get("/api/v1/namespaces/kube-system")
    assert found is not None
    return str(found["metadata"]["uid"])


def put_backups(member: SimulatedMember, *names: str, of: str = "", **labels: str) -> None:
    """Completed Velero Backups that nobody works on, at once, however many; with the label of a Schedule."""
    found = {**labels, objects.SCHEDULE_NAME: of} if of else labels

    def make(some: Iterable[str]) -> None:
        for name in some:
            meta = {"name": name, "labels": found}
            body = {"metadata": meta, "spec": {}, "status": {"phase": "Completed", "completionTimestamp": NOON}}
            member.store.create("backups.velero.io", "velero", body)

    for start in range(0, len(names), 100):  # the member's loop answers others in between
        member.call(partial(make, names[start : start + 100]))


NOON = "2025-06-01T12:00:00Z"
