"""What is done to Schedules: to that very object, in one request, and only while the ledger's word is fresh."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.plan.actions import Action, Create
from reconciler.simulation.cluster import Object
from reconciler.simulation.member import SimulatedMember
from reconciler.velero.objects import REVISION, RUN_ID, SOURCE, SUSPENDED
from tests.behaviour.velero import path
from tests.members.door import (
    Clock,
    Door,
    cluster_uid,
    create,
    delete,
    manifest,
    put_backups,
    put_schedule,
    schedule,
    update,
)

ANOTHER = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def undisturbed(member: SimulatedMember) -> None:
    """So that what is compared is changed by the door alone."""
    member.stop_velero()


def uid(member: SimulatedMember) -> str:
    return str(schedule(member)["metadata"]["uid"])


def notes_on(member: SimulatedMember) -> Object:
    return dict(schedule(member)["metadata"]["annotations"])


def suspended(member: SimulatedMember) -> bool:
    return SUSPENDED in notes_on(member)


# Create


def test_a_schedule_is_created_as_its_manifest_has_it(member: SimulatedMember, door: Door) -> None:
    assert door.fails(create(member, cluster_uid(member))) == ""
    made, wanted = schedule(member), manifest()
    assert made["spec"]["template"] == wanted["spec"]["template"]
    assert made["metadata"]["labels"] == wanted["metadata"]["labels"]
    assert made["metadata"]["annotations"] == wanted["metadata"]["annotations"]


def test_a_name_that_is_taken_by_this_very_run_is_success(member: SimulatedMember, door: Door) -> None:
    before = put_schedule(member)
    assert door.fails(create(member, cluster_uid(member))) == ""
    assert schedule(member)["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_name_that_is_taken_by_somebody_else_is_not_adopted(member: SimulatedMember, door: Door) -> None:
    put_schedule(member, run="beef")
    assert door.fails(create(member, cluster_uid(member))) == "NameConflict"
    assert notes_on(member)[RUN_ID] == "beef"


def test_another_cluster_gets_none(member: SimulatedMember, door: Door) -> None:
    assert door.fails(create(member, ANOTHER)) == "ClusterChanged"
    assert member.api.list(path("Schedule")) == []


# Update


def test_what_it_does_is_replaced_and_the_rest_stays(member: SimulatedMember, door: Door) -> None:
    put_schedule(member)
    member.api.patch_merge(path("Schedule", "nightly"), {"metadata": {"labels": {"team": "a"}}})
    assert door.fails(update(member, uid(member), schedule="@daily", policy=None)) == ""
    made = schedule(member)
    assert (made["spec"]["schedule"], made["spec"]["template"]) == ("@daily", {})
    assert made["metadata"]["labels"]["team"] == "a"
    found = notes_on(member)
    assert (found[REVISION], found[SOURCE]) == ("two", "backups/nightly.yaml")


@pytest.mark.parametrize("paused", [False, True])
def test_somebody_elses_pause_stays_as_it_is(member: SimulatedMember, door: Door, paused: bool) -> None:
    put_schedule(member)
    member.api.patch_merge(path("Schedule", "nightly"), {"spec": {"paused": paused}})
    assert door.fails(update(member, uid(member), schedule="@daily")) == ""
    assert (schedule(member)["spec"]["paused"], suspended(member)) == (paused, False)


def test_it_is_paused_and_resumed(member: SimulatedMember, door: Door) -> None:
    put_schedule(member)
    assert door.fails(update(member, uid(member), paused=True, suspend=True)) == ""
    assert (schedule(member)["spec"]["paused"], suspended(member)) == (True, True)
    seen = door.ask(member, schedules=frozenset({"nightly"})).schedules["nightly"]
    assert seen is not None
    assert (seen.paused, seen.suspended) == (True, True)
    assert door.fails(update(member, uid(member), paused=False)) == ""
    assert (schedule(member)["spec"]["paused"], suspended(member)) == (False, False)
    assert notes_on(member)[RUN_ID] == manifest()["metadata"]["annotations"][RUN_ID]


def test_a_pause_that_is_not_ours_is_never_lifted(member: SimulatedMember, door: Door) -> None:
    put_schedule(member, suspend=True)
    patch = {"metadata": {"annotations": {SUSPENDED: None}}}
    member.api.patch_merge(path("Schedule", "nightly"), patch)
    assert door.fails(update(member, uid(member), paused=False)) == "Conflict"
    assert schedule(member)["spec"]["paused"] is True
    assert notes_on(member)[REVISION] == "one", "all of it or nothing"


def test_only_that_very_schedule_is_changed(member: SimulatedMember, door: Door) -> None:
    put_schedule(member)
    before = schedule(member)
    assert door.fails(update(member, ANOTHER, schedule="@daily")) == "Conflict"
    assert door.fails(update(member, uid(member), run="beef", schedule="@daily")) == "Conflict"
    assert schedule(member) == before


def test_one_that_is_gone_is_not_made_anew(member: SimulatedMember, door: Door) -> None:
    assert door.fails(update(member, ANOTHER)) == "NotFound"
    assert member.api.get(path("Schedule", "nightly")) is None


def test_a_change_that_the_server_refuses_is_no_conflict(member: SimulatedMember, door: Door) -> None:
    put_schedule(member)
    action = update(member, uid(member))
    action.manifest["spec"]["template"]["ttl"] = 5
    assert door.fails(action) == "Rejected"
    action.manifest["spec"]["template"] = {"nope": 1}
    assert door.fails(action) == "Rejected", "a field that the server does not know is not left out in silence"
    assert schedule(member)["spec"]["template"] == manifest()["spec"]["template"]


# Delete


def test_it_is_deleted_and_its_backups_stay(member: SimulatedMember, door: Door) -> None:
    put_schedule(member)
    put_backups(member, "made", of="nightly")
    assert door.fails(delete(member, uid(member))) == ""
    assert member.api.get(path("Schedule", "nightly")) is None
    assert member.backup("made") is not None


def test_one_that_is_gone_already_is_success(member: SimulatedMember, door: Door) -> None:
    assert door.fails(delete(member, ANOTHER)) == ""


def test_another_one_of_the_name_stays(member: SimulatedMember, door: Door) -> None:
    put_schedule(member)
    (outcome,) = door.do(delete(member, ANOTHER))
    assert outcome.failure is not None
    assert outcome.failure.reason == "Conflict"
    assert "does not match the UID in record" in outcome.failure.message
    assert member.api.get(path("Schedule", "nightly")) is not None


# All of them


MAKERS: dict[str, Callable[[SimulatedMember], Action]] = {
    "create": lambda member: create(member, cluster_uid(member), manifest("other")),
    "update": lambda member: update(member, uid(member), schedule="@daily"),
    "delete": lambda member: delete(member, uid(member)),
}
each_action = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@each_action
@pytest.mark.case("late-process")
def test_an_old_ledger_changes_nothing(
    member: SimulatedMember, door: Door, make: Callable[[SimulatedMember], Action]
) -> None:
    put_schedule(member)
    before = member.api.list(path("Schedule"))
    assert door.fails(make(member), age=61) == "Stale"
    assert member.api.list(path("Schedule")) == before
    assert door.fails(make(member), age=30) == ""


@each_action
@pytest.mark.parametrize(("seconds", "reason"), [(61, "Stale"), (30, "")])
@pytest.mark.case("late-process")
def test_an_old_look_at_the_member_changes_nothing_however_fresh_the_ledger(
    member: SimulatedMember,
    door: Door,
    make: Callable[[SimulatedMember], Action],
    seconds: float,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was absent then may have come and gone since, by another process, while this one stood still."""
    put_schedule(member)
    before = member.api.list(path("Schedule"))
    clock = Clock()
    monkeypatch.setattr("reconciler.members.apply.time", clock)
    (outcome,) = door.do_after(seconds, clock, make(member))
    assert (outcome.failure.reason if outcome.failure else "") == reason
    assert (member.api.list(path("Schedule")) == before) == bool(reason) or isinstance(outcome.action, Create)


@each_action
def test_a_404_that_is_of_no_schedule_is_no_success(
    member: SimulatedMember, door: Door, make: Callable[[SimulatedMember], Action]
) -> None:
    put_schedule(member)
    action = make(member)
    member.faults.status(404, resource="schedules")
    assert door.fails(action) == "NotFound"


@each_action
def test_an_answer_that_is_lost_is_a_failure_and_once_more_is_harmless(
    member: SimulatedMember, door: Door, make: Callable[[SimulatedMember], Action]
) -> None:
    put_schedule(member)
    action = make(member)
    for verb in ("create", "patch", "delete"):
        member.faults.lost_after(verb, "schedules", times=None)
    assert door.fails(action) == "Unreachable"
    member.faults.clear()
    found = member.api.list(path("Schedule"))
    assert door.fails(action) == ""
    assert member.api.list(path("Schedule")) == found
