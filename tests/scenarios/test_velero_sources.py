"""`spec.source`: a Restore from Velero's own Backups and Schedules, made by Helm or the velero CLI and by no file."""

from __future__ import annotations

from tests.behaviour.velero import create, pass_time, run
from tests.fleets import Fleet, Member
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS, NAMESPACE, scheduled
from tests.scenarios.velero_objects import run_schedule, runs, schedule_name, set_content
from tests.scenarios.workspace import Workspace

TEMPLATE = {"includedNamespaces": [NAMESPACE], "ttl": "720h0m0s"}
COPY = objects.to_namespace("copied")


def restore(source: str, *lines: str, where: tuple[str, ...] = MEMBERS) -> str:
    """A Restore of a Velero object on those clusters."""
    content = objects.restore("copy", "-", more="\n  ".join((objects.only(*where), *lines)), policy=COPY)
    return content.replace("backupName: -", f"source: {{{source}}}")


def sync(workspace: Workspace, content: str, code: int = 0) -> str:
    """What the command printed for that Restore."""
    workspace.commit({"restores/copy.yaml": content}, "Copy what Velero has")
    done = workspace.sync()
    assert done.code == code, done.text
    return done.text


def restored(member: Member) -> str:
    return str(objects.config_maps(member, "copied")["plain"]["of"])


def helm_installs(member: Member, name: str = "velero-daily") -> None:
    """As Velero's chart makes Schedules; paused here, so that it runs when the test says."""
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    create(member, "Schedule", name, {"schedule": "@daily", "template": TEMPLATE, "paused": True}, labels=labels)


def test_a_backup_that_no_file_made(fleet: Fleet, workspace: Workspace) -> None:
    for member in fleet.members:
        run(member, "Backup", "by-hand", TEMPLATE)
        member.remove_namespace(NAMESPACE)
    content = restore("backup: by-hand")
    workspace.commit({"restores/back.yaml": content.replace("name: copy", "name: back").replace(COPY, "{}")}, "Back")
    sync(workspace, content)
    for member in fleet.members:
        assert restored(member) == member.name
        assert set(objects.config_maps(member)) == {"plain", "marked"}
        assert [backup["metadata"]["name"] for backup in member.backups()] == ["by-hand"]
    entries = workspace.runs("restores", "copy").values()
    assert {entry["backupNameInCluster"] for entry in entries} == {"by-hand"}
    assert workspace.record("restores", "copy")["spec"]["source"] == {"backup": "by-hand"}


def test_on_one_cluster_alone(fleet: Fleet, workspace: Workspace) -> None:
    chosen, other = fleet.members
    for member in fleet.members:
        run(member, "Backup", "by-hand", TEMPLATE)
    sync(workspace, restore("backup: by-hand", where=(chosen.name,)))
    assert restored(chosen) == chosen.name
    assert other.restores() == []


def test_a_cluster_that_lacks_it_waits_by_name_and_the_other_goes_on(fleet: Fleet, workspace: Workspace) -> None:
    without, ready = fleet.members
    run(ready, "Backup", "by-hand", TEMPLATE)
    text = sync(workspace, restore("backup: by-hand"), code=3)
    assert "BackupNotFound" in text
    assert "Backup by-hand is not on this cluster" in text
    assert workspace.runs("restores", "copy")[without.name]["phase"] == "Pending"
    assert restored(ready) == ready.name
    run(without, "Backup", "by-hand", TEMPLATE)
    done = workspace.sync()
    assert done.code == 0, done.text
    assert restored(without) == without.name


def test_the_newest_run_of_a_schedule_that_helm_installed(fleet: Fleet, workspace: Workspace) -> None:
    for member in fleet.members:
        helm_installs(member)
        set_content(member, "first")
        run_schedule(member, "one", of="velero-daily")
    pass_time(fleet, 1)
    for member in fleet.members:
        set_content(member, "second")
        run_schedule(member, "two", of="velero-daily")
    sync(workspace, restore("schedule: velero-daily"))
    for member in fleet.members:
        assert restored(member) == "second"
        assert len(runs(member, of="velero-daily")) == 2
        assert len(member.backups()) == 2
    assert not any(path.startswith("status/backups/") for path in workspace.recorded()), "they are none of ours"


def test_one_that_exists_nowhere_waits(fleet: Fleet, workspace: Workspace) -> None:
    text = sync(workspace, restore("schedule: velero-dialy"), code=3)
    assert "Schedule velero-dialy has no backup on this cluster" in text
    assert [member.restores() for member in fleet.members] == [[], []]


def test_the_runs_of_a_schedule_of_ours_whose_file_is_gone(fleet: Fleet, workspace: Workspace) -> None:
    """Its backups stay, and are Velero's own from now on; each cluster has them under a name of its own."""
    member = fleet.members[0]
    workspace.commit({"backups/nightly.yaml": scheduled()}, "Every night")
    assert workspace.sync().code == 0
    run_schedule(member, "one")
    workspace.commit({"backups/nightly.yaml": None}, "No more")
    assert workspace.sync().code == 0
    sync(workspace, restore(f"schedule: {schedule_name(member)}", where=(member.name,)))
    assert restored(member) == member.name


def test_a_backup_that_failed_is_refused(fleet: Fleet, workspace: Workspace) -> None:
    for member in fleet.members:
        run(member, "Backup", "by-hand", {**TEMPLATE, "storageLocation": "nowhere"})
    text = sync(workspace, restore("backup: by-hand"), code=1)
    assert "BackupFailed" in text
    assert "Backup by-hand is FailedValidation" in text
    assert [member.restores() for member in fleet.members] == [[], []]
