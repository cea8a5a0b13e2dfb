"""What a Restore from an immediate Backup waits for, what refuses it, and what is pinned when it starts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.plan.answers import Answer, Failure
from reconciler.plan.points import Origin, unusable
from reconciler.plan.restores import gate
from reconciler.records import Phase, Run
from reconciler.resources import RestoreSpec
from reconciler.velero.status import Seen
from tests.plan import builders as b

RUN = b.only_run(b.drafted(b.restore()))
NAME = b.name_of(b.RESTORE, RUN)
TAKEN = replace(b.only_run(b.drafted(b.backup()), b.BACKUP), phase=Phase.COMPLETED)
BEGUN, AT = "2025-06-01T10:58:00Z", "2025-06-01T11:00:00Z"


def spec(**fields: Any) -> RestoreSpec:
    return RestoreSpec.model_validate({"backupName": "nightly", **fields})


def the_backup(phase: str = "Completed", **fields: Any) -> Seen:
    return b.there("Backup", TAKEN, phase, startTimestamp=BEGUN, completionTimestamp=AT, **fields)


def of(*runs: Run) -> Origin:
    return Origin("Backup nightly", runs=runs)


def tried(answer: Answer, *backups: Run, allow: bool = False) -> Run:
    return gate(RUN, answer, of(*(backups or (TAKEN,))), spec(allowPartiallyFailed=allow), b.NOW)


def sound(*objects: Seen, **fields: Any) -> Answer:
    return b.answer(*objects, accepted=[NAME], **fields)


def test_it_starts_with_the_backup_and_the_cluster_pinned() -> None:
    assert tried(sound(the_backup())) == replace(
        RUN,
        phase=Phase.STARTING,
        cluster_uid="uid-1",
        backup_name=TAKEN.object_name,
        backup_started=BEGUN,
        backup_completed=AT,
    )


# ---------------------------------------------------------------- what the record says of the backup


@pytest.mark.parametrize(
    ("phase", "allow", "reason"),
    [
        (Phase.PENDING, False, "BackupRunning"),
        (Phase.STARTING, False, "BackupRunning"),
        (Phase.IN_PROGRESS, True, "BackupRunning"),
        (Phase.COMPLETED, False, None),
        (Phase.HELD, False, None),
        (Phase.PARTIALLY_FAILED, True, None),
        (Phase.PARTIALLY_FAILED, False, "BackupFailed"),
        (Phase.FAILED, True, "BackupFailed"),
        (Phase.FAILED_VALIDATION, True, "BackupFailed"),
    ],
)
def test_the_recorded_backup_decides_whether_it_can_be_used(phase: Phase, allow: bool, reason: str | None) -> None:
    failure = unusable(of(replace(TAKEN, phase=phase)), spec(allowPartiallyFailed=allow))
    assert (failure and failure.reason) == reason


def test_a_backup_that_never_ran_on_the_cluster_is_missing() -> None:
    failed = gate(RUN, sound(), of(), spec(), b.NOW)
    assert (failed.phase, failed.reason) == (Phase.FAILED, "BackupMissing")


def test_it_waits_while_its_backup_runs_even_where_the_member_says_that_it_is_done() -> None:
    waiting = tried(sound(the_backup()), replace(TAKEN, phase=Phase.IN_PROGRESS))
    assert (waiting.phase, waiting.reason) == (Phase.PENDING, "BackupRunning")


# ---------------------------------------------------------------- waits

WAITS: list[tuple[Answer, str]] = [
    (b.unreachable("Unauthorized"), "Unauthorized"),
    (sound(the_backup(), failure=Failure("Forbidden", "half an answer")), "Forbidden"),
    (sound(), "Unknown"),  # the backup was not asked for
    (sound(the_backup(), locations=None), "Unknown"),
    (sound(the_backup(), locations=()), "VeleroMissing"),
    (b.answer(the_backup(), absent=[NAME]), "Unknown"),  # no dry run
    (b.answer(the_backup(), dry_runs={NAME: Failure("Rejected", "webhook")}), "Rejected"),
    (sound(the_backup("InProgress")), "BackupRunning"),
    (sound(the_backup("FinalizingPartiallyFailed")), "BackupRunning"),
    (sound(the_backup("")), "BackupRunning"),
    (b.answer(absent=[("Backup", TAKEN.object_name)], accepted=[NAME]), "BackupNotFound"),
]


@pytest.mark.parametrize(("answer", "reason"), WAITS)
def test_it_waits_with_a_reason(answer: Answer, reason: str) -> None:
    waiting = tried(answer)
    assert (waiting.phase, waiting.reason, waiting.backup_name) == (Phase.PENDING, reason, "")
    assert waiting.message


def test_the_storage_that_counts_is_the_backups_own() -> None:
    cold = replace(the_backup(), storage="cold")
    assert tried(sound(cold)).reason == "StorageUnavailable"


# ---------------------------------------------------------------- refusals

REFUSALS: list[tuple[Answer, str]] = [
    (sound(b.someone_elses("Backup", TAKEN)), "BackupReplaced"),
    (sound(the_backup(deleting=True)), "BackupDeleting"),
    (sound(the_backup("Deleting")), "BackupDeleting"),
    (sound(the_backup("Failed")), "BackupFailed"),
    (sound(the_backup("PartiallyFailed")), "BackupFailed"),
    (sound(the_backup(expiration="2025-06-01T11:59:59Z")), "BackupExpired"),
    (sound(the_backup(expiration="2025-06-01T12:00:00Z")), "BackupExpired"),
]


@pytest.mark.parametrize(("answer", "reason"), REFUSALS)
def test_where_waiting_cannot_help_it_has_failed(answer: Answer, reason: str) -> None:
    failed = tried(answer)
    assert (failed.phase, failed.reason) == (Phase.FAILED, reason)
    assert failed.message


def test_a_partially_failed_backup_is_used_where_that_is_allowed() -> None:
    taken = replace(TAKEN, phase=Phase.PARTIALLY_FAILED)
    assert tried(sound(the_backup("PartiallyFailed")), taken, allow=True).phase is Phase.STARTING


def test_a_failed_backup_is_never_used() -> None:
    assert tried(sound(the_backup("Failed")), allow=True).reason == "BackupFailed"


def test_a_backup_that_expires_later_is_used() -> None:
    later = (b.NOW + timedelta(seconds=1)).isoformat()
    assert tried(sound(the_backup(expiration=later))).phase is Phase.STARTING


def test_a_held_backup_may_be_kurators_own_of_that_name() -> None:
    """It was there before the ledger: the member is asked, not the record."""
    held = replace(TAKEN, phase=Phase.HELD)
    assert tried(sound(b.someone_elses("Backup", TAKEN)), held).phase is Phase.STARTING
    assert tried(sound(b.someone_elses("Backup", TAKEN, "Failed")), held).reason == "BackupFailed"


# ---------------------------------------------------------------- several attempts of the Backup

SECOND = replace(b.only_run(b.drafted(b.backup(attempt=2)), b.BACKUP), phase=Phase.COMPLETED)


def second(phase: str = "Completed", at: str = "2025-06-01T11:30:00Z") -> Seen:
    return b.there("Backup", SECOND, phase, startTimestamp=at)


def test_of_several_attempts_the_newest_backup_is_taken() -> None:
    assert tried(sound(the_backup(), second()), TAKEN, SECOND).backup_name == SECOND.object_name
    early = second(at="2025-05-01T00:00:00Z")
    assert tried(sound(the_backup(), early), TAKEN, SECOND).backup_name == TAKEN.object_name


def test_it_waits_while_a_later_attempt_of_the_backup_runs() -> None:
    waiting = tried(sound(the_backup(), second("InProgress")), TAKEN, replace(SECOND, phase=Phase.IN_PROGRESS))
    assert (waiting.phase, waiting.reason) == (Phase.PENDING, "BackupRunning")


def test_an_earlier_backup_is_taken_where_a_later_attempt_failed() -> None:
    failed = replace(SECOND, phase=Phase.FAILED)
    assert tried(sound(the_backup()), TAKEN, failed).backup_name == TAKEN.object_name
    assert tried(sound(second()), replace(TAKEN, phase=Phase.FAILED), SECOND).backup_name == SECOND.object_name
    both = tried(sound(), replace(TAKEN, phase=Phase.FAILED), replace(SECOND, phase=Phase.FAILED_VALIDATION))
    assert (both.reason, both.message) == ("BackupFailed", "Backup nightly ended FailedValidation on this cluster")


def test_an_earlier_backup_that_expired_does_not_stop_a_later_one() -> None:
    gone = b.answer(second(), absent=[("Backup", TAKEN.object_name)], accepted=[NAME])
    assert tried(gone, TAKEN, SECOND).backup_name == SECOND.object_name


def test_what_is_not_told_of_one_attempt_may_be_the_newest() -> None:
    assert tried(sound(the_backup()), TAKEN, SECOND).reason == "Unknown"
