"""The rig itself works: what the other tests on the real fleet take for granted."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.real.api import ApiError, Object
from tests.real.fleet import RealFleet
from tests.real.member import Member
from tests.real.processes import Process, ProcessDied, WaitTimeout, wait_for
from tests.real.velero import VELERO_API

pytestmark = pytest.mark.real

NAMESPACE = "kurator-backup"
NAMESPACE_PATH = f"/api/v1/namespaces/{NAMESPACE}"
TERMINAL = ("Completed", "PartiallyFailed", "Failed", "FailedValidation")


@pytest.fixture
def member(pristine_fleet: RealFleet) -> Member:
    return pristine_fleet.member("kurator-member1")


def add_configmap(member: Member, namespace: str = NAMESPACE) -> None:
    member.api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    member.api.create(
        f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "settings"}, "data": {"colour": "blue"}}
    )


def create_velero(member: Member, kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> None:
    body = {"apiVersion": "velero.io/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}
    member.api.create(f"{VELERO_API}/{kind.lower()}s", body)


def ended(member: Member, kind: str, name: str) -> Object:
    def look() -> Object | None:
        found = member.api.get(f"{VELERO_API}/{kind.lower()}s/{name}") or {}
        return found if found.get("status", {}).get("phase") in TERMINAL else None

    return wait_for(look, 60, f"{kind} {name} to end")


def back_up(member: Member, name: str = "first") -> Object:
    create_velero(member, "Backup", name, {"includedNamespaces": [NAMESPACE], "storageLocation": "default"})
    return ended(member, "Backup", name)


def restore_errors(member: Member, name: str) -> list[str]:
    """The texts that Velero keeps in S3, by the way that a client has to them."""
    create_velero(member, "DownloadRequest", "results", {"target": {"kind": "RestoreResults", "name": name}})
    path = f"{VELERO_API}/downloadrequests/results"
    url = wait_for(lambda: (member.api.get(path) or {}).get("status", {}).get("downloadURL"), 10, "a download URL")
    errors: list[str] = json.loads(gzip.decompress(requests.get(url, timeout=5).content))["errors"]["velero"]
    return errors


def test_both_members_are_ready_and_apart(pristine_fleet: RealFleet) -> None:
    uids = set()
    for member in pristine_fleet.members:
        assert member.storage_phase() == "Available"
        system = member.api.get("/api/v1/namespaces/kube-system")
        assert system is not None
        uids.add(system["metadata"]["uid"])
    assert len(uids) == 2


def test_kubeconfigs_give_cluster_admin_under_the_members_names(real_fleet: RealFleet) -> None:
    merged = yaml.safe_load(real_fleet.kubeconfig.read_text())
    assert [context["name"] for context in merged["contexts"]] == [member.name for member in real_fleet.members]
    for member in real_fleet.members:
        assert member.kubeconfig == real_fleet.kubeconfig_directory / member.name / "value"
        config = yaml.safe_load(member.kubeconfig_text)
        assert config["current-context"] == member.name
        assert config["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")


def test_backup_and_restore(member: Member) -> None:
    add_configmap(member)
    assert back_up(member)["status"]["phase"] == "Completed"
    member.api.delete(NAMESPACE_PATH)  # as the cluster does it
    member.api.wait_gone(NAMESPACE_PATH)
    create_velero(member, "Restore", "again", {"backupName": "first"})
    assert ended(member, "Restore", "again")["status"]["phase"] == "Completed"
    found = member.api.get(f"{NAMESPACE_PATH}/configmaps/settings")
    assert found is not None
    assert found["data"] == {"colour": "blue"}
    assert [restore["metadata"]["name"] for restore in member.restores()] == ["again"]
    member.delete_backup("first")
    assert member.backups() == member.restores() == []
    assert not any((member.s3.folder(member.name) / "backups").glob("first/*"))


def test_a_pod_is_restored_only_where_the_deployment_velero_is(member: Member) -> None:
    add_configmap(member)
    container = {"name": "busybox", "image": "busybox"}
    member.api.create(f"{NAMESPACE_PATH}/pods", {"metadata": {"name": "pod"}, "spec": {"containers": [container]}})
    assert back_up(member)["status"]["phase"] == "Completed"
    member.delete_velero_deployment()
    for name, phase in (("without", "PartiallyFailed"), ("with", "Completed")):
        member.remove_namespace(NAMESPACE)
        create_velero(member, "Restore", name, {"backupName": "first"})
        assert ended(member, "Restore", name)["status"]["phase"] == phase
        member.create_velero_deployment()
    assert member.api.get(f"{NAMESPACE_PATH}/pods/pod") is not None
    assert 'deployments.apps "velero" not found' in restore_errors(member, "without")[0]


def test_a_stopped_api_server_comes_back_as_it_was(member: Member) -> None:
    add_configmap(member)
    kubeconfig = member.kubeconfig_text
    member.stop_apiserver()
    with pytest.raises(requests.ConnectionError):
        member.api.get(NAMESPACE_PATH)
    member.start_apiserver()
    assert member.api.get(f"{NAMESPACE_PATH}/configmaps/settings") is not None
    assert member.kubeconfig_text == kubeconfig


def test_a_paused_api_server_does_not_answer(member: Member) -> None:
    member.pause_apiserver()
    with pytest.raises(requests.Timeout):
        member.api.request("GET", NAMESPACE_PATH, timeout=0.5)
    member.resume_apiserver()
    assert member.api.get("/api/v1/namespaces/velero") is not None


def test_without_velero_restores_stay_new(member: Member) -> None:
    add_configmap(member)
    back_up(member)
    member.stop_velero()
    create_velero(member, "Restore", "waiting", {"backupName": "first"})
    time.sleep(1)
    assert "status" not in (member.restore("waiting") or {})
    member.start_velero()
    assert ended(member, "Restore", "waiting")["status"]["phase"] == "Completed"


def test_a_paused_velero_leaves_restores_new(member: Member) -> None:
    add_configmap(member)
    back_up(member)
    member.pause_velero()
    create_velero(member, "Restore", "waiting", {"backupName": "first"})
    time.sleep(1)
    assert "status" not in (member.restore("waiting") or {})
    member.resume_velero()
    assert ended(member, "Restore", "waiting")["status"]["phase"] == "Completed"


def test_without_s3_storage_is_unavailable(member: Member) -> None:
    member.s3.stop()
    member.wait_storage("Unavailable")
    member.s3.start()
    member.wait_storage("Available")


def test_the_audit_log_tells_the_products_writes_from_the_others(member: Member) -> None:
    before = len(member.writes())
    add_configmap(member)
    assert len(member.writes()) == before
    assert any(event["verb"] == "create" for event in member.writes("rig"))
    product = member.cluster.client("admin")
    assert product.get(NAMESPACE_PATH) is not None
    product.delete(f"{NAMESPACE_PATH}/configmaps/settings")
    (event,) = member.writes()[before:]
    assert (event["verb"], event["objectRef"]["name"]) == ("delete", "settings")


def test_an_unknown_field_is_refused(member: Member) -> None:
    with pytest.raises(ApiError, match="unknown field"):
        create_velero(member, "Backup", "odd", {"noSuchField": True})


def test_reset_makes_a_member_pristine(member: Member) -> None:
    add_configmap(member)
    back_up(member)
    create_velero(member, "Restore", "kept", {"backupName": "first"}, finalizers=["example.com/kept"])
    ended(member, "Restore", "kept")
    create_velero(member, "Schedule", "daily", {"schedule": "0 1 * * *", "template": {}})
    member.delete_velero_deployment()
    member.stop_velero()
    member.stop_apiserver()
    member.s3.stop()
    member.reset()
    assert member.backups() == member.restores() == member.api.list(f"{VELERO_API}/schedules") == []
    assert member.api.get(NAMESPACE_PATH) is None
    assert not member.s3.folder(member.name).exists()
    assert all(process.alive for process in (*member.processes, member.s3.process))
    assert member.storage_phase() == "Available"
    add_configmap(member)
    assert back_up(member)["status"]["phase"] == "Completed"


def test_a_member_with_nothing_to_clean_is_reset_quickly(member: Member) -> None:
    started = time.monotonic()
    member.reset()
    assert time.monotonic() - started < 3


def test_a_killed_parent_leaves_no_process_behind(real_fleet: RealFleet, tmp_path: Path) -> None:
    """With a grandchild, a stopped one at that: neither a paused process nor Velero's plugins may stay."""
    script = f"""
import time
from pathlib import Path
from tests.real.processes import Process
process = Process("shell", ["sh", "-c", "sleep 600 & sleep 600"], log=Path({str(tmp_path / "log")!r}))
process.start()
process.pause()
print(process.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    group = int(parent.stdout.readline())
    parent.stdout.close()
    os.killpg(group, 0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not group_exists(group), 5, "the process group to be gone")


def test_a_process_that_dies_is_reported_with_its_log(tmp_path: Path) -> None:
    process = Process("shell", ["sh", "-c", "echo the reason; exit 3"], log=tmp_path / "log")
    process.start()
    with pytest.raises(ProcessDied, match=r"shell ended by itself with exit code 3(.|\n)*the reason"):
        process.wait_ready(lambda: False, 5)


def test_a_wait_says_what_it_waited_for() -> None:
    with pytest.raises(WaitTimeout, match="the moon"):
        wait_for(lambda: False, 0.1, "the moon")


def group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_namespace_is_removed_with_all_that_it_holds(member: Member) -> None:
    add_configmap(member)
    member.api.patch_merge(f"{NAMESPACE_PATH}/configmaps/settings", {"metadata": {"finalizers": ["example.com/kept"]}})
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    member.api.create(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", {"metadata": {"name": "a"}, "spec": spec})
    wait_for(lambda: len(member.api.list(f"{NAMESPACE_PATH}/pods")) == 3, 20, "three pods")
    member.remove_namespace(NAMESPACE)
    assert member.api.get(NAMESPACE_PATH) is None
    time.sleep(1)
    for path in (
        f"{NAMESPACE_PATH}/pods",
        f"{NAMESPACE_PATH}/configmaps",
        f"/apis/apps/v1{NAMESPACE_PATH[7:]}/replicasets",
    ):
        assert member.api.list(path) == []
