"""One visit to one member: everything that a `Question` asks, as one `Answer`. What fails leaves the rest standing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from reconciler.errors import AlreadyExists, MemberError
from reconciler.members import schedules
from reconciler.members.velero import Velero
from reconciler.plan.answers import Answer, Failure, Name, Question
from reconciler.plan.backups import velero_failure
from reconciler.plan.runs import needs_texts
from reconciler.records import Texts
from reconciler.velero.status import Location, Seen, SeenSchedule

_GETS_INSTEAD_OF_A_LIST = 3


class _Visit:
    """Collects what came, and the first thing that went wrong."""

    def __init__(self, velero: Velero) -> None:
        self.velero = velero
        self.failure: Failure | None = None
        self.seen: dict[Name, Seen | None] = {}
        self.dry_runs: dict[Name, Failure | None] = {}
        self.texts: dict[Name, Texts] = {}
        self.locations: tuple[Location, ...] | None = None
        self.leftovers: tuple[Seen, ...] | None = None
        self.schedules: dict[str, SeenSchedule | None] = {}
        self.backups_of: dict[str, tuple[Seen, ...]] = {}

    async def together(self, parts: Iterable[Awaitable[None]]) -> None:
        for outcome in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(outcome, MemberError):
                self.failure = self.failure or Failure(outcome.reason, str(outcome))
            elif isinstance(outcome, BaseException):
                raise outcome

    async def look(self, kind: str, names: frozenset[str], proven_by_dry_run: frozenset[str], leftovers: bool) -> None:
        """Objects of one kind: one list, and a get only where absence must be proven."""
        found: Mapping[str, Seen] = {}
        if leftovers or len(names) > _GETS_INSTEAD_OF_A_LIST:
            found = await self.velero.list(kind)
            self.seen |= {(kind, name): found[name] for name in names & found.keys()}
        if leftovers:
            self.leftovers = tuple(found.values())
            self.seen |= {(kind, name): seen for name, seen in found.items()}
        await self.together(self.get((kind, name)) for name in names - found.keys() - proven_by_dry_run)

    async def get(self, name: Name) -> None:
        self.seen[name] = await self.velero.get(*name)

    async def look_at_schedules(self, names: frozenset[str], proven_by_dry_run: frozenset[str]) -> None:
        """As `look`."""
        found: Mapping[str, SeenSchedule] = {}
        if len(names) > _GETS_INSTEAD_OF_A_LIST:
            found = await schedules.ours(self.velero)
            self.schedules |= {name: found[name] for name in names & found.keys()}
        await self.together(self.get_schedule(name) for name in names - found.keys() - proven_by_dry_run)

    async def get_schedule(self, name: str) -> None:
        self.schedules[name] = await schedules.get(self.velero, name)

    async def dry_run(self, name: Name, manifest: Mapping[str, Any]) -> None:
        """A create that would be accepted proves that the name is free."""
        kind, plain_name = name
        try:
            self.dry_runs[name] = await self.velero.dry_run(manifest)
        except AlreadyExists:
            await (self.get_schedule(plain_name) if kind == "Schedule" else self.get(name))
            return
        if self.dry_runs[name] is None and kind == "Schedule":
            self.schedules[plain_name] = None
        elif self.dry_runs[name] is None:
            self.seen[name] = None

    async def list_backups_of(self, name: str) -> None:
        self.backups_of[name] = await schedules.backups_of(self.velero, name)

    async def list_backups_of_all(self, names: frozenset[str]) -> None:
        found = await schedules.backups_of_all(self.velero)
        self.backups_of |= {name: found.get(name, ()) for name in names}

    async def storage(self) -> None:
        self.locations = await self.velero.locations()

    async def doubt_absence(self) -> None:
        """In another namespace than Velero's nothing is found either. Where it has no place to keep backups in, what
        was not found there may run on elsewhere, and its absence is no longer proven."""
        missing = [name for name, seen in self.seen.items() if seen is None]
        gone = [name for name, seen in self.schedules.items() if seen is None]
        if not missing and not gone:
            return
        if self.locations is None:
            await self.together([self.storage()])
        if not self.locations:
            self.failure = self.failure or velero_failure(Answer(locations=self.locations))
            self.seen = {name: seen for name, seen in self.seen.items() if name not in missing}
            self.schedules = {name: seen for name, seen in self.schedules.items() if name not in gone}

    async def download(self, name: Name, seen: Seen) -> None:
        self.texts[name] = await self.velero.texts(seen)


async def visit(velero: Velero, question: Question) -> Answer:
    """Asks all of it, side by side. Never raises a MemberError: that becomes the answer's failure."""
    found, cluster_uid = _Visit(velero), ""
    try:
        cluster_uid = await velero.client.cluster_uid()
        await _ask(found, question)
    except MemberError as error:
        found.failure = Failure(error.reason, str(error))
    return Answer(
        failure=found.failure,
        cluster_uid=cluster_uid,
        locations=found.locations,
        seen=found.seen,
        dry_runs=found.dry_runs,
        texts=found.texts,
        leftovers=found.leftovers,
        running=question.running,
        schedules=found.schedules,
        backups_of=found.backups_of,
    )


async def _ask(found: _Visit, question: Question) -> None:
    parts: list[Awaitable[None]] = [found.dry_run(name, manifest) for name, manifest in question.dry_runs.items()]
    if question.storage:
        parts.append(found.storage())
    for kind in ("Backup", "Restore"):
        names = _of(kind, question.objects)
        leftovers = question.leftovers and kind == "Restore"
        if names or leftovers:
            parts.append(found.look(kind, names, _of(kind, question.dry_runs), leftovers))
    if question.schedules:
        parts.append(found.look_at_schedules(question.schedules, _of("Schedule", question.dry_runs)))
    await found.together([*parts, *_backup_lists(found, question.backups_of)])
    await found.doubt_absence()
    ended = [(name, seen) for name, seen in found.seen.items() if seen and name in question.texts and needs_texts(seen)]
    await found.together(found.download(name, seen) for name, seen in ended)


def _of(kind: str, names: Iterable[Name]) -> frozenset[str]:
    return frozenset(name for of, name in names if of == kind)


def _backup_lists(found: _Visit, names: frozenset[str]) -> Iterable[Awaitable[None]]:
    """A list for each of a few Schedules, else one of the backups of all."""
    labels = frozenset(name for name in names if len(name) <= schedules.LONGEST_LABEL)
    found.backups_of |= dict.fromkeys(names - labels, ())
    if len(labels) > _GETS_INSTEAD_OF_A_LIST:
        return [found.list_backups_of_all(labels)]
    return [found.list_backups_of(name) for name in sorted(labels)]
