"""A plan as text and as data: a line for each cluster with something to do, one for each object without, a summary."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from reconciler.manifests import Position, Problem
from reconciler.output.plan import as_data, show_plan
from reconciler.output.steps import summary
from reconciler.plan.planned import Plan, Verb
from reconciler.records import Condition, Phase
from tests.output.builders import NOW, condition, data, nightly, restore, run, schedule, shown
from tests.output.plans import backup, plan, starts, step, steps

SKIPPED = "Completed in attempt 1; to run it again raise spec.attempt with rerun: All, or add a new Restore"


def text(capsys: pytest.CaptureFixture[str], planned: Plan) -> list[str]:
    show_plan(planned, "")
    return [line.strip() for line in shown(capsys).splitlines()]


def columns(line: str) -> list[str]:
    return [column.strip() for column in line.split("   ") if column.strip()]


def test_a_line_for_each_cluster_with_the_backup_that_would_be_pinned(capsys: pytest.CaptureFixture[str]) -> None:
    head, first, second, last = text(capsys, plan(steps(restore(), starts("m1"), step("m2", Verb.WAIT, "Why", "so"))))
    assert columns(head) == ["CLUSTER", "OBJECT", "ACTION", "BACKUP", "AGE", "ITEMS", "EXPIRES IN", "WHY"]
    assert columns(first)[:4] == ["m1", "Restore default/minimal", "start", "m1-backup-default-before"]
    assert "40" in columns(first)
    assert columns(second) == ["m2", "Restore default/minimal", "wait", "Why: so"]
    assert last == "Plan: 1 to start, 1 waiting."


def test_without_a_backup_to_pin_there_are_no_columns_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    head, row, *_ = text(capsys, plan(steps(nightly(schedule("m1")), step(schedule("m1"), Verb.CREATE))))
    assert columns(head) == ["CLUSTER", "OBJECT", "ACTION"]
    assert columns(row) == ["m1", "Backup default/nightly", "create"]


def test_one_that_is_skipped_everywhere_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    idle = [step(f"m{n}", Verb.SKIP, message=SKIPPED) for n in range(3)]
    assert text(capsys, plan(steps(restore(), *idle, moved=False))) == [
        f"Restore default/minimal: skipped on 3 of 3 clusters: {SKIPPED}",
        "Plan: nothing to do.",
    ]


def test_of_a_raised_attempt_the_clusters_that_are_skipped_are_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    again = restore(run("m1", Phase.STARTING, attempt=2), run("m2"))
    lines = text(capsys, plan(steps(again, starts("m1"), step("m2", Verb.SKIP, message=SKIPPED))))
    assert columns(lines[1])[1] == "Restore default/minimal (attempt 2)"
    assert f"Restore default/minimal: skipped on 1 of 2 clusters: {SKIPPED}" in lines


def test_problems_a_pause_and_what_was_changed_by_hand_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(Position("restores/x.yaml", 5), "there is no Backup default/befor", "name one", None)
    path = "status/backups/default/x.yaml"
    lines = text(capsys, plan(problems=(problem,), paused=True, put_back=(path,)))
    assert lines[0] == f"{path} was changed by hand; it is put back as it was recorded"
    assert lines[1].startswith("refused: restores/x.yaml:5: there is no Backup default/befor")
    assert lines[2:] == [
        "The repository is paused (.reconciler-paused): nothing new starts.",
        "Plan: 1 problem in files, 1 record to put back.",
    ]


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (Verb.START, "1 to start"),
        (Verb.AFTER, "1 to start after their backup"),
        (Verb.CREATE, "1 Schedule to create"),
        (Verb.UPDATE, "1 Schedule to update"),
        (Verb.REMOVE, "1 Schedule to remove"),
        (Verb.FOLLOW, "1 under way"),
        (Verb.WAIT, "1 waiting"),
        (Verb.HOLD, "1 to hold"),
        (Verb.REFUSE, "1 to refuse"),
    ],
)
def test_everything_but_what_is_skipped_is_counted_and_is_a_change(verb: Verb, said: str) -> None:
    one = plan(steps(restore(), step("m1", verb), step("m2", Verb.SKIP), moved=False))
    assert summary(one) == f"Plan: {said}."
    assert one.changes


@pytest.mark.parametrize(
    ("kind", "why", "said"),
    [
        ("SpecChanged", "the file differs from what ran", "1 edit without effect"),
        ("AttemptWaiting", "attempt 2 waits", "1 attempt waiting for an earlier one"),
    ],
)
def test_what_the_file_asks_for_in_vain_or_too_early_is_told(
    capsys: pytest.CaptureFixture[str], kind: str, why: str, said: str
) -> None:
    told: Condition = condition(kind)
    one = plan(steps(replace(restore(), conditions=(told,)), step("m1", Verb.SKIP, message=SKIPPED), why=why))
    lines = text(capsys, one)
    assert f"Restore default/minimal: {why}" in lines
    assert lines[-1] == f"Plan: {said}."
    assert one.changes


def test_a_record_alone_that_changes_is_a_change() -> None:
    """A Schedule has a newer backup, say, which a sync records."""
    one = plan(steps(nightly(schedule("m1")), step(schedule("m1"), Verb.SKIP)))
    assert summary(one) == "Plan: 1 record to bring up to date."
    assert one.changes


def test_nothing_to_do_is_no_change() -> None:
    assert not plan(steps(restore(), step("m1", Verb.SKIP), moved=False)).changes
    assert plan(new_ledger=True).changes


def test_as_json_and_as_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    one = plan(steps(restore(), starts("m1", hours=5)), base="main")
    show_plan(one, "json")
    found: dict[str, Any] = data(capsys)
    assert (found["exitCode"], found["base"], found["summary"]) == (1, "main", {"start": 1})
    (item,) = found["items"]
    assert (item["kind"], item["name"], item["attempt"]) == ("Restore", "minimal", 1)
    assert item["clusters"][0]["backup"]["name"] == "m1-backup-default-before"
    show_plan(one, "yaml")
    as_yaml = yaml.safe_load(shown(capsys))
    assert as_yaml.keys() == found.keys()


def test_the_age_is_counted_from_the_start_of_the_backup() -> None:
    (item,) = as_data(plan(steps(restore(), starts("m1", hours=5))), NOW)["items"]
    assert item["clusters"][0]["backup"]["ageSeconds"] == 5 * 3600
    bare = step("m1", taken=backup("b", startTimestamp="", completionTimestamp="", progress={}, expiration=""))
    (item,) = as_data(plan(steps(restore(), bare)), NOW)["items"]
    told = item["clusters"][0]["backup"]
    assert (told["ageSeconds"], told["items"], told["expiration"]) == (None, None, "")
