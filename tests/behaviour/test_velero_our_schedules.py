"""Schedules of ours as they live on a member: how they are read back, changed, run, and told by the members door."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.velero.objects import MANAGED_BY, RUN_ID, SCHEDULE_NAME, SUSPENDED, fingerprint
from tests.behaviour.velero import get, pass_time, path, until
from tests.fleets import Fleet, Member
from tests.members.door import RUN, Door, cluster_uid, create, delete, manifest, put_schedule, schedule, update

POLICIES: dict[str, dict[str, Any] | None] = {
    "none": None,
    "an empty one": {},
    "a ttl in hours": {"ttl": "720h", "resourceFilter": {"includedNamespaces": ["none-*"]}},
    "a ttl in minutes": {"ttl": "90m"},
    "all sorts": {
        "orderedResources": {"pods": "a/b"},
        "resourceFilter": {
            "excludedResources": ["secrets"],
            "includeClusterResources": False,
            "labelSelector": {"matchLabels": {"a": "b"}},
        },
    },
}
LATER = {"skipImmediately": False, "paused": False}


@pytest.fixture
def door(fleet: Fleet) -> Door:
    return Door(fleet)


def run_now(fleet: Fleet, member: Member, door: Door, **spec: Any) -> dict[str, Any]:
    """The Schedule after a run: it is looked at when its spec changes, and `@every 1s` has come due by then."""
    uid = schedule(member)["metadata"]["uid"]
    for _ in range(3):
        pass_time(fleet, 1)
    before = schedule(member).get("status", {}).get("lastBackup")
    for paused in (True, False):
        assert door.fails(update(member, uid, paused=paused, schedule="@every 1s", **spec)) == ""
    return until(member, "Schedule", "nightly", lambda one: one["status"].get("lastBackup", before) != before, "to run")


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_it_is_read_back_as_it_was_written(member: Member, door: Door, policy: dict[str, Any] | None) -> None:
    """Neither the server nor Velero, when it accepts it, changes what its fingerprint is made of."""
    made = manifest(policy=policy)
    assert door.fails(create(member, cluster_uid(member), made)) == ""
    assert fingerprint(schedule(member)["spec"]) == fingerprint(made["spec"])
    enabled = until(member, "Schedule", "nightly", lambda found: found.get("status"), "to be judged")
    assert enabled["status"] == {"phase": "Enabled"}
    assert enabled["spec"]["template"] == made["spec"]["template"]
    assert fingerprint(enabled["spec"]) == fingerprint(made["spec"])
    seen = door.ask(member, schedules=frozenset({"nightly"})).schedules["nightly"]
    assert seen is not None
    assert (seen.run_id, seen.what, seen.invalid) == (RUN, fingerprint(made["spec"]), "")


@pytest.mark.parametrize("ttl", [None, "720h"])
def test_a_run_changes_nothing_of_it(fleet: Fleet, member: Member, door: Door, ttl: str | None) -> None:
    policy = {"resourceFilter": {"includedNamespaces": ["none-*"]}} | ({"ttl": ttl} if ttl else {})
    made = manifest(schedule="@every 1s", policy=policy)
    assert door.fails(create(member, cluster_uid(member), made)) == ""
    ran = run_now(fleet, member, door, policy=policy)
    assert ran["spec"] == made["spec"] | LATER
    assert fingerprint(ran["spec"]) == fingerprint(made["spec"])


def test_its_backups_are_found_by_their_label_and_carry_its_own(fleet: Fleet, member: Member, door: Door) -> None:
    made = manifest(schedule="@every 1s")
    assert door.fails(create(member, cluster_uid(member), made)) == ""
    assert door.ask(member, backups_of=frozenset({"nightly"})).backups_of == {"nightly": ()}
    ran = run_now(fleet, member, door)
    name = "nightly-" + "".join(character for character in ran["status"]["lastBackup"] if character.isdigit())
    for others in (set(), {"a", "b", "c"}):
        answer = door.ask(member, backups_of=frozenset({"nightly", *others}))
        assert name in {seen.name for seen in answer.backups_of["nightly"]}
        assert {answer.backups_of[other] for other in others} <= {()}
    backup = get(member, "Backup", name)
    assert backup is not None
    labels = made["metadata"]["labels"] | {SCHEDULE_NAME: "nightly"}
    assert backup["metadata"]["labels"].items() >= labels.items()
    assert backup["metadata"]["annotations"][RUN_ID] == RUN
    assert "finalizers" not in backup["metadata"]


def test_a_paused_one_stays_as_it_is_until_it_is_resumed(fleet: Fleet, member: Member, door: Door) -> None:
    put_schedule(member, suspend=True, schedule="@every 1s")
    for _ in range(3):
        pass_time(fleet, 1)
    assert "status" not in schedule(member)
    seen = door.ask(member, schedules=frozenset({"nightly"})).schedules["nightly"]
    assert seen is not None
    assert (seen.paused, seen.suspended) == (True, True)
    assert door.fails(update(member, seen.uid, paused=False, schedule="@every 1s")) == ""
    until(member, "Schedule", "nightly", lambda found: found.get("status", {}).get("lastBackup"), "to run")
    assert SUSPENDED not in schedule(member)["metadata"]["annotations"]


def test_only_that_very_one_is_changed_or_deleted(member: Member, door: Door) -> None:
    uid = put_schedule(member)["metadata"]["uid"]
    until(member, "Schedule", "nightly", lambda found: found.get("status"), "to be judged")
    before, other = schedule(member), "00000000-0000-0000-0000-000000000000"
    for action in (
        update(member, other, schedule="@daily"),
        update(member, uid, run="beef", schedule="@daily"),
        update(member, uid, paused=False, schedule="@daily"),
        delete(member, other),
    ):
        assert door.fails(action) == "Conflict"
    assert schedule(member) == before
    refused = update(member, uid)
    refused.manifest["spec"]["template"]["nope"] = 1
    assert door.fails(refused) == "Rejected"
    assert schedule(member) == before
    assert door.fails(delete(member, uid)) == ""
    assert get(member, "Schedule", "nightly") is None
    assert door.fails(delete(member, uid)) == ""
    assert door.fails(update(member, uid)) == "NotFound"


def test_a_dry_run_tells_whether_a_name_is_free(member: Member, door: Door) -> None:
    asked = {"schedules": frozenset({"nightly"}), "dry_runs": {("Schedule", "nightly"): manifest()}}
    assert door.ask(member, **asked).schedules == {"nightly": None}
    uid = put_schedule(member)["metadata"]["uid"]
    answer = door.ask(member, **asked)
    seen = answer.schedules["nightly"]
    assert seen is not None
    assert (seen.uid, answer.dry_runs) == (uid, {})


def test_many_are_told_by_one_list_and_the_absent_by_name(member: Member, door: Door) -> None:
    for name in ("a", "b", "c"):
        put_schedule(member, name)
    member.api.patch_merge(path("Schedule", "c"), {"metadata": {"labels": {MANAGED_BY: "helm"}}})
    found = door.ask(member, schedules=frozenset({"a", "b", "c", "d"})).schedules
    assert {name: seen and seen.run_id for name, seen in found.items()} == {"a": RUN, "b": RUN, "c": RUN, "d": None}
