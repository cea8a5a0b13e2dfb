"""Attempts (design §4): what runs again, and on which clusters; raised, lowered, removed and added again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.drafts import attempted
from reconciler.records import Phase, Run
from reconciler.resources import ClusterId
from reconciler.velero.objects import what
from tests.plan import builders as b
from tests.plan.attempts import (
    ALL,
    DONE,
    FAILED,
    HELD,
    M3,
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

# ---------------------------------------------------------------- raised


def test_a_raised_attempt_runs_where_the_latest_did_not_complete() -> None:
    after = redrafted(file(attempt=2), ran(b.restore(*ALL), DONE, FAILED, Phase.PARTIALLY_FAILED))
    record = after[b.RESTORE]
    assert begun(after) == ["m2", "m3"]
    assert (record.attempt, record.recorded_at) == (2, "2025-06-01T13:00:00Z")
    assert (record.source, record.revision, record.requested_by) == (SOMEONE.source, SOMEONE.revision, SOMEONE.author)
    assert (record.merged_by, record.approved_by) == ("Max", ("Ada",))
    assert record.runs[:3] == ran(b.restore(*ALL), DONE, FAILED, Phase.PARTIALLY_FAILED)[b.RESTORE].runs


def test_its_runs_have_names_and_ids_of_their_own() -> None:
    after = redrafted(file(b.M1, attempt=2), ran(b.restore(), FAILED))
    first, second = after[b.RESTORE].runs
    assert first.run_id != second.run_id
    assert second.object_name == f"m1-restore-default-minimal-2-{second.run_id[:6]}"
    assert (second.phase, second.cluster_uid, second.backup_name) == (Phase.PENDING, "", "")


def test_with_rerun_all_it_runs_everywhere() -> None:
    assert begun(redrafted(file(attempt=2, rerun="All"), ran(b.restore(*ALL), DONE, DONE, FAILED))) == [
        "m1",
        "m2",
        "m3",
    ]


def test_with_other_content_it_runs_everywhere() -> None:
    assert begun(redrafted(file(attempt=2, **UPDATE), ran(b.restore(*ALL), DONE, DONE, FAILED))) == ["m1", "m2", "m3"]


def test_where_all_completed_it_runs_nowhere_and_is_recorded() -> None:
    after = redrafted(file(attempt=2), ran(b.restore(*ALL), DONE, DONE, DONE))
    assert (after[b.RESTORE].attempt, begun(after)) == (2, [])
    assert redrafted(file(attempt=2), after) == after
    assert conditions(passes(after, file(attempt=2))) == {"Ready"}


def test_the_latest_run_counts_whichever_attempt_it_is_of() -> None:
    second = redrafted(file(attempt=2), ran(b.restore(*ALL), DONE, FAILED, FAILED))[b.RESTORE]
    outcome = {b.M2: DONE, M3: FAILED}
    runs = tuple(replace(r, phase=outcome[r.cluster]) if r.attempt == 2 else r for r in second.runs)
    third = redrafted(file(attempt=7), b.by_identity(replace(second, runs=runs)))
    assert begun(third) == ["m3"]
    assert third[b.RESTORE].attempt == 7


def test_a_destination_that_names_clusters_says_where() -> None:
    before = ran(b.restore(b.M1, b.M2), DONE, FAILED)
    named = file(b.M2, M3, attempt=2, destination=b.to(b.M2, M3))
    assert begun(redrafted(named, before)) == ["m2", "m3"]


@pytest.mark.parametrize("destination", [None, {"fleet": "quickstart"}])
def test_without_one_it_runs_where_the_first_attempt_did(destination: dict[str, str] | None) -> None:
    """A fleet that grew triggers nothing."""
    before = ran(b.restore(b.M1, b.M2), FAILED, FAILED)
    fields = {"destination": destination} if destination else {}
    assert begun(redrafted(file(*ALL, attempt=2, rerun="All", **fields), before)) == ["m1", "m2"]


def test_a_first_attempt_may_have_any_number() -> None:
    assert shown(redrafted(file(b.M1, attempt=3), {})) == [("m1", 3, "Pending", "")]


# ---------------------------------------------------------------- raised while something is open


@pytest.mark.parametrize("phase", [p for p in b.RUN_PHASES if p.open])
def test_it_waits_until_every_run_of_the_earlier_one_has_ended(phase: Phase) -> None:
    before = ran(b.restore(*ALL), FAILED, phase, FAILED)
    assert redrafted(file(attempt=2), before) == before


def test_what_had_not_started_is_given_up_and_then_it_begins() -> None:
    before = ran(b.restore(b.M1, b.M2), Phase.PENDING, Phase.PENDING)
    once = passes(before, file(b.M1, b.M2, attempt=2))
    assert shown(once) == [("m1", 1, "Held", "SpecChanged"), ("m2", 1, "Held", "SpecChanged")]
    assert begun(redrafted(file(b.M1, b.M2, attempt=2), once)) == ["m1", "m2"]


@pytest.mark.case("raised", "waits")
def test_what_runs_is_waited_for_and_the_record_says_so() -> None:
    after = passes(ran(b.restore(b.M1, b.M2), RUNNING, FAILED), file(b.M1, b.M2, attempt=2))
    assert after[b.RESTORE].attempt == 1
    assert "AttemptWaiting" in conditions(after)


@pytest.mark.parametrize("reason", ["Suspended", "Paused", "Withdrawn", "SpecChanged", "Existing"])
def test_what_is_held_does_not_wait_for_anything(reason: str) -> None:
    after = passes(ran(b.restore(), HELD, reason=reason), file(b.M1, attempt=2))
    held = reason if reason not in ("Suspended", "Paused") else "SpecChanged"
    assert shown(after) == [("m1", 1, "Held", held), ("m1", 2, "Pending", "Unknown")]


# ---------------------------------------------------------------- lowered


@pytest.mark.parametrize("phase", [*b.RUN_PHASES])
def test_a_lowered_attempt_runs_nothing(phase: Phase) -> None:
    before = ran(b.restore(b.M1, attempt=2), phase)
    for desired in (file(b.M1), file(b.M1, rerun="All"), file(b.M1, **UPDATE)):
        assert redrafted(desired, before) == before
        after = passes(before, desired)
        assert [run.attempt for run in after[b.RESTORE].runs] == [2]
        assert after[b.RESTORE].runs[0].phase in (phase, HELD)
        assert "SpecChanged" in conditions(after)


def test_what_waited_is_given_up_by_it_and_needs_a_third() -> None:
    up, down = file(b.M1, attempt=2), file(b.M1)
    back = passes(ran(b.restore(), FAILED), up, down, up)
    assert shown(back)[1:] == [("m1", 2, "Held", "SpecChanged")]
    assert begun(passes(back, file(b.M1, attempt=3))) == ["m1"]


# ---------------------------------------------------------------- removed and added again


@pytest.mark.parametrize("phase", [DONE, FAILED, RUNNING, HELD])
def test_a_file_that_was_removed_and_added_again_runs_nothing(phase: Phase) -> None:
    before = ran(b.restore(), phase, reason="Withdrawn" if phase is HELD else "")
    after = passes(before, b.ask(), file(b.M1))
    assert after[b.RESTORE].runs == before[b.RESTORE].runs


def test_what_was_withdrawn_meanwhile_needs_a_new_attempt() -> None:
    after = passes(ran(b.restore(), Phase.PENDING), b.ask(), file(b.M1))
    assert shown(after) == [("m1", 1, "Held", "Withdrawn")]
    assert shown(passes(after, file(b.M1, attempt=2)))[1:] == [("m1", 2, "Pending", "Unknown")]


def test_a_cluster_that_was_removed_ends_its_runs_and_no_others() -> None:
    before = ran(b.restore(b.M1, b.M2), RUNNING, RUNNING)
    after = passes(before, b.ask(b.restore(b.M2), members=[b.M2]))
    assert shown(after) == [("m1", 1, "Failed", "Abandoned"), ("m2", 1, "InProgress", "")]


# ---------------------------------------------------------------- all of it at once

SAME = b.restore(*ALL)
earlier = st.lists(
    st.tuples(st.sampled_from(ALL), st.sampled_from([DONE, FAILED, HELD]), st.booleans()), min_size=1, max_size=8
)


def as_runs(drawn: Iterable[tuple[ClusterId, Phase, bool]]) -> list[Run]:
    """Attempt by attempt, at most one for each cluster; with the same content or another."""
    base, seen, found = b.record(SAME).runs[0], dict.fromkeys(ALL, 0), []
    for cluster, phase, same in drawn:
        seen[cluster] += 1
        run = replace(base, cluster=cluster, phase=phase, what=base.what if same else "other", attempt=seen[cluster])
        found.append(run)
    return found


@given(earlier, st.booleans(), st.booleans())
def test_a_new_attempt_runs_on_what_is_not_done_whatever_came_before(
    drawn: list[tuple[ClusterId, Phase, bool]], everything: bool, named: bool
) -> None:
    fields: dict[str, Any] = {"attempt": 9} | ({"rerun": "All"} if everything else {})
    fields |= {"destination": b.to(*ALL)} if named else {}
    wanted = b.restore(*ALL, **fields)
    runs = as_runs(drawn)
    latest = {run.cluster: run for run in sorted(runs, key=lambda run: run.attempt)}
    first = {run.cluster for run in runs if run.attempt == 1}
    expected = [
        cluster
        for cluster in ALL
        if (named or cluster in first)
        and (
            everything
            or cluster not in latest
            or latest[cluster].phase is not DONE
            or latest[cluster].what != what(wanted.spec)
        )
    ]
    assert list(attempted(wanted, runs)) == list(attempted(wanted, runs[::-1])) == expected
