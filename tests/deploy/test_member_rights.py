"""deploy/member.yaml on real members: all of it is used and nothing else is asked for, by the audit log."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path

import pytest

from tests.real.api import Api, Object
from tests.real.cluster import SERVICE_ACCOUNT
from tests.real.fleet import RealFleet
from tests.real.member import Member
from tests.real.processes import wait_for
from tests.scenarios import objects, rights
from tests.scenarios.daemons import Daemon
from tests.scenarios.workspace import Workspace

pytestmark = pytest.mark.real
Right = tuple[str, str, str]
NIGHTLY = [f"nightly-{number}" for number in range(4)]  # more than are asked for one by one


def granted() -> set[Right]:
    """API group, resource and verb."""
    rules = [rule for item in rights.manifest() for rule in item.get("rules", ())]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(member: Member, since: int) -> set[Right]:
    """By the audit log; each of these was allowed."""
    events = member.requests(SERVICE_ACCOUNT)[since:]
    refused = [event for event in events if event.get("responseStatus", {}).get("code") == 403]
    assert not refused, refused[0]
    of = [(event["objectRef"], event["verb"]) for event in events if "objectRef" in event]
    assert len(of) == len(events), "it asked for a path that is no resource"
    return {(ref.get("apiGroup", ""), ref["resource"], verb) for ref, verb in of}


@pytest.fixture
def workspace(pristine_fleet: RealFleet, tmp_path: Path) -> Workspace:
    """A repository whose command has the least rights on both members."""
    for member in pristine_fleet.members:
        objects.populate(member)
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(rights.merged_kubeconfig(pristine_fleet.members))
    made = Workspace.create(
        tmp_path / "fleet", kubeconfig, tmp_path / "home", processes=True, members=pristine_fleet.members
    )
    assert made.run("init").code == 0
    made.commit({"fleets/quickstart.yaml": objects.fleet()}, "Declare the fleet")
    return made


def test_every_right_is_used_and_no_other(pristine_fleet: RealFleet, workspace: Workspace) -> None:
    """A life of everything: backups, restores that fail with texts, schedules that change and go, and the watches."""
    members = pristine_fleet.members
    since = [len(member.requests(SERVICE_ACCOUNT)) for member in members]
    nightly = {f"backups/{name}.yaml": objects.scheduled(name) for name in NIGHTLY}
    workspace.commit({"backups/before.yaml": objects.backup("before"), **nightly}, "Back up")
    assert sync(workspace) == 0
    for member in members:
        member.delete_velero_deployment()
    copy = objects.restore("copy", "before", policy=objects.to_namespace("copied"))
    workspace.commit({"restores/copy.yaml": copy}, "Copy")
    assert sync(workspace) == 1, "Velero can't restore a Pod without its Deployment"
    changed = {path: text.replace("0 3 * * *", "0 4 * * *") for path, text in nightly.items()}
    workspace.commit(changed, "An hour later")
    assert sync(workspace) == 1
    workspace.commit(dict.fromkeys(nightly), "Enough")
    sync(workspace, "--allow-mass-removal")
    for member in members:
        member.stop_velero()  # so that what is started goes on, and is watched
    later = {"backups/later.yaml": objects.backup("later"), "restores/again.yaml": copy.replace("copy,", "again,")}
    workspace.commit(later, "Go on")
    with Daemon(workspace):
        for member, before in zip(members, since, strict=True):
            wait_for(partial(all_used, member, before), 60, f"all rights to be used on {member.name}")
    for member, before in zip(members, since, strict=True):
        assert used(member, before) == granted()


def all_used(member: Member, since: int) -> bool:
    return used(member, since) >= granted()


def sync(workspace: Workspace, *options: str) -> int:
    return workspace.run("sync", "--once", "--timeout", "60s", *options).code


def test_a_token_secret_makes_the_kubeconfig(pristine_fleet: RealFleet, tmp_path: Path) -> None:
    """As README tells: a Secret of the account that the cluster fills, and a kubeconfig from what is in it."""
    member = pristine_fleet.members[0]
    for item in rights.manifest():
        member.api.apply(item)
    metadata: Object = {
        "name": "reconciler-token",
        "namespace": "velero",
        "annotations": {"kubernetes.io/service-account.name": "reconciler"},
    }
    path = "/api/v1/namespaces/velero/secrets/reconciler-token"
    member.api.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/service-account-token"}
    )
    try:
        data = wait_for(lambda: filled(member.api, path), 20, "the token's Secret to be filled")
        authority = tmp_path / "ca.crt"
        authority.write_bytes(base64.b64decode(data["ca.crt"]))
        account = Api(member.cluster.server, base64.b64decode(data["token"]).decode(), authority)
        assert account.get("/api/v1/namespaces/kube-system")
    finally:
        member.api.delete(path)


def filled(api: Api, path: str) -> Object | None:
    data: Object = (api.get(path) or {}).get("data", {})
    return data if {"token", "ca.crt"} <= data.keys() else None
