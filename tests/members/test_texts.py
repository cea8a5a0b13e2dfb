"""What a Restore did, out of the object storage: Velero's words, and what became of each object."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from reconciler.members import downloads
from reconciler.plan.answers import Name
from reconciler.records import Items, Texts
from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember
from reconciler.velero.results import texts as velero_texts
from tests.behaviour.velero import SPACE, back_up, path, restore, stock
from tests.members.door import Door

AGAIN: Name = ("Restore", "again")
MAPS = f"/api/v1/namespaces/{SPACE}/configmaps"
SECRET = f"/api/v1/namespaces/{SPACE}/secrets/secret"
RESULTS, RESOURCES = "restore-again-results.gz", "restore-again-resource-list.json.gz"


@pytest.fixture(autouse=True)
def _tries_without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_PAUSES", (0.0, 0.0))


@pytest.fixture
def saved(member: SimulatedMember) -> Iterator[SimulatedMember]:
    """A backup of a namespace, of which one object differs and one is gone by now."""
    stock(member)
    back_up(member)
    member.api.patch_merge(f"{MAPS}/plain", {"data": {"colour": "green"}})
    member.api.delete(f"{MAPS}/marked")
    yield member
    member.call(member.velero.mend_items)


def texts(member: SimulatedMember, door: Door, name: Name = AGAIN) -> Texts:
    answer = door.ask(member, objects=frozenset({name}), texts=frozenset({name}))
    assert answer.failure is None
    return answer.texts[name]


def asked_for(member: SimulatedMember) -> list[str]:
    """The DownloadRequests that the product made, and has not forgotten to delete."""
    assert member.api.list(path("DownloadRequest")) == []
    writes = [event for event in member.writes() if event["objectRef"].get("resource") == "downloadrequests"]
    return [event["objectRef"]["name"] for event in writes if event["verb"] == "create"]


def store(fleet: SimulatedFleet, member: SimulatedMember, file: str, content: bytes) -> None:
    """Puts another file in the place of one of the Restore `again`."""
    fleet.server.call(lambda: fleet.bucket.put(f"{member.name}/restores/again/{file}", content))


# What became of each object


def test_created_equal_and_left_as_it_was(saved: SimulatedMember, door: Door) -> None:
    assert restore(saved, "again")["status"]["phase"] == "Completed"
    before = len(asked_for(saved))
    found = texts(saved, door)
    assert found.items == Items(created=1, equal=2, not_restored=1)
    assert found.names == {
        "created": (f"ConfigMap {SPACE}/marked",),
        "equal": (f"Secret {SPACE}/secret", f"ServiceAccount {SPACE}/default"),
        "not_restored": (f"ConfigMap {SPACE}/plain",),
    }
    ((where, text),) = found.warnings
    assert where == SPACE
    assert "ConfigMap:plain already exists" in text
    assert (found.errors, found.note, found.unread) == ((), "", "")
    assert len(asked_for(saved)) == before + 2


def test_updated(saved: SimulatedMember, door: Door) -> None:
    restore(saved, "again", existingResourcePolicy="update")
    found = texts(saved, door)
    assert found.items == Items(created=1, updated=1, equal=2)
    assert found.warnings == ()


def test_failed(saved: SimulatedMember, door: Door) -> None:
    saved.api.delete(SECRET)
    saved.call(lambda: saved.velero.fail_item("Secret", SPACE, "secret", "no room"))
    assert restore(saved, "again")["status"]["phase"] == "PartiallyFailed"
    found = texts(saved, door)
    assert found.items == Items(created=1, equal=1, not_restored=1, failed=1)
    assert found.names["failed"] == (f"Secret {SPACE}/secret",)
    ((where, text),) = found.errors
    assert where == SPACE
    assert text.endswith("no room")


def test_what_the_cluster_made_in_that_very_moment_is_not_called_different() -> None:
    """Seen on a 1.18.3 server: the namespace's own ServiceAccount, there at the create and not yet in the cache."""
    text = 'error getting resource from lister for serviceaccounts, new/default: serviceaccounts "default" not found'
    listed = {"v1/ServiceAccount": ["new/default(failed)", "new/other(failed)"], "v1/ConfigMap": ["new/a(created)"]}
    found = velero_texts({"warnings": {"namespaces": {"new": [text]}}}, listed)
    assert found.items == Items(created=1, not_compared=1, failed=1)
    assert found.names["not_compared"] == ("ServiceAccount new/default",)
    assert found.items.left == 1


def test_an_object_with_a_long_name_is_counted_and_named_in_short() -> None:
    space, name = "s" * 50, "n" * 251
    text = f"could not restore, ConfigMap:{name} already exists. Warning: the in-cluster version is different"
    listed = {"v1/ConfigMap": [f"{space}/{name}(failed)", f"{space}/{name[1:]}(created)"]}
    found = velero_texts({"warnings": {"namespaces": {space: [text]}}}, listed)
    assert found.items == Items(created=1, not_restored=1)
    assert found.names["not_restored"] == (f"ConfigMap {space}/{name}"[:299] + "…",)


def test_a_restore_without_a_word_still_tells_what_it_did(saved: SimulatedMember, door: Door) -> None:
    restore(saved, "again", namespaceMapping={SPACE: "copied"})
    found = texts(saved, door)
    assert found.items is not None
    assert found.items.created >= 4
    assert "Namespace copied" in found.names["created"]
    assert (found.errors, found.warnings) == ((), ())


# What has no such list


@pytest.mark.parametrize("phase", ["Failed", "FailedValidation"])
def test_a_restore_that_came_to_no_end_of_its_own_has_no_list(saved: SimulatedMember, door: Door, phase: str) -> None:
    restore(saved, "again")
    saved.api.patch_merge(path("Restore", "again"), {"status": {"phase": phase, "errors": 1}})
    before = len(asked_for(saved))
    found = texts(saved, door)
    assert (found.items, found.names, found.note) == (None, {}, "")
    assert len(asked_for(saved)) == before + 1


def test_a_backup_has_no_list(saved: SimulatedMember, door: Door) -> None:
    saved.api.patch_merge(path("Backup", "first"), {"status": {"warnings": 1}})
    before = len(asked_for(saved))
    assert texts(saved, door, ("Backup", "first")) == Texts((), ())
    assert len(asked_for(saved)) == before + 1


# What can't be had

BROKEN = {
    "not zipped": b"{}",
    "cut short": gzip.compress(b"{}")[:-9],
    "damaged": gzip.compress(b"{}")[:10] + b"\xff" * 20,
    "no JSON": gzip.compress(b"<html>"),
    "no object": gzip.compress(b"[]"),
    "too deep": gzip.compress(b"[" * 100_000),
    "no text": gzip.compress(b"\xff\xfe\xfd"),
}
each_broken = pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)


@each_broken
def test_without_the_list_the_texts_stand(
    simulated_fleet: SimulatedFleet, saved: SimulatedMember, door: Door, content: bytes
) -> None:
    restore(saved, "again")
    store(simulated_fleet, saved, RESOURCES, content)
    found = texts(saved, door)
    assert (found.items, found.names) == (None, {})
    assert len(found.warnings) == 1
    assert found.note == f"what became of each object is not known, since {found.unread}"


@each_broken
def test_without_the_texts_nothing_is_counted(
    simulated_fleet: SimulatedFleet, saved: SimulatedMember, door: Door, content: bytes
) -> None:
    """What was left as it was could not be told from what failed."""
    restore(saved, "again")
    store(simulated_fleet, saved, RESULTS, content)
    found = texts(saved, door)
    assert (found.items, found.names, found.warnings) == (None, {}, ())
    assert found.note == f"no texts, since {found.unread}; try `velero restore logs again`"


def test_a_file_that_is_not_there(simulated_fleet: SimulatedFleet, saved: SimulatedMember, door: Door) -> None:
    restore(saved, "again")
    key = f"{saved.name}/restores/again/{RESOURCES}"
    simulated_fleet.server.call(lambda: simulated_fleet.bucket.delete(key))
    found = texts(saved, door)
    assert found.items is None
    assert len(found.warnings) == 1
    assert "not known" in found.note


def test_a_member_that_lets_us_ask_for_nothing(saved: SimulatedMember, door: Door) -> None:
    restore(saved, "again")
    saved.forbid("create", "downloadrequests")
    found = texts(saved, door)
    assert found.items is None
    assert "downloadrequests.velero.io is forbidden" in found.unread


def test_a_request_that_can_not_be_deleted_costs_nothing(saved: SimulatedMember, door: Door) -> None:
    """Velero deletes it itself after ten minutes."""
    restore(saved, "again")
    saved.faults.status(500, verb="delete", resource="downloadrequests")
    found = texts(saved, door)
    assert found.items == Items(created=1, equal=2, not_restored=1)
    assert found.note == ""
    saved.faults.clear()
    assert len(saved.api.list(path("DownloadRequest"))) == 2


def test_a_download_that_fails_is_tried_again(saved: SimulatedMember, door: Door) -> None:
    """What is recorded without its texts stays so."""
    restore(saved, "again")
    saved.faults.status(503, verb="create", resource="downloadrequests", times=3)
    found = texts(saved, door)
    assert found.items == Items(created=1, equal=2, not_restored=1)
    assert (found.note, found.unread) == ("", "")
