"""Which backup a Restore takes: the newest that fits, by when it was started, on each cluster by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired import Wanted
from reconciler.plan.answers import UNKNOWN, Answer, Failure
from reconciler.plan.points import WAITS, Origin, choose, origin_of, rounded
from reconciler.plan.restores import gate
from reconciler.records import Phase, Record, moment, timestamp
from reconciler.resources import RestoreSpec
from reconciler.velero.status import Seen
from tests.plan import builders as b

SCHEDULE = "m1-backup-default-nightly"
OURS = Origin("Backup nightly", schedule=SCHEDULE)
RUN = b.only_run(b.drafted(b.restore()))
NAME = b.name_of(b.RESTORE, RUN)


def spec(**fields: Any) -> RestoreSpec:
    return RestoreSpec.model_validate({"backupName": "nightly", **fields})


def hours(ago: float) -> str:
    return timestamp(b.NOW - timedelta(hours=ago))


def taken(name: str, ago: float | None, phase: str = "Completed", **fields: Any) -> Seen:
    """A backup of the Schedule, started that many hours ago; none where it has no start."""
    status: dict[str, Any] = {"startTimestamp": hours(ago)} if ago is not None else {}
    return b.raw("Backup", name, "", phase, deleting=fields.pop("deleting", False), **status, **fields)


def of_schedule(*backups: Seen) -> Answer:
    return b.answer(backups_of={SCHEDULE: backups})


def chosen(*backups: Seen, **fields: Any) -> str:
    """The name of the backup that is taken, or the reason why none is."""
    found = choose(OURS, of_schedule(*backups), spec(**fields), b.NOW)
    return found.reason if isinstance(found, Failure) else found.name


# ---------------------------------------------------------------- the newest


def test_the_newest_by_start_is_taken_whatever_its_name_or_its_end() -> None:
    late_end = taken("a", 3, completionTimestamp=hours(0))
    assert chosen(late_end, taken("c", 2, completionTimestamp=hours(1)), taken("b", 4)) == "c"


@pytest.mark.parametrize("phase", ["InProgress", "", "Failed", "PartiallyFailed", "FinalizingPartiallyFailed", "New"])
def test_one_that_is_not_completed_gives_way_to_an_older_one_that_is(phase: str) -> None:
    assert chosen(taken("newest", 1, phase), taken("older", 2)) == "older"


def test_a_partially_failed_one_is_taken_where_that_is_allowed() -> None:
    both = (taken("newest", 1, "PartiallyFailed"), taken("older", 2))
    assert chosen(*both, allowPartiallyFailed=True) == "newest"
    assert chosen(both[0]) == "BackupFailed"


@pytest.mark.parametrize(
    "unfit", [taken("n", 1, deleting=True), taken("n", 1, "Deleting"), taken("n", 1, expiration=hours(0))]
)
def test_one_that_goes_away_gives_way_to_an_older_one(unfit: Seen) -> None:
    assert chosen(unfit, taken("older", 2)) == "older"
    assert chosen(unfit) in ("BackupDeleting", "BackupExpired")


def test_without_a_start_it_counts_by_its_end_and_without_both_as_the_oldest() -> None:
    copied = taken("copied", None, completionTimestamp=hours(1))
    assert chosen(copied, taken("older", 2)) == "copied"
    assert chosen(taken("undated", None), taken("older", 2000)) == "older"
    assert chosen(taken("undated", None)) == "undated"


# ---------------------------------------------------------------- before, maxBackupAge


@pytest.mark.parametrize(("ago", "name"), [(3, "three"), (2.5, "three"), (2, "two"), (0.5, "one"), (-9, "one")])
def test_before_takes_the_newest_that_was_started_by_then(ago: float, name: str) -> None:
    backups = (taken("one", 1, completionTimestamp=hours(0)), taken("two", 2), taken("three", 3))
    assert chosen(*backups, before=hours(ago)) == name


@pytest.mark.parametrize("before", ["2025-06-01T12:30:00+02:00", "2025-06-01t10:30:00z", "2025-06-01T10:30:00.5z"])
def test_before_is_read_in_any_zone_and_case(before: str) -> None:
    assert chosen(taken("two", 2), taken("one", 1), before=before) == "two"


def test_nothing_that_was_started_by_then_refuses() -> None:
    assert chosen(taken("one", 1), before=hours(3)) == "BackupTooNew"
    assert chosen(taken("running", 1, "InProgress"), before=hours(3)) == "BackupTooNew"
    assert "BackupTooNew" not in WAITS


def test_a_backup_whose_start_nobody_knows_was_not_started_by_then() -> None:
    assert chosen(taken("undated", None), before=hours(3)) == "BackupTooNew"
    assert chosen(taken("new", None, "New"), before=hours(3)) == "BackupRunning"  # its start is still to come


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"maxBackupAge": "2h"}, "two"),
        ({"maxBackupAge": "1h59m"}, "BackupTooOld"),
        ({"maxBackupAge": "1h", "before": hours(1)}, "two"),
        ({"maxBackupAge": "59m", "before": hours(1)}, "BackupTooOld"),
    ],
)
def test_the_age_counts_from_now_or_from_before(fields: dict[str, str], name: str) -> None:
    assert chosen(taken("two", 2), taken("three", 3), **fields) == name


def test_an_age_that_nobody_knows_is_too_old() -> None:
    assert chosen(taken("undated", None), maxBackupAge="9000h") == "BackupTooOld"


def test_why_none_fits_is_told_of_the_newest_with_its_name() -> None:
    found = choose(OURS, of_schedule(taken("old", 50), taken("older", 60)), spec(maxBackupAge="24h"), b.NOW)
    assert found == Failure("BackupTooOld", "Backup old was started 2d2h before now, and spec.maxBackupAge is 24h")


# ---------------------------------------------------------------- waiting


def test_what_still_runs_is_waited_for_where_nothing_else_fits() -> None:
    assert chosen(taken("running", 0, "InProgress"), taken("failed", 1, "Failed")) == "BackupRunning"
    assert chosen(taken("failed", 0, "Failed"), taken("running", 1, "InProgress")) == "BackupRunning"


def test_no_backup_at_all_is_waited_for_by_name() -> None:
    found = choose(OURS, of_schedule(), spec(), b.NOW)
    assert isinstance(found, Failure)
    assert found.reason == "BackupNotFound"
    assert found.message.startswith(f"Schedule {SCHEDULE} has no backup on this cluster")


def test_what_was_not_listed_is_unknown() -> None:
    assert choose(OURS, b.answer(), spec(), b.NOW) == UNKNOWN


@pytest.mark.parametrize(
    ("backups", "phase", "reason"),
    [
        ((taken("one", 1),), Phase.STARTING, ""),
        ((), Phase.PENDING, "BackupNotFound"),
        ((taken("running", 1, "InProgress"),), Phase.PENDING, "BackupRunning"),
        ((taken("failed", 1, "Failed"),), Phase.FAILED, "BackupFailed"),
        ((taken("gone", 1, deleting=True),), Phase.FAILED, "BackupDeleting"),
    ],
)
def test_a_run_waits_for_what_time_may_mend_and_is_refused_otherwise(
    backups: tuple[Seen, ...], phase: Phase, reason: str
) -> None:
    answer = b.answer(accepted=[NAME], backups_of={SCHEDULE: backups})
    after = gate(RUN, answer, OURS, spec(), b.NOW)
    assert (after.phase, after.reason) == (phase, reason)
    assert after.backup_name == (backups[0].name if phase is Phase.STARTING else "")


# ---------------------------------------------------------------- where backups are looked for


def where(wanted: Wanted, of: Wanted | None = None, record: Record | None = None) -> Origin:
    return origin_of(wanted, b.M1, of, b.by_identity(record) if record else {}, b.LEDGER)


def test_a_scheduled_backup_is_looked_for_by_its_schedules_name() -> None:
    assert where(b.restore(), b.scheduled()) == OURS
    assert where(b.restore(), b.scheduled(), b.drafted(b.scheduled())[b.BACKUP]) == OURS
    assert OURS.names == frozenset()


def test_an_immediate_backup_is_looked_for_as_it_is_recorded() -> None:
    record = b.ended(b.backup(b.M1, b.M2))
    assert where(b.restore(), b.backup(), record).runs == record.runs[:1]
    assert where(b.restore(), b.backup(), b.ended(b.backup(b.M2))).runs == ()


def test_what_a_backup_is_the_record_tells_whatever_became_of_its_file() -> None:
    """A Backup never changes between immediate and scheduled."""
    once = b.ended(b.backup())
    assert where(b.restore(), b.scheduled(), once).runs == once.runs
    assert where(b.restore(), b.backup(), b.drafted(b.scheduled())[b.BACKUP]) == OURS


def test_veleros_own_objects_are_looked_for_by_the_name_in_the_file() -> None:
    backup = where(b.restore_of(source={"backup": "by-hand"}))
    assert backup == Origin("Backup by-hand", backup="by-hand")
    assert backup.names == {("Backup", "by-hand")}
    assert where(b.restore_of(source={"schedule": "theirs"})) == Origin("Schedule theirs", schedule="theirs")


BY_HAND = Origin("Backup by-hand", backup="by-hand")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b.answer(taken("by-hand", 1)), "by-hand"),
        (b.answer(taken("by-hand", 1, "Failed")), "BackupFailed"),
        (b.answer(absent=[("Backup", "by-hand")]), "BackupNotFound"),
        (b.answer(taken("another", 1)), "Unknown"),
    ],
)
def test_a_velero_backup_needs_no_run_of_ours(answer: Answer, reason: str) -> None:
    found = choose(BY_HAND, answer, spec(), b.NOW)
    assert (found.reason if isinstance(found, Failure) else found.name) == reason


# ---------------------------------------------------------------- all of it at once

PHASES = ["Completed", "PartiallyFailed", "Failed", "InProgress", ""]
some_backups = st.lists(
    st.builds(
        lambda ago, phase, deleting, expires: taken(
            f"b{ago}", ago, phase, deleting=deleting, expiration=hours(-expires)
        ),
        st.integers(-2, 50),
        st.sampled_from(PHASES),
        st.booleans(),
        st.integers(-1, 2),
    ),
    max_size=6,
    unique_by=lambda seen: seen.name,
)


@given(some_backups, st.none() | st.integers(-3, 50), st.none() | st.integers(1, 50), st.booleans())
def test_what_is_taken_fits_and_nothing_newer_does(
    backups: list[Seen], before: int | None, age: int | None, allow: bool
) -> None:
    fields: dict[str, Any] = {"allowPartiallyFailed": allow}
    fields |= {} if before is None else {"before": hours(before)}
    fields |= {} if age is None else {"maxBackupAge": f"{age}h"}
    good = ("Completed", "PartiallyFailed") if allow else ("Completed",)
    limit = b.NOW if before is None else b.NOW - timedelta(hours=before)

    def fits(seen: Seen) -> bool:
        at, expires = moment(seen.started_at), moment(seen.expires_at)
        assert at
        assert expires
        sound = seen.phase in good and not seen.deleting and expires > b.NOW
        return sound and (before is None or at <= limit) and (age is None or limit - at <= timedelta(hours=age))

    fitting = sorted((seen.started_at, seen.name) for seen in backups if fits(seen))
    found = chosen(*backups, **fields)
    assert found == fitting[-1][1] if fitting else found.startswith("Backup")


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=12), "12s"),
        (timedelta(minutes=45, seconds=2), "45m2s"),
        (timedelta(hours=3, minutes=20, seconds=59), "3h20m"),
        (timedelta(days=2, hours=3, minutes=5), "2d3h"),
        (timedelta(days=2, minutes=5), "2d"),
        (timedelta(seconds=-5), "0s"),
    ],
)
def test_a_length_of_time_in_two_units(span: timedelta, text: str) -> None:
    assert rounded(span) == text


def test_an_immediate_backup_has_an_age_too() -> None:
    run = replace(b.only_run(b.drafted(b.backup()), b.BACKUP), phase=Phase.PARTIALLY_FAILED)
    origin = Origin("Backup nightly", runs=(run,))
    there = b.answer(b.there("Backup", run, "PartiallyFailed", startTimestamp=hours(30)))
    found = choose(origin, there, spec(allowPartiallyFailed=True, maxBackupAge="24h"), b.NOW)
    assert isinstance(found, Failure)
    assert found.reason == "BackupTooOld"
