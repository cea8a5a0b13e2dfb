"""The ledger's files: what is written is read back as it was, whatever stands in it; times of files as they were
checked."""

from __future__ import annotations

import json
from dataclasses import replace
from string import digits
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import records
from reconciler.names import instant
from reconciler.records import Condition, Items, Ledger, Phase, Record, Run, Schedule, Texts, moment
from reconciler.resources import ClusterId
from reconciler.velero.plainly import STATUS_BYTES
from reconciler.velero.status import seen
from tests.test_records import BACKUP, RECORD, RESTORE, RUN, loaded

ODD = ["", "2025-06-01", "2025-06-01T12:00:00Z", "12:30:00", "on", "yes", "null", "~", "1e3", "0o17", "0x1f", "1_000"]
ODD += ["- x", "a: b", "#", "&a", "*a", "!x", "|", ">", "'", '"', " lead", "trail ", "two\nlines\n", "\t", "é", "😀"]
ODD += [
    "\x00",
    "\x85",
    "\u2028",
    "\ufeff",
    "<<",
    "=",
    "{",
    "[",
    "%",
    "@",
    "`",
    "---",
    "...",
    "123",
    "1.5",
    "True",
    ".inf",
]
texts = st.sampled_from(ODD) | st.text(max_size=20)
words = texts.filter(bool)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
clusters = st.builds(ClusterId, st.just("default"), st.sampled_from(["AttachedCluster", "Cluster"]), words)
runs = st.builds(
    Run,
    cluster=clusters,
    phase=st.sampled_from(Phase),
    object_name=words,
    run_id=words,
    what=words,
    attempt=st.integers(1, 99),
    reason=texts,
    message=texts,
    cluster_uid=texts,
    backup_name=texts,
    backup_started=texts,
    backup_completed=texts,
    status=st.dictionaries(texts, values, max_size=2),
    errors=st.integers(0, 9),
    warnings=st.integers(0, 9),
    items=st.none() | st.builds(Items, *[st.integers(0, 9)] * 5),
)
schedules = st.builds(
    Schedule,
    cluster=clusters,
    phase=st.sampled_from(Phase),
    object_name=words,
    run_id=words,
    what=texts,
    reason=texts,
    message=texts,
    cluster_uid=texts,
    backup_name=texts,
    status=st.dictionaries(texts, values, max_size=2),
    refreshed=texts,
)
whole = st.builds(
    Record,
    identity=st.just(RESTORE),
    spec=st.dictionaries(texts, values, max_size=2),
    attempt=st.integers(1, 99),
    source=texts,
    revision=texts,
    requested_by=texts,
    recorded_at=texts,
    phase=st.sampled_from(Phase),
    conditions=st.lists(st.builds(Condition, texts, st.booleans(), texts, texts, texts), max_size=2).map(tuple),
    runs=st.lists(runs, max_size=2).map(tuple),
    merged_by=texts,
    approved_by=st.lists(texts, max_size=3).map(tuple),
)
scheduled = st.builds(
    lambda record, made: replace(record, identity=BACKUP, runs=(), schedules=tuple(made)),
    whole,
    st.lists(schedules, min_size=1, max_size=2),
)
immediate = st.builds(
    lambda record: replace(
        record,
        identity=BACKUP,
        runs=tuple(replace(run, backup_name="", backup_started="", backup_completed="") for run in record.runs),
    ),
    whole,
)


@given(whole | immediate | scheduled)
def test_a_record_is_read_back_as_it_was_written(record: Record) -> None:
    assert loaded(record) == record
    assert records.dump(loaded(record)) == records.dump(record)


@given(st.dictionaries(texts, values, max_size=4).filter(lambda status: len(json.dumps(status)) <= STATUS_BYTES))
def test_a_small_status_is_recorded_verbatim(status: dict[str, Any]) -> None:
    said = seen("Restore", {"status": status}).status
    assert loaded(replace(RECORD, runs=(replace(RUN, status=said),))).runs[0].status == said == status


@pytest.mark.parametrize("status", [{"a": "\ud800"}, {"\udfff": 1}, {"a": ["\udc80"]}])
def test_a_status_that_is_no_unicode_breaks_no_record(status: dict[str, Any]) -> None:
    said = seen("Restore", {"status": status}).status
    assert loaded(replace(RECORD, runs=(replace(RUN, status=said),))).runs[0].status == said


def test_a_status_of_endless_depth_breaks_no_record() -> None:
    deep: Any = "end"
    for _ in range(5000):
        deep = {"a": deep}
    said = seen("Restore", {"status": {"phase": "Completed", "deep": deep}}).status
    assert loaded(replace(RECORD, runs=(replace(RUN, status=said),))).runs[0].settled


LONG = "found a restore with status InProgress " * 13_000
WIDE: dict[str, Any] = {}
for _ in range(9):
    WIDE = {"a": WIDE, "b": WIDE}
CUT = f"… ({len(LONG)} characters)"
FULL = {"phase": "Failed", "startTimestamp": "2025-06-01T12:00:00Z", "progress": {"totalItems": 7, "itemsRestored": 7}}


@pytest.mark.parametrize(
    ("long", "marks"),
    [
        (
            {"failureReason": LONG, "message": LONG},
            [f"failureReason: found a restore with status InProgress {LONG[39:120]}{CUT}"],
        ),
        ({"validationErrors": ["bad filter"] * 9000}, ["- bad filter", "- … 8994 more"]),
        ({"validationErrors": [LONG[:999]] * 9000}, ["… (999 characters)", "- … 8997 more"]),
        ({f"field{number}": number for number in range(9000)}, ["field0: 0", " more"]),
        ({LONG: {LONG: LONG}}, [CUT]),
        ({"other": {str(number): LONG[:999] for number in range(9000)}}, ["…: 8997 more"]),
        ({"progress": WIDE}, ["1 more"]),
    ],
    ids=["texts", "a list", "a list of texts", "fields", "names", "a mapping", "nested"],
)
def test_a_long_status_is_cut_short_and_shows_it(long: dict[str, Any], marks: list[str]) -> None:
    said = seen("Restore", {"status": {**long, **FULL, **long}}).status
    assert {name: said[name] for name in FULL if name not in long} == {n: v for n, v in FULL.items() if n not in long}
    written = records.dump(replace(RECORD, runs=(replace(RUN, status=said),))).decode()
    assert len(written) - len(records.dump(RECORD)) < 2 * STATUS_BYTES
    assert all(mark in written for mark in marks)
    assert loaded(replace(RECORD, runs=(replace(RUN, status=said),))).runs[0].settled


@given(st.dictionaries(texts, values | st.lists(values, max_size=40), max_size=40))
def test_no_status_makes_a_record_long(status: dict[str, Any]) -> None:
    said = seen("Restore", {"status": status}).status
    written = replace(RECORD, runs=(replace(RUN, status=said),))
    assert len(records.dump(written)) - len(records.dump(RECORD)) < 6 * STATUS_BYTES
    assert loaded(written).runs[0].status == said


@given(words, words, words)
def test_a_ledger_is_read_back_as_it_was_written(id: str, branch: str, path: str) -> None:
    assert records.parse_ledger(records.dump_ledger(Ledger(id, branch, path))) == Ledger(id, branch, path)


lines = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)


names = st.dictionaries(words, st.lists(texts, min_size=1, max_size=3).map(tuple), max_size=3)


@given(lines, lines, texts, names)
def test_texts_are_read_back_as_they_were_written(errors: Any, warnings: Any, note: str, names: Any) -> None:
    """The counts stand in the record."""
    told = Texts(errors, warnings, note, names=names)
    assert records.load_texts(records.dump_texts(replace(told, items=Items(created=1)))) == told


@given(
    day=st.dates().map(str),
    mark=st.sampled_from("Tt"),
    time=st.times().map(lambda time: time.isoformat("seconds")),
    fraction=st.from_regex(r"(\.[0-9]{1,12})?", fullmatch=True, alphabet="." + digits),
    zone=st.from_regex(r"[Zz]|[+-][0-9]{2}:[0-9]{2}", fullmatch=True, alphabet="Zz+-:" + digits),
)
def test_whatever_time_a_file_may_name_is_read_as_it_was_checked(
    day: str, mark: str, time: str, fraction: str, zone: str
) -> None:
    text = f"{day}{mark}{time}{fraction}{zone}"
    try:
        checked = instant(text)
    except ValueError:
        checked = None
    assert moment(text) == checked
