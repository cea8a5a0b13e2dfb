"""`sync --once` and `plan` with kubeconfigs out of a hub, on both fleets; its reader may `get` those Secrets alone."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.rights import kubeconfig
from tests.scenarios.workspace import Workspace

SECRETS = "/api/v1/namespaces/default/secrets"
READER = {"name": "secret-reader", "namespace": "default"}
RBAC = "rbac.authorization.k8s.io"


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    found: Fleet = request.getfixturevalue(f"{request.param}_fleet")
    for member in found.members:
        member.reset()
        objects.populate(member)
    return found


@pytest.fixture
def hub(fleet: Fleet, tmp_path: Path) -> Path:
    """The kubeconfig of somebody who may read the two Secrets of the hub, which is the first member, and no more."""
    member = fleet.members[0]
    for each in fleet.members:
        data = {"value": base64.b64encode(each.kubeconfig_text.encode()).decode()}
        member.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": _named(each.name), "data": data})
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": objects.MEMBERS}]
    subjects = [{"kind": "ServiceAccount", **READER}]
    role = {"kind": "Role", "name": READER["name"], "apiGroup": RBAC}
    metadata = _named(READER["name"])
    member.api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    member.api.apply({"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules})
    binding = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": metadata}
    member.api.apply({**binding, "subjects": subjects, "roleRef": role})
    path = f"/api/v1/namespaces/default/serviceaccounts/{READER['name']}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = str(member.api.request("POST", path, asked)["status"]["token"])
    (tmp_path / "hub").write_text(kubeconfig(member, token))
    return tmp_path / "hub"


@pytest.fixture
def workspace(fleet: Fleet, tmp_path: Path) -> Workspace:
    """Of a user who has no kubeconfig."""
    made = Workspace.create(tmp_path / "fleet", tmp_path / "none", tmp_path / "home", members=fleet.members)
    assert made.run("init").code == 0
    made.commit({"fleets/quickstart.yaml": objects.fleet()}, "Declare the fleet")
    made.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    return made


def test_sync_and_plan(workspace: Workspace, hub: Path) -> None:
    plan = workspace.run("plan", "--hub-kubeconfig", str(hub))
    assert plan.code == 1, plan.text
    assert "SecretMissing" not in plan.text
    done = workspace.run("sync", "--once", "--timeout", "200s", "--hub-kubeconfig", str(hub))  # Velero comes back
    assert done.code == 0, done.text
    assert {run["phase"] for run in workspace.runs("backups", "before").values()} == {"Completed"}
    assert workspace.run("plan", "--hub-kubeconfig", str(hub)).code == 0


def test_without_the_hub_option_there_is_no_kubeconfig(workspace: Workspace) -> None:
    done = workspace.run("sync", "--once", "--timeout", "60s")
    assert done.code == 3, done.text
    assert {run["reason"] for run in workspace.runs("backups", "before").values()} == {"KubeconfigMissing"}


def test_a_cluster_without_a_secret_waits_alone(workspace: Workspace, hub: Path, fleet: Fleet) -> None:
    other = fleet.members[1]
    fleet.members[0].api.delete(f"{SECRETS}/{other.name}")
    done = workspace.run("sync", "--once", "--timeout", "60s", "--hub-kubeconfig", str(hub))
    assert done.code == 3, done.text
    runs = workspace.runs("backups", "before")
    assert runs[fleet.members[0].name]["phase"] == "Completed"
    assert (runs[other.name]["phase"], runs[other.name]["reason"]) == ("Pending", "SecretMissing")
    assert f"Secret default/{other.name} of the hub is not there" in done.text


@pytest.mark.parametrize("other", [["--kubeconfig", "x"], ["--kubeconfig-dir", "."], ["--context", "a=b"]])
def test_one_source_only(workspace: Workspace, hub: Path, other: list[str]) -> None:
    for command in (["plan"], ["sync", "--once"]):
        done = workspace.run(*command, "--hub-kubeconfig", str(hub), *other)
        assert done.code == 2
        assert "choose one" in done.err


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "default"}
