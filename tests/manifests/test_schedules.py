"""A Backup's schedule, and what means nothing beside one."""

from __future__ import annotations

import pytest

from reconciler.resources import Backup
from tests.manifests.builders import A_BACKUP, one, read_all, spec, told


@pytest.mark.parametrize(
    "expression",
    [
        "0 3 * * *",
        "@daily",
        "@every 90m",
        "*/15 8-18 ? jan-JUN MON,fri",
        "TZ=Europe/Berlin 0 3 * * SUN",
        "0 0 29 2 *",
        "",
    ],
)
def test_what_velero_runs_is_read_as_it_is(expression: str) -> None:
    (document,) = read_all(a=spec(f'schedule: "{expression}"')).documents
    assert isinstance(document.resource, Backup)
    assert document.resource.spec.schedule == expression


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("0 3 * *", "'0 3 * *' is no schedule (expected exactly 5 fields, found 4: [0 3 * *]); write minute, hour, "),
        ("0 24 * * *", "'0 24 * * *' is no schedule (end of range (24) above maximum (23): \"24\"); write minute, "),
        ("0 3 * * 7", "'0 3 * * 7' is no schedule to Velero before 1.18.3 (end of range (7) above maximum (6): "),
        ("0 0 30 2 *", "'0 0 30 2 *' never comes due, and Velero then backs up at once, again and again; name a day "),
        ("0 3 1 * MON", "'0 3 1 * MON' limits both the day of the month and the day of the week: Velero before "),
        (" ", "' ' is no schedule (expected exactly 5 fields, found 0: []); write minute, hour, day of month, "),
        ("@yearl", "'@yearl' is no schedule (unrecognized descriptor: \"@yearl\"); write minute, hour, "),
        ("TZ=Mars/Base 0 3 * * *", "'TZ=Mars/Base 0 3 * * *' is no schedule (unknown time zone \"Mars/Base\": "),
    ],
)
def test_what_velero_refuses_or_runs_amiss_is_refused_at_its_line(expression: str, what: str) -> None:
    found = read_all(a=spec(f'schedule: "{expression}"'))
    (problem,) = found.problems
    assert str(problem).startswith(f"a.yaml:8: `spec.schedule`: {what}")
    assert problem.identity == A_BACKUP


def test_a_shorthand_must_be_quoted() -> None:
    assert one(spec("schedule: @daily")).endswith("quote text that begins with it")


@pytest.mark.parametrize(("line", "field"), [("attempt: 2", "attempt"), ("rerun: All", "rerun")])
def test_what_runs_by_itself_is_not_run_again(line: str, field: str) -> None:
    found = read_all(a=spec(f'schedule: "@daily"\n  {line}'))
    assert [str(problem) for problem in found.problems] == [
        f"a.yaml:9: `spec.{field}`: means nothing beside `schedule`, which runs by itself; "
        "remove it, or add a Backup without a schedule to back up now"
    ]
    assert found.problems[0].identity == A_BACKUP
    assert told(spec(line)) == [], "without a schedule it has its meaning"
    assert told(spec(f'schedule: ""\n  {line}')) == []


@pytest.mark.parametrize("line", ["suspend: true", "startWithin: 1h", "attempt: 1"])
def test_what_may_stand_beside_a_schedule(line: str) -> None:
    assert told(spec(f'schedule: "@daily"\n  {line}')) == []
