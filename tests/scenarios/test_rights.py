"""The rights of `deploy/member.yaml` are enough: all scenarios run with them. Here: with less, and from Secrets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.rights import USER, kubeconfig, token_of
from tests.scenarios.workspace import Workspace


def test_backup_and_restore_with_the_least_rights(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    for member in fleet.members:
        (secrets / member.name).mkdir(parents=True)
        (secrets / member.name / "value").write_text(kubeconfig(member, token_of(member)))
    fleet.members[0].delete_velero_deployment()  # so that error texts are fetched, too
    workspace.commit(
        {
            "backups/before.yaml": objects.backup("before"),
            "restores/copy.yaml": objects.restore("copy", "before", policy=objects.to_namespace("copied")),
        },
        "Back up and copy",
    )
    done = workspace.sync("--kubeconfig-dir", str(secrets))
    assert done.code == 1, done.text
    runs = workspace.runs("restores", "copy")
    assert {name: run["phase"] for name, run in runs.items()} == {
        MEMBERS[0]: "PartiallyFailed",
        MEMBERS[1]: "Completed",
    }
    assert 'deployments.apps "velero" not found' in done.out


@pytest.mark.parametrize("asked", ["start", "schedule", "follow"])
def test_a_plan_takes_no_more_than_get_and_list(fleet: Fleet, backed_up: Workspace, tmp_path: Path, asked: str) -> None:
    """It says the same as with all rights, and asks for nothing that changes anything."""
    backed_up.kubeconfig = fleet.kubeconfig
    secrets = tmp_path / "secrets"
    for member in fleet.members:
        (secrets / member.name).mkdir(parents=True)
        (secrets / member.name / "value").write_text(kubeconfig(member, token_of(member, ("get", "list"))))
    copy = objects.restore("copy", "before", policy=objects.to_namespace("copied"))
    backed_up.commit(
        {"backups/nightly.yaml": objects.scheduled()} if asked == "schedule" else {"restores/c.yaml": copy}, "Ask"
    )
    if asked == "follow":
        fleet.members[0].delete_velero_deployment()
        assert backed_up.sync("--no-wait").code in (1, 3)
        for member in fleet.members:
            wanted = "PartiallyFailed" if member is fleet.members[0] else "Completed"
            member.wait_phase("restores", f"{member.name}-restore-default-copy", wanted)
    options = ("--kubeconfig-dir", str(secrets))
    before = [member.writes(USER) for member in fleet.members]
    done, as_admin = backed_up.run("plan", *options), backed_up.run("plan")
    assert done.code == as_admin.code == 1
    assert _without_ages(done.out) == _without_ages(as_admin.out)
    assert [member.writes(USER) for member in fleet.members] == before


def _without_ages(text: str) -> str:
    return re.sub(r"\d+[dhms]+\S* *", "", text)


def test_without_rights_the_member_is_waited_for(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    for member in fleet.members:
        token = token_of(member)
        member.api.delete("/apis/rbac.authorization.k8s.io/v1/namespaces/velero/rolebindings/reconciler")
        (secrets / member.name).mkdir(parents=True)
        (secrets / member.name / "value").write_text(kubeconfig(member, token))
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    done = workspace.sync("--kubeconfig-dir", str(secrets))
    assert done.code == 3, done.text
    assert {run["reason"] for run in workspace.runs("backups", "before").values()} == {"Forbidden"}
    assert "cannot" in done.out


def test_a_token_that_is_not_known(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    for member in fleet.members:
        (secrets / member.name).mkdir(parents=True)
        (secrets / member.name / "value").write_text(kubeconfig(member, "not-known"))
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    done = workspace.sync("--kubeconfig-dir", str(secrets))
    assert done.code == 3, done.text
    assert {run["reason"] for run in workspace.runs("backups", "before").values()} == {"Unauthorized"}
    assert "not-known" not in done.text
