"""Edits of a file (design §4): before anything of an attempt began they apply, after that they run nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.records import Phase
from reconciler.velero.objects import what
from tests.plan import builders as b
from tests.plan.attempts import (
    DONE,
    FAILED,
    HELD,
    RUNNING,
    SOMEONE,
    UPDATE,
    begun,
    conditions,
    file,
    passes,
    ran,
    redrafted,
    shown,
)

# ---------------------------------------------------------------- edits


@pytest.mark.parametrize("fields", [UPDATE, {"startWithin": "1h"}, {"destination": b.to(b.M2)}, {"suspend": True}])
def test_an_edit_before_anything_began_applies(fields: dict[str, Any]) -> None:
    before = ran(b.restore(b.M1, b.M2), Phase.PENDING, Phase.PENDING)
    edited = b.restore(b.M2, **fields) if "destination" in fields else b.restore(b.M1, b.M2, **fields)
    record = redrafted(b.ask(edited), before)[b.RESTORE]
    assert [run.cluster for run in record.runs] == list(edited.clusters)
    assert {(run.what, run.attempt) for run in record.runs} == {(what(edited.spec), 1)}
    assert (record.revision, record.recorded_at) == (SOMEONE.revision, "2025-06-01T12:00:00Z")


def test_an_edit_of_a_later_attempt_before_it_began_keeps_the_earlier_runs() -> None:
    before = redrafted(file(b.M1, b.M2, attempt=2), ran(b.restore(b.M1, b.M2), DONE, FAILED))
    after = redrafted(file(b.M1, b.M2, attempt=2, **UPDATE), before)
    assert begun(after) == ["m1", "m2"]  # other content: also where the first attempt completed
    assert after[b.RESTORE].runs[:2] == before[b.RESTORE].runs[:2]


@pytest.mark.parametrize("reason", ["Suspended", "Paused"])
def test_an_edit_of_what_is_suspended_applies_and_goes_on_with_it(reason: str) -> None:
    after = passes(ran(b.restore(suspend=True), HELD, reason=reason), file(b.M1, **UPDATE))
    assert shown(after) == [("m1", 1, "Pending", "Unknown")]
    assert after[b.RESTORE].runs[0].what == what(b.restore(**UPDATE).spec)


def test_an_edit_of_what_was_starting_before_it_was_suspended_does_not() -> None:
    """A create that is under way would bring the old content under the new name."""
    before = ran(b.restore(b.M1, suspend=True), HELD, reason="Suspended", cluster_uid="uid-1")
    after = passes(before, file(b.M1, suspend=True, **UPDATE))
    assert shown(after) == [("m1", 1, "Held", "SpecChanged")]
    assert after[b.RESTORE].runs[0].what == before[b.RESTORE].runs[0].what
    assert shown(passes(before, file(b.M1))) == [("m1", 1, "Pending", "")]


@pytest.mark.parametrize("phase", [DONE, FAILED, RUNNING])
@pytest.mark.parametrize(
    "fields",
    [UPDATE, {"startWithin": "1h"}, {"destination": b.to(b.M1)}, {"maxSkew": "1h"}, {"rerun": "All"}],
)
def test_an_edit_after_it_runs_nothing_and_shows(phase: Phase, fields: dict[str, Any]) -> None:
    before = ran(b.restore(), phase)
    after = passes(before, file(b.M1, **fields))
    assert after[b.RESTORE].runs == before[b.RESTORE].runs
    assert "SpecChanged" in conditions(after)
    assert "SpecChanged" not in conditions(passes(after, file(b.M1)))  # put back


def test_where_an_attempt_runs_is_fixed_once_it_is_recorded_and_rerun_changes_nothing_of_that() -> None:
    """Also where it ran nowhere, since everything had Completed: that is when `rerun` is thought of."""
    nowhere = passes(ran(b.restore(b.M1, b.M2), DONE, DONE), file(b.M1, b.M2, attempt=2))
    assert (begun(nowhere), conditions(nowhere)) == ([], {"Ready"})
    added = passes(nowhere, file(b.M1, b.M2, attempt=2, rerun="All"))
    assert (begun(added), conditions(added)) == ([], {"Ready", "SpecChanged"})
    again = passes(added, file(b.M1, b.M2, attempt=3, rerun="All"))
    assert (begun(again), "SpecChanged" in conditions(again)) == (["m1", "m2"], False)
    running = passes(ran(b.restore(b.M1, b.M2, attempt=3, rerun="All"), RUNNING, DONE), file(b.M1, b.M2, attempt=3))
    assert "SpecChanged" in conditions(running)  # taken out again


@pytest.mark.parametrize("free", [{"suspend": True}, {"allowSkipped": True}])
def test_what_is_free_to_change_runs_nothing_and_does_not_show(free: dict[str, Any]) -> None:
    before = ran(b.restore(), DONE)
    after = passes(before, file(b.M1, **free))
    assert after[b.RESTORE].runs == before[b.RESTORE].runs
    assert "SpecChanged" not in conditions(after)


# ---------------------------------------------------------------- suspended, paused


def test_suspended_holds_what_waits_and_it_goes_on_after_that() -> None:
    wait = file(b.M1, suspend=True)
    held = passes({}, wait)
    assert shown(held) == [("m1", 1, "Held", "Suspended")]
    assert passes(held, wait) == held
    assert shown(passes(held, file(b.M1))) == [("m1", 1, "Pending", "Unknown")]


def test_a_paused_repository_holds_every_new_run() -> None:
    paused = replace(file(b.M1, attempt=2), paused=True)
    after = passes(ran(b.restore(), FAILED), paused)
    assert shown(after)[1:] == [("m1", 2, "Held", "Paused")]
    assert shown(passes(after, file(b.M1, attempt=2)))[1:] == [("m1", 2, "Pending", "")]


def test_what_runs_is_followed_though_suspended_or_paused() -> None:
    before = ran(b.restore(), RUNNING)
    for desired in (file(b.M1, suspend=True), replace(file(b.M1), paused=True)):
        assert passes(before, desired)[b.RESTORE].runs == before[b.RESTORE].runs
