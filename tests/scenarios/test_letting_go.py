"""Our finalizer stays on a Restore for a while after its end is recorded, and nobody can create it again meanwhile."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.behaviour.velero import path
from tests.fleets import Fleet, Object
from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.workspace import Workspace

FINALIZER = "reconciler/recorded"
RECORDED = "Recorded. For "


def begin(workspace: Workspace, fleet: Fleet, seconds: int) -> tuple[subprocess.Popen[str], list[Object]]:
    """A sync that has told how it ended and waits, and the Restores that it made."""
    content = objects.restore("copy", "before", policy=objects.to_namespace("copied"))
    workspace.commit({"restores/copy.yaml": content}, "Copy")
    process = workspace.start("sync", "--once", "--release-after", f"{seconds}s")
    assert process.stderr
    for line in process.stderr:
        if line.startswith(RECORDED):
            break
    made = [restore for member in fleet.members for restore in member.restores()]
    assert [restore["status"]["phase"] for restore in made] == ["Completed"] * len(fleet.members)
    assert all(FINALIZER in restore["metadata"]["finalizers"] for restore in made)
    return process, made


def test_what_is_deleted_meanwhile_cannot_be_created_a_second_time(fleet: Fleet, backed_up: Workspace) -> None:
    process, made = begin(backed_up, fleet, 20)
    for member, restore in zip(fleet.members, made, strict=True):
        name = restore["metadata"]["name"]
        member.api.delete(path("Restore", name))
        again = {**restore, "metadata": {"name": name, "namespace": "velero"}, "status": {}}
        with pytest.raises(Exception, match=r"409|already exists|AlreadyExists"):
            member.api.create(path("Restore"), again)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Completed on 2 of 2 clusters" in out
    for member in fleet.members:
        wait_for(lambda member=member: member.restores() == [], 30, f"the Restore of {member.name} to go")  # type: ignore[misc]
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert [member.restores() for member in fleet.members] == [[], []]


def test_a_sync_that_is_interrupted_meanwhile_leaves_it_to_the_next_one(fleet: Fleet, backed_up: Workspace) -> None:
    process, _ = begin(backed_up, fleet, 300)
    head = backed_up.head()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0, "all succeeded, and it had said so"
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert backed_up.head() == head
    for member in fleet.members:
        (restore,) = member.restores()
        assert FINALIZER not in restore["metadata"].get("finalizers", [])


def test_without_waiting_it_is_left_to_the_next_one(fleet: Fleet, backed_up: Workspace) -> None:
    content = objects.restore("copy", "before", policy=objects.to_namespace("copied"))
    backed_up.commit({"restores/copy.yaml": content}, "Copy")
    while backed_up.sync("--no-wait", "--release-after", "300s").code == 3:
        pass
    assert all(FINALIZER in r["metadata"]["finalizers"] for member in fleet.members for r in member.restores())
    assert backed_up.sync().code == 0
    assert not any(FINALIZER in r["metadata"].get("finalizers", []) for m in fleet.members for r in m.restores())
