"""What this machine remembers: which Restores may still carry our finalizer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.actions import Outcome, Release
from reconciler.plan.answers import Answer, Failure
from reconciler.plan.watch import Watch, after_pass, before_creates, dump_watch, load_watch
from reconciler.records import Phase, Record
from reconciler.resources import ClusterId
from tests.plan import builders as b

RUN = b.only_run(b.drafted(b.restore()))
NAME = b.name_of(b.RESTORE, RUN)
KEY = (b.M1, NAME)
SINCE, MUCH_LATER = "2025-06-01T12:00:00Z", b.NOW + timedelta(minutes=3)
WATCHED = Watch({KEY: SINCE})
RELEASE = Release(b.member(b.M1), RUN.object_name, "uid")


def before(record: Record, answer: Answer | None = None, watch: Watch | None = None, now: Any = b.NOW) -> Watch:
    return before_creates(watch or Watch(), b.by_identity(record), {b.M1: answer} if answer else {}, now)


def after(record: Record | None, answer: Answer, outcomes: Iterable[Outcome] = (), now: Any = b.NOW) -> Watch:
    return after_pass(WATCHED, b.by_identity(record) if record else {}, {b.M1: answer}, outcomes, now)


# ---------------------------------------------------------------- taken up


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.IN_PROGRESS])
def test_what_a_create_may_be_sent_for_is_remembered_before_it_is(phase: Phase) -> None:
    assert before(b.record(b.restore(), phase)) == WATCHED


@pytest.mark.parametrize("phase", [p for p in Phase if p not in (Phase.STARTING, Phase.IN_PROGRESS)])
def test_what_waits_or_ended_is_not(phase: Phase) -> None:
    assert before(b.record(b.restore(), phase)) == Watch()


def test_backups_carry_no_finalizer_and_are_not_remembered() -> None:
    assert before(b.record(b.backup(), Phase.STARTING)) == Watch()


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED])
def test_what_ended_and_is_there_is_remembered_until_it_is_released(phase: Phase) -> None:
    """Found and ended within one pass, or by an inventory: a release that fails must be tried again."""
    there = b.there("Restore", RUN, "Completed")
    assert before(b.ended(b.restore(), phase), b.answer(there)).unreleased == WATCHED.unreleased
    assert before(b.ended(b.restore(), phase), b.answer(leftovers=(there,))).unreleased == WATCHED.unreleased


def test_another_ledgers_leftover_is_none_of_our_business() -> None:
    """It would never be released, and the work never done."""
    foreign = b.raw("Restore", "theirs", "f" * 32, "Completed", held=True)
    assert before(b.ended(b.restore()), b.answer(leftovers=(foreign,))).unreleased == {}


def test_what_is_started_counts_from_the_last_pass_that_called_it_so() -> None:
    later = before(b.record(b.restore(), Phase.STARTING), watch=WATCHED, now=MUCH_LATER)
    assert later.unreleased == {KEY: "2025-06-01T12:03:00Z"}


def test_a_member_that_turns_out_to_be_another_cluster_is_listed_anew() -> None:
    listed = after_pass(before(b.ended(b.restore()), b.answer()), {}, {b.M1: b.answer(leftovers=())}, (), b.NOW)
    assert before(b.ended(b.restore()), b.answer(), listed).inventoried == {b.M1}
    assert before(b.ended(b.restore()), b.unreachable(), listed).inventoried == {b.M1}
    elsewhere = before(b.ended(b.restore()), b.answer(uid="uid-elsewhere"), listed)
    assert elsewhere.inventoried == frozenset()
    assert before(b.ended(b.restore()), b.answer(uid="uid-elsewhere"), elsewhere).inventoried == frozenset()


# ---------------------------------------------------------------- let go


def test_released_is_let_go() -> None:
    there = b.answer(b.there("Restore", RUN, "Completed"))
    assert after(b.ended(b.restore()), there, [Outcome(RELEASE)]).unreleased == {}


def test_a_release_that_failed_is_tried_again() -> None:
    there = b.answer(b.there("Restore", RUN, "Completed"))
    failed = Outcome(RELEASE, Failure("Unreachable", ""))
    assert after(b.ended(b.restore()), there, [failed]).unreleased == WATCHED.unreleased


@pytest.mark.parametrize(
    "answer",
    [
        b.answer(absent=[NAME]),
        b.answer(b.there("Restore", RUN, "Completed", held=False)),
        b.answer(b.raw("Restore", RUN.object_name, "f" * 32, "New", held=True)),
    ],
    ids=["gone", "not ours to release", "another ledger's in its place"],
)
def test_what_needs_no_release_is_let_go(answer: Answer) -> None:
    assert after(b.ended(b.restore()), answer).unreleased == {}


@pytest.mark.parametrize("answer", [b.unreachable(), b.answer()], ids=["unreachable", "not told"])
def test_what_is_unknown_is_kept(answer: Answer) -> None:
    assert after(b.ended(b.restore()), answer).unreleased == WATCHED.unreleased


def test_what_another_cluster_says_lets_go_of_nothing() -> None:
    """A kubeconfig leads elsewhere by mistake, where nothing has that name: the finalizer would stay for ever."""
    ran = b.record(b.restore(), Phase.COMPLETED, status={"phase": "Completed"}, cluster_uid="uid-1")
    assert after(ran, b.answer(absent=[NAME], uid="uid-elsewhere")).unreleased == WATCHED.unreleased
    assert after(ran, b.answer(absent=[NAME])).unreleased == {}


@pytest.mark.parametrize("phase", [p for p in Phase if p.open])
def test_what_is_open_is_kept(phase: Phase) -> None:
    assert after(b.record(b.restore(), phase), b.answer(absent=[NAME]), now=MUCH_LATER).unreleased


@pytest.mark.parametrize(
    ("phase", "reason"),
    [(Phase.HELD, "Withdrawn"), (Phase.FAILED, "Expired"), (Phase.FAILED, "Abandoned")],
)
def test_what_was_given_up_is_kept_while_another_process_may_still_create_it(phase: Phase, reason: str) -> None:
    given_up = b.record(b.restore(), phase, reason=reason)
    assert after(given_up, b.answer(absent=[NAME])).unreleased
    assert after(given_up, b.answer(absent=[NAME]), now=b.NOW + timedelta(seconds=119)).unreleased
    assert not after(given_up, b.answer(absent=[NAME]), now=MUCH_LATER).unreleased


def test_a_clock_that_went_back_keeps_nothing_for_long() -> None:
    held, absent = b.record(b.restore(), Phase.HELD), b.answer(absent=[NAME])
    ahead = Watch({KEY: "2026-01-01T00:00:00Z"})
    soon = after_pass(ahead, b.by_identity(held), {b.M1: absent}, (), b.NOW)
    assert soon.unreleased == {KEY: SINCE}
    assert not after_pass(soon, b.by_identity(held), {b.M1: absent}, (), MUCH_LATER).unreleased


def test_a_forgotten_record_leaves_nothing_to_wait_for() -> None:
    assert after(None, b.answer(b.there("Restore", RUN, "Completed"))).unreleased == {}


def test_a_member_that_listed_its_leftovers_is_not_asked_again() -> None:
    assert after(None, b.answer(leftovers=())).inventoried == {b.M1}
    assert after(None, b.answer()).inventoried == frozenset()


def test_what_a_member_told_of_itself_is_remembered_and_stays_while_it_is_silent() -> None:
    told = before(b.record(b.restore()), b.answer(uid="u"))
    assert told.uids == {b.M1: "u"}
    assert before(b.record(b.restore()), b.unreachable(), told).uids == {b.M1: "u"}
    assert after_pass(told, {}, {}, (), b.NOW).uids == {b.M1: "u"}


# ---------------------------------------------------------------- as JSON

clusters = st.builds(ClusterId, st.text(), st.sampled_from(["AttachedCluster", "Cluster"]), st.text())
watches = st.builds(
    Watch,
    st.dictionaries(st.tuples(clusters, st.tuples(st.just("Restore"), st.text())), st.text(), max_size=4),
    st.frozensets(clusters, max_size=4),
    st.dictionaries(clusters, st.text(), max_size=4),
)


@given(watches)
def test_what_is_remembered_survives_json(watch: Watch) -> None:
    assert load_watch(json.loads(json.dumps(dump_watch(watch)))) == watch


ENTRY = dump_watch(WATCHED)["unreleased"][0]
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["unreleased", "inventoried", "namespace", "name", "since"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "state",
    [
        None,
        {},
        {"unreleased": []},
        {"unreleased": [], "inventoried": []},
        {"unreleased": 1, "inventoried": [], "uids": []},
        {"unreleased": [], "inventoried": [["a"]], "uids": []},
        {"unreleased": [{**ENTRY, "since": 5}], "inventoried": [], "uids": []},
        {"unreleased": [], "inventoried": [], "uids": [["a", "b", "c", 5]]},
    ],
)
def test_a_machine_that_remembers_nothing_or_rubbish_lists_again(state: dict[str, Any] | None) -> None:
    assert load_watch(state) == Watch()


@given(st.dictionaries(st.sampled_from(["unreleased", "inventoried", "uids"]), anything, max_size=2))
def test_rubbish_never_stops_a_pass(state: dict[str, Any]) -> None:
    watch = load_watch(state)
    assert load_watch(json.loads(json.dumps(dump_watch(watch)))) == watch
