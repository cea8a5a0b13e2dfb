"""Two replicas with `--leader-elect`: one works, the other takes over when it was killed, and nothing runs twice."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.fleets import Fleet
from tests.real.processes import wait_for
from tests.scenarios import objects, rights
from tests.scenarios.daemons import Daemon
from tests.scenarios.workspace import Workspace, audited_creates

FAILS_OVER_WITHIN = 15.0
SECRETS = "/api/v1/namespaces/default/secrets"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases/reconciler"


@pytest.fixture
def hub(fleet: Fleet) -> Iterator[Path]:
    """The first member, with the kubeconfigs of all in Secrets."""
    member = fleet.members[0]
    for each in fleet.members:
        data = {"value": base64.b64encode(each.kubeconfig_text.encode()).decode()}
        metadata = {"name": each.name, "namespace": "default"}
        member.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    yield member.kubeconfig
    member.api.delete(LEASE)
    for each in fleet.members:
        member.api.delete(f"{SECRETS}/{each.name}")


class Replicas:
    """A person's clone of a bare repository, and machines that each have a mirror of their own."""

    def __init__(self, workspace: Workspace, hub: Path, folder: Path) -> None:
        bare = folder / "server.git"
        workspace.git("clone", "-q", "--bare", str(workspace.root), str(bare))
        self.person = workspace.at(bare).clone(folder / "person")
        options = ("--interval", "1s", "--leader-elect", "--events", "--lease-namespace", "default")
        self._options = ("--repo", bare.as_uri(), "--hub-kubeconfig", str(hub), *options)
        self._folder = folder

    def machine(self, name: str) -> Daemon:
        home = self._folder / name
        home.mkdir(exist_ok=True)
        at = Workspace(self.person.root, self._folder / "no-kubeconfig", home, members=self.person.members)
        return Daemon(at, *self._options)

    def push(self, files: dict[str, str]) -> None:
        self.person.git("pull", "-q", "--rebase")
        self.person.commit(files, "Ask for it")
        self.person.git("push", "-q")

    def ended(self, name: str) -> None:
        path = f"status/restores/default/{name}.yaml"

        def done() -> bool:
            self.person.git("fetch", "-q")
            if path not in self.person.git("ls-tree", "-r", "--name-only", "origin/main").splitlines():
                return False
            runs = self.person.record("restores", name, "origin/main")["status"]["restoreDetails"]
            return {run["phase"] for run in runs} == {"Completed"}

        wait_for(done, 60, f"Restore {name}", every=0.3)


@pytest.fixture
def replicas(workspace: Workspace, hub: Path, tmp_path: Path) -> Replicas:
    return Replicas(workspace, hub, tmp_path)


def asked(name: str) -> dict[str, str]:
    return {f"restores/{name}.yaml": objects.restore(name, "before", policy=objects.to_namespace(name))}


def test_the_other_takes_over_from_one_that_was_killed(fleet: Fleet, replicas: Replicas) -> None:
    before = {member.name: len(audited_creates(member, "restores")) for member in fleet.members}
    with replicas.machine("one") as one:
        one.wait("leading")
        one.settled()
        with replicas.machine("two") as other:
            other.wait("standing by")
            replicas.push({"backups/before.yaml": objects.backup("before"), **asked("led")})
            replicas.ended("led")
            assert other.events("run changed") == []
            replicas.push(asked("orphaned"))
            one.wait("run changed", object="Restore default/orphaned")
            one.kill()
            killed = time.monotonic()
            other.wait("leading")
            assert time.monotonic() - killed < FAILS_OVER_WITHIN
            replicas.ended("orphaned")
            other.end()
    for member in fleet.members:
        created = audited_creates(member, "restores")[before[member.name] :]
        assert sorted(created) == [f"{member.name}-restore-default-led", f"{member.name}-restore-default-orphaned"]


def test_one_that_ends_in_order_hands_over_at_once(fleet: Fleet, replicas: Replicas) -> None:
    with replicas.machine("one") as one, replicas.machine("two") as other:
        leads = wait_for(lambda: [each for each in (one, other) if each.events("leading")], 30, "a leader")[0]
        follows = other if leads is one else one
        follows.wait("standing by")
        leads.settled()
        leads.end()
        follows.wait("leading")
        follows.settled()
        replicas.push({"backups/before.yaml": objects.backup("before"), **asked("handed")})
        replicas.ended("handed")
        follows.end()
    if not hasattr(fleet, "advance"):  # the simulation serves no Events, and nobody minds
        assert_told(fleet)


def assert_told(fleet: Fleet) -> None:
    """The end of the Restore is an Event on the hub."""
    events = fleet.members[0].api.list("/apis/events.k8s.io/v1/namespaces/default/events")
    notes = [event["note"] for event in events if event.get("reportingController", "").startswith("reconciler/")]
    assert any("restore default/handed: Completed on 2 of 2 clusters" in note for note in notes)


@pytest.fixture
def limited(fleet: Fleet, hub: Path, tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A kubeconfig for the hub that may neither see the Lease nor post Events, and what gives it the Lease."""
    member = fleet.members[0]
    config = tmp_path / "limited"
    config.write_text(rights.kubeconfig(member, rights.token_of(member)))
    rbac, named = "rbac.authorization.k8s.io", {"name": "leads", "namespace": "default"}
    rules = [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    ]
    role = {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": named, "rules": rules}
    binding = {
        **{"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": named},
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "leads"},
        "subjects": [{"kind": "ServiceAccount", "name": "reconciler", "namespace": "velero"}],
    }

    def give() -> None:
        member.api.apply(role)
        member.api.apply(binding)

    yield config, give
    for plural in ("rolebindings", "roles"):
        member.api.delete(f"/apis/{rbac}/v1/namespaces/default/{plural}/leads")


def test_a_hub_that_refuses_the_lease_or_events_is_said_once_in_its_words(
    fleet: Fleet, workspace: Workspace, limited: tuple[Path, Callable[[], None]], tmp_path: Path
) -> None:
    config, give = limited
    replicas = Replicas(workspace, config, tmp_path)
    with replicas.machine("one") as one:
        assert 'leases.coordination.k8s.io "reconciler" is forbidden' in one.wait("Lease not held or seen")["why"]
        time.sleep(4)
        ready = requests.get(f"{one.address}/readyz", timeout=5)
        assert ready.status_code == 503
        assert "is forbidden" in ready.text
        assert requests.get(f"{one.address}/healthz", timeout=5).status_code == 200
        assert len(one.events("Lease not held or seen")) == 1
        give()
        one.wait("leading")
        one.settled()
        assert requests.get(f"{one.address}/readyz", timeout=5).status_code == 200
        replicas.push({"backups/before.yaml": objects.backup("before"), **asked("quiet")})
        replicas.ended("quiet")
        assert one.wait("Events dropped")["why"]
        one.end()
