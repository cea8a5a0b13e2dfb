"""What `sync --once` would do, as a value that can be printed, counted and compared: from what a pass would decide.

Called by `planning`, which asks the members with credentials that may only read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from reconciler.desired import Desired
from reconciler.manifests import Problem
from reconciler.plan.actions import Action, Create, Delete, Update
from reconciler.plan.answers import UNASKED, Answer, Question
from reconciler.plan.summary import GOOD, OF_FILE
from reconciler.records import Items, Part, Phase, Record, Run, Texts
from reconciler.resources import ClusterId, Identity
from reconciler.velero.objects import what
from reconciler.velero.status import Seen

Answers = Mapping[ClusterId, Answer]


class Verb(StrEnum):
    """What would become of one object on one cluster."""

    START = "start"
    AFTER = "start after its backup"
    FOLLOW = "follow"
    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    WAIT = "wait"
    HOLD = "hold"
    REFUSE = "refuse"
    SKIP = "skip"
    """Nothing to do: it has ended, or a Schedule is as its file says."""


@dataclass(frozen=True, slots=True)
class Step:
    """One object on one cluster. `backup` is the one that a Restore would be pinned to."""

    verb: Verb
    part: Part
    reason: str
    message: str
    backup: Seen | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """One object: its record as it would stand, and a step for each cluster. `moved`: the record would be another."""

    record: Record
    steps: tuple[Step, ...]
    why: str
    """Why nothing of it runs, or why what its file asks for does not; empty where it is as asked."""
    moved: bool

    @property
    def changes(self) -> bool:
        """It has something to do, or something of it is refused."""
        return self.moved or any(step.verb is not Verb.SKIP for step in self.steps) or self._conditions("SpecChanged")

    def _conditions(self, kind: str) -> bool:
        return any(condition.type == kind for condition in self.record.conditions)


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. `revision` is the commit whose files were read, `base` the one it was compared with, if any.

    `put_back`: paths under `status/` that somebody changed by hand. `new_ledger`: there is none yet, and one is made.
    `specs`: what files asked for when it was recorded. `clusters`: all that are declared.
    """

    revision: str
    base: str
    paused: bool
    objects: tuple[Steps, ...]
    problems: tuple[Problem, ...]
    put_back: tuple[str, ...] = ()
    new_ledger: bool = False
    specs: Mapping[Identity, Mapping[str, Any]] = field(default_factory=dict)
    clusters: frozenset[ClusterId] = frozenset()

    @property
    def changes(self) -> bool:
        """Something would be done, or is refused: exit code 1."""
        return bool(self.problems or self.put_back or self.new_ledger) or any(each.changes for each in self.objects)

    def count(self, verb: Verb) -> int:
        """Of (object, cluster)."""
        return sum(step.verb is verb for each in self.objects for step in each.steps)


def reading_only(question: Question) -> Question:
    """The question without what needs more than `get` and `list`: a look in place of each dry-run create, no texts."""
    objects = {name for name in question.dry_runs if name[0] != "Schedule"}
    schedules = {name for kind, name in question.dry_runs if kind == "Schedule"}
    return replace(
        question,
        objects=question.objects | objects,
        schedules=question.schedules | schedules,
        dry_runs={},
        texts=frozenset(),
    )


def supposing(question: Question, answer: Answer) -> Answer:
    """The answer to `question` where that to `reading_only(question)` is known.

    Each dry-run is taken to succeed, and what has ended to have left nothing behind: without texts it would never be
    taken to have ended.
    """
    known = {("Schedule", name): seen for name, seen in answer.schedules.items()} | dict(answer.seen)
    return replace(
        answer,
        dry_runs={name: None for name in question.dry_runs if name in known and known[name] is None},
        texts=dict.fromkeys(question.texts, Texts((), (), items=Items())),
    )


def planned(
    desired: Desired,
    recorded: Mapping[Identity, Record],
    decided: Mapping[Identity, Record],
    actions: tuple[Action, ...],
    answers: Answers,
) -> tuple[Steps, ...]:
    """Every object that the files ask for, and what is recorded and not finished."""
    created = {action.run_id for action in actions if isinstance(action, Create)}
    changed = {
        action.run_id: Verb.REMOVE if isinstance(action, Delete) else Verb.UPDATE
        for action in actions
        if isinstance(action, Update | Delete)
    }
    found = []
    for identity, record in decided.items():
        open_before = identity in recorded and any(part.phase.open for part in recorded[identity].everything)
        moved = recorded.get(identity) != record
        if identity in desired.wanted or open_before or moved:
            parts = {part.run_id: part for part in recorded[identity].everything} if identity in recorded else {}
            steps = (
                _of_run(record, part, parts.get(part.run_id), desired, decided, answers, created)
                if isinstance(part, Run)
                else _of_schedule(part, parts.get(part.run_id), created, changed)
                for part in _parts(record, parts)
            )
            found.append(Steps(record, tuple(steps), _why(record), moved))
    return tuple(found)


def _parts(record: Record, before: Mapping[str, Part]) -> Iterator[Part]:
    """The latest on each cluster, and whatever of an earlier attempt is not over, or not as it was recorded."""
    latest = {part.run_id for part in record.parts}
    for part in record.everything:
        if part.run_id in latest or part.phase.open or not _same(part, before.get(part.run_id)):
            yield part


def _same(part: Part, before: Part | None) -> bool:
    return before is not None and (part.phase, part.reason) == (before.phase, before.reason)


def _of_run(
    record: Record,
    run: Run,
    before: Part | None,
    desired: Desired,
    decided: Mapping[Identity, Record],
    answers: Answers,
    created: set[str],
) -> Step:
    answer = answers.get(run.cluster, UNASKED)
    if run.run_id in created or (run.phase is Phase.STARTING and (before is None or before.phase is Phase.PENDING)):
        return Step(Verb.START, run, "", "", _pinned(run, answer))
    if run.phase is Phase.STARTING:
        return Step(Verb.WAIT, run, run.reason or "Unknown", run.message or "whether it was created is not known yet")
    if run.phase is Phase.IN_PROGRESS:
        return Step(Verb.FOLLOW, run, run.reason, run.message)
    if run.phase is Phase.PENDING:
        after = run.reason == "BackupRunning" and _backup_runs(record, run, desired, decided)
        return Step(Verb.AFTER if after else Verb.WAIT, run, run.reason, run.message)
    if _same(run, before):
        return Step(Verb.SKIP, run, run.reason, _skipped(run, record.identity, desired))
    if run.phase is Phase.HELD:
        return Step(Verb.HOLD, run, run.reason, run.message)
    if run.status:
        return Step(Verb.FOLLOW, run, run.reason, run.message)  # it has ended, which is yet to be recorded
    return Step(Verb.REFUSE, run, run.reason, run.message)


def _of_schedule(part: Part, before: Part | None, created: set[str], changed: Mapping[str, Verb]) -> Step:
    if part.run_id in created:
        return Step(Verb.CREATE, part, part.reason, part.message)
    if part.run_id in changed:
        return Step(changed[part.run_id], part, part.reason, part.message)
    if part.phase.open:
        return Step(Verb.REMOVE if part.phase is Phase.REMOVING else Verb.WAIT, part, part.reason, part.message)
    if part.phase in GOOD or (before is not None and before.phase is part.phase):
        return Step(Verb.SKIP, part, part.reason, part.message or str(part.phase))
    return Step(Verb.REFUSE, part, part.reason, part.message)


def _backup_runs(record: Record, run: Run, desired: Desired, decided: Mapping[Identity, Record]) -> bool:
    """The Backup that it waits for is one of ours that this very sync takes, or follows to its end."""
    wanted = desired.wanted.get(record.identity)
    backup = decided.get(wanted.backup) if wanted and wanted.backup else None
    runs = backup.runs_on(run.cluster) if backup else ()
    return any(each.phase in (Phase.STARTING, Phase.IN_PROGRESS) and not each.reason for each in runs)


def _pinned(run: Run, answer: Answer) -> Seen | None:
    listed = {seen.name: seen for backups in answer.backups_of.values() for seen in backups}
    return answer.seen.get(("Backup", run.backup_name)) or listed.get(run.backup_name)


def _skipped(run: Run, identity: Identity, desired: Desired) -> str:
    """With what runs it again: where the same content has Completed, a raised attempt alone does not."""
    text = f"{run.phase} in attempt {run.attempt}"
    if run.phase is Phase.HELD:
        return f"{text}: {run.message}"
    wanted = desired.wanted.get(identity)
    if wanted is None:
        return text
    done = run.phase is Phase.COMPLETED and run.what == what(wanted.spec)
    raising = "raise spec.attempt with rerun: All" if done else "raise spec.attempt"
    return f"{text}; to run it again {raising}, or add a new {identity.kind}"


def _why(record: Record) -> str:
    told = [c.message for c in record.conditions if c.type in OF_FILE]
    return "; ".join(told)
