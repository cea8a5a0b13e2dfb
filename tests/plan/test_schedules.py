"""The state of a Velero Schedule on one cluster: made, kept as its file says, removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.answers import Answer, Failure
from reconciler.plan.asks import Ask
from reconciler.plan.schedules import IN_PLACE as PHASES_IN_PLACE
from reconciler.plan.schedules import explain, fingerprint, unsettled
from reconciler.records import Phase, Schedule
from reconciler.resources import BackupSpec
from reconciler.velero.status import SeenSchedule
from tests.plan import builders as b
from tests.plan.velero_schedules import (
    ANY,
    FILE,
    FOREIGN,
    IN_PLACE,
    NAME,
    WHAT,
    answer,
    at,
    named,
    short,
    spec,
    step,
    taken,
    there,
    words,
)

in_place = pytest.mark.parametrize("schedule", IN_PLACE, ids=words)
SUSPENDED, OTHER = spec(suspend=True), spec(schedule="0 4 * * *")


# ---------------------------------------------------------------- made and kept


@named
def test_where_it_is_not_it_is_to_be_made(schedule: Schedule) -> None:
    after = step(schedule, answer(None, uid="uid-1"))
    assert (*short(after), after.message, after.cluster_uid) == (Phase.STARTING, "", "", "uid-1")


@named
def test_where_it_is_as_the_file_says_it_is_in_place(schedule: Schedule) -> None:
    after = step(schedule, answer(there()))
    assert (*short(after), after.message, after.what) == (Phase.ENABLED, "", "", WHAT)


@named
def test_where_it_does_something_else_it_is_to_be_changed(schedule: Schedule) -> None:
    assert short(step(schedule, answer(there()), file=OTHER)) == (Phase.STARTING, "")
    assert short(step(schedule, answer(there(what="v1:edited-by-hand")))) == (Phase.STARTING, "")


@named
def test_where_velero_refuses_it_that_is_told(schedule: Schedule) -> None:
    after = step(schedule, answer(there(invalid="invalid schedule: 0 3")))
    assert (*short(after), after.message) == (Phase.FAILED_VALIDATION, "FailedValidation", "invalid schedule: 0 3")


@named
def test_while_it_is_being_deleted_it_is_waited_for(schedule: Schedule) -> None:
    assert short(step(schedule, answer(there(deleting=True)))) == (Phase.PENDING, "Deleting")


@named
@pytest.mark.parametrize("foreign", [FOREIGN, replace(FOREIGN, what="x", paused=True), replace(FOREIGN, deleting=True)])
def test_one_of_our_name_that_is_not_ours_is_never_adopted(schedule: Schedule, foreign: SeenSchedule) -> None:
    after = step(schedule, answer(foreign))
    assert short(after) == (Phase.FAILED, "NameConflict")
    assert "use a new name, or delete it" in after.message


# ---------------------------------------------------------------- paused


@named
def test_one_that_is_suspended_is_there_and_paused_by_us(schedule: Schedule) -> None:
    """`what` does not tell of the pause."""
    assert short(step(schedule, answer(None), file=SUSPENDED)) == (Phase.STARTING, "")
    assert short(step(schedule, answer(there()), file=SUSPENDED)) == (Phase.STARTING, "")
    after = step(schedule, answer(there(paused=True, suspended=True)), file=SUSPENDED)
    assert short(after) == (Phase.PAUSED, "Suspended")


@named
def test_one_that_we_paused_goes_on_once_the_file_says_so(schedule: Schedule) -> None:
    assert short(step(schedule, answer(there(paused=True, suspended=True)))) == (Phase.STARTING, "")


@named
@pytest.mark.parametrize("file", [FILE, SUSPENDED], ids=["enabled", "suspended"])
def test_one_that_somebody_paused_is_left_so_and_shown_so(schedule: Schedule, file: BackupSpec) -> None:
    after = step(schedule, answer(there(paused=True)), file=file)
    assert short(after) == (Phase.PAUSED, "PausedThere")
    assert after.message.endswith(f"velero schedule unpause {NAME}")


def test_one_that_somebody_resumed_is_paused_again_while_the_file_says_so() -> None:
    assert short(step(at(Phase.PAUSED, "Suspended"), answer(there(suspended=True)), file=SUSPENDED)) == (
        Phase.STARTING,
        "",
    )


def test_our_mark_goes_with_our_pause_so_that_a_later_pause_of_somebody_else_stays() -> None:
    """Somebody resumed it by hand, then the file did as well: a mark that stayed would make their next pause ours."""
    assert short(step(at(Phase.PAUSED, "Suspended"), answer(there(paused=False, suspended=True)))) == (
        Phase.STARTING,
        "",
    )


@named
def test_a_paused_repository_makes_and_changes_nothing(schedule: Schedule) -> None:
    for seen, file in ((None, FILE), (there(), OTHER), (there(), SUSPENDED)):
        assert short(step(schedule, answer(seen), Ask.PAUSED, file)) == (Phase.PENDING, "Paused")
    assert step(schedule, answer(there()), Ask.PAUSED).phase is Phase.ENABLED


# ---------------------------------------------------------------- unknown


@in_place
def test_what_is_unknown_changes_nothing_that_is_in_place(schedule: Schedule) -> None:
    file = SUSPENDED if schedule.reason == "Suspended" else FILE
    for nothing in (b.unreachable(), b.answer(), Answer()):
        assert step(schedule, nothing, file=file) is schedule
        assert step(schedule, nothing, Ask.PAUSED, file) is schedule


@in_place
def test_an_edit_that_the_member_has_not_heard_of_waits_for_it(schedule: Schedule) -> None:
    after = step(schedule, b.unreachable(), file=OTHER)
    assert (*short(after), after.message) == (Phase.PENDING, "Unreachable", "no connection")


def test_starting_and_unknown_stays_starting() -> None:
    assert step(at(Phase.STARTING), b.answer()) == at(Phase.STARTING)


def test_what_waits_says_for_what_and_keeps_the_text_of_its_reason() -> None:
    first = step(at(Phase.PENDING), b.unreachable(message="no route"))
    assert (*short(first), first.message) == (Phase.PENDING, "Unreachable", "no route")
    assert step(first, b.unreachable(message="timed out")) is first
    assert step(first, b.answer()) is first
    rejected = b.answer(dry_runs={("Schedule", NAME): Failure("Rejected", "webhook")})
    assert short(step(first, rejected)) == (Phase.PENDING, "Rejected")


# ---------------------------------------------------------------- the latest backup

EARLY, LATE = taken("early", "2025-06-01T03:00:00Z"), taken("late", "2025-06-01T09:00:00Z", completionTimestamp="x")
ONE_HOUR = b.NOW + timedelta(hours=1)


@named
def test_the_latest_backup_is_recorded_by_its_start(schedule: Schedule) -> None:
    new = b.raw("Backup", "zz-new", "", "New")
    after = step(schedule, b.answer(backups_of={NAME: (LATE, EARLY, new)}), Ask.FROZEN, None)
    assert (after.backup_name, after.status) == ("late", LATE.status)
    assert after.refreshed == "2025-06-01T12:00:00Z"
    assert replace(after, backup_name="", status={}, refreshed="") == schedule


def test_a_second_look_at_the_same_backups_changes_nothing() -> None:
    listed = b.answer(backups_of={NAME: (EARLY,)})
    first = step(at(Phase.ENABLED), listed)
    assert step(first, listed, now=ONE_HOUR) is first
    assert step(first, b.answer(backups_of={NAME: (EARLY, LATE)}), now=ONE_HOUR).refreshed == "2025-06-01T13:00:00Z"


def test_progress_changes_no_record_and_a_phase_does() -> None:
    running = taken("late", "2025-06-01T09:00:00Z", "InProgress", progress={"itemsBackedUp": 1})
    further = taken("late", "2025-06-01T09:00:00Z", "InProgress", progress={"itemsBackedUp": 7})
    first = step(at(Phase.ENABLED), b.answer(backups_of={NAME: (running,)}))
    assert step(first, b.answer(backups_of={NAME: (further,)}), now=ONE_HOUR) is first
    assert step(first, b.answer(backups_of={NAME: (LATE,)}), now=ONE_HOUR).status == LATE.status


@pytest.mark.parametrize("listed", [{}, {NAME: ()}, {"another": (LATE,)}], ids=["not asked", "none", "another's"])
def test_a_backup_that_is_gone_is_still_the_latest_known(listed: dict[str, tuple[()]]) -> None:
    known = at(Phase.ENABLED, backup_name="early", status=EARLY.status, refreshed="2025-06-01T12:00:00Z")
    assert step(known, b.answer(backups_of=listed)) is known


# ---------------------------------------------------------------- what is settled, what is refused


@pytest.mark.parametrize(
    ("schedule", "file", "expected"),
    [
        (at(Phase.ENABLED), FILE, False),
        (at(Phase.ENABLED), OTHER, True),
        (at(Phase.ENABLED), SUSPENDED, True),
        (at(Phase.PAUSED, "Suspended"), SUSPENDED, False),
        (at(Phase.PAUSED, "Suspended"), FILE, True),
        (at(Phase.PAUSED, "PausedThere"), FILE, False),
        (at(Phase.PAUSED, "PausedThere"), SUSPENDED, False),
        (at(Phase.PAUSED, "PausedThere"), OTHER, True),
        (at(Phase.FAILED_VALIDATION, "FailedValidation"), FILE, False),
        (at(Phase.FAILED, "NameConflict"), FILE, True),
        (at(Phase.PENDING), FILE, True),
        (at(Phase.STARTING), FILE, True),
        (at(Phase.REMOVED), FILE, True),
    ],
    ids=words,
)
def test_what_the_record_says_is_not_as_the_file_says_is_looked_at(
    schedule: Schedule, file: BackupSpec, expected: bool
) -> None:
    assert unsettled(schedule, file) is expected


def test_a_fingerprint_is_of_what_it_does_alone() -> None:
    assert fingerprint(spec(suspend=True, destination=b.to(b.M1))) == WHAT
    assert fingerprint(spec(policy={"ttl": "24h"})) == fingerprint(spec(policy={"ttl": "1440m"})) != WHAT


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.REMOVING, Phase.PENDING])
def test_what_was_refused_says_why(phase: Phase) -> None:
    after = explain(at(phase), Failure("Forbidden", "no rights"))
    assert (after.phase, after.reason, after.message) == (phase, "Forbidden", "no rights")
    assert explain(after, Failure("Forbidden", "no rights, again")) is after
    assert explain(after, None) is after


def test_what_is_in_place_is_not_explained() -> None:
    assert explain(at(Phase.ENABLED), Failure("Conflict", "x")) == at(Phase.ENABLED)


# ---------------------------------------------------------------- all of it at once

seen_schedules = st.none() | st.builds(
    there,
    run_id=st.sampled_from([there().run_id, FOREIGN.run_id]),
    what=st.sampled_from([WHAT, "other"]),
    paused=st.booleans(),
    suspended=st.booleans(),
    deleting=st.booleans(),
    invalid=st.sampled_from(["", "bad"]),
)


@given(st.sampled_from(ANY), seen_schedules, st.sampled_from(Ask), st.sampled_from([FILE, OTHER, SUSPENDED]))
def test_a_second_look_at_the_same_thing_changes_nothing(
    schedule: Schedule, seen: SeenSchedule | None, ask: Ask, file: BackupSpec
) -> None:
    once = step(schedule, answer(seen), ask, file)
    assert step(once, answer(seen), ask, file) == once
    ours = seen is not None and seen.run_id == schedule.run_id
    assert ours or once.phase not in PHASES_IN_PLACE or ask not in (Ask.ASKED, Ask.PAUSED)
