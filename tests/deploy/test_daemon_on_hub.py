"""The daemon as the chart's Deployment starts it, with the token of the chart's account and no other rights.

It runs as a process here, since nothing runs pods: the repository, the address and the way to the hub are the only
arguments that are not the Deployment's own.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.deploy import chart
from tests.deploy.chart import NAMESPACE, container, of_kind
from tests.deploy.conftest import ACCOUNT, Hub, secret
from tests.real.api import Object
from tests.real.fleet import RealFleet
from tests.real.processes import wait_for
from tests.scenarios import objects, rights
from tests.scenarios.daemons import Daemon
from tests.scenarios.workspace import Workspace

pytestmark = pytest.mark.real
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
OURS = ("--repo", "--listen", "--log-format")


@pytest.fixture
def workspace(hub: Hub, real_fleet: RealFleet, tmp_path: Path) -> Iterator[Workspace]:
    """A repository with a Backup; of the members' kubeconfigs, in Secrets of the hub, the second one is wrong."""
    first, second = real_fleet.members
    for member in real_fleet.members:
        objects.populate(member)
    hub.api.apply(secret("default", first.name, rights.kubeconfig(first, rights.token_of(first))))
    hub.api.apply(secret("default", second.name, rights.kubeconfig(second, "not-known")))
    made = Workspace.create(tmp_path / "fleet", tmp_path / "none", tmp_path / "home", True, real_fleet.members)
    assert made.run("init").code == 0
    made.commit({"fleets/quickstart.yaml": objects.fleet(), "backups/one.yaml": objects.backup("one")}, "Back up")
    yield made
    for member in real_fleet.members:
        hub.api.delete(f"/api/v1/namespaces/default/secrets/{member.name}")


def arguments(hub: Hub, folder: Path) -> list[str]:
    """Those of the Deployment, with the hub as a pod would reach it."""
    (deployment,) = of_kind(hub.objects, "Deployment")
    command, *given = container(deployment)["args"]
    assert command == "sync"
    config = yaml.safe_load(rights.kubeconfig(hub.member, chart.token_of(hub.member, NAMESPACE, ACCOUNT)))
    config["contexts"][0]["context"]["namespace"] = NAMESPACE
    (folder / "hub").write_text(yaml.safe_dump(config))
    return [*(each for each in given if each.split("=")[0] not in OURS), "--hub-kubeconfig", str(folder / "hub")]


def test_it_works_with_the_charts_account_alone(hub: Hub, workspace: Workspace, tmp_path: Path) -> None:
    first, second = workspace.members
    before = len(hub.member.writes(USER))
    hub.api.delete(f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/reconciler")
    with Daemon(workspace, *arguments(hub, tmp_path)) as daemon:
        wait_for(lambda: phases(workspace).get(first.name) == "Completed", 60, "the backup of the first member")
        assert workspace.runs("backups", "one")[second.name]["reason"] == "Unauthorized"
        hub.api.apply(secret("default", second.name, rights.kubeconfig(second, rights.token_of(second))))
        wait_for(
            lambda: phases(workspace).get(second.name) == "Completed", 90, "the Secret that was rotated to be used"
        )
        asked = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(15) == 0
        assert time.monotonic() - asked < 10
    written = hub.member.writes(USER)[before:]
    assert {event["responseStatus"]["code"] for event in written} <= {200, 201}, "nothing was refused"
    made = {(event["objectRef"]["resource"], event["verb"]) for event in written}
    assert made == {("leases", "create"), ("leases", "update"), ("events", "create")}
    assert "not-known" not in daemon.text


def phases(workspace: Workspace) -> dict[str, str]:
    """Of the runs by cluster, none where nothing is recorded yet."""
    if "status/backups/default/one.yaml" not in workspace.recorded():
        return {}
    runs: dict[str, Object] = workspace.runs("backups", "one")
    return {name: run["phase"] for name, run in runs.items()}
