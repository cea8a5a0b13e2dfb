"""What a record says as a whole: phase and conditions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from reconciler.desired import Desired, Wanted
from reconciler.plan.summary import counted, phase_of, summarise
from reconciler.plan.verdict import Exit, exit_code
from reconciler.records import Condition, Items, Phase, Record
from reconciler.resources import ClusterId, plain
from tests.plan import builders as b

PENDING, HELD, STARTING, RUNNING = Phase.PENDING, Phase.HELD, Phase.STARTING, Phase.IN_PROGRESS
GOOD, PARTLY, FAILED, INVALID = Phase.COMPLETED, Phase.PARTIALLY_FAILED, Phase.FAILED, Phase.FAILED_VALIDATION
RUN = b.only_run(b.drafted(b.restore()))
SAME = b.ask(b.restore())


def of(*phases: Phase, reasons: tuple[str, ...] = ()) -> Record:
    runs = tuple(
        replace(RUN, phase=phase, reason=reason, cluster=ClusterId("default", "AttachedCluster", f"m{number}"))
        for number, (phase, reason) in enumerate(zip(phases, reasons or ("",) * len(phases), strict=True))
    )
    return replace(b.record(b.restore()), runs=runs)


def conditions(record: Record, desired: Desired = SAME) -> dict[str, tuple[bool, str]]:
    return {c.type: (c.status, c.reason) for c in summarise(record, desired, b.NOW).conditions}


@pytest.mark.parametrize(
    ("phases", "phase"),
    [
        ((GOOD, GOOD), GOOD),
        ((GOOD, HELD), HELD),
        ((GOOD, HELD, PARTLY), PARTLY),
        ((GOOD, PARTLY, INVALID), INVALID),
        ((GOOD, PARTLY, INVALID, FAILED, HELD), FAILED),
        ((PENDING, PENDING), PENDING),
        ((PENDING, HELD), PENDING),
        ((PENDING, GOOD), RUNNING),
        ((PENDING, FAILED), RUNNING),
        ((STARTING, PENDING), RUNNING),
        ((RUNNING, FAILED), RUNNING),
        ((RUNNING, HELD), RUNNING),
    ],
)
def test_the_phase_is_the_worst_once_all_have_ended(phases: tuple[Phase, ...], phase: Phase) -> None:
    for each in permutations(phases):
        assert phase_of(of(*each).runs) is phase


def test_ready_only_where_all_completed() -> None:
    assert conditions(of(GOOD, GOOD)) == {"Ready": (True, "Completed")}


@pytest.mark.parametrize("phases", [(PENDING,), (STARTING,), (RUNNING, GOOD)])
def test_reconciling_while_something_goes_on(phases: tuple[Phase, ...]) -> None:
    found = conditions(of(*phases))
    assert found.keys() == {"Ready", "Reconciling"}
    assert not found["Ready"][0]
    assert found["Reconciling"][0]


@pytest.mark.parametrize("phase", [HELD, PARTLY, FAILED, INVALID])
def test_stalled_where_it_ended_and_not_well(phase: Phase) -> None:
    found = conditions(of(phase, GOOD))
    assert found == {"Ready": (False, str(phase)), "Stalled": (True, str(phase))}


def test_the_reason_is_that_of_the_runs_where_they_agree() -> None:
    assert conditions(of(FAILED, FAILED, reasons=("Expired", "Expired")))["Ready"] == (False, "Expired")
    assert conditions(of(FAILED, FAILED, reasons=("Expired", "Vanished")))["Ready"] == (False, "Failed")
    assert conditions(of(PENDING, PENDING, reasons=("", "Unreachable")))["Ready"] == (False, "Unreachable")
    assert conditions(of(FAILED, HELD, reasons=("Expired", "Withdrawn")))["Ready"] == (False, "Expired")


def test_an_edit_that_runs_nothing_shows() -> None:
    assert conditions(of(GOOD), b.ask(b.restore(before="2025-06-01T00:00:00Z"))) == {
        "Ready": (True, "Completed"),
        "SpecChanged": (True, "SpecChanged"),
    }


def test_an_attempt_that_waits_for_the_one_before_shows() -> None:
    """It is no edit in vain, and nothing of it once the earlier one has ended."""
    raised = b.ask(b.restore(attempt=2))
    assert conditions(of(RUNNING, GOOD), raised)["AttemptWaiting"] == (True, "EarlierAttempt")
    assert conditions(of(GOOD), raised).keys() == {"Ready"}


# ---------------------------------------------------------------- what Velero calls Completed and did not restore


LEFT = replace(
    of(GOOD, GOOD),
    runs=(
        replace(of(GOOD).runs[0], reason="NotRestored", items=Items(created=4, equal=2, not_restored=2, failed=1)),
        *of(GOOD, GOOD).runs[1:],
    ),
)


def test_what_was_not_restored_though_different_is_not_ready() -> None:
    assert conditions(LEFT) == {"Ready": (False, "NotRestored"), "Stalled": (True, "NotRestored")}
    assert counted(LEFT.parts) == "Completed on 2 of 2 clusters, 3 objects not restored though different"


def test_nor_is_what_nobody_could_verify_which_is_told_after_it() -> None:
    unread = replace(LEFT, runs=(LEFT.runs[1], replace(LEFT.runs[0], reason="NotVerified", items=None)))
    assert conditions(unread) == {"Ready": (False, "NotVerified"), "Stalled": (True, "NotVerified")}
    assert counted(unread.parts) == "Completed on 2 of 2 clusters, not verified on 1"
    both = replace(unread, runs=(unread.runs[1], LEFT.runs[0]))
    assert conditions(replace(both, runs=(both.runs[0], replace(both.runs[1], cluster=b.M2))))["Ready"] == (
        False,
        "NotRestored",
    )
    assert conditions(unread, b.ask(b.restore(allowSkipped=True))) == {"Ready": (True, "Completed")}


def test_unless_the_file_accepts_it() -> None:
    assert conditions(LEFT, b.ask(b.restore(allowSkipped=True))) == {"Ready": (True, "Completed")}


def test_the_record_tells_once_the_file_is_gone() -> None:
    accepted = replace(LEFT, spec={**LEFT.spec, "allowSkipped": True})
    assert conditions(accepted, b.ask())["Ready"] == (True, "Completed")
    assert conditions(LEFT, b.ask())["Ready"] == (False, "NotRestored")
    assert conditions(accepted, b.ask(b.restore()))["Ready"] == (False, "NotRestored")  # the file's word goes first


ACCEPTS = b.restore(allowSkipped=True)


@pytest.mark.parametrize(
    "unheard", [b.ask(), b.ask(refused=[b.RESTORE]), b.ask(complete=False)], ids=["removed", "broken", "unread"]
)
def test_a_file_that_breaks_or_goes_takes_back_no_word(unheard: Desired) -> None:
    """The last word was in the file alone: the spec is recorded with the attempt."""
    for first, last in ((b.restore(), ACCEPTS), (ACCEPTS, b.restore())):
        asked = summarise(replace(LEFT, spec=plain(first.spec)), b.ask(last), b.NOW)
        assert summarise(asked, unheard, b.NOW + timedelta(hours=1)) == asked
        assert exit_code(unheard, b.by_identity(asked), frozenset([b.RESTORE])) is (
            Exit.SUCCEEDED if last is ACCEPTS and not unheard.problems else Exit.FAILED
        )


def test_a_file_that_breaks_changes_nothing_of_what_was_said_of_it() -> None:
    """In vain or not, nobody can tell until it is mended; one that is gone asks for nothing in vain."""
    edited, raised = b.restore(before="2025-06-01T00:00:00Z"), b.restore(attempt=2)
    for phase, file, told in ((GOOD, edited, "SpecChanged"), (RUNNING, raised, "AttemptWaiting")):
        before = summarise(of(phase), b.ask(file), b.NOW)
        assert told in {condition.type for condition in before.conditions}
        for unheard in (b.ask(refused=[b.RESTORE]), b.ask(complete=False)):
            assert summarise(before, unheard, b.NOW + timedelta(hours=1)) == before
        assert told not in conditions(before, b.ask())


def test_a_failure_is_told_before_what_was_not_restored() -> None:
    worse = replace(LEFT, runs=(LEFT.runs[0], replace(LEFT.runs[1], phase=FAILED, reason="Vanished")))
    assert conditions(worse)["Ready"] == (False, "Vanished")
    assert conditions(worse, b.ask(b.restore(allowSkipped=True)))["Ready"] == (False, "Vanished")


def test_only_the_latest_attempt_on_each_cluster_counts() -> None:
    again = replace(LEFT.runs[0], attempt=2, run_id="2", reason="", items=Items(updated=7))
    mended = replace(LEFT, attempt=2, runs=(*LEFT.runs, again))
    assert conditions(mended, b.ask(b.restore(attempt=2)))["Ready"] == (True, "Completed")
    assert "not restored" not in counted(mended.parts)


def test_what_was_given_up_with_its_cluster_counts_until_a_later_attempt_goes_on_without_it() -> None:
    given_up = of(GOOD, FAILED, reasons=("", "Abandoned"))
    assert conditions(given_up)["Ready"] == (False, "Abandoned")
    again = b.restore(attempt=2)
    raised = b.ask(again)
    for runs in (given_up.runs, (*given_up.runs, replace(given_up.runs[0], attempt=2))):
        later = replace(given_up, spec=plain(again.spec), attempt=2, runs=runs)
        assert conditions(later, raised) == {"Ready": (True, "Completed")}
        assert counted(later.parts) == "Completed on 1 of 1 cluster"
        assert exit_code(raised, b.by_identity(summarise(later, raised, b.NOW)), frozenset()) is Exit.SUCCEEDED
        assert {part.reason for part in later.listed} == {"", "Abandoned"}
    expired = of(GOOD, FAILED, reasons=("", "Expired"))
    assert not conditions(replace(expired, attempt=2), raised)["Ready"][0]


# ---------------------------------------------------------------- times


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    first = summarise(of(PENDING), SAME, b.NOW)
    second = summarise(replace(first, runs=of(RUNNING).runs), SAME, b.NOW + timedelta(hours=1))
    assert {c.since for c in second.conditions} == {"2025-06-01T12:00:00Z"}
    assert second.conditions != first.conditions  # the reason did change
    third = summarise(replace(second, runs=of(GOOD).runs), SAME, b.NOW + timedelta(hours=2))
    assert third.conditions == (
        Condition("Ready", True, "Completed", "Completed on 1 of 1 cluster", "2025-06-01T14:00:00Z"),
    )


def test_there_is_no_heartbeat() -> None:
    first = summarise(of(RUNNING), SAME, b.NOW)
    assert summarise(first, SAME, b.NOW + timedelta(days=1)) == first


@pytest.mark.parametrize(
    ("phases", "text"),
    [
        ((GOOD,), "Completed on 1 of 1 cluster"),
        ((GOOD, GOOD), "Completed on 2 of 2 clusters"),
        ((GOOD, FAILED, GOOD), "Failed on 1, Completed on 2 of 3 clusters"),
        ((PENDING, PARTLY), "PartiallyFailed on 1, Pending on 1 of 2 clusters"),
        ((), "nothing of 0 clusters"),
    ],
)
def test_counting(phases: tuple[Phase, ...], text: str) -> None:
    assert counted(of(*phases).runs) == text


# ---------------------------------------------------------------- Schedules

MADE = b.only_schedule(b.drafted(b.scheduled()))
ON, PAUSED, LEAVING, GONE = Phase.ENABLED, Phase.PAUSED, Phase.REMOVING, Phase.REMOVED


def schedules(*phases: Phase) -> Record:
    made = tuple(
        replace(MADE, phase=phase, cluster=replace(b.M1, name=f"m{number}")) for number, phase in enumerate(phases)
    )
    return replace(b.drafted(b.scheduled())[b.BACKUP], schedules=made)


@pytest.mark.parametrize(
    ("phases", "phase", "ready"),
    [
        ((ON, ON), ON, True),
        ((ON, PAUSED), PAUSED, True),
        ((ON, GONE), ON, True),
        ((GONE, GONE), GONE, True),
        ((ON, LEAVING), LEAVING, False),
        ((PENDING, LEAVING), LEAVING, False),
        ((ON, PENDING), RUNNING, False),
        ((PENDING, PENDING), PENDING, False),
        ((ON, INVALID), INVALID, False),
        ((ON, PAUSED, FAILED), FAILED, False),
    ],
)
def test_a_scheduled_backup_is_as_its_schedules(phases: tuple[Phase, ...], phase: Phase, ready: bool) -> None:
    for each in permutations(phases):
        assert phase_of(schedules(*each).parts) is phase
    assert conditions(schedules(*phases), b.ask(b.scheduled()))["Ready"][0] is ready


def test_a_paused_schedule_says_who_paused_it() -> None:
    paused = replace(schedules(PAUSED), schedules=(replace(schedules(PAUSED).schedules[0], reason="PausedThere"),))
    assert conditions(paused, b.ask(b.scheduled()))["Ready"] == (True, "PausedThere")
    assert counted(schedules(ON, PAUSED, ON).parts) == "Paused on 1, Enabled on 2 of 3 clusters"


def test_an_edit_of_a_schedule_applies_and_is_never_in_vain() -> None:
    assert conditions(schedules(ON), b.ask(b.scheduled(schedule="0 4 * * *"))).keys() == {"Ready"}


@pytest.mark.parametrize(
    ("record", "file"), [(schedules(ON), b.backup()), (b.ended(b.backup()), b.scheduled())], ids=["once", "scheduled"]
)
def test_a_backup_never_changes_between_immediate_and_scheduled(record: Record, file: Wanted) -> None:
    assert "SpecChanged" in conditions(record, b.ask(file))
