"""How a run ends: Velero's phases, its texts, and that its last word stays (design §4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.asks import Ask
from reconciler.plan.runs import advance, needs_texts
from reconciler.records import Items, Phase, Run, Texts
from reconciler.velero.status import Seen
from tests.plan import builders as b
from tests.plan.steps import ANY, DEADLINE, NAME, RUN, at, never_asked, step

SEEN_BY_VELERO = ("", "New", "InProgress", "Finalizing", "WaitingForPluginOperations", "Completed", "Failed")
RUNNING = ["", "New", "InProgress", "WaitingForPluginOperations", "WaitingForPluginOperationsPartiallyFailed"]
RUNNING += ["Finalizing", "FinalizingPartiallyFailed", "Deleting", "Queued", "completed", "Completed ", "Invented"]


@pytest.mark.parametrize("phase", RUNNING)
@pytest.mark.case("finalizing")
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


def test_a_completed_run_whose_warnings_left_nothing_is_completed_and_counts_them() -> None:
    after = outcome(Texts((), (("velero", "no snapshot"),), items=Items(created=1)), "Completed", warnings=2)
    assert (after.phase, after.reason, after.message, after.warnings) == (Phase.COMPLETED, "", "", 2)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (Texts((), (), "no texts", unread="it is forbidden"), ", since it is forbidden"),
        (Texts((), (("velero", "already exists"),), unread="two\nlines"), ", since two lines"),
        (Texts((), ()), ""),
    ],
)
def test_a_completed_run_with_warnings_that_nobody_could_read_is_not_verified(texts: Texts, why: str) -> None:
    after = outcome(texts, "Completed", warnings=2)
    assert (after.phase, after.reason, after.items) == (Phase.COMPLETED, "NotVerified", None)
    assert after.message == (
        f"2 warnings, and what became of the objects could not be read{why}; see `velero restore describe "
        f"{RUN.object_name} --details`, then accept it with spec.allowSkipped, or restore again"
    )
    assert outcome(texts, "Completed", warnings=1).message.startswith("1 warning, and")
    assert outcome(texts, "Completed").reason == ""  # it has nothing to tell
    assert outcome(texts, "PartiallyFailed", warnings=2).reason == "PartiallyFailed"


def test_the_warnings_of_a_backup_leave_nothing_unrestored() -> None:
    run = b.only_run(b.drafted(b.backup()), b.BACKUP)
    told = b.answer(b.there("Backup", run, "Completed", warnings=2))
    after = advance(run, b.BACKUP, Ask.ASKED, told, b.NOW, DEADLINE, never_asked)
    after = advance(after, b.BACKUP, Ask.ASKED, told, b.NOW, DEADLINE, never_asked)
    assert (after.phase, after.reason, after.warnings) == (Phase.COMPLETED, "", 2)


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


# ---------------------------------------------------------------- what Velero calls Completed and did not restore


def brought_back(phase: str = "Completed", names: dict[str, tuple[str, ...]] | None = None, **counts: int) -> Run:
    errors = (("ns", "boom"),) if phase != "Completed" else ()
    return outcome(Texts(errors, (), items=Items(**counts), names=names or {}), phase, errors=len(errors))


@pytest.mark.parametrize("kind", ["Restore", "Backup"])
def test_what_became_of_the_objects_is_awaited_with_the_outcome_of_a_restore(kind: str) -> None:
    there = b.there(kind, RUN, "Completed")
    assert needs_texts(there) is (kind == "Restore")
    assert not needs_texts(b.there(kind, RUN, "InProgress"))
    assert not needs_texts(b.there(kind, RUN, "FailedValidation"))
    assert outcome(None, "Completed") == at(Phase.IN_PROGRESS)


def test_the_counts_are_recorded() -> None:
    run = brought_back(created=4, updated=2, equal=7)
    assert (run.phase, run.reason, run.message) == (Phase.COMPLETED, "", "")
    assert run.items == Items(created=4, updated=2, equal=7)
    assert outcome(Texts((), ()), "Completed").items is None  # could not be had


def test_completed_though_something_differs_says_so_by_name() -> None:
    run = brought_back(names={"not_restored": ("ConfigMap a/plain",), "failed": ("Pod a/p",)}, not_restored=1, failed=1)
    assert (run.phase, run.reason) == (Phase.COMPLETED, "NotRestored")
    assert run.message == (
        "2 not restored, though different: ConfigMap a/plain, Pod a/p; "
        "restore with policy.existingResourcePolicy: update, or accept it with spec.allowSkipped"
    )


@pytest.mark.parametrize(("names", "text"), [(3, ": n0, n1, n2; "), (4, ": n0, n1, n2 and 1 more; ")])
def test_at_most_three_are_named(names: int, text: str) -> None:
    run = brought_back(names={"not_restored": tuple(f"n{n}" for n in range(names))}, not_restored=names)
    assert text in run.message


def test_a_partial_failure_keeps_its_own_reason_and_the_counts() -> None:
    run = brought_back("PartiallyFailed", created=1, not_restored=1)
    assert (run.phase, run.reason, run.message) == (Phase.PARTIALLY_FAILED, "PartiallyFailed", "boom")
    assert run.items == Items(created=1, not_restored=1)


# ---------------------------------------------------------------- the last word


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
    phase=st.sampled_from([p for p in b.RUN_PHASES if p.terminal]),
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
