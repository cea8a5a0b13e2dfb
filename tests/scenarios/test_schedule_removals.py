"""The Schedules of a file that is gone are removed, ours alone, and said to be so only when each cluster confirmed."""

from __future__ import annotations

import pytest

from tests.behaviour.velero import create, get, path
from tests.fleets import Fleet
from tests.scenarios import objects, velero_objects
from tests.scenarios.objects import MEMBERS, scheduled
from tests.scenarios.velero_objects import schedule, schedule_name, there
from tests.scenarios.workspace import Workspace

FILE = "backups/nightly.yaml"


def entries(workspace: Workspace, name: str = "nightly") -> dict[str, tuple[str, str]]:
    """Phase and reason by cluster."""
    runs = workspace.runs("backups", name)
    return {cluster: (entry["phase"], entry.get("reason", "")) for cluster, entry in runs.items()}


def sync(workspace: Workspace, files: dict[str, str | None], message: str, code: int = 0) -> str:
    """What the command printed after those files had changed."""
    workspace.commit(files, message)
    done = workspace.sync()
    assert done.code == code, done.text
    return done.text


def test_they_go_with_their_file_and_their_backups_stay(fleet: Fleet, workspace: Workspace) -> None:
    sync(workspace, {FILE: scheduled()}, "Every night")
    for member in fleet.members:
        velero_objects.run_schedule(member, "one")
        create(member, "Schedule", "helms", {"schedule": "@daily", "template": {}, "paused": True})
    text = sync(workspace, {FILE: None}, "No more")
    assert "Backup default/nightly: Removed on 2 of 2 clusters" in text
    for member in fleet.members:
        assert schedule(member) is None
        assert get(member, "Schedule", "helms") is not None
        assert [backup["metadata"]["name"] for backup in member.backups()] == ["one"]
    assert entries(workspace) == dict.fromkeys(MEMBERS, ("Removed", ""))
    subjects = workspace.git("log", "-2", "--format=%s").splitlines()
    assert subjects == [f"backup default/nightly: {phase} on 2 of 2 clusters" for phase in ("Removed", "Removing")]
    head = workspace.head()
    assert "Nothing to do" in workspace.sync().out
    assert workspace.head() == head
    assert "their backups stay until they expire" in workspace.run("describe", "backup", "nightly").out


def test_one_that_comes_back_after_that_is_made_again(fleet: Fleet, workspace: Workspace) -> None:
    for content, expected in ((scheduled(), True), (None, False), (scheduled(at="@daily"), True)):
        sync(workspace, {FILE: content}, "Once more" if content else "No more")
        assert [schedule(member) is not None for member in fleet.members] == [expected] * 2
    assert [there(member)["spec"]["schedule"] for member in fleet.members] == ["@daily"] * 2
    assert entries(workspace) == dict.fromkeys(MEMBERS, ("Enabled", ""))


def test_one_of_a_member_that_is_down_is_removing_until_it_is_back(fleet: Fleet, workspace: Workspace) -> None:
    down, up = fleet.members
    sync(workspace, {FILE: scheduled()}, "Every night")
    down.stop_apiserver()
    text = sync(workspace, {FILE: None}, "No more", code=3)
    assert "Unreachable" in text
    assert entries(workspace) == {down.name: ("Removing", "Unreachable"), up.name: ("Removed", "")}
    assert workspace.record("backups", "nightly")["status"]["phase"] == "Removing"
    assert schedule(up) is None
    assert workspace.sync().code == 3, "it is not forgotten"

    down.start_apiserver()
    done = workspace.sync()
    assert done.code == 0, done.text
    assert schedule(down) is None
    assert entries(workspace) == dict.fromkeys(MEMBERS, ("Removed", ""))


def test_a_new_name_is_a_new_schedule_and_the_old_one_goes_also_where_a_member_was_down(
    fleet: Fleet, workspace: Workspace
) -> None:
    down, up = fleet.members
    sync(workspace, {FILE: scheduled()}, "Every night")
    velero_objects.run_schedule(up, "one")
    down.stop_apiserver()
    sync(workspace, {FILE: scheduled("every-night")}, "A better name", code=3)
    assert (schedule(up), there(up, "every-night")["spec"]["schedule"]) == (None, "0 3 * * *")
    assert entries(workspace) == {down.name: ("Removing", "Unreachable"), up.name: ("Removed", "")}
    assert entries(workspace, "every-night") == {down.name: ("Pending", "Unreachable"), up.name: ("Enabled", "")}

    down.start_apiserver()
    done = workspace.sync()
    assert done.code == 0, done.text
    assert (schedule(down), there(down, "every-night")["spec"]["schedule"]) == (None, "0 3 * * *")
    assert [backup["metadata"]["name"] for backup in up.backups()] == ["one"]


def test_one_that_somebody_made_anew_in_its_place_is_not_removed(fleet: Fleet, workspace: Workspace) -> None:
    sync(workspace, {FILE: scheduled()}, "Every night")
    replaced, ours = fleet.members
    replaced.api.delete(path("Schedule", schedule_name(replaced)))
    replaced.api.wait_gone(path("Schedule", schedule_name(replaced)))
    create(replaced, "Schedule", schedule_name(replaced), {"schedule": "@daily", "template": {}, "paused": True})
    sync(workspace, {FILE: None}, "No more")
    assert there(replaced)["spec"]["schedule"] == "@daily"
    assert schedule(ours) is None


@pytest.mark.case("broken-file", "no schedule is deleted")
def test_a_broken_file_removes_nothing(fleet: Fleet, workspace: Workspace) -> None:
    """It looks as if it asked for nothing any more, but nobody can tell."""
    sync(workspace, {FILE: scheduled()}, "Every night")
    head = workspace.commit({FILE: "kind: ["}, "Break it")
    assert workspace.sync().code == 1
    assert [there(member)["spec"]["schedule"] for member in fleet.members] == ["0 3 * * *"] * 2
    assert entries(workspace) == dict.fromkeys(MEMBERS, ("Enabled", ""))
    assert workspace.head() == head


@pytest.mark.case("outage", "mass removal needs a word")
def test_many_at_once_need_a_word_that_it_is_meant(fleet: Fleet, workspace: Workspace) -> None:
    """Six Backups, which are more than five, and more than half of all."""
    names = ("a", "b", "c", "d", "e", "f")
    files = {f"backups/{name}.yaml": scheduled(name, at="@daily") for name in names}
    sync(workspace, {**files}, "Back up a lot")
    head = workspace.commit(dict.fromkeys(files), "Away with all of it")
    done = workspace.sync()
    assert done.code == 2, done.text
    assert "6 of 6 scheduled Backups would be removed from clusters" in done.err
    assert "--allow-mass-removal" in done.err
    assert workspace.head() == head
    assert all(there(member, name) for member in fleet.members for name in names)

    meant = workspace.sync("--allow-mass-removal")
    assert meant.code == 0, meant.text
    assert [schedule(member, name) for member in fleet.members for name in names] == [None] * 12


def test_a_cluster_that_is_declared_no_more_is_given_up_and_the_other_goes_on(
    fleet: Fleet, workspace: Workspace
) -> None:
    gone, stays = fleet.members
    sync(workspace, {FILE: scheduled()}, "Every night")
    alone = objects.fleet(members=(stays.name,), declared=(stays.name,))
    text = sync(workspace, {"fleets/quickstart.yaml": alone, FILE: scheduled(at="@daily")}, "Member 1 is no more")
    assert "the Schedule may be there yet" in text
    assert entries(workspace) == {gone.name: ("Removed", "Abandoned"), stays.name: ("Enabled", "")}
    assert there(stays)["spec"]["schedule"] == "@daily"
    assert there(gone)["spec"]["schedule"] == "0 3 * * *"
    assert workspace.sync().code == 0, "a cluster that is no more is no failure for ever after"


def test_what_was_left_on_a_cluster_goes_when_it_is_declared_again_and_nobody_asks_for_it(
    fleet: Fleet, workspace: Workspace
) -> None:
    gone, stays = fleet.members
    sync(workspace, {FILE: scheduled()}, "Every night")
    alone = objects.fleet(members=(stays.name,), declared=(stays.name,))
    sync(workspace, {"fleets/quickstart.yaml": alone}, "Member 1 is no more")
    sync(workspace, {FILE: None}, "Nobody needs it")
    assert there(gone), "nobody could be asked"
    sync(workspace, {"fleets/quickstart.yaml": objects.fleet()}, "Member 1 is back")
    assert schedule(gone) is None
    assert entries(workspace) == {gone.name: ("Removed", ""), stays.name: ("Removed", "")}
    assert workspace.sync().code == 0


@pytest.mark.parametrize("given_up", [False, True], ids=["removed", "given up"])
def test_a_cluster_that_is_rebuilt_under_its_name_gets_its_schedule_again(
    given_up: bool, fleet: Fleet, workspace: Workspace
) -> None:
    """To the ledger it is another cluster: its `kube-system` has another UID. Here that of the other member."""
    old, new = fleet.members
    of_one: dict[str, str | None] = {
        FILE: scheduled(),
        "fleets/quickstart.yaml": objects.fleet(members=(old.name,), declared=(old.name,)),
    }
    sync(workspace, of_one, "Every night")
    sync(workspace, dict.fromkeys(of_one if given_up else [FILE]), "It is to be rebuilt")
    assert entries(workspace) == {old.name: ("Removed", "Abandoned" if given_up else "")}

    workspace.commit(of_one if given_up else {FILE: scheduled()}, "It is back")
    done = workspace.sync("--context", f"{old.name}={new.name}", disturbed="the name leads to another member's log")
    assert done.code == 0, done.text
    assert entries(workspace) == {old.name: ("Enabled", "")}
    assert get(new, "Schedule", schedule_name(old)) is not None
