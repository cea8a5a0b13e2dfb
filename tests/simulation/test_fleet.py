"""The simulated fleet as a whole: its files, its members' independence, its time, its size."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
import requests
import yaml

from reconciler.simulation.client import ApiError
from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember
from tests.real.api import Api
from tests.simulation.fixtures import client_of

BACKUPS = "/apis/velero.io/v1/namespaces/velero/backups"
SPACE = {"metadata": {"name": "space"}}


@pytest.fixture
def fleet(simulated_fleet: SimulatedFleet) -> SimulatedFleet:
    simulated_fleet.reset()
    return simulated_fleet


def back_up(member: SimulatedMember, name: str = "first") -> None:
    spec = {"includedNamespaces": ["space"], "storageLocation": "default"}
    body = {"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": name}, "spec": spec}
    member.api.create(BACKUPS, body)
    member.wait_phase("backups", name, "Completed")


def test_kubeconfigs_give_cluster_admin_under_the_members_names(fleet: SimulatedFleet) -> None:
    merged = yaml.safe_load(fleet.kubeconfig.read_text())
    assert [context["name"] for context in merged["contexts"]] == [member.name for member in fleet.members]
    for member in fleet.members:
        assert member.kubeconfig == fleet.kubeconfig_directory / member.name / "value"
        config = yaml.safe_load(member.kubeconfig_text)
        assert config["current-context"] == member.name
        assert config["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
        assert stat.S_IMODE(member.kubeconfig.stat().st_mode) == 0o600


def test_members_are_apart(fleet: SimulatedFleet) -> None:
    one, two = fleet.members
    uids = {member.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"] for member in fleet.members}
    assert len(uids) == 2
    one.api.create("/api/v1/namespaces", SPACE)
    back_up(one)
    assert two.api.get("/api/v1/namespaces/space") is None
    assert two.backups() == []
    with pytest.raises(Exception, match="Unauthorized"):
        Api(two.url, one.tokens["admin"], fleet.certificates.authority).list("/api/v1/namespaces")


def test_the_same_by_the_shared_port(fleet: SimulatedFleet) -> None:
    """All members under one port, each with a path, beside the ports of their own."""
    member = fleet.members[1]
    shared = f"https://127.0.0.1:{fleet.server.shared_port}/members/{member.name}"
    found = Api(shared, member.tokens["rig"], fleet.certificates.authority).get("/api/v1/namespaces/kube-system")
    assert found == member.api.get("/api/v1/namespaces/kube-system")
    nobody = requests.get(
        f"https://127.0.0.1:{fleet.server.shared_port}/members/nobody/api",
        verify=str(fleet.certificates.authority),
        timeout=5,
    )
    assert nobody.status_code == 404


def test_reset_makes_a_member_pristine(fleet: SimulatedFleet) -> None:
    member = fleet.members[0]
    member.api.create("/api/v1/namespaces", SPACE)
    member.api.create("/api/v1/namespaces/space/configmaps", {"metadata": {"name": "a", "finalizers": ["e.com/a"]}})
    back_up(member)
    member.delete_velero_deployment()
    member.forbid("list", "backups")
    member.faults.dead()
    member.stop_velero()
    member.stop_apiserver()
    fleet.s3.stop()
    member.reset()
    assert member.backups() == member.restores() == []
    member.api.wait_gone("/api/v1/namespaces/space", 5)
    assert member.storage_phase() == "Available"
    member.api.create("/api/v1/namespaces", SPACE)
    back_up(member)


def test_time_moves_on_for_all(fleet: SimulatedFleet) -> None:
    member = fleet.members[0]
    member.api.create("/api/v1/namespaces", SPACE)
    back_up(member)
    fleet.advance(days=31)
    member.api.wait_gone(f"{BACKUPS}/first", 10)


def test_without_storage(fleet: SimulatedFleet) -> None:
    fleet.s3.stop()
    for member in fleet.members:
        member.wait_storage("Unavailable")
    fleet.s3.start()
    for member in fleet.members:
        member.wait_storage("Available")


def test_its_own_client_speaks_as_the_tests_does(fleet: SimulatedFleet) -> None:
    own, tests = fleet.members[0].rig, client_of(fleet, fleet.members[0])
    path = "/api/v1/namespaces/default/configmaps"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "namespace": "default"}}
    own.apply({**body, "data": {"k": "v"}})
    assert own.get(f"{path}/own") == tests.get(f"{path}/own")
    assert own.list(path, "none=such") == []
    own.patch_merge(f"{path}/own", {"metadata": {"labels": {"a": "b"}}})
    assert [each["metadata"]["name"] for each in own.list(path, "a=b")] == ["own"]
    with pytest.raises(ApiError, match=r'409: POST .*: configmaps "own" already exists') as caught:
        own.create(path, {"metadata": {"name": "own"}})
    assert caught.value.status == 409
    assert own.delete(f"{path}/own")
    own.wait_gone(f"{path}/own")
    assert own.get(f"{path}/own") is None
    assert not own.delete(f"{path}/own")


def test_a_thousand_members_start_in_under_ten_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    with SimulatedFleet(tmp_path, [f"member-{number}" for number in range(1000)]) as fleet:
        assert time.monotonic() - started < 10
        last = fleet.members[-1]
        client = Api(last.url, last.tokens["admin"], fleet.certificates.authority)
        (location,) = client.list(f"{BACKUPS[:-8]}/backupstoragelocations")
        assert location["status"]["phase"] == "Available"
        last.stop_apiserver()
        with pytest.raises(requests.ConnectionError):
            client.get(BACKUPS)
        last.start_apiserver()
        assert client.list(BACKUPS) == []
