"""Runs that wait: withdrawn, expired, abandoned, vanished, lost; each ends as the ledger says, and runs nothing."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from tests.fleets import Fleet, Member
from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")


@pytest.fixture
def waiting(fleet: Fleet, backed_up: Workspace) -> Workspace:
    """A Restore that waits for member 1 and has completed on member 2."""
    fleet.members[0].stop_apiserver()
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    assert backed_up.sync().code == 3
    assert backed_up.runs("restores", "copy")[MEMBERS[0]]["phase"] == "Pending"
    return backed_up


def ended(fleet: Fleet, workspace: Workspace, phase: str, reason: str) -> None:
    """Member 1 is back, and its run has ended like that without a Restore there."""
    run = workspace.runs("restores", "copy")[MEMBERS[0]]
    assert (run["phase"], run["reason"]) == (phase, reason)
    fleet.members[0].start_apiserver()
    head = workspace.head()
    workspace.sync()
    assert workspace.head() == head
    assert fleet.members[0].restores() == []
    assert len(fleet.members[1].restores()) == 1


def test_withdrawn_with_its_file(fleet: Fleet, waiting: Workspace) -> None:
    waiting.commit({"restores/copy.yaml": None}, "No more")
    waiting.sync()
    ended(fleet, waiting, "Held", "Withdrawn")


def test_withdrawn_from_one_cluster(fleet: Fleet, waiting: Workspace) -> None:
    waiting.commit({"fleets/quickstart.yaml": objects.fleet(members=MEMBERS[1:])}, "The fleet shrinks")
    assert waiting.sync().code == 1
    ended(fleet, waiting, "Held", "Withdrawn")


def test_changed_after_the_first_run_began(fleet: Fleet, waiting: Workspace) -> None:
    edited = objects.restore("copy", "before", policy=objects.to_namespace("elsewhere"))
    waiting.commit({"restores/copy.yaml": edited}, "Edit")
    assert waiting.sync().code == 1
    ended(fleet, waiting, "Held", "SpecChanged")


def test_abandoned_with_its_cluster(fleet: Fleet, waiting: Workspace) -> None:
    alone = objects.fleet(members=MEMBERS[1:], declared=MEMBERS[1:])
    waiting.commit({"fleets/quickstart.yaml": alone}, "Member 1 is no more")
    assert waiting.sync().code == 1
    ended(fleet, waiting, "Failed", "Abandoned")


def test_too_late(fleet: Fleet, backed_up: Workspace) -> None:
    fleet.members[0].stop_apiserver()
    late = objects.restore("copy", "before", more="startWithin: 1s", policy=COPY)
    backed_up.commit({"restores/copy.yaml": late}, "Copy, now or never")
    assert backed_up.sync("--no-wait").code in (1, 3)
    time.sleep(1.1)
    assert backed_up.sync().code == 1
    ended(fleet, backed_up, "Failed", "Expired")


@pytest.mark.case("broken-file", "nothing that waits is withdrawn")
def test_a_broken_file_freezes_what_waits(fleet: Fleet, waiting: Workspace) -> None:
    """It looks removed, but nobody can tell: nothing is withdrawn, nothing starts, and mended it goes on."""
    whole = (waiting.root / "restores/copy.yaml").read_text()
    waiting.commit({"restores/copy.yaml": "kind: ["}, "Break it")
    fleet.members[0].start_apiserver()
    head = waiting.head()
    assert waiting.sync().code == 1
    assert waiting.head() == head
    assert fleet.members[0].restores() == []
    waiting.commit({"restores/copy.yaml": whole}, "Mend it")
    assert waiting.sync().code == 0
    assert len(fleet.members[0].restores()) == 1


def test_vanished_while_it_ran(fleet: Fleet, backed_up: Workspace) -> None:
    """Somebody took our finalizer off and deleted it: it may have run, and does not run again."""
    member = fleet.members[0]
    member.pause_velero()
    backed_up.commit(
        {"restores/x.yaml": objects.restore("x", "before", more=objects.only(MEMBERS[0]), policy=COPY)}, "Copy"
    )
    assert backed_up.sync("--timeout", "2s").code == 3
    assert backed_up.runs("restores", "x")[MEMBERS[0]]["phase"] == "InProgress"
    path = f"/apis/velero.io/v1/namespaces/velero/restores/{MEMBERS[0]}-restore-default-x"
    member.api.patch_merge(path, {"metadata": {"finalizers": None}})
    member.api.delete(path)
    member.api.wait_gone(path)
    member.resume_velero()
    assert backed_up.sync().code == 1
    assert backed_up.runs("restores", "x")[MEMBERS[0]]["reason"] == "Vanished"
    assert backed_up.sync().code == 1
    assert member.restores() == []


def test_deleted_before_velero_took_it_up(fleet: Fleet, backed_up: Workspace) -> None:
    member = fleet.members[0]
    member.stop_velero()
    backed_up.commit(
        {"restores/x.yaml": objects.restore("x", "before", more=objects.only(MEMBERS[0]), policy=COPY)}, "Copy"
    )
    assert backed_up.sync("--no-wait").code == 3
    member.api.delete(f"/apis/velero.io/v1/namespaces/velero/restores/{MEMBERS[0]}-restore-default-x")
    done = backed_up.sync()
    assert done.code == 1, done.text
    assert backed_up.runs("restores", "x")[MEMBERS[0]]["reason"] == "Deleted"
    member.start_velero()
    assert backed_up.sync().code == 1
    assert member.api.get("/api/v1/namespaces/copied") is None


@pytest.mark.case("gone-meanwhile", "its backup deleted")
def test_finished_and_its_backup_deleted_while_nobody_looked(fleet: Fleet, backed_up: Workspace) -> None:
    """Our finalizer keeps the Restore until its true outcome is recorded."""
    policy = objects.to_namespace("copied")
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=policy)}, "Copy")
    assert backed_up.sync("--no-wait").code == 3
    for member in fleet.members:
        member.api.create(
            "/apis/velero.io/v1/namespaces/velero/deletebackuprequests",
            {
                "apiVersion": "velero.io/v1",
                "kind": "DeleteBackupRequest",
                "metadata": {"generateName": "x-"},
                "spec": {"backupName": f"{member.name}-backup-default-before"},
            },
        )
    for member in fleet.members:
        wait_for(partial(_is_being_deleted, member), 30, f"Velero to delete the Restore of {member.name}")
    done = backed_up.sync()
    assert {run["phase"] for run in backed_up.runs("restores", "copy").values()} == {"Completed"}, done.text
    for member in fleet.members:
        member.api.wait_gone(
            f"/apis/velero.io/v1/namespaces/velero/restores/{member.name}-restore-default-copy", timeout=30
        )
    assert backed_up.sync().code == 0


def _is_being_deleted(member: Member) -> bool:
    """Our finalizer alone still holds it."""
    made = member.restore(f"{member.name}-restore-default-copy")
    return made is not None and "deletionTimestamp" in made["metadata"]


def test_lost_with_a_rewritten_history(fleet: Fleet, backed_up: Workspace) -> None:
    """A Restore that no record knows any more is found on the member by its run id, recorded, and not run again."""
    head = backed_up.head()
    fleet.members[0].stop_velero()
    alone = objects.restore("x", "before", more=objects.only(MEMBERS[0]), policy=COPY)
    backed_up.commit({"restores/x.yaml": alone}, "Copy")
    assert backed_up.sync("--no-wait").code == 3
    backed_up.git("reset", "-q", "--hard", head)
    refused = backed_up.sync()
    assert refused.code == 2
    assert "--accept-rewrite" in refused.err
    fleet.members[0].start_velero()
    done = backed_up.sync("--accept-rewrite", disturbed="a plan looks for nothing that no record knows")
    assert backed_up.runs("restores", "x")[MEMBERS[0]]["phase"] == "Completed", done.text
    (made,) = fleet.members[0].restores()
    assert "reconciler/recorded" not in made["metadata"].get("finalizers", [])


@pytest.mark.case("restart", "recorded")
def test_a_new_machine_takes_over(fleet: Fleet, backed_up: Workspace, tmp_path: Path) -> None:
    """The first machine dies after the create; a fresh clone follows the run, records it and releases it."""
    backed_up.git("clone", "-q", "--bare", ".", str(tmp_path / "upstream.git"))
    upstream = backed_up.at(tmp_path / "upstream.git")
    first, second = upstream.clone(tmp_path / "one"), upstream.clone(tmp_path / "two")
    first.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    first.git("push", "-q")
    assert first.sync("--no-wait").code == 3
    done = second.sync()
    assert done.code == 0, done.text
    for member in fleet.members:
        (made,) = member.restores()
        assert "reconciler/recorded" not in made["metadata"].get("finalizers", [])


def test_where_velero_is_not_all_waits_for_it_as_plan_says(fleet: Fleet, backed_up: Workspace) -> None:
    """Schedules as well, which in the end nothing but a create would be refused for."""
    backed_up.kubeconfig = fleet.kubeconfig  # with the least rights it is Forbidden to look there
    files = {
        "backups/nightly.yaml": objects.scheduled(),
        "backups/now.yaml": objects.backup("now"),
        "restores/copy.yaml": objects.restore("copy", "before", policy=COPY),
    }
    backed_up.commit({**files}, "Ask")
    done = backed_up.sync("--velero-namespace", "nope")
    assert done.code == 3, done.text
    for kind, name in (("backups", "nightly"), ("backups", "now"), ("restores", "copy")):
        for entry in backed_up.runs(kind, name).values():
            assert (entry["phase"], entry["reason"]) == ("Pending", "VeleroMissing")
            assert "name its namespace with --velero-namespace" in entry["message"]
    assert backed_up.sync().code == 0


def test_what_runs_is_not_lost_where_velero_is_looked_for_in_another_namespace(
    fleet: Fleet, backed_up: Workspace
) -> None:
    """Nothing is found there, which proves nothing: neither that a Restore vanished nor that a Schedule is gone."""
    backed_up.kubeconfig = fleet.kubeconfig
    member = fleet.members[0]
    backed_up.commit({"backups/nightly.yaml": objects.scheduled()}, "Every night")
    assert backed_up.sync().code == 0
    member.pause_velero()
    only = objects.restore("x", "before", more=objects.only(member.name), policy=COPY)
    backed_up.commit({"restores/x.yaml": only}, "Copy")
    assert backed_up.sync("--timeout", "2s").code == 3
    backed_up.commit({"backups/nightly.yaml": None}, "No more")

    done = backed_up.sync("--velero-namespace", "nope", "--timeout", "2s", disturbed="nothing is found there")
    assert done.code == 3, done.text
    assert backed_up.runs("restores", "x")[member.name]["phase"] == "InProgress"
    for entry in backed_up.runs("backups", "nightly").values():
        assert (entry["phase"], entry["reason"]) == ("Removing", "VeleroMissing")

    member.resume_velero()
    assert backed_up.sync().code == 0
    assert backed_up.runs("restores", "x")[member.name]["phase"] == "Completed"
    assert {entry["phase"] for entry in backed_up.runs("backups", "nightly").values()} == {"Removed"}
