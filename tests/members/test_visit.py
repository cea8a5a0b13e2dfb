"""One visit is one visit: all that is asked side by side, what fails leaves the rest standing, and looks only look."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.plan.answers import Answer, Question
from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember
from tests.behaviour.velero import SPACE, back_up, restore, stock
from tests.members.door import Door, cluster_uid, declared, put_backups, put_schedule

EVERYTHING: dict[str, Any] = {
    "objects": frozenset({("Backup", "first"), ("Backup", "none"), ("Restore", "again")}),
    "storage": True,
    "leftovers": True,
    "schedules": frozenset({"nightly", "absent"}),
    "backups_of": frozenset({"nightly", "weekly"}),
}


@pytest.fixture
def stocked(member: SimulatedMember) -> SimulatedMember:
    """With something of everything."""
    stock(member)
    back_up(member)
    restore(member, "again", namespaceMapping={SPACE: "copied"})
    put_schedule(member)
    put_backups(member, "nightly-1", of="nightly")
    return member


def parts(answer: Answer) -> dict[str, Any]:
    """What came, in short."""
    return {
        "objects": {name: seen and seen.phase for (_, name), seen in answer.seen.items()},
        "storage": answer.locations and [location.phase for location in answer.locations],
        "leftovers": answer.leftovers,
        "schedules": {name: seen and seen.name for name, seen in answer.schedules.items()},
        "backups_of": {name: [seen.name for seen in found] for name, found in answer.backups_of.items()},
    }


ALL = {
    "objects": {"first": "Completed", "none": None, "again": "Completed"},
    "storage": ["Available"],
    "leftovers": (),
    "schedules": {"nightly": "nightly", "absent": None},
    "backups_of": {"nightly": ["nightly-1"], "weekly": []},
}


def test_all_of_it(stocked: SimulatedMember, door: Door) -> None:
    answer = door.ask(stocked, **EVERYTHING)
    assert answer.failure is None
    assert parts(answer) == ALL


@pytest.mark.parametrize(
    ("verb", "resource", "lost"),
    [
        ("get", "schedules", {"schedules": {}}),
        ("list", "backups", {"backups_of": {}}),
        ("get", "backups", {"objects": {"again": "Completed"}}),
        ("list", "restores", {"objects": {"first": "Completed", "none": None}, "leftovers": None}),
        (
            "list",
            "backupstoragelocations",
            # without them nobody can tell that this is Velero's namespace, so nothing is proven to be absent
            {
                "storage": None,
                "objects": {"first": "Completed", "again": "Completed"},
                "schedules": {"nightly": "nightly"},
            },
        ),
    ],
)
def test_what_fails_leaves_the_rest_standing(
    stocked: SimulatedMember, door: Door, verb: str, resource: str, lost: dict[str, Any]
) -> None:
    stocked.faults.status(500, verb=verb, resource=resource)
    answer = door.ask(stocked, **EVERYTHING)
    assert answer.failure is not None
    assert answer.failure.reason == "ServerError"
    assert parts(answer) == ALL | lost


def test_where_velero_has_no_storage_absence_is_not_proven(stocked: SimulatedMember, door: Door) -> None:
    """As in a namespace that is not Velero's, where nothing is found either. It is looked at unasked."""
    gone = {"objects": frozenset({("Restore", "none")}), "schedules": frozenset({"absent"})}
    assert door.ask(stocked, **gone).seen == {("Restore", "none"): None}
    assert door.ask(stocked, **gone).schedules == {"absent": None}
    stocked.faults.garbage(b'{"metadata": {}, "items": []}', resource="backupstoragelocations")
    answer = door.ask(stocked, **gone)
    assert (answer.seen, answer.schedules, answer.locations) == ({}, {}, ())
    assert answer.failure is not None
    assert answer.failure.reason == "VeleroMissing"
    assert "--velero-namespace" in answer.failure.message


@pytest.mark.parametrize("body", [b"{}", b'{"metadata": 1}', b'{"items": [1, null, "x", {}]}', b"[" * 100_000])
def test_answers_that_make_no_sense_tell_nothing(stocked: SimulatedMember, door: Door, body: bytes) -> None:
    stocked.faults.garbage(body, resource="schedules")
    stocked.faults.garbage(body, resource="backups")
    stocked.faults.garbage(body, resource="backupstoragelocations")
    answer = door.ask(stocked, **EVERYTHING | {"leftovers": False})
    assert answer.failure is not None
    assert (answer.schedules, answer.backups_of, answer.locations) == ({}, {}, None)
    assert answer.seen.keys() == {("Restore", "again")}


@pytest.mark.parametrize("body", [b"{}", b'{"metadata": {}}', b'{"metadata": {"uid": 5}}'])
def test_a_cluster_that_does_not_say_which_it_is_is_not_asked(
    stocked: SimulatedMember, door: Door, body: bytes
) -> None:
    stocked.faults.garbage(body, resource="namespaces")
    answer = door.ask(stocked, **EVERYTHING)
    assert answer.failure is not None
    assert (answer.cluster_uid, answer.seen, answer.schedules, answer.backups_of) == ("", {}, {}, {})


def test_a_look_needs_no_right_to_write_and_writes_nothing(stocked: SimulatedMember, door: Door) -> None:
    """So that `plan` runs with credentials that may only read, though a Restore has ended and texts are to be had."""
    before = len(stocked.writes())
    for verb in ("create", "update", "patch", "delete", "deletecollection"):
        stocked.forbid(verb)
    answer = door.ask(stocked, **EVERYTHING)
    assert answer.failure is None
    assert parts(answer) == ALL
    assert len(stocked.writes()) == before


def test_one_member_that_fails_hides_nothing_of_the_other(
    simulated_fleet: SimulatedFleet, stocked: SimulatedMember, door: Door
) -> None:
    other = simulated_fleet.members[1]
    other.reset()
    put_schedule(other)
    stocked.faults.dead()
    answers = door.ask_all(Question(declared(one), schedules=frozenset({"nightly"})) for one in (stocked, other))
    broken, well = answers[declared(stocked).id], answers[declared(other).id]
    assert broken.failure is not None
    assert broken.schedules == {}
    assert well.failure is None
    assert well.cluster_uid == cluster_uid(other)
    assert well.schedules["nightly"] is not None
