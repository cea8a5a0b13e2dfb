"""Schedules on one cluster, as `test_schedules*` and `test_schedule_actions` hold them against the member's answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.answers import Answer
from reconciler.plan.asks import Ask
from reconciler.plan.schedules import advance, fingerprint
from reconciler.records import Phase, Schedule
from reconciler.resources import BackupSpec
from reconciler.velero.status import Seen, SeenSchedule
from tests.plan import builders as b

MADE = b.only_schedule(b.drafted(b.scheduled()))
NAME = MADE.object_name


def spec(**fields: Any) -> BackupSpec:
    found = b.scheduled(**fields).spec
    assert isinstance(found, BackupSpec)
    return found


FILE = spec()
WHAT = fingerprint(FILE)


def at(phase: Phase, reason: str = "", **fields: Any) -> Schedule:
    """As it is recorded; what is in place does what the file says, and what is removed belongs to no cluster."""
    what = WHAT if phase in (Phase.ENABLED, Phase.PAUSED, Phase.FAILED_VALIDATION) else ""
    uid = "" if phase is Phase.REMOVED else "uid-1"
    return replace(MADE, phase=phase, reason=reason, **{"what": what, "cluster_uid": uid, **fields})


def there(**fields: Any) -> SeenSchedule:
    """Ours, as the file says."""
    ours = SeenSchedule(NAME, "uid-of-it", MADE.run_id, WHAT, False, False, False, "")
    return replace(ours, **fields)


FOREIGN = there(run_id="f" * 32)


def answer(seen: SeenSchedule | None, **fields: Any) -> Answer:
    """The member has looked."""
    return b.answer(schedules={NAME: seen}, **fields)


def step(
    schedule: Schedule, answer: Answer, ask: Ask = Ask.ASKED, file: BackupSpec | None = FILE, now: Any = b.NOW
) -> Schedule:
    return advance(schedule, file, ask, answer, now)


def taken(name: str, started: str, phase: str = "Completed", **status: Any) -> Seen:
    """A backup that the Schedule took."""
    return b.raw("Backup", name, "", phase, startTimestamp=started, **status)


IN_PLACE = [
    at(Phase.ENABLED),
    at(Phase.PAUSED, "PausedThere"),
    at(Phase.PAUSED, "Suspended"),
    at(Phase.FAILED_VALIDATION, "FailedValidation"),
]
ANY = [
    *IN_PLACE,
    at(Phase.PENDING),
    at(Phase.PENDING, "Unreachable"),
    at(Phase.STARTING),
    at(Phase.REMOVING),
    at(Phase.REMOVED),
    at(Phase.FAILED, "NameConflict"),
    at(Phase.REMOVED, "Abandoned"),
]


def words(schedule: object) -> str | None:
    return f"{schedule.phase}-{schedule.reason}" if isinstance(schedule, Schedule) else None


named = pytest.mark.parametrize("schedule", ANY, ids=words)


def short(schedule: Schedule) -> tuple[Phase, str]:
    return schedule.phase, schedule.reason
