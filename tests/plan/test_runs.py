"""The state machine of one run: each transition of design §4, by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.answers import UNKNOWN, Answer, Failure
from reconciler.plan.runs import Ask, advance, wait
from reconciler.records import Phase, Run, Texts
from reconciler.velero.status import Seen
from tests.plan import builders as b

RUN = b.only_run(b.drafted(b.restore()))
NAME = b.name_of(b.RESTORE, RUN)
UNHEARD = b.unreachable()
DEADLINE = b.NOW + timedelta(hours=24)
SEEN_BY_VELERO = ("", "New", "InProgress", "Finalizing", "WaitingForPluginOperations", "Completed", "Failed")


def at(phase: Phase, **fields: Any) -> Run:
    return replace(RUN, phase=phase, **fields)


def opens(run: Run, answer: Answer) -> Run:
    """A gate with nothing left to wait for."""
    return replace(run, phase=Phase.STARTING, reason="", message="", cluster_uid=answer.cluster_uid)


def never_asked(run: Run, answer: Answer) -> Run:
    raise AssertionError("the gate was asked")


def step(run: Run, answer: Answer = UNHEARD, ask: Ask = Ask.ASKED, late: bool = False, gate: Any = opens) -> Run:
    now = b.LATER if late else b.NOW
    return advance(run, b.RESTORE, ask, answer, now, DEADLINE, gate)


# ---------------------------------------------------------------- towards a start


def test_a_pending_run_starts_when_its_gate_opens() -> None:
    assert step(at(Phase.PENDING, reason="Unreachable"), b.answer(accepted=[NAME])) == at(
        Phase.STARTING, cluster_uid="uid-1"
    )


def test_a_pending_run_is_what_its_gate_makes_of_it() -> None:
    refused = at(Phase.FAILED, reason="BackupFailed")
    assert step(at(Phase.PENDING), gate=lambda run, answer: refused) is refused


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.PENDING])
def test_only_a_pending_run_reaches_its_gate(phase: Phase) -> None:
    step(at(phase), b.answer(absent=[NAME]), gate=never_asked)


def test_waiting_says_for_what() -> None:
    waiting = wait(at(Phase.PENDING), Failure("Unreachable", "no route"))
    assert (waiting.phase, waiting.reason, waiting.message) == (Phase.PENDING, "Unreachable", "no route")


def test_another_reason_replaces_the_first() -> None:
    before = at(Phase.PENDING, reason="Unreachable", message="no route")
    assert wait(before, Failure("StorageUnavailable", "x")).reason == "StorageUnavailable"


@pytest.mark.parametrize("failure", [Failure("Unreachable", "timed out"), UNKNOWN], ids=["same reason", "unknown"])
def test_the_text_of_a_recorded_reason_is_not_rewritten(failure: Failure) -> None:
    before = at(Phase.PENDING, reason="Unreachable", message="no route")
    assert wait(before, failure) is before


def test_the_first_reason_may_be_that_nothing_is_known() -> None:
    assert wait(at(Phase.PENDING), UNKNOWN).reason == "Unknown"


# ---------------------------------------------------------------- adoption

ANY = [
    at(Phase.PENDING, reason="Unreachable"),
    at(Phase.STARTING),
    at(Phase.HELD, reason="Withdrawn"),
    at(Phase.FAILED, reason="Expired"),
    at(Phase.FAILED, reason="Vanished"),
    at(Phase.FAILED, reason="NameConflict"),
]
by_phase = pytest.mark.parametrize("run", ANY, ids=lambda run: f"{run.phase}-{run.reason}")


@by_phase
@pytest.mark.parametrize("ask", Ask)
def test_an_object_with_our_run_id_is_ours_from_any_phase_and_whatever_is_asked(run: Run, ask: Ask) -> None:
    after = step(run, b.answer(b.there("Restore", RUN)), ask, late=True, gate=never_asked)
    assert (after.phase, after.reason, after.message) == (Phase.IN_PROGRESS, "", "")
    assert after.cluster_uid == "uid-1"


@by_phase
@pytest.mark.parametrize("phase", ["Completed", "PartiallyFailed", "Failed", "FailedValidation"])
def test_its_outcome_is_recorded_from_any_phase(run: Run, phase: str) -> None:
    after = step(run, b.answer(b.there("Restore", RUN, phase)), gate=never_asked)
    assert (after.phase, after.status) == (phase, {"phase": phase})
    assert after.settled


@pytest.mark.parametrize("run", [at(Phase.PENDING), at(Phase.STARTING)], ids=lambda run: run.phase)
def test_an_object_of_our_name_without_our_run_id_is_never_adopted(run: Run) -> None:
    after = step(run, b.answer(b.someone_elses("Restore", RUN)), gate=never_asked)
    assert (after.phase, after.reason) == (Phase.FAILED, "NameConflict")


def test_another_object_in_the_place_of_a_running_one_means_that_ours_vanished() -> None:
    after = step(at(Phase.IN_PROGRESS), b.answer(b.someone_elses("Restore", RUN)))
    assert (after.phase, after.reason) == (Phase.FAILED, "Vanished")


@pytest.mark.parametrize("run", [at(Phase.HELD, reason="Existing"), at(Phase.FAILED, reason="Expired")], ids=str)
def test_a_run_that_is_aside_takes_no_notice_of_another_object(run: Run) -> None:
    assert step(run, b.answer(b.someone_elses("Restore", RUN))) is run


# ---------------------------------------------------------------- absent, unknown


def test_starting_and_absent_stays_starting() -> None:
    assert step(at(Phase.STARTING), b.answer(absent=[NAME]), gate=never_asked) == at(Phase.STARTING)


def test_running_and_absent_is_vanished_and_may_have_run() -> None:
    after = step(at(Phase.IN_PROGRESS), b.answer(absent=[NAME]))
    assert (after.phase, after.reason) == (Phase.FAILED, "Vanished")
    assert "may have run" in after.message


@pytest.mark.parametrize(
    "older",
    [Answer(cluster_uid="uid-1", seen={NAME: None}), Answer(seen={NAME: b.someone_elses("Restore", RUN)})],
    ids=["absent", "another's"],
)
def test_an_answer_from_before_the_run_began_does_not_tell_that_it_vanished(older: Answer) -> None:
    assert step(at(Phase.IN_PROGRESS), older) == at(Phase.IN_PROGRESS)


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.IN_PROGRESS, Phase.HELD, *(p for p in Phase if p.terminal)])
@pytest.mark.parametrize("ask", [a for a in Ask if a is not Ask.ABANDONED])
def test_what_is_unknown_changes_nothing(phase: Phase, ask: Ask) -> None:
    for nothing in (b.unreachable(), b.answer()):
        assert step(at(phase), nothing, ask, late=True) == at(phase)


# ---------------------------------------------------------------- no longer asked


@pytest.mark.parametrize("ask", [Ask.WITHDRAWN, Ask.SPEC_CHANGED])
@pytest.mark.parametrize("answer", [b.unreachable(), b.answer(accepted=[NAME])], ids=["unknown", "absent"])
def test_a_pending_run_that_nobody_asks_for_is_held(ask: Ask, answer: Answer) -> None:
    held = step(at(Phase.PENDING), answer, ask, gate=never_asked)
    assert (held.phase, held.reason) == (Phase.HELD, str(ask))
    assert held.message


@pytest.mark.parametrize("ask", [Ask.WITHDRAWN, Ask.SPEC_CHANGED])
def test_a_starting_run_is_held_only_where_its_object_is_proven_absent(ask: Ask) -> None:
    assert step(at(Phase.STARTING), b.unreachable(), ask).phase is Phase.STARTING
    assert step(at(Phase.STARTING), b.answer(absent=[NAME]), ask).phase is Phase.HELD


@pytest.mark.parametrize("ask", [Ask.WITHDRAWN, Ask.SPEC_CHANGED])
def test_what_runs_is_followed_to_its_end_whatever_the_files_say(ask: Ask) -> None:
    assert step(at(Phase.IN_PROGRESS), b.answer(b.there("Restore", RUN, "Completed")), ask).phase is Phase.COMPLETED


def test_a_held_run_does_not_start_again_when_the_file_is_back() -> None:
    held = at(Phase.HELD, reason="Withdrawn")
    assert step(held, b.answer(accepted=[NAME]), gate=never_asked) is held


def test_too_late_is_expired() -> None:
    expired = step(at(Phase.PENDING), late=True, gate=never_asked)
    assert (expired.phase, expired.reason) == (Phase.FAILED, "Expired")


def test_on_the_second_it_is_not_too_late_yet() -> None:
    assert advance(at(Phase.PENDING), b.RESTORE, Ask.ASKED, b.answer(), DEADLINE, DEADLINE, opens).phase is (
        Phase.STARTING
    )


def test_a_starting_run_expires_only_where_its_object_is_proven_absent() -> None:
    assert step(at(Phase.STARTING), late=True).phase is Phase.STARTING
    assert step(at(Phase.STARTING), b.answer(absent=[NAME]), late=True).reason == "Expired"


def test_what_runs_never_expires() -> None:
    assert step(at(Phase.IN_PROGRESS), b.answer(b.there("Restore", RUN)), late=True).phase is Phase.IN_PROGRESS


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.STARTING])
@pytest.mark.parametrize("answer", [b.unreachable(), b.answer(accepted=[NAME])], ids=["unknown", "absent"])
def test_frozen_never_starts_and_never_holds(phase: Phase, answer: Answer) -> None:
    assert step(at(phase), answer, Ask.FROZEN, gate=never_asked) == at(phase)


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.STARTING, Phase.IN_PROGRESS])
def test_open_runs_of_a_cluster_that_is_declared_nowhere_are_abandoned(phase: Phase) -> None:
    after = step(at(phase), ask=Ask.ABANDONED)
    assert (after.phase, after.reason) == (Phase.FAILED, "Abandoned")


@pytest.mark.parametrize("phase", [Phase.HELD, Phase.COMPLETED])
def test_what_is_not_open_is_not_abandoned(phase: Phase) -> None:
    assert step(at(phase), ask=Ask.ABANDONED) == at(phase)


# ---------------------------------------------------------------- Velero's phases

RUNNING = ["", "New", "InProgress", "WaitingForPluginOperations", "WaitingForPluginOperationsPartiallyFailed"]
RUNNING += ["Finalizing", "FinalizingPartiallyFailed", "Deleting", "Queued", "completed", "Completed ", "Invented"]


@pytest.mark.parametrize("phase", RUNNING)
def test_any_phase_but_veleros_four_terminal_ones_is_running(phase: str) -> None:
    assert step(at(Phase.STARTING), b.answer(b.there("Restore", RUN, phase))).phase is Phase.IN_PROGRESS


def test_progress_changes_no_record() -> None:
    running = at(Phase.IN_PROGRESS, status={"phase": "New"}, cluster_uid="uid-1")
    assert step(running, b.answer(b.there("Restore", RUN, "InProgress", progress={"itemsRestored": 7}))) is running


@pytest.mark.parametrize("phase", ["", "New"])
def test_deleted_while_new_has_failed(phase: str) -> None:
    after = step(at(Phase.STARTING), b.answer(b.there("Restore", RUN, phase, deleting=True)))
    assert (after.phase, after.reason) == (Phase.FAILED, "Deleted")


def test_deleted_while_running_is_followed() -> None:
    running = at(Phase.IN_PROGRESS)
    assert step(running, b.answer(b.there("Restore", RUN, "InProgress", deleting=True))) is running
    assert step(running, b.answer(b.there("Restore", RUN, "Completed", deleting=True))).phase is Phase.COMPLETED


# ---------------------------------------------------------------- outcome


def outcome(texts: Texts | None, phase: str = "PartiallyFailed", **status: Any) -> Run:
    return step(
        at(Phase.IN_PROGRESS),
        b.answer(b.there("Restore", RUN, phase, **status), texts={NAME: texts} if texts else {}),
    )


@pytest.mark.parametrize("counts", [{"errors": 1}, {"warnings": 2}])
def test_the_texts_are_awaited_before_the_outcome_is_recorded(counts: dict[str, Any]) -> None:
    assert outcome(None, **counts) == at(Phase.IN_PROGRESS)
    after = outcome(Texts((), ()), **counts)
    assert after.phase is Phase.PARTIALLY_FAILED
    assert (after.errors, after.warnings) == (counts.get("errors", 0), counts.get("warnings", 0))


def test_a_completed_run_with_warnings_is_completed_and_counts_them() -> None:
    after = outcome(Texts((), (("velero", "already exists"),)), "Completed", warnings=2)
    assert (after.phase, after.reason, after.message, after.warnings) == (Phase.COMPLETED, "", "", 2)


@pytest.mark.parametrize(
    ("texts", "status", "message"),
    [
        (None, {"validationErrors": ["no such backup", "bad filter"]}, "no such backup; bad filter"),
        (None, {"failureReason": "found a restore with status"}, "found a restore with status"),
        (Texts((("velero", "no Deployment"), ("ns", "x")), ()), {"errors": 2}, "no Deployment"),
        (Texts((), ()), {"errors": 2}, "2 errors"),
        (None, {}, "Velero gives no reason"),
    ],
)
def test_a_bad_outcome_says_why(texts: Texts | None, status: dict[str, Any], message: str) -> None:
    after = outcome(texts, "Failed", **status)
    assert (after.reason, after.message) == ("Failed", message)


def objects() -> st.SearchStrategy[Seen | None]:
    made = st.builds(
        lambda ours, phase, deleting, held, errors: b.raw(
            "Restore",
            RUN.object_name,
            RUN.run_id if ours else "0" * 32,
            phase,
            deleting=deleting,
            held=held,
            errors=errors,
        ),
        st.booleans(),
        st.sampled_from(SEEN_BY_VELERO),
        st.booleans(),
        st.booleans(),
        st.integers(0, 2),
    )
    return st.none() | made


@given(
    phase=st.sampled_from([p for p in Phase if p.terminal]),
    ask=st.sampled_from(Ask),
    there=objects(),
    unknown=st.booleans(),
    late=st.booleans(),
)
def test_once_veleros_terminal_phase_is_recorded_it_never_changes(
    phase: Phase, ask: Ask, there: Seen | None, unknown: bool, late: bool
) -> None:
    run = at(phase, status={"phase": str(phase)})
    answer = b.unreachable() if unknown else b.answer(there) if there else b.answer(absent=[NAME])
    assert step(run, answer, ask, late, never_asked) is run


@given(run=st.sampled_from(ANY), ask=st.sampled_from(Ask), there=objects(), late=st.booleans())
def test_a_second_look_at_the_same_thing_changes_nothing(run: Run, ask: Ask, there: Seen | None, late: bool) -> None:
    answer = b.answer(there) if there else b.answer(absent=[NAME], accepted=[NAME])
    once = step(run, answer, ask, late)
    twice = step(once, answer, ask, late)
    assert step(twice, answer, ask, late) == twice
    assert once.phase is not Phase.STARTING or twice.phase is Phase.STARTING


def test_an_older_answer_does_not_bring_back_what_was_deleted_while_new() -> None:
    deleted = at(Phase.FAILED, reason="Deleted")
    assert step(deleted, b.answer(b.there("Restore", RUN, "New"))).reason == "Deleted"
    assert step(deleted, b.answer(b.there("Restore", RUN, "InProgress"))).phase is Phase.IN_PROGRESS
