"""Kurator's documented examples for unified backup and restore, byte for byte as its repository has them, run here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleets import Fleet, Member
from tests.scenarios import velero_objects
from tests.scenarios.objects import MEMBERS, NAMESPACE
from tests.scenarios.workspace import Workspace

EXAMPLES = Path(__file__).parent / "kurator"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def example(name: str) -> str:
    return (EXAMPLES / f"{name}.yaml").read_text()


@pytest.fixture
def documented(fleet: Fleet, workspace: Workspace) -> Workspace:
    """The fleet of "Install Backup Plugin", and the Pod that the guides deploy on each cluster."""
    for member in fleet.members:
        pod = {"name": "busybox", "namespace": NAMESPACE, "labels": {"app": "busybox"}}
        run = {"name": "busybox", "image": "busybox:1.35", "args": ["sleep", "1d"]}
        spec = {"automountServiceAccountToken": False, "containers": [run]}
        member.api.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": pod, "spec": spec})
    files = {"fleets/quickstart.yaml": example("fleet-minio"), "fleets/clusters.yaml": example("attachedcluster")}
    workspace.commit(files, "Install Backup Plugin")
    return workspace


def ask(workspace: Workspace, *names: str) -> None:
    """`kubectl apply -f examples/backup/NAME.yaml`, here a commit, and a sync of it."""
    workspace.commit({f"{name.partition('-')[0]}s/{name}.yaml": example(name) for name in names}, "Apply examples")
    done = workspace.sync()
    assert done.code == 0, done.text


def busybox(member: Member) -> bool:
    return member.api.get(f"{PODS}/busybox") is not None


def test_an_immediate_backup_by_label_and_its_restore(fleet: Fleet, documented: Workspace) -> None:
    ask(documented, "backup-select-labels")
    runs = documented.runs("backups", "select-labels")
    for name in MEMBERS:
        assert runs[name]["clusterKind"] == "AttachedCluster"
        assert runs[name]["backupNameInCluster"] == f"{name}-backup-default-select-labels"
        assert runs[name]["backupStatusInCluster"]["phase"] == "Completed"
    for member in fleet.members:
        (made,) = member.backups()
        assert made["spec"]["labelSelector"] == {"matchLabels": {"app": "busybox"}}
        assert made["spec"]["ttl"].startswith("720h")
        member.remove_namespace(NAMESPACE)

    ask(documented, "restore-minimal")
    runs = documented.runs("restores", "minimal")
    for member in fleet.members:
        assert busybox(member)
        assert member.api.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/plain") is None, "it has no such label"
        assert runs[member.name]["restoreNameInCluster"] == f"{member.name}-restore-default-minimal"
        assert runs[member.name]["restoreStatusInCluster"]["phase"] == "Completed"


def test_an_immediate_backup_of_all_that_a_cluster_holds(fleet: Fleet, documented: Workspace) -> None:
    ask(documented, "backup-minimal")
    runs = documented.runs("backups", "minimal")
    for member in fleet.members:
        assert runs[member.name]["backupStatusInCluster"]["phase"] == "Completed"
        (made,) = member.backups()
        assert made["status"]["progress"]["itemsBackedUp"] > 5


def test_a_scheduled_backup_and_a_restore_from_its_newest(fleet: Fleet, documented: Workspace) -> None:
    """On the second cluster alone, as both say; the schedule's first run is asked for by hand, to save five minutes."""
    first, second = fleet.members
    ask(documented, "backup-schedule")
    assert first.api.list("/apis/velero.io/v1/namespaces/velero/schedules") == []
    made = velero_objects.there(second, "schedule")
    assert made["spec"]["schedule"] == "*/5 * * * *"
    name = velero_objects.schedule_name(second, "schedule")
    taken = velero_objects.run_schedule(second, "by-hand", of=name)
    assert taken["status"]["phase"] == "Completed"
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)

    ask(documented, "restore-schedule")
    assert [busybox(member) for member in fleet.members] == [False, True]
    (run,) = documented.runs("restores", "schedule").values()
    assert run["backupNameInCluster"] in {backup["metadata"]["name"] for backup in velero_objects.runs(second, name)}
    (restore,) = second.restores()
    assert restore["spec"]["labelSelector"] == {"matchLabels": {"app": "busybox"}}


def test_what_is_none_of_our_business_is_passed_over_with_a_note(documented: Workspace) -> None:
    """The Application of the guide, of another of Kurator's groups, may lie beside."""
    documented.commit({"backups/app-backup-demo.yaml": example("app-backup-demo")}, "All of the folder")
    done = documented.run("validate")
    assert done.code == 0, done.text
    assert "backups/app-backup-demo.yaml:2: Application ignored" in done.text
    assert documented.sync().code == 0


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_each_names_its_source_and_is_otherwise_unchanged(file: Path) -> None:
    head, rest = file.read_text().split("\n", 1)
    assert head.startswith("# Unchanged from kurator-dev/kurator@")
    assert rest.startswith("apiVersion: ")
