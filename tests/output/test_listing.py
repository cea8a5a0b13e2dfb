"""`get`: a row per object, or with -o wide per cluster."""

from __future__ import annotations

import re

import pytest

from reconciler.output.listing import listing
from reconciler.records import Items, Phase, Record
from tests.output import builders as b

RUN = b.run(
    "m1",
    backup_name="m1-before",
    backup_started="2020-01-01T00:00:00Z",
    status=b.DONE,
    items=Items(created=12, equal=1),
)


def rows(capsys: pytest.CaptureFixture[str], *records: Record, form: str = "", namespaces: bool = False) -> list[str]:
    """The lines, with single blanks between columns that are there."""
    listing(records, form, one=False, namespaces=namespaces)
    return [re.sub(r"\s{3,}", " | ", line) for line in b.shown(capsys).splitlines()]


def test_a_row_per_object(capsys: pytest.CaptureFixture[str]) -> None:
    head, row = rows(capsys, b.restore(RUN, b.run("m2", Phase.FAILED, reason="Expired", message="late"), good=False))
    assert head == "NAME | PHASE | COMPLETED | READY | ATTEMPT | AGE | MESSAGE"
    assert re.fullmatch(r"minimal \| Completed \| 1/2 \| False \| 1 \| \d+[smhd] \| m2: Expired: late", row)


def test_what_was_not_restored_is_not_ready_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    _, row = rows(capsys, b.restore(b.left_as_they_are("m1"), good=False))
    assert "Completed | 1/1 | False" in row
    assert row.endswith("m1: NotRestored: 1 not restored")


def test_what_nobody_could_verify_is_not_ready_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    _, row = rows(capsys, b.restore(b.run("m1", reason="NotVerified", message="2 warnings"), good=False))
    assert "Completed | 1/1 | False" in row
    assert row.endswith("m1: NotVerified: 2 warnings")


def test_the_latest_attempt_counts(capsys: pytest.CaptureFixture[str]) -> None:
    _, row = rows(
        capsys, b.restore(b.run("m1", Phase.FAILED, reason="Expired", message="late"), b.run("m1", attempt=2))
    )
    assert "| 1/1 | True | 2 |" in row
    assert "late" not in row


def test_a_file_that_was_changed_in_vain_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    conditions = (b.condition("Ready"), b.condition("SpecChanged", message="raise spec.attempt"))
    assert rows(capsys, b.restore(RUN, conditions=conditions))[1].endswith("raise spec.attempt")


def test_scheduled_backups_count_their_latest_backups(capsys: pytest.CaptureFixture[str]) -> None:
    taken = b.schedule("m1", backup_name="n-1", status=b.DONE)
    paused = b.schedule("m2", Phase.PAUSED, reason="PausedThere", message="somebody paused it")
    _, row = rows(capsys, b.nightly(taken, paused, phase=Phase.PAUSED), namespaces=True)
    assert row.startswith("default | nightly | Paused | 1/2 | True")
    assert row.endswith("m2: PausedThere: somebody paused it")


def test_wide_has_a_row_per_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    head, first, second = rows(capsys, b.restore(RUN, b.run("m2", Phase.PENDING, reason="Unreachable")), form="wide")
    assert head == "NAME | CLUSTER | PHASE | ATTEMPT | BACKUP | TAKEN | ITEMS | DURATION | MESSAGE"
    assert first.startswith("minimal | m1 | Completed | 1 | m1-before | 2020-01-01T00:00:00Z (")
    assert first.endswith("| 12 created, 1 equal already | 1m30s")
    assert second == "minimal | m2 | Pending | 1 | Unreachable"


def test_wide_has_the_schedule_and_its_next_run(capsys: pytest.CaptureFixture[str]) -> None:
    failed = b.DONE | {"phase": "PartiallyFailed", "progress": {"itemsBackedUp": 3, "totalItems": 4}}
    head, row = rows(capsys, b.nightly(b.schedule("m1", backup_name="n-1", status=failed)), form="wide")
    assert head.endswith("DURATION | SCHEDULE | NEXT RUN | MESSAGE")
    assert "| n-1 (PartiallyFailed) | 2026-11-23T03:00:00Z (" in row
    assert re.search(r"\| 3 of 4 items \| 1m30s \| 0 3 \* \* \* \| \d{4}-\d\d-\d\dT03:00:00Z$", row)


def test_a_terminal_that_is_too_narrow_cuts_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    listing((b.restore(RUN),), "wide", one=False, namespaces=False)
    told = b.shown(capsys)
    assert "\x1b[" in told, "it is taken for a terminal"
    assert "m1-before" in told
    assert "12 created, 1 equal already" in told
