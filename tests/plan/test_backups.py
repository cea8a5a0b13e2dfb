"""What an immediate Backup waits for."""

from __future__ import annotations

import pytest

from reconciler.plan.answers import Answer, Failure
from reconciler.plan.backups import gate, storage_failure
from reconciler.records import Phase
from reconciler.velero.status import Location
from tests.plan import builders as b

RUN = b.only_run(b.drafted(b.backup()), b.BACKUP)
NAME = b.name_of(b.BACKUP, RUN)


def location(name: str = "default", phase: str = "Available", default: bool = False, message: str = "") -> Location:
    return Location(name, phase, default, message)


def test_it_starts_on_a_sound_member_and_pins_the_cluster() -> None:
    started = gate(RUN, b.answer(accepted=[NAME], uid="uid-7"))
    assert (started.phase, started.reason, started.cluster_uid) == (Phase.STARTING, "", "uid-7")
    assert started.backup_name == ""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b.unreachable("Unauthorized"), "Unauthorized"),
        (b.answer(accepted=[NAME], failure=Failure("Unreachable", "half an answer")), "Unreachable"),
        (b.answer(accepted=[NAME], locations=None), "Unknown"),
        (b.answer(accepted=[NAME], locations=()), "VeleroMissing"),
        (b.answer(accepted=[NAME], locations=(location(phase="Unavailable"),)), "StorageUnavailable"),
        (b.answer(accepted=[NAME], locations=(location(phase=""),)), "StorageUnavailable"),
        (b.answer(absent=[NAME]), "Unknown"),
        (b.answer(dry_runs={NAME: Failure("VeleroMissing", "no such kind")}), "VeleroMissing"),
    ],
)
def test_it_waits_with_a_reason(answer: Answer, reason: str) -> None:
    waiting = gate(RUN, answer)
    assert (waiting.phase, waiting.reason) == (Phase.PENDING, reason)
    assert waiting.message
    assert waiting.cluster_uid == ""


@pytest.mark.parametrize(
    ("locations", "chosen"),
    [
        ((location("a", "x"), location("b", "x", default=True)), "b"),
        ((location("a", "x"), location("default", "x")), "default"),
        ((location("default", "x"), location("b", "x", default=True)), "b"),
    ],
)
def test_without_a_name_the_storage_is_the_one_that_velero_would_choose(
    locations: tuple[Location, ...], chosen: str
) -> None:
    failure = storage_failure(Answer(locations=locations), "")
    assert failure is not None
    assert failure.message.startswith(f"BackupStorageLocation {chosen} is x")


def test_the_storage_of_a_name_is_looked_at_and_no_other() -> None:
    answer = Answer(locations=(location(default=True), location("cold", "Unavailable", message="no bucket")))
    failure = storage_failure(answer, "cold")
    assert failure == Failure("StorageUnavailable", "BackupStorageLocation cold is Unavailable: no bucket")


def test_a_missing_storage_is_told_with_those_that_are_there() -> None:
    failure = storage_failure(Answer(locations=(location("b"), location("a"))), "cold")
    assert failure is not None
    assert "no BackupStorageLocation cold (there: a, b)" in failure.message
