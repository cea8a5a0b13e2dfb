"""The state machine of one run: each transition of design §4, by name."""

from __future__ import annotations

import pytest

from reconciler.plan.answers import UNKNOWN, Answer, Failure
from reconciler.plan.asks import Ask
from reconciler.plan.runs import advance, wait
from reconciler.records import Phase, Run
from tests.plan import builders as b
from tests.plan.steps import ANY, DEADLINE, NAME, RUN, at, never_asked, opens, step

# ---------------------------------------------------------------- towards a start


def test_a_pending_run_starts_when_its_gate_opens() -> None:
    assert step(at(Phase.PENDING, reason="Unreachable"), b.answer(accepted=[NAME])) == at(
        Phase.STARTING, cluster_uid="uid-1"
    )


def test_a_pending_run_is_what_its_gate_makes_of_it() -> None:
    refused = at(Phase.FAILED, reason="BackupFailed")
    assert step(at(Phase.PENDING), gate=lambda run, answer: refused) is refused


@pytest.mark.parametrize("phase", [p for p in b.RUN_PHASES if p is not Phase.PENDING])
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


HOLDING = [Ask.WITHDRAWN, Ask.SPEC_CHANGED, Ask.SUSPENDED, Ask.PAUSED]


@pytest.mark.parametrize("ask", HOLDING)
@pytest.mark.parametrize("answer", [b.unreachable(), b.answer(accepted=[NAME])], ids=["unknown", "absent"])
def test_a_pending_run_that_nobody_asks_for_is_held(ask: Ask, answer: Answer) -> None:
    held = step(at(Phase.PENDING), answer, ask, gate=never_asked)
    assert (held.phase, held.reason) == (Phase.HELD, str(ask))
    assert held.message


@pytest.mark.parametrize("ask", HOLDING)
def test_a_starting_run_is_held_only_where_its_object_is_proven_absent(ask: Ask) -> None:
    assert step(at(Phase.STARTING), b.unreachable(), ask).phase is Phase.STARTING
    assert step(at(Phase.STARTING), b.answer(absent=[NAME]), ask).phase is Phase.HELD


@pytest.mark.parametrize("ask", HOLDING)
def test_what_runs_is_followed_to_its_end_whatever_the_files_say(ask: Ask) -> None:
    assert step(at(Phase.IN_PROGRESS), b.answer(b.there("Restore", RUN, "Completed")), ask).phase is Phase.COMPLETED


def test_a_held_run_does_not_start_again_when_the_file_is_back() -> None:
    held = at(Phase.HELD, reason="Withdrawn")
    assert step(held, b.answer(accepted=[NAME]), gate=never_asked) is held


@pytest.mark.parametrize("reason", ["Suspended", "Paused"])
def test_what_was_suspended_goes_on_when_the_files_say_so(reason: str) -> None:
    held = at(Phase.HELD, reason=reason, message="wait")
    assert step(held, b.unreachable(), gate=never_asked) == at(Phase.PENDING)


@pytest.mark.parametrize("ask", HOLDING)
@pytest.mark.parametrize("reason", ["Suspended", "Paused"])
def test_what_was_suspended_is_held_for_what_the_files_say_now(reason: str, ask: Ask) -> None:
    held = step(at(Phase.PENDING), ask=Ask(reason))
    after = step(held, b.answer(accepted=[NAME]), ask)
    assert (after.phase, after.reason) == (Phase.HELD, str(ask))
    assert after.message == step(at(Phase.PENDING), ask=ask).message


@pytest.mark.parametrize("ask", [*HOLDING, Ask.ASKED])
@pytest.mark.parametrize("reason", ["Withdrawn", "SpecChanged", "Existing"])
def test_every_other_reason_to_be_held_needs_a_new_attempt(reason: str, ask: Ask) -> None:
    held = at(Phase.HELD, reason=reason)
    assert step(held, b.answer(accepted=[NAME]), ask, gate=never_asked) is held


def test_what_was_suspended_too_long_expires_once_it_goes_on() -> None:
    resumed = step(at(Phase.HELD, reason="Suspended"), late=True)
    assert step(resumed, b.answer(accepted=[NAME]), late=True, gate=never_asked).reason == "Expired"


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


def test_what_is_suspended_stays_so_while_a_file_has_an_error() -> None:
    held = at(Phase.HELD, reason="Suspended")
    assert step(held, b.answer(accepted=[NAME]), Ask.FROZEN, gate=never_asked) is held


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
