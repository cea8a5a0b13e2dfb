"""Schedules as Velero reads them. Times and texts were taken from its two libraries, run on the same expressions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cron import Cron, CronError, agreed

NOW = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 3 * * *", "2026-01-01T03:00:00+00:00"),
        ("*/5 * ? * *", "2026-01-01T02:35:00+00:00"),
        ("30 2 * * *", "2026-01-02T02:30:00+00:00"),
        ("0\t3-5/2  * JAN-dec SUN", "2026-01-04T03:00:00+00:00"),
        ("5/25 * * * *", "2026-01-01T02:55:00+00:00"),
        ("+5 *-7 * * *", "2026-01-01T03:05:00+00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00:00+00:00"),
        ("@yearly", "2027-01-01T00:00:00+00:00"),
        ("@annually", "2027-01-01T00:00:00+00:00"),
        ("@monthly", "2026-02-01T00:00:00+00:00"),
        ("@weekly", "2026-01-04T00:00:00+00:00"),
        ("@daily", "2026-01-02T00:00:00+00:00"),
        ("@midnight", "2026-01-02T00:00:00+00:00"),
        ("@hourly", "2026-01-01T03:00:00+00:00"),
        ("@every 90m", "2026-01-01T04:00:00+00:00"),
        ("@every 1.9s", "2026-01-01T02:30:01+00:00"),
        ("TZ=Europe/Berlin 0 3 * * *", "2026-01-02T03:00:00+01:00"),
        ("CRON_TZ=Asia/Tokyo 0 12 * * *", "2026-01-01T12:00:00+09:00"),
        ("TZ=UTC @daily", "2026-01-02T00:00:00+00:00"),
    ],
)
def test_the_next_time_is_the_same_in_every_velero(expression: str, expected: str) -> None:
    assert Cron(expression).after(NOW) == Cron(expression, old=True).after(NOW) == datetime.fromisoformat(expected)
    assert agreed(expression) == expression


def test_every_counts_from_the_time_that_it_is_asked_about() -> None:
    assert Cron("@every 1h").after(NOW.replace(second=7, microsecond=5)) == NOW.replace(hour=3, second=7)


def test_an_hour_that_the_clock_skips_is_made_up_for() -> None:
    """To the half hour: Velero 1.18.3 runs at 3:30 here, the older ones on the next day."""
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert Cron("TZ=Europe/Berlin 30 2 * * *").after(before) == datetime(2026, 3, 29, 1, tzinfo=UTC)


TEXTS = {
    "": "empty spec string",
    " ": "expected exactly 5 fields, found 0: []",
    "* * * * * *": "expected exactly 5 fields, found 6: [* * * * * *]",
    "61 * * * *": 'end of range (61) above maximum (59): "61"',
    "0 0 0 * *": 'beginning of range (0) below minimum (1): "0"',
    "0 0 * 13 *": 'end of range (13) above maximum (12): "13"',
    "*/0 * * * *": 'step of range must be a positive number: "*/0"',
    "1-2-3 * * * *": 'too many hyphens: "1-2-3"',
    "*/1/2 * * * *": 'too many slashes: "*/1/2"',
    "*/-1 * * * *": 'negative number (-1) not allowed: "-1"',
    "a b c d e": 'failed to parse int from "a": strconv.Atoi: parsing "a": invalid syntax',
    "99999999999999999999 * * * *": (
        'failed to parse int from "99999999999999999999": '
        'strconv.Atoi: parsing "99999999999999999999": value out of range'
    ),
    "\u0661 * * * *": 'failed to parse int from "\u0661": strconv.Atoi: parsing "\u0661": invalid syntax',
    "H * * * *": "h expressions require hash option to be enabled",
    "0 0 L * *": (
        "extended day-of-month syntax requires DomL option (for L, L-n) or DomW option (for nW, LW) to be enabled"
    ),
    "0 0 * * FRI#1": "#n/#L syntax requires DowNth or DowLast option to be enabled",
    "*/60 * * * *": 'step (60) must be less than range size (60): "*/60"',
    "@nope": 'unrecognized descriptor: "@nope"',
    "@Daily": 'unrecognized descriptor: "@Daily"',
    "@every": 'unrecognized descriptor: "@every"',
    "@every 1x": 'failed to parse duration "@every 1x": time: unknown unit "x" in duration "1x"',
    "@every 9999999h": 'failed to parse duration "@every 9999999h": time: invalid duration "9999999h"',
    "@every 500ms": '@every duration must be at least 1s: "@every 500ms"',
    "@every -1h": '@every duration must be at least 1s: "@every -1h"',
    "TZ=UTC": 'missing fields after timezone in spec "TZ=UTC"',
    "TZ=UTC  ": 'missing fields after timezone "UTC"',
    "TZ=No/Where 0 0 * * *": 'unknown time zone "No/Where": unknown time zone No/Where',
    "0 0 * * *" + " " * 1024: "spec too long: 1033 > 1024",
}


@pytest.mark.parametrize(("expression", "text"), TEXTS.items())
def test_what_velero_does_not_read_is_told_in_its_words(expression: str, text: str) -> None:
    with pytest.raises(CronError) as refused:
        Cron(expression)
    assert str(refused.value) == text


@pytest.mark.parametrize("zone", ["Asia", "America/", "../../etc/passwd", "", "'UTC", "a" * 65, "europe/nowhere"])
def test_a_zone_is_one_of_the_time_zone_database(zone: str) -> None:
    for old in (False, True):
        with pytest.raises(CronError, match=r"(unknown time zone|invalid timezone) \""):
            Cron(f"TZ={zone} 0 3 * * *", old=old)


@pytest.mark.parametrize(
    ("expression", "new", "old"),
    [
        ("0 0 1 feb MON", "2027-02-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"),
        ("0 0 1 1-12 5-6", "2026-05-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"),
        ("0 3 * * 6/1", "2026-01-03T03:00:00+00:00", "2026-01-03T03:00:00+00:00"),
        ("0 3 * * 7", "2026-01-04T03:00:00+00:00", None),
        ("0 22-2/4 * * *", "2026-01-01T22:00:00+00:00", None),
        ("0 0 * NOV-FEB/3 *", "2026-02-01T00:00:00+00:00", None),
        ("TZ='Asia/Tokyo' 0 12 * * *", "2026-01-01T12:00:00+09:00", None),
    ],
)
def test_what_versions_of_velero_read_differently_is_read_as_each_does_and_refused(
    expression: str, new: str, old: str | None
) -> None:
    assert Cron(expression).after(NOW) == datetime.fromisoformat(new)
    if old is None:
        with pytest.raises(CronError):
            Cron(expression, old=True)
    else:
        assert Cron(expression, old=True).after(NOW) == datetime.fromisoformat(old)
    with pytest.raises(ValueError, match="; w"):
        agreed(expression)


def test_a_date_and_a_weekday_that_rarely_meet_are_none_in_five_years() -> None:
    assert Cron("0 0 29 2 MON").after(NOW) is None, "the next is in 2044"
    assert Cron("0 0 29 2 MON").comes_due


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "0 0 30 2 ?", "0 0 31 4,6,9,11 *", "0 0 , * *", "0 0 1 60/8 *"])
def test_what_never_comes_due_is_known_without_a_clock(expression: str) -> None:
    assert not Cron(expression).comes_due
    assert Cron(expression).after(NOW) is None
    with pytest.raises(ValueError):
        agreed(expression)


@pytest.mark.parametrize("expression", ["@triggered", "@manual", "@none"])
def test_what_somebody_would_trigger_never_comes_due(expression: str) -> None:
    assert not Cron(expression).comes_due
    with pytest.raises(ValueError, match=r"is no schedule to Velero before 1\.18\.3"):
        agreed(expression)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (
            "61 * * * *",
            "'61 * * * *' is no schedule (end of range (61) above maximum (59): \"61\"); write minute, hour, "
            'day of month, month and day of week as in "0 3 * * *", or @daily, or @every 24h',
        ),
        (
            "0 3 * * 7",
            "'0 3 * * 7' is no schedule to Velero before 1.18.3 (end of range (7) above maximum (6): \"7\"); write "
            'minute, hour, day of month, month and day of week as in "0 3 * * *", or @daily, or @every 24h',
        ),
        (
            "0 0 31 2 *",
            "'0 0 31 2 *' never comes due, and Velero then backs up at once, again and again; name a day that exists",
        ),
        (
            "0 0 1 * MON",
            "'0 0 1 * MON' limits both the day of the month and the day of the week: Velero before 1.18.3 takes days "
            "that fit either, and later ones days that fit both; write * for one of the two",
        ),
        (
            "0 0 * * 6/1",
            "'0 0 * * 6/1' reaches Sunday as day 7, which Velero before 1.18.3 does not know; write Sunday as 0 or SUN",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(expression: str, text: str) -> None:
    with pytest.raises(ValueError) as refused:
        agreed(expression)
    assert str(refused.value) == text


def test_nothing_means_once_now() -> None:
    assert agreed("") == ""


_PARTS = st.sampled_from([*"*?,-/ 017x#LWH", "31", "2", "SUN", "feb", "@every ", "1h", "TZ=UTC ", "\t", "\x1c"])


@given(st.text(max_size=40) | st.lists(_PARTS, max_size=20).map("".join))
def test_any_text_is_read_or_refused(expression: str) -> None:
    try:
        agreed(expression)
    except ValueError as error:
        what, _, todo = str(error).rpartition("; ")
        assert what
        assert todo
        return
    if expression:
        assert Cron(expression).after(NOW) is not None
