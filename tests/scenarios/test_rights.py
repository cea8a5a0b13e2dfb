"""The rights that README asks for on a member are enough: the job runs with them alone."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.fleets import Fleet, Member
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace

README = Path(__file__).parents[2] / "README.md"


def rights() -> list[dict[str, object]]:
    """The manifest that stands in README."""
    blocks = README.read_text().split("```yaml\n")[1:]
    (block,) = [block.split("```")[0] for block in blocks if "kind: RoleBinding" in block]
    return list(yaml.safe_load_all(block))


def kubeconfig(member: Member, token: str) -> str:
    """As the member's own, with that token."""
    data = yaml.safe_load(member.kubeconfig_text)
    data["users"] = [{"name": user["name"], "user": {"token": token}} for user in data["users"]]
    return yaml.safe_dump(data)


def token_of(member: Member) -> str:
    for item in rights():
        member.api.apply(item)
    path = "/api/v1/namespaces/velero/serviceaccounts/reconciler/token"
    made = member.api.request(
        "POST", path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    )
    return str(made["status"]["token"])


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
