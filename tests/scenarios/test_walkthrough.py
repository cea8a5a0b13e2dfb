"""The seed's story: back up, disaster, restore by a commit, and a record of it."""

from __future__ import annotations

from pathlib import Path

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS, NAMESPACE
from tests.scenarios.workspace import Workspace

FINALIZER = "reconciler/recorded"


def test_a_namespace_comes_back_on_both_members(fleet: Fleet, workspace: Workspace) -> None:
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    before = {member.name: (objects.config_maps(member), objects.deployments(member)) for member in fleet.members}

    backed_up = workspace.sync()
    assert backed_up.code == 0, backed_up.text
    assert {name: run["phase"] for name, run in workspace.runs("backups", "before").items()} == dict.fromkeys(
        MEMBERS, "Completed"
    )
    for member in fleet.members:
        (made,) = member.backups()
        assert made["metadata"]["name"] == f"{member.name}-backup-default-before"
        assert made["status"]["phase"] == "Completed"
        member.remove_namespace(NAMESPACE)
        assert member.api.get(f"/api/v1/namespaces/{NAMESPACE}") is None

    asked = workspace.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    written = (workspace.root / "restores/back.yaml").read_bytes()
    restored = workspace.sync()
    assert restored.code == 0, restored.text

    after = {member.name: (objects.config_maps(member), objects.deployments(member)) for member in fleet.members}
    assert after == before
    assert (workspace.root / "restores/back.yaml").read_bytes() == written
    assert workspace.git("status", "--porcelain") == ""
    for member in fleet.members:
        (made,) = member.restores()
        assert made["status"]["phase"] == "Completed"
        assert FINALIZER not in made["metadata"].get("finalizers", [])
    _assert_recorded(workspace, asked)


def _assert_recorded(workspace: Workspace, asked: str) -> None:
    record = workspace.record("restores", "back")
    assert record["kind"] == "Restore"
    assert record["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "Skip"
    assert record["spec"] == {"backupName": "before"}
    status = record["status"]
    assert status["phase"] == "Completed"
    assert status["source"] == "restores/back.yaml"
    assert status["revision"] == asked
    assert status["requestedBy"] == "Ada Asker <ada@example.org>"
    assert [(c["type"], c["status"]) for c in status["conditions"]] == [("Ready", "True")]
    for run in status["restoreDetails"]:
        name = run["clusterName"]
        assert run["restoreNameInCluster"] == f"{name}-restore-default-back"
        assert run["restoreStatusInCluster"]["phase"] == "Completed"
        assert run["backupNameInCluster"] == f"{name}-backup-default-before"
        assert run["backupCompletionTimestamp"]
        assert run["what"].startswith("v1:sha256:")
    trailers = workspace.git("log", "-1", "--format=%(trailers:only,unfold)").splitlines()
    ledger = workspace.git("show", "HEAD:status/ledger.yaml")
    names = [trailer.partition(": ")[0] for trailer in trailers]
    assert names == ["Reconciler-Ledger", "Reconciled-Revision", "Requested-By", "Run-Id", "Run-Id"]
    assert trailers[0].partition(": ")[2] in ledger
    assert trailers[2] == "Requested-By: Ada Asker <ada@example.org>"
    subjects = workspace.git("log", "-3", "--format=%s").splitlines()
    assert subjects == [
        "restore default/back: Completed on 2 of 2 clusters",
        "restore default/back: Starting on 2 of 2 clusters",
        "Bring it back",
    ]


def test_backup_and_restore_of_one_commit(fleet: Fleet, workspace: Workspace) -> None:
    """A Restore of a Backup that still runs waits for it, on each cluster for itself."""
    workspace.commit(
        {
            "backups/before.yaml": objects.backup("before"),
            "restores/copy.yaml": objects.restore("copy", "before", policy=objects.to_namespace("copied")),
        },
        "Back up and copy",
    )
    done = workspace.sync()
    assert done.code == 0, done.text
    for member in fleet.members:
        assert objects.config_maps(member, "copied") == objects.config_maps(member)


def test_kubeconfigs_from_a_directory_of_secrets(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> None:
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    workspace.kubeconfig = tmp_path / "none"
    done = workspace.sync("--kubeconfig-dir", str(fleet.kubeconfig_directory))
    assert done.code == 0, done.text


def test_every_field_reaches_velero(fleet: Fleet, backed_up: Workspace) -> None:
    policy = f"""namespaceMapping: {{{NAMESPACE}: mapped}}
    preserveStatus: {{includedResources: [deployments]}}
    preserveNodePorts: true
    resourceFilter:
      includedResources: [configmaps, deployments]
      includeClusterResources: false
      orLabelSelectors: [{{matchLabels: {{keep: "yes"}}}}, {{matchExpressions: [{{key: a, operator: Exists}}]}}]"""
    backed_up.commit({"restores/all.yaml": objects.restore("all", "before", policy=policy)}, "Restore with a policy")
    assert backed_up.sync().code == 0
    for member in fleet.members:
        (made,) = member.restores()
        spec = made["spec"]
        assert spec["namespaceMapping"] == {NAMESPACE: "mapped"}
        assert spec["restoreStatus"] == {"includedResources": ["deployments"]}
        assert spec["preserveNodePorts"] is True
        assert spec["includeClusterResources"] is False
        assert spec["includedResources"] == ["configmaps", "deployments"]
        assert spec["orLabelSelectors"][0] == {"matchLabels": {"keep": "yes"}}
        assert set(objects.config_maps(member, "mapped")) == {"marked"}


def test_machine_output_and_get(backed_up: Workspace) -> None:
    import json

    listed = json.loads(backed_up.run("get", "backups", "-o", "json").out)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["before"]
    one = json.loads(backed_up.run("get", "backup", "before", "-o", "json").out)
    assert one == backed_up.record("backups", "before")
    table = backed_up.run("get", "backups").out.splitlines()
    assert table[0].split() == ["NAME", "PHASE", "COMPLETED", "READY", "ATTEMPT", "AGE", "MESSAGE"]
    assert table[1].split()[:4] == ["before", "Completed", "2/2", "True"]
    assert backed_up.run("get", "restores", "none").code == 1
    synced = json.loads(backed_up.sync("-o", "json").out)
    assert synced["exitCode"] == 0
    assert synced["changed"] == []


def test_a_backup_that_kurator_made_is_restored_from_once_it_is_held(fleet: Fleet, workspace: Workspace) -> None:
    """Kurator's controller made it under the name that ours would have, and the file is in the repository."""
    for member in fleet.members:
        name = f"{member.name}-backup-default-old"
        member.api.create(
            "/apis/velero.io/v1/namespaces/velero/backups",
            {
                "apiVersion": "velero.io/v1",
                "kind": "Backup",
                "metadata": {"name": name, "namespace": "velero"},
                "spec": {"includedNamespaces": [NAMESPACE]},
            },
        )
        member.wait_phase("backups", name, "Completed")
    old = Workspace.create(workspace.root.parent / "old", workspace.kubeconfig, workspace.home, workspace.processes)
    old.commit({"fleets/q.yaml": objects.fleet(), "backups/old.yaml": objects.backup("old")}, "Kurator's repository")
    assert old.run("init").code == 0
    old.commit({"restores/x.yaml": objects.restore("x", "old", policy=objects.to_namespace("copied"))}, "Restore")
    done = old.sync()
    assert done.code == 1, "the Backup itself is held"
    assert {run["phase"] for run in old.runs("restores", "x").values()} == {"Completed"}, done.text
    assert {run["phase"] for run in old.runs("backups", "old").values()} == {"Held"}
    for member in fleet.members:
        assert objects.config_maps(member, "copied") == objects.config_maps(member)
