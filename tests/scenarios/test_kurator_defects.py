"""Kurator's defects, by the numbers of the list that was made of them: none of them is repeated here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.velero import create, get
from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace, audited_creates

FIRST, SECOND = MEMBERS
COPY = objects.to_namespace("copied")
TWO_TEAMS = """apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {{name: {cluster}, namespace: {namespace}}}
spec: {{kubeconfig: {{name: {cluster}, key: value}}}}
---
apiVersion: fleet.kurator.dev/v1alpha1
kind: Fleet
metadata: {{name: quickstart, namespace: {namespace}}}
spec: {{clusters: [{{name: {cluster}, kind: AttachedCluster}}]}}
---
"""


def copy(name: str = "copy", of: str = "before", more: str = "") -> dict[str, str | None]:
    return {f"restores/{name}.yaml": objects.restore(name, of, more, COPY)}


def states(workspace: Workspace, name: str = "copy", kind: str = "restores") -> dict[str, tuple[str, str]]:
    return {cluster: (run["phase"], run.get("reason", "")) for cluster, run in workspace.runs(kind, name).items()}


def test_defect_01_a_finished_restore_whose_velero_object_is_gone_is_not_made_again(
    fleet: Fleet, backed_up: Workspace
) -> None:
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync().code == 0
    for member in fleet.members:
        member.delete_backup(f"{member.name}-backup-default-before")
    assert backed_up.sync().code == 0
    for member in fleet.members:
        assert member.restores() == []
        assert audited_creates(member, "restores")[-1] == f"{member.name}-restore-default-copy"


def test_defect_02_nothing_of_the_same_name_in_another_namespace_is_deleted(fleet: Fleet, workspace: Workspace) -> None:
    mine, theirs = fleet.members
    asked = (
        objects.scheduled("same")
        + "---\n"
        + objects.backup("once")
        + "---\n"
        + objects.restore("same", "once", "", COPY)
    )
    teams = {"default": mine.name, "team": theirs.name}
    fleets = {n: TWO_TEAMS.format(cluster=cluster, namespace=n) for n, cluster in teams.items()}
    wanted = {f"backups/{n}.yaml": asked.replace("namespace: default}", f"namespace: {n}}}") for n in teams}
    workspace.commit({"fleets/quickstart.yaml": "".join(fleets.values()), **wanted}, "Two teams, the same names")
    done = workspace.sync()
    assert done.code == 0, done.text
    workspace.commit({"backups/default.yaml": None}, "One team is done")
    assert workspace.sync().code == 0
    assert get(mine, "Schedule", f"{mine.name}-backup-default-same") is None
    assert get(theirs, "Schedule", f"{theirs.name}-backup-team-same") is not None
    assert theirs.restore(f"{theirs.name}-restore-team-same") is not None
    assert mine.restore(f"{mine.name}-restore-default-same") is not None, "what ran is not deleted, either"


def test_defect_03_a_get_that_fails_wipes_nothing_that_is_recorded(fleet: Fleet, backed_up: Workspace) -> None:
    fleet.members[0].pause_velero()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync("--timeout", "3s").code == 3
    before = backed_up.record("restores", "copy")
    fleet.members[0].resume_velero()
    fleet.members[0].stop_apiserver()
    assert backed_up.sync().code == 3
    assert backed_up.record("restores", "copy") == before
    assert {phase for phase, _ in states(backed_up).values()} == {"InProgress", "Completed"}


def test_defect_04_a_cluster_without_a_backup_stops_no_other(fleet: Fleet, backed_up: Workspace) -> None:
    fleet.members[0].delete_backup(f"{FIRST}-backup-default-before")
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync().code == 3
    assert states(backed_up) == {FIRST: ("Pending", "BackupNotFound"), SECOND: ("Completed", "")}


def test_defect_05_a_bad_kubeconfig_is_told_and_stops_no_other(
    fleet: Fleet, workspace: Workspace, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    for name, content in ((FIRST, "nonsense"), (SECOND, fleet.members[1].kubeconfig_text)):
        (secrets / name).mkdir(parents=True)
        (secrets / name / "value").write_text(content)
    workspace.commit({"backups/b.yaml": objects.backup("b")}, "Back up")
    assert workspace.sync("--kubeconfig-dir", str(secrets)).code == 3, "and that is no success"
    assert states(workspace, "b", "backups") == {FIRST: ("Pending", "InvalidKubeconfig"), SECOND: ("Completed", "")}


def test_defect_05_no_cluster_at_all_is_no_success(workspace: Workspace) -> None:
    workspace.commit({"fleets/quickstart.yaml": objects.fleet(members=())}, "A fleet of nothing")
    workspace.commit({"backups/b.yaml": objects.backup("b")}, "Back up nothing")
    done = workspace.sync()
    assert done.code == 1, done.text
    assert "quickstart" in done.text


def test_defect_06_a_restore_that_failed_in_part_has_ended(fleet: Fleet, backed_up: Workspace) -> None:
    fleet.members[0].delete_velero_deployment()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync().code == 1
    assert states(backed_up) == {FIRST: ("PartiallyFailed", "PartiallyFailed"), SECOND: ("Completed", "")}
    fleet.members[0].stop_apiserver()  # nobody asks it any more
    head, began = backed_up.head(), time.monotonic()
    assert backed_up.sync().code == 1
    assert backed_up.head() == head
    assert time.monotonic() - began < 30, "and nothing is waited for"


def test_defect_07_phase_conditions_and_refusals_stand_in_the_record(fleet: Fleet, workspace: Workspace) -> None:
    for member in fleet.members:
        member.pause_velero()
    workspace.commit({"backups/bad.yaml": objects.backup("bad")}, "Back up")
    assert workspace.sync("--no-wait").code == 3
    status = workspace.record("backups", "bad")["status"]
    assert status["phase"] == "InProgress"
    assert {c["type"]: c["status"] for c in status["conditions"]} == {"Ready": "False", "Reconciling": "True"}
    for member in fleet.members:
        path = f"/apis/velero.io/v1/namespaces/velero/backups/{member.name}-backup-default-bad"
        member.api.patch_merge(path, {"spec": {"storageLocation": "nowhere"}})
        member.resume_velero()
    workspace.commit(copy(of="bad"), "Restore what fails")
    assert workspace.sync().code == 1
    status = workspace.record("restores", "copy")["status"]
    assert status["phase"] == "Failed"
    assert {c["type"]: c["status"] for c in status["conditions"]} == {"Ready": "False", "Stalled": "True"}
    assert {run["reason"] for run in status["restoreDetails"]} == {"BackupFailed"}
    assert "Backup bad ended FailedValidation" in status["restoreDetails"][0]["message"]


def test_defect_08_an_edit_that_runs_nothing_is_told(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit({"backups/before.yaml": objects.backup("before", policy="ttl: 1h")}, "Edit what ran")
    done = backed_up.sync()
    assert done.code == 1
    assert "raise spec.attempt" in done.text
    conditions = backed_up.record("backups", "before")["status"]["conditions"]
    assert "SpecChanged" in [condition["type"] for condition in conditions]
    assert [len(member.backups()) for member in fleet.members] == [1, 1]


def test_defect_09_a_backup_that_has_not_finished_is_waited_for(fleet: Fleet, workspace: Workspace) -> None:
    fleet.members[0].pause_velero()
    workspace.commit({"backups/b.yaml": objects.backup("b"), **copy(of="b")}, "Back up and copy")
    assert workspace.sync("--timeout", "5s").code == 3
    assert states(workspace) == {FIRST: ("Pending", "BackupRunning"), SECOND: ("Completed", "")}
    assert fleet.members[0].restores() == []
    fleet.members[0].resume_velero()
    assert workspace.sync().code == 0


def test_defect_10_the_backup_that_was_chosen_is_recorded(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync().code == 0
    for member in fleet.members:
        (backup,) = member.backups()
        run = backed_up.runs("restores", "copy")[member.name]
        assert run["backupNameInCluster"] == backup["metadata"]["name"]
        assert run["backupStartTimestamp"] == backup["status"]["startTimestamp"]
        assert run["backupCompletionTimestamp"] == backup["status"]["completionTimestamp"]


def test_defect_11_a_policy_without_a_filter_is_fine(fleet: Fleet, workspace: Workspace) -> None:
    bare = objects.backup("b").split("  policy:")[0] + "  policy: {ttl: 48h}\n"
    restore = objects.restore("copy", "b", policy="preserveNodePorts: true").replace(
        "backupName", "suspend: true\n  backupName"
    )
    workspace.commit({"backups/b.yaml": bare, "restores/copy.yaml": restore}, "Policies without a resourceFilter")
    assert workspace.sync().code == 1, "the Restore is suspended, since it would restore all there is"
    assert set(states(workspace, "b", "backups").values()) == {("Completed", "")}
    assert set(states(workspace).values()) == {("Held", "Suspended")}
    for member in fleet.members:
        (made,) = member.backups()
        assert made["spec"].get("includedNamespaces") in (None, ["*"])  # Velero may fill it in
        assert made["spec"]["ttl"].startswith("48h")


def test_defect_12_an_old_object_of_the_name_is_not_taken_for_success(fleet: Fleet, backed_up: Workspace) -> None:
    name = f"{FIRST}-restore-default-copy"
    spec: dict[str, Any] = {"backupName": f"{FIRST}-backup-default-before", "includedResources": ["configmaps"]}
    create(fleet.members[0], "Restore", name, spec)
    fleet.members[0].wait_phase("restores", name, "Completed")
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync().code == 1
    assert states(backed_up) == {FIRST: ("Failed", "NameConflict"), SECOND: ("Completed", "")}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"backups/x.yaml": objects.backup("x" * 64)}, "backups/x.yaml:3"),
        ({"backups/x.yaml": objects.scheduled("x" * 50)}, "backups/x.yaml:3"),
    ],
    ids=["over-long", "over-long-once-joined"],
)
def test_defect_12_a_name_that_is_too_long_is_refused(
    fleet: Fleet, workspace: Workspace, files: dict[str, str], words: str
) -> None:
    workspace.commit(files, "Ask")
    done = workspace.sync()
    assert done.code == 1, done.text
    assert words in done.text
    assert "63" in done.text
    assert [len(member.backups()) for member in fleet.members] == [0, 0]


def test_defect_12_names_that_are_one_once_joined_are_refused(fleet: Fleet, workspace: Workspace) -> None:
    """`team` with `a-b`, and `team-a` with `b`: `…-backup-team-a-b`."""
    one = TWO_TEAMS.format(cluster="m", namespace="team") + TWO_TEAMS.format(cluster="m", namespace="team-a")
    both = [
        objects.backup(name).replace("namespace: default}", f"namespace: {namespace}}}")
        for namespace, name in (("team", "a-b"), ("team-a", "b"))
    ]
    workspace.commit({"fleets/teams.yaml": one, "backups/both.yaml": "---\n".join(both)}, "Ambiguous")
    done = workspace.sync()
    assert done.code == 1, done.text
    assert "would have the same name, …-team-a-b" in done.text


def test_defect_13_a_filter_that_velero_lacks_is_refused_and_any_other_reaches_it(
    fleet: Fleet, backed_up: Workspace
) -> None:
    policy = "resourceFilter: {includedNamespaceScopedResources: [configmaps]}"
    scoped = objects.backup("scoped").replace(
        "{includedNamespaces:", "{includedNamespaceScopedResources: [configmaps], includedNamespaces:"
    )
    refused = objects.restore("copy", "before", policy=policy)
    backed_up.commit({"restores/copy.yaml": refused, "backups/scoped.yaml": scoped}, "Scoped filters")
    done = backed_up.sync()
    assert done.code == 1, done.text
    assert "refused: restores/copy.yaml:" in done.text
    assert "includedNamespaceScopedResources" in done.text
    for member in fleet.members:
        assert member.restores() == []
        made = member.backup(f"{member.name}-backup-default-scoped")
        assert made is not None
        assert made["spec"]["includedNamespaceScopedResources"] == ["configmaps"]
