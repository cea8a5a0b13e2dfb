"""The backups of a Schedule, by its label: whoever made them, in pages, in one list for many Schedules."""

from __future__ import annotations

import pytest

from reconciler.plan.answers import Answer
from reconciler.simulation.member import SimulatedMember
from reconciler.velero.objects import MANAGED_BY, MANAGER
from tests.members.door import NOON, Door, put_backups
from tests.members.test_looks_at_schedules import counted

FEW = frozenset({"nightly", "empty"})
MANY = FEW | {"weekly", "monthly"}
LONG = "s" * 64


def names(answer: Answer) -> dict[str, list[str]]:
    return {schedule: sorted(seen.name for seen in backups) for schedule, backups in answer.backups_of.items()}


@pytest.fixture
def stocked(member: SimulatedMember) -> SimulatedMember:
    """Backups of two Schedules, and others that no Schedule made."""
    put_backups(member, "nightly-1", "nightly-2", of="nightly", **{MANAGED_BY: MANAGER})
    put_backups(member, "foreign", of="nightly")
    put_backups(member, "weekly-1", of="weekly")
    put_backups(member, "by-hand", schedule="nightly")
    put_backups(member, "of-no-interest", of="other")
    return member


@pytest.mark.parametrize(("asked", "lists"), [(FEW, 2), (MANY, 1)])
def test_by_schedule_whoever_made_them(stocked: SimulatedMember, door: Door, asked: frozenset[str], lists: int) -> None:
    listed = counted(stocked, "list", "backups")
    answer = door.ask(stocked, backups_of=asked)
    assert answer.failure is None
    expected = {"nightly": ["foreign", "nightly-1", "nightly-2"], "empty": []}
    assert names(answer) == expected | ({"weekly": ["weekly-1"], "monthly": []} if asked == MANY else {})
    assert listed.hits == lists
    seen = answer.backups_of["nightly"][0]
    assert (seen.kind, seen.phase, seen.completed_at) == ("Backup", "Completed", NOON)


@pytest.mark.parametrize("asked", [FEW, MANY])
def test_more_than_a_page(member: SimulatedMember, door: Door, asked: frozenset[str]) -> None:
    member.stop_velero()  # which would look at each of them
    made = [f"nightly-{number:04}" for number in range(501)]
    put_backups(member, *made, of="nightly")
    listed = counted(member, "list", "backups")
    assert names(door.ask(member, backups_of=asked))["nightly"] == made
    assert listed.hits == (3 if asked == FEW else 2)


@pytest.mark.parametrize("asked", [frozenset({"nightly"}), MANY])
def test_a_page_that_fails_leaves_all_of_it_unknown(member: SimulatedMember, door: Door, asked: frozenset[str]) -> None:
    """Half of the backups must not look like all of them."""
    member.stop_velero()
    put_backups(member, *(f"nightly-{number}" for number in range(501)), of="nightly")
    counted(member, "list", "backups").times = 1
    member.faults.status(500, verb="list", resource="backups")
    answer = door.ask(member, backups_of=asked)
    assert answer.backups_of == {}
    assert answer.failure is not None


@pytest.mark.parametrize("asked", [frozenset({LONG}), MANY | {LONG}])
def test_a_name_that_fits_into_no_label_has_none_and_is_not_asked_for(
    stocked: SimulatedMember, door: Door, asked: frozenset[str]
) -> None:
    listed = counted(stocked, "list", "backups")
    answer = door.ask(stocked, backups_of=asked)
    assert answer.failure is None
    assert answer.backups_of[LONG] == ()
    assert listed.hits == (0 if len(asked) == 1 else 1)


def test_they_are_not_listed_among_the_objects_of_ours(stocked: SimulatedMember, door: Door) -> None:
    """Velero gives them the labels of their Schedule, and a year of them is a long list."""
    put_backups(stocked, "once", **{MANAGED_BY: MANAGER})
    gets = counted(stocked, "get", "backups")
    asked = frozenset(("Backup", name) for name in ("once", "nightly-1", "absent", "by-hand"))
    answer = door.ask(stocked, objects=asked)
    assert {name for (_, name), seen in answer.seen.items() if seen} == {"once", "nightly-1", "by-hand"}
    assert answer.seen["Backup", "absent"] is None
    assert gets.hits == 3, "only `once` came with the list"


def test_one_list_that_fails_leaves_the_others(stocked: SimulatedMember, door: Door) -> None:
    stocked.faults.status(503, verb="list", resource="backups", times=1)
    answer = door.ask(stocked, backups_of=FEW)
    assert answer.failure is not None
    assert len(answer.backups_of) == 1
