"""Schedules by name: there, ours or not, proven absent, or unknown; and few requests for it."""

from __future__ import annotations

import json

import pytest

from reconciler.plan.answers import Failure
from reconciler.simulation.faults import Fault
from reconciler.simulation.member import SimulatedMember
from reconciler.velero.objects import fingerprint
from tests.behaviour.velero import create, path
from tests.members.door import RUN, Door, manifest, put_schedule, schedule

MANY = frozenset({"nightly", "weekly", "absent", "foreign"})
FEW = MANY - {"weekly"}


def counted(member: SimulatedMember, verb: str, resource: str = "schedules") -> Fault:
    """Counts requests, and does nothing to them."""
    return member.faults.slow(0.0, verb=verb, resource=resource)


@pytest.fixture
def stocked(member: SimulatedMember) -> SimulatedMember:
    """With two Schedules of ours, and one of somebody else's."""
    put_schedule(member, "nightly")
    put_schedule(member, "weekly", run="beef")
    create(member, "Schedule", "foreign", {"schedule": "@daily", "template": {}, "paused": True})
    return member


@pytest.mark.parametrize(("names", "lists", "gets"), [(FEW, 0, 3), (MANY, 1, 2)])
def test_there_foreign_and_absent(
    stocked: SimulatedMember, door: Door, names: frozenset[str], lists: int, gets: int
) -> None:
    """Of many, one list tells which of ours are there; the rest is proven one by one."""
    listed, got = counted(stocked, "list"), counted(stocked, "get")
    answer = door.ask(stocked, schedules=names)
    assert answer.failure is None
    assert answer.schedules.keys() == names
    assert answer.schedules["absent"] is None
    nightly, foreign = answer.schedules["nightly"], answer.schedules["foreign"]
    assert nightly is not None
    assert nightly.uid == schedule(stocked)["metadata"]["uid"]
    assert (nightly.run_id, nightly.paused, nightly.suspended) == (RUN, False, False)
    assert nightly.what == fingerprint(manifest()["spec"])
    assert foreign is not None
    assert (foreign.run_id, foreign.paused, foreign.suspended) == ("", True, False)
    assert (listed.hits, got.hits) == (lists, gets)


def test_one_that_somebody_took_the_label_off_is_still_found(stocked: SimulatedMember, door: Door) -> None:
    patch = {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
    stocked.api.patch_merge(path("Schedule", "weekly"), patch)
    seen = door.ask(stocked, schedules=MANY).schedules["weekly"]
    assert seen is not None
    assert seen.run_id == "beef"


@pytest.mark.parametrize("names", [FEW, MANY])
@pytest.mark.parametrize(
    "body",
    [
        b"404 page not found",
        b'{"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "gone"}',
        json.dumps(
            {
                "kind": "Status",
                "code": 404,
                "message": 'namespaces "velero" not found',
                "details": {"name": "velero", "kind": "namespaces"},
            }
        ).encode(),
    ],
    ids=["of a proxy", "of nothing", "of something else"],
)
def test_only_a_status_about_that_very_schedule_proves_its_absence(
    member: SimulatedMember, door: Door, names: frozenset[str], body: bytes
) -> None:
    member.faults.status(404, body=body, verb="get", resource="schedules")
    answer = door.ask(member, schedules=names)
    assert answer.failure is not None
    assert answer.schedules == {}


@pytest.mark.parametrize("body", [b"{}", b'{"items": {}}', b'{"metadata": {"name": "other"}}', b'{"metadata": []}'])
@pytest.mark.parametrize("names", [FEW, MANY])
def test_an_answer_that_is_something_else_tells_nothing(
    stocked: SimulatedMember, door: Door, names: frozenset[str], body: bytes
) -> None:
    stocked.faults.garbage(body, resource="schedules")
    answer = door.ask(stocked, schedules=names)
    assert answer.failure is not None
    assert answer.failure.reason == "ServerError"
    assert answer.schedules == {}


def test_what_fails_leaves_the_rest_standing(stocked: SimulatedMember, door: Door) -> None:
    fault = stocked.faults.status(500, verb="get", resource="schedules", times=1)
    answer = door.ask(stocked, schedules=FEW)
    assert fault.hits == 1
    assert answer.failure is not None
    assert len(answer.schedules) == len(FEW) - 1


# A dry run proves that a name is free


def test_a_create_that_would_be_accepted_proves_absence(member: SimulatedMember, door: Door) -> None:
    got = counted(member, "get")
    name = ("Schedule", "nightly")
    answer = door.ask(member, schedules=frozenset({"nightly"}), dry_runs={name: manifest()})
    assert answer.schedules == {"nightly": None}
    assert answer.dry_runs == {name: None}
    assert answer.seen == {}
    assert got.hits == 0
    assert member.api.get(path("Schedule", "nightly")) is None, "nothing was created"


def test_a_name_that_is_taken_is_looked_at(stocked: SimulatedMember, door: Door) -> None:
    name = ("Schedule", "foreign")
    answer = door.ask(stocked, schedules=frozenset({"foreign"}), dry_runs={name: manifest("foreign")})
    assert answer.dry_runs == {}
    seen = answer.schedules["foreign"]
    assert seen is not None
    assert seen.run_id == ""


def test_a_create_that_would_be_refused_tells_why_and_proves_nothing(member: SimulatedMember, door: Door) -> None:
    name, wrong = ("Schedule", "nightly"), manifest()
    wrong["spec"]["template"]["nope"] = 1
    answer = door.ask(member, schedules=frozenset({"nightly"}), dry_runs={name: wrong})
    assert answer.schedules == {}
    refused = answer.dry_runs[name]
    assert isinstance(refused, Failure)
    assert refused.reason == "Rejected"
    assert 'unknown field "spec.template.nope"' in refused.message
