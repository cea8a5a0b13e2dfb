"""A scheduled Backup is a Velero Schedule on each cluster: made, changed, followed, and made again as its file says."""

from __future__ import annotations

from tests.behaviour.velero import create, get, path
from tests.fleets import Fleet
from tests.scenarios import objects, velero_objects
from tests.scenarios.objects import MEMBERS, NAMESPACE, scheduled
from tests.scenarios.velero_objects import schedule, schedule_name, there
from tests.scenarios.workspace import Workspace, audited_creates

FILE = "backups/nightly.yaml"
SUSPENDED = "reconciler/suspended"


def phases(workspace: Workspace, name: str = "nightly") -> dict[str, str]:
    return {cluster: entry["phase"] for cluster, entry in workspace.runs("backups", name).items()}


def on_all(phase: str) -> dict[str, str]:
    return dict.fromkeys(MEMBERS, phase)


def sync(workspace: Workspace, content: str | None, message: str, code: int = 0) -> str:
    """What the command printed after the file had become that."""
    workspace.commit({FILE: content}, message)
    done = workspace.sync()
    assert done.code == code, done.text
    return done.text


def test_it_is_made_on_every_cluster_and_then_there_is_nothing_to_do(fleet: Fleet, workspace: Workspace) -> None:
    before = [len(audited_creates(member, "schedules")) for member in fleet.members]
    text = sync(workspace, scheduled(policy="ttl: 720h"), "Every night")
    assert "Backup default/nightly: Enabled on 2 of 2 clusters" in text
    asked = workspace.record("backups", "nightly")["status"]["revision"]
    for member in fleet.members:
        made = there(member)
        assert made["spec"]["schedule"] == "0 3 * * *"
        assert made["spec"]["template"] == {"includedNamespaces": [NAMESPACE], "ttl": "720h"}
        assert made["metadata"]["labels"]["kurator.dev/backup-name"] == "nightly"
        assert made["metadata"]["annotations"]["reconciler/revision"] == asked
    assert phases(workspace) == on_all("Enabled")
    assert workspace.record("backups", "nightly")["status"]["phase"] == "Enabled"
    subjects = workspace.git("log", "-2", "--format=%s").splitlines()
    assert subjects == [f"backup default/nightly: {phase} on 2 of 2 clusters" for phase in ("Enabled", "Starting")]

    head = workspace.head()
    assert "Nothing to do" in workspace.sync().out
    assert workspace.head() == head
    for member, count in zip(fleet.members, before, strict=True):
        assert audited_creates(member, "schedules")[count:] == [schedule_name(member)]


def test_an_edit_changes_it_in_place(fleet: Fleet, workspace: Workspace) -> None:
    sync(workspace, scheduled(policy="ttl: 720h"), "Every night")
    uids = [there(member)["metadata"]["uid"] for member in fleet.members]
    sync(workspace, scheduled(at="30 4 * * MON", policy="ttl: 48h"), "Once a week")
    edited = workspace.git("log", "-1", "--format=%H", "--", FILE)
    for member in fleet.members:
        assert there(member)["spec"]["schedule"] == "30 4 * * MON"
        assert there(member)["spec"]["template"]["ttl"] == "48h"
        assert there(member)["metadata"]["annotations"]["reconciler/revision"] == edited
    assert [there(member)["metadata"]["uid"] for member in fleet.members] == uids
    record = workspace.record("backups", "nightly")
    assert (record["spec"]["schedule"], record["status"]["revision"]) == ("30 4 * * MON", edited)
    assert phases(workspace) == on_all("Enabled")


def test_an_edit_reaches_a_member_that_was_down_when_it_is_back(fleet: Fleet, workspace: Workspace) -> None:
    down, up = fleet.members
    sync(workspace, scheduled(), "Every night")
    down.stop_apiserver()
    text = sync(workspace, scheduled(at="0 4 * * *"), "An hour later", code=3)
    assert "Unreachable" in text
    assert there(up)["spec"]["schedule"] == "0 4 * * *"
    assert phases(workspace) == {down.name: "Pending", up.name: "Enabled"}
    down.start_apiserver()
    done = workspace.sync()
    assert done.code == 0, done.text
    assert there(down)["spec"]["schedule"] == "0 4 * * *"
    assert phases(workspace) == on_all("Enabled")


def test_it_follows_the_fleet_as_it_grows_and_shrinks(fleet: Fleet, workspace: Workspace) -> None:
    first, second = fleet.members
    workspace.commit({"fleets/quickstart.yaml": objects.fleet(members=MEMBERS[:1])}, "A fleet of one")
    sync(workspace, scheduled(), "Every night")
    assert (bool(schedule(first)), bool(schedule(second))) == (True, False)

    for members, expected in ((MEMBERS, "Enabled"), (MEMBERS[:1], "Removed"), (MEMBERS, "Enabled")):
        workspace.commit({"fleets/quickstart.yaml": objects.fleet(members=members)}, f"A fleet of {len(members)}")
        done = workspace.sync()
        assert done.code == 0, done.text
        assert phases(workspace) == {first.name: "Enabled", second.name: expected}
        assert (bool(schedule(first)), bool(schedule(second))) == (True, expected == "Enabled")


def test_one_that_somebody_deleted_is_made_again(fleet: Fleet, workspace: Workspace) -> None:
    sync(workspace, scheduled(), "Every night")
    robbed, other = fleet.members
    uid = there(other)["metadata"]["uid"]
    robbed.api.delete(path("Schedule", schedule_name(robbed)))
    robbed.api.wait_gone(path("Schedule", schedule_name(robbed)))
    done = workspace.sync()
    assert done.code == 0, done.text
    assert there(robbed)["spec"]["schedule"] == "0 3 * * *"
    assert there(other)["metadata"]["uid"] == uid
    assert phases(workspace) == on_all("Enabled")


def test_one_that_somebody_changed_is_put_right(fleet: Fleet, workspace: Workspace) -> None:
    sync(workspace, scheduled(), "Every night")
    changed = fleet.members[0]
    velero_objects.change(changed, {"spec": {"schedule": "0 5 * * *"}})
    assert workspace.sync().code == 0
    assert there(changed)["spec"]["schedule"] == "0 3 * * *"


def test_one_that_somebody_paused_is_left_paused_and_shown_so(fleet: Fleet, workspace: Workspace) -> None:
    """Until that very somebody goes on with it; edits of the file reach it all the same."""
    sync(workspace, scheduled(), "Every night")
    paused, other = fleet.members
    velero_objects.change(paused, {"spec": {"paused": True}})
    done = workspace.sync()
    assert done.code == 0, done.text
    assert f"velero schedule unpause {schedule_name(paused)}" in done.out
    entry = workspace.runs("backups", "nightly")[paused.name]
    assert (entry["phase"], entry["reason"]) == ("Paused", "PausedThere")
    assert "PausedThere" in workspace.run("get", "backups", "-o", "wide").out
    head = workspace.head()
    assert workspace.sync().code == 0
    assert workspace.head() == head

    sync(workspace, scheduled(at="0 4 * * *"), "An hour later")
    assert [there(member)["spec"]["schedule"] for member in fleet.members] == ["0 4 * * *"] * 2
    assert there(paused)["spec"]["paused"] is True
    assert phases(workspace) == {paused.name: "Paused", other.name: "Enabled"}
    velero_objects.change(paused, {"spec": {"paused": False}})
    assert workspace.sync().code == 0
    assert phases(workspace) == on_all("Enabled")


def test_suspend_pauses_it_and_lifts_only_its_own_pause(fleet: Fleet, workspace: Workspace) -> None:
    sync(workspace, scheduled(), "Every night")
    by_hand, ours = fleet.members
    velero_objects.change(by_hand, {"spec": {"paused": True}})
    sync(workspace, scheduled(more="suspend: true"), "Not now")
    assert [there(member)["spec"]["paused"] for member in fleet.members] == [True, True]
    assert SUSPENDED not in there(by_hand)["metadata"]["annotations"]
    assert there(ours)["metadata"]["annotations"][SUSPENDED] == "true"
    reasons = {name: entry["reason"] for name, entry in workspace.runs("backups", "nightly").items()}
    assert reasons == {by_hand.name: "PausedThere", ours.name: "Suspended"}

    sync(workspace, scheduled(), "Go on")
    assert [bool(there(member)["spec"].get("paused")) for member in fleet.members] == [True, False]
    assert SUSPENDED not in there(ours)["metadata"]["annotations"]
    assert phases(workspace) == {by_hand.name: "Paused", ours.name: "Enabled"}


def test_one_that_begins_suspended_is_there_and_paused(fleet: Fleet, workspace: Workspace) -> None:
    sync(workspace, scheduled(more="suspend: true"), "Prepared")
    assert [there(member)["spec"]["paused"] for member in fleet.members] == [True, True]
    assert phases(workspace) == on_all("Paused")
    sync(workspace, scheduled(), "Go")
    velero_objects.enabled(fleet)
    assert phases(workspace) == on_all("Enabled")


def test_a_name_that_somebody_else_took_is_neither_changed_nor_removed(fleet: Fleet, workspace: Workspace) -> None:
    taken, free = fleet.members
    create(taken, "Schedule", schedule_name(taken), {"schedule": "@daily", "template": {}, "paused": True})
    before = get(taken, "Schedule", schedule_name(taken))
    text = sync(workspace, scheduled(), "Every night", code=1)
    assert "NameConflict" in text
    assert phases(workspace) == {taken.name: "Failed", free.name: "Enabled"}
    sync(workspace, None, "No more")
    assert phases(workspace) == on_all("Removed")
    assert get(taken, "Schedule", schedule_name(taken)) == before
    assert schedule(free) is None


def test_a_backup_never_turns_into_a_scheduled_one_or_back(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit({"backups/before.yaml": scheduled("before"), FILE: scheduled()}, "From now on every night")
    done = backed_up.sync()
    assert done.code == 1
    assert "a Backup never changes between immediate and scheduled; use a new name" in done.text
    assert [schedule(member, "before") for member in fleet.members] == [None, None]
    backed_up.commit({"backups/before.yaml": objects.backup("before")}, "As it was")
    sync(backed_up, objects.backup("nightly"), "Just once", code=1)
    assert phases(backed_up) == on_all("Enabled")
    assert [there(member)["spec"]["schedule"] for member in fleet.members] == ["0 3 * * *"] * 2
    assert [len(member.backups()) for member in fleet.members] == [1, 1]


def test_a_paused_repository_changes_no_schedule(fleet: Fleet, workspace: Workspace) -> None:
    """None is made, changed or removed, and each says why."""
    workspace.commit({"backups/hourly.yaml": scheduled("hourly", at="@hourly")}, "Every hour")
    sync(workspace, scheduled(), "Every night")
    files: dict[str, str | None] = {
        ".reconciler-paused": "",
        FILE: scheduled(at="0 4 * * *"),
        "backups/weekly.yaml": scheduled("weekly", at="0 5 * * SUN"),
        "backups/hourly.yaml": None,
    }
    workspace.commit(files, "Hands off, everybody")
    done = workspace.sync()
    assert done.code == 3, done.text
    assert "the repository is paused; it goes on once .reconciler-paused is removed" in done.text
    for member in fleet.members:
        assert there(member)["spec"]["schedule"] == "0 3 * * *"
        assert there(member, "hourly")["spec"]["schedule"] == "@hourly"
        assert schedule(member, "weekly") is None
    for name, phase in (("nightly", "Pending"), ("weekly", "Pending"), ("hourly", "Removing")):
        entries = workspace.runs("backups", name).values()
        assert {(entry["phase"], entry["reason"]) for entry in entries} == {(phase, "Paused")}

    workspace.commit({".reconciler-paused": None}, "Go on")
    done = workspace.sync()
    assert done.code == 0, done.text
    assert [there(member)["spec"]["schedule"] for member in fleet.members] == ["0 4 * * *"] * 2
    assert phases(workspace, "weekly") == on_all("Enabled")
    assert phases(workspace, "hourly") == on_all("Removed")


def test_one_of_a_dead_member_keeps_nobody_waiting(fleet: Fleet, workspace: Workspace) -> None:
    dead, alive = fleet.members
    dead.stop_apiserver()
    text = sync(workspace, scheduled(), "Every night", code=3)
    assert "Unreachable" in text
    assert schedule(alive) is not None
    dead.start_apiserver()
    assert workspace.sync().code == 0
    assert phases(workspace) == on_all("Enabled")
