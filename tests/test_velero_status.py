"""Velero's to ours: what a server says is read, and nothing that it says can break the reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import records
from reconciler.records import Phase, Texts
from reconciler.velero import status
from reconciler.velero.results import texts as texts_of

RUN_ID = "0d9c6a" + "0" * 26


def test_a_restore_as_velero_writes_it() -> None:
    raw = {
        "metadata": {
            "name": "r",
            "uid": "u",
            "annotations": {"reconciler/run-id": RUN_ID},
            "finalizers": ["restores.velero.io/external-resources-finalizer", "reconciler/recorded"],
        },
        "spec": {"backupName": "b"},
        "status": {
            "phase": "PartiallyFailed",
            "errors": 1,
            "warnings": 2,
            "completionTimestamp": "2025-06-01T12:00:00Z",
            "progress": {"itemsRestored": 3, "totalItems": 4},
            "failureReason": "found one\nerror\x1b[31m",
            "validationErrors": ["a"],
        },
    }
    seen = status.seen("Restore", raw)
    assert (seen.name, seen.uid, seen.run_id, seen.held, seen.deleting) == ("r", "u", RUN_ID, True, False)
    assert (seen.phase, seen.terminal, seen.new) == ("PartiallyFailed", Phase.PARTIALLY_FAILED, False)
    assert (seen.errors, seen.warnings, seen.progress) == (1, 2, (3, 4))
    assert (seen.completed_at, seen.message) == ("2025-06-01T12:00:00Z", "a; found one error [31m")
    assert seen.status == raw["status"]


def test_a_backup_that_is_being_deleted() -> None:
    assert status.seen("Backup", {"status": {"phase": "Deleting"}}).deleting
    assert status.seen("Backup", {"metadata": {"deletionTimestamp": "2025-06-01T12:00:00Z"}}).deleting


def test_a_storage_location() -> None:
    raw = {
        "metadata": {"name": "default"},
        "spec": {"default": True},
        "status": {"phase": "Unavailable", "message": "x"},
    }
    found = status.location(raw)
    assert (found.name, found.default, found.available, found.message) == ("default", True, False, "x")


def test_texts_as_velero_writes_them() -> None:
    found = texts_of(
        {
            "errors": {"velero": ["no Deployment"], "cluster": ["c"], "namespaces": {"b": ["x"], "a": ["y"]}},
            "warnings": {"namespaces": {"a": ["differs"]}},
        }
    )
    assert found.errors == (("velero", "no Deployment"), ("cluster", "c"), ("a", "y"), ("b", "x"))
    assert found.warnings == (("a", "differs"),)
    assert found.note == ""


def test_texts_are_capped_and_say_so() -> None:
    found = texts_of({"errors": {"velero": ["x" * 5000] * 130}, "warnings": {"velero": ["y"] * 101}})
    assert (len(found.errors), len(found.warnings)) == (100, 100)
    assert {len(text) for _, text in found.errors} == {1000}
    assert found.errors[0][1].endswith("…")
    assert found.note.startswith("31 more")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=8)
hostile: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=5)
)


def holding(names: str, **inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Now and then no mapping at all, else one with some of these fields, each with anything in it."""
    return hostile | st.fixed_dictionaries({}, optional=dict.fromkeys(names.split(), hostile) | inner)


shaped = st.fixed_dictionaries(
    {
        "metadata": holding("name uid annotations finalizers deletionTimestamp"),
        "spec": holding("storageLocation default"),
        "status": holding(
            "phase errors warnings completionTimestamp expiration validationErrors failureReason message",
            progress=holding("itemsRestored itemsBackedUp totalItems"),
        ),
    }
)
results = holding("velero cluster", namespaces=hostile | st.dictionaries(st.text(max_size=4), hostile, max_size=3))


@given(st.sampled_from(["Backup", "Restore"]), shaped)
def test_no_shape_of_an_object_breaks_the_reading(kind: str, raw: dict[str, Any]) -> None:
    seen = status.seen(kind, raw)
    assert all(text.isprintable() for text in (seen.name, seen.phase, seen.message, seen.completed_at, seen.storage))
    assert len(seen.message) <= 300
    assert type(seen.errors) is type(seen.warnings) is int
    assert status.location(raw).message.isprintable()


@given(st.fixed_dictionaries({"errors": results, "warnings": results}))
def test_no_shape_of_results_breaks_the_reading(raw: dict[str, Any]) -> None:
    found = texts_of(raw)
    assert all(where.isprintable() and text.isprintable() for where, text in (*found.errors, *found.warnings))
    assert records.load_texts(records.dump_texts(found)) == found


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\x1b[2J", "\u2028", "\ufeff", "é", "😀"])
def test_texts_hold_nothing_that_a_terminal_would_obey(text: str) -> None:
    found = texts_of({"errors": {"velero": [f"before {text} after"]}})
    assert found.errors[0][1].startswith("before ")
    assert found.errors[0][1].isprintable()
    assert records.load_texts(records.dump_texts(found)) == Texts(found.errors, (), "")
