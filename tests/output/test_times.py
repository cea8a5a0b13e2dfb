"""Ages, durations, and when a Schedule comes due next."""

from __future__ import annotations

import pytest

from reconciler.output.times import age_of, dated, next_run, next_run_of_changed, took
from reconciler.records import Phase
from tests.output import builders as b


@pytest.mark.case("clocks", "no age is negative")
def test_ages() -> None:
    assert age_of("2026-11-23T11:58:30Z", b.NOW) == "90s"
    assert age_of("2026-11-23T09:00:00Z", b.NOW) == "3h"
    assert age_of("2026-11-23T12:00:05Z", b.NOW) == "0s", "clocks differ"
    assert age_of("", b.NOW) == age_of("yesterday", b.NOW) == ""
    assert dated("2026-11-23T10:00:00+01:00", b.NOW) == "2026-11-23T09:00:00Z (3h ago)"
    assert dated("", b.NOW) == ""


def test_durations() -> None:
    assert took(b.DONE) == "1m30s"
    assert took({"startTimestamp": "2026-11-23T03:00:00Z"}) == ""
    assert took({}) == ""


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 3 * * *", "2026-11-24T03:00:00Z"),
        ("TZ=Europe/Vienna 0 3 * * *", "2026-11-24T02:00:00Z"),
        ("@every 5h", "2026-11-23T13:00:00Z"),  # the latest backup that is known began at 3, another at 8
        ("no cron at all", ""),
        ("", ""),
    ],
)
def test_the_next_run(cron: str, expected: str) -> None:
    assert next_run({"schedule": cron}, b.schedule("m1", status=b.DONE), b.NOW) == expected


def test_nothing_runs_next_where_it_is_paused_or_nobody_can_tell() -> None:
    daily = {"schedule": "@daily"}
    assert next_run(daily, b.schedule("m1"), b.NOW) == "2026-11-24T00:00:00Z"
    for phase in (Phase.PAUSED, Phase.FAILED_VALIDATION, Phase.REMOVED, Phase.PENDING):
        assert next_run(daily, b.schedule("m1", phase), b.NOW) == ""
    assert next_run({"schedule": "@every 1h"}, b.schedule("m1"), b.NOW) == "", "it counts from the last backup"


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 15 * * *", "2026-11-23T15:00:00Z"),
        ("0 10 * * *", "2026-11-23T12:00:00Z"),  # the last backup began at 3, so one at 10 is overdue
        ("@every 10h", "2026-11-23T13:00:00Z"),
        ("no cron at all", ""),
    ],
)
def test_a_changed_schedule_counts_from_its_last_backup(cron: str, expected: str) -> None:
    assert next_run_of_changed({"schedule": cron}, b.schedule("m1", Phase.STARTING, status=b.DONE), b.NOW) == expected
