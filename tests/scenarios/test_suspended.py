"""Brakes: `spec.suspend` for one object, `.reconciler-paused` at the root for all; what runs is followed to its end."""

from __future__ import annotations

import time

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")
FIRST, SECOND = MEMBERS
PAUSED = ".reconciler-paused"


def copy(more: str = "") -> dict[str, str]:
    return {"restores/copy.yaml": objects.restore("copy", "before", more, COPY)}


def states(workspace: Workspace, kind: str = "restores", name: str = "copy") -> dict[str, tuple[str, str]]:
    return {cluster: (run["phase"], run.get("reason", "")) for cluster, run in workspace.runs(kind, name).items()}


def everywhere(phase: str, reason: str = "") -> dict[str, tuple[str, str]]:
    return dict.fromkeys(MEMBERS, (phase, reason))


def test_what_is_suspended_from_the_start_runs_once_it_is_resumed(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit(copy("suspend: true"), "Not yet")
    done = backed_up.sync()
    assert done.code == 1, done.text
    assert states(backed_up) == everywhere("Held", "Suspended")
    assert "spec.suspend is set; it goes on once that is removed" in done.out
    assert [member.restores() for member in fleet.members] == [[], []]
    head = backed_up.head()
    assert backed_up.sync().code == 1
    assert backed_up.head() == head, "being held makes no commits"
    backed_up.commit(copy(), "Now")
    assert backed_up.sync().code == 0
    assert states(backed_up) == everywhere("Completed")


def test_suspended_while_one_cluster_waits(fleet: Fleet, backed_up: Workspace) -> None:
    """What has completed stays so, what waits is held; resumed it runs there, and only there."""
    dead, alive = fleet.members
    dead.stop_apiserver()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync().code == 3
    backed_up.commit(copy("suspend: true"), "Stop")
    assert backed_up.sync().code == 1
    assert states(backed_up) == {FIRST: ("Held", "Suspended"), SECOND: ("Completed", "")}
    dead.start_apiserver()
    assert backed_up.sync().code == 1
    assert dead.restores() == []
    backed_up.commit(copy(), "Go on")
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert [len(dead.restores()), len(alive.restores())] == [1, 1]


def test_suspended_while_it_runs_it_is_followed_to_its_end(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.pause_velero()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync("--timeout", "3s").code == 3
    assert states(backed_up) == everywhere("InProgress")
    backed_up.commit(copy("suspend: true"), "Stop")
    for member in fleet.members:
        member.resume_velero()
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert states(backed_up) == everywhere("Completed")


def test_what_is_suspended_may_be_edited_as_nothing_of_it_ran(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit(copy("suspend: true"), "Not yet")
    assert backed_up.sync().code == 1
    there = objects.restore("copy", "before", policy=objects.to_namespace("elsewhere"))
    backed_up.commit({"restores/copy.yaml": there}, "There, and now")
    done = backed_up.sync()
    assert done.code == 0, done.text
    for member in fleet.members:
        assert set(objects.config_maps(member, "elsewhere")) == {"plain", "marked"}
        assert member.api.get("/api/v1/namespaces/copied") is None


def test_what_is_suspended_is_withdrawn_with_its_file(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit(copy("suspend: true"), "Not yet")
    assert backed_up.sync().code == 1
    backed_up.commit({"restores/copy.yaml": None}, "Never")
    backed_up.sync()
    assert states(backed_up) == everywhere("Held", "Withdrawn")
    backed_up.commit(copy(), "Or after all?")
    assert backed_up.sync().code == 1
    assert states(backed_up) == everywhere("Held", "Withdrawn")
    assert [member.restores() for member in fleet.members] == [[], []]


def test_resumed_too_late_it_has_expired(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit(copy("suspend: true\n  startWithin: 1s"), "Not yet")
    assert backed_up.sync().code == 1
    assert states(backed_up) == everywhere("Held", "Suspended")
    time.sleep(1.1)  # what it waits for is the time itself
    backed_up.commit(copy("startWithin: 1s"), "Now")
    assert backed_up.sync().code == 1
    assert states(backed_up) == everywhere("Failed", "Expired")
    backed_up.commit(copy("attempt: 2"), "Now, really")
    assert backed_up.sync().code == 0
    assert states(backed_up) == everywhere("Completed")


def test_a_suspended_backup_is_not_taken(fleet: Fleet, workspace: Workspace) -> None:
    workspace.commit({"backups/b.yaml": objects.backup("b", more="suspend: true")}, "Not yet")
    assert workspace.sync().code == 1
    assert states(workspace, "backups", "b") == everywhere("Held", "Suspended")
    assert [member.backups() for member in fleet.members] == [[], []]
    workspace.commit({"backups/b.yaml": objects.backup("b")}, "Now")
    assert workspace.sync().code == 0


@pytest.mark.parametrize("folder", ["", "deep"])
def test_paused_at_the_root_nothing_new_starts_anywhere(fleet: Fleet, backed_up: Workspace, folder: str) -> None:
    """Whether the whole repository is ours, or a folder of it; a Restore, a Backup and a Schedule alike."""
    workspace = _in_folder(backed_up, folder) if folder else backed_up
    options, under = (("--path", folder), f"{folder}/") if folder else ((), "")
    asked = {"backups/late.yaml": objects.backup("late"), "backups/nightly.yaml": objects.scheduled(), **copy()}
    asked = {f"{under}{name}": content for name, content in asked.items()}
    workspace.commit({PAUSED: "An incident: ask Ada.\n", **asked}, "Nothing for now")
    done = workspace.sync(*options)
    assert done.code == 1, done.text
    assert done.text.count("Paused") >= 4
    held = {
        (member.name, kind)
        for member in fleet.members
        for kind, count in (("restores", 0), ("backups", 1), ("schedules", 0))
        if len(member.api.list(f"/apis/velero.io/v1/namespaces/velero/{kind}")) == count
    }
    assert len(held) == 6
    head = workspace.head()
    assert workspace.sync(*options).code == 1
    assert workspace.head() == head
    workspace.commit({PAUSED: None}, "It is over")
    done = workspace.sync(*options)
    assert done.code == 0, done.text
    assert [len(member.restores()) for member in fleet.members] == [1, 1]


def test_paused_what_runs_is_followed_and_recorded(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.pause_velero()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync("--timeout", "3s").code == 3
    backed_up.commit({PAUSED: ""}, "Nothing new")
    for member in fleet.members:
        member.resume_velero()
    assert backed_up.sync().code == 0
    assert states(backed_up) == everywhere("Completed")
    for member in fleet.members:
        (made,) = member.restores()
        assert "reconciler/recorded" not in made["metadata"].get("finalizers", [])


def _in_folder(backed_up: Workspace, folder: str) -> Workspace:
    """A repository in which all that is ours lies in a folder, with the Backup taken."""
    made = Workspace.create(
        backed_up.root.parent / "mono", backed_up.kubeconfig, backed_up.home, backed_up.processes, backed_up.members
    )
    assert made.run("init", "--path", folder).code == 0
    files = {"fleets/q.yaml": objects.fleet(), "backups/before.yaml": objects.backup("before")}
    for member in backed_up.members:
        member.delete_backup(f"{member.name}-backup-default-before")
    made.commit({f"{folder}/{name}": content for name, content in files.items()}, "Back up")
    assert made.sync("--path", folder).code == 0
    return made
