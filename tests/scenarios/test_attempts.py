"""A restore runs again by review alone: by a raised attempt, on the clusters it is for; other edits run nothing."""

from __future__ import annotations

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS, NAMESPACE
from tests.scenarios.workspace import Workspace, audited_creates

COPY = objects.to_namespace("copied")
CONFIG_MAPS = "{resourceFilter: {includedResources: [configmaps]}, namespaceMapping: {kurator-backup: copied}}"
FIRST, SECOND = MEMBERS


def asks(workspace: Workspace, more: str = "", policy: str = COPY) -> str:
    """Restore `back` as of now; the commit."""
    return workspace.commit({"restores/back.yaml": objects.restore("back", "before", more, policy)}, "Ask")


def plain(more: str = "", policy: str = CONFIG_MAPS) -> str:
    """Restore `back` of the ConfigMaps alone, which may run again over what it brought back before."""
    return objects.restore("back", "before", more).replace("  \n", f"  policy: {policy}\n", 1)


def runs(workspace: Workspace, name: str = "back") -> dict[tuple[str, int], str]:
    """The phase of each run, by cluster and attempt."""
    details = workspace.record("restores", name)["status"]["restoreDetails"]
    return {(run["clusterName"], run["attempt"]): run["phase"] for run in details}


def conditions(workspace: Workspace) -> dict[str, str]:
    return {c["type"]: c["message"] for c in workspace.record("restores", "back")["status"]["conditions"]}


@pytest.fixture
def half(fleet: Fleet, backed_up: Workspace) -> Workspace:
    """Attempt 1 failed in part on member 1, for a reason that was mended since, and completed on member 2."""
    broken = fleet.members[0]
    broken.delete_velero_deployment()
    asks(backed_up)
    assert backed_up.sync().code == 1
    assert runs(backed_up) == {(FIRST, 1): "PartiallyFailed", (SECOND, 1): "Completed"}
    broken.create_velero_deployment()
    broken.remove_namespace("copied")
    return backed_up


@pytest.fixture
def whole(backed_up: Workspace) -> Workspace:
    """Attempt 1 completed on both members."""
    backed_up.commit({"restores/back.yaml": plain()}, "Ask")
    done = backed_up.sync()
    assert done.code == 0, done.text
    return backed_up


def test_a_raised_attempt_runs_where_the_latest_run_did_not_complete(fleet: Fleet, half: Workspace) -> None:
    asked = asks(half, "attempt: 2")
    done = half.sync()
    assert done.code == 0, done.text
    assert runs(half) == {(FIRST, 1): "PartiallyFailed", (SECOND, 1): "Completed", (FIRST, 2): "Completed"}
    assert set(objects.config_maps(fleet.members[0], "copied")) == {"plain", "marked"}
    status = half.record("restores", "back")["status"]
    assert (status["phase"], status["attempt"], status["revision"]) == ("Completed", 2, asked)
    latest = half.runs("restores", "back")[FIRST]
    name = f"{FIRST}-restore-default-back-2-{latest['runID'][:6]}"
    assert latest["restoreNameInCluster"] == name
    assert audited_creates(fleet.members[0], "restores")[-2:] == [f"{FIRST}-restore-default-back", name]
    assert len(fleet.members[1].restores()) == 1
    head = half.head()
    assert half.sync().code == 0
    assert half.head() == head


def test_a_raised_attempt_of_what_completed_everywhere_runs_nothing(fleet: Fleet, whole: Workspace) -> None:
    whole.commit({"restores/back.yaml": plain("attempt: 2")}, "Once more?")
    assert whole.sync().code == 0
    assert runs(whole) == {(FIRST, 1): "Completed", (SECOND, 1): "Completed"}
    assert whole.record("restores", "back")["status"]["attempt"] == 2
    assert [len(member.restores()) for member in fleet.members] == [1, 1]


def test_with_rerun_all_it_runs_on_every_cluster(fleet: Fleet, whole: Workspace) -> None:
    whole.commit({"restores/back.yaml": plain("attempt: 2\n  rerun: All")}, "All of it once more")
    done = whole.sync()
    assert done.code == 0, done.text
    assert runs(whole) == {(member, attempt): "Completed" for member in MEMBERS for attempt in (1, 2)}
    assert [len(member.restores()) for member in fleet.members] == [2, 2]


def test_rerun_all_without_a_raised_attempt_runs_nothing_and_shows_it(fleet: Fleet, whole: Workspace) -> None:
    whole.commit({"restores/back.yaml": plain("rerun: All")}, "Once more?")
    assert whole.sync().code == 1
    assert "raise spec.attempt" in conditions(whole)["SpecChanged"]
    assert [len(member.restores()) for member in fleet.members] == [1, 1]
    whole.commit({"restores/back.yaml": plain("rerun: All\n  attempt: 2")}, "Once more")
    assert whole.sync().code == 0
    assert "SpecChanged" not in conditions(whole)
    assert [len(member.restores()) for member in fleet.members] == [2, 2]


def test_what_is_restored_counts_not_how_the_file_says_it(fleet: Fleet, whole: Workspace) -> None:
    """Its destination, attempt, rerun, suspend and startWithin are no part of *what*; the rest is."""
    same = f"attempt: 2\n  startWithin: 3h\n  {objects.only(*MEMBERS)}"
    whole.commit({"restores/back.yaml": plain(same)}, "The same in other words")
    assert whole.sync().code == 0
    assert [len(member.restores()) for member in fleet.members] == [1, 1]
    other = CONFIG_MAPS.replace("copied", "elsewhere")
    whole.commit({"restores/back.yaml": plain("attempt: 3", other)}, "Something else")
    assert whole.sync().code == 0
    assert runs(whole) == {(member, attempt): "Completed" for member in MEMBERS for attempt in (1, 3)}
    assert [set(objects.config_maps(member, "elsewhere")) for member in fleet.members] == [{"plain", "marked"}] * 2


def test_the_latest_run_of_each_cluster_counts_and_not_the_latest_attempt(fleet: Fleet, half: Workspace) -> None:
    asks(half, "attempt: 2")
    assert half.sync().code == 0
    asks(half, "attempt: 3")
    assert half.sync().code == 0
    assert (FIRST, 3) not in runs(half)
    assert (SECOND, 3) not in runs(half)
    assert [len(member.restores()) for member in fleet.members] == [2, 1]


def test_a_raised_attempt_runs_on_its_destination_alone(fleet: Fleet, whole: Workspace) -> None:
    whole.commit({"restores/back.yaml": plain(f"attempt: 2\n  rerun: All\n  {objects.only(SECOND)}")}, "Only there")
    assert whole.sync().code == 0
    assert [len(member.restores()) for member in fleet.members] == [1, 2]


def test_without_a_destination_it_runs_on_the_clusters_of_attempt_1(fleet: Fleet, workspace: Workspace) -> None:
    """The fleet grew since, and the new cluster has backups of its own."""
    small, before = objects.fleet(members=MEMBERS[:1]), objects.backup("before")
    first = {"fleets/quickstart.yaml": small, "backups/before.yaml": before, "restores/back.yaml": plain()}
    workspace.commit(first, "A fleet of one")
    assert workspace.sync().code == 0
    both = objects.backup("before", more="attempt: 2").replace(
        "destination: {fleet: quickstart}", objects.only(*MEMBERS)
    )
    workspace.commit({"fleets/quickstart.yaml": objects.fleet(), "backups/before.yaml": both}, "A fleet of two")
    assert workspace.sync().code == 0
    assert len(fleet.members[1].backups()) == 1
    workspace.commit({"restores/back.yaml": plain("attempt: 2\n  rerun: All")}, "Once more")
    assert workspace.sync().code == 0
    assert {cluster for cluster, _ in runs(workspace)} == {FIRST}
    assert fleet.members[1].restores() == []


def test_a_lowered_attempt_runs_nothing_and_shows_it(fleet: Fleet, half: Workspace) -> None:
    asks(half, "attempt: 2")
    assert half.sync().code == 0
    asks(half, "attempt: 1")
    done = half.sync()
    assert done.code == 1, done.text
    assert "attempt 2 is recorded already, so attempt 1 runs nothing" in conditions(half)["SpecChanged"]
    assert half.record("restores", "back")["status"]["attempt"] == 2
    assert [len(member.restores()) for member in fleet.members] == [2, 1]
    asks(half, "attempt: 2")
    assert half.sync().code == 0
    assert "SpecChanged" not in conditions(half)


@pytest.mark.case("raised")
def test_raised_while_running_it_waits_until_every_run_has_ended(fleet: Fleet, backed_up: Workspace) -> None:
    slow = fleet.members[0]
    slow.pause_velero()
    backed_up.commit({"restores/back.yaml": plain()}, "Ask")
    assert backed_up.sync("--timeout", "3s").code == 3
    assert runs(backed_up) == {(FIRST, 1): "InProgress", (SECOND, 1): "Completed"}
    backed_up.commit({"restores/back.yaml": plain("attempt: 2\n  rerun: All")}, "And once more")
    assert backed_up.sync("--timeout", "3s").code == 3
    assert conditions(backed_up)["AttemptWaiting"] == "attempt 2 waits until every run of attempt 1 has ended"
    assert [len(member.restores()) for member in fleet.members] == [1, 1]
    slow.resume_velero()
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert runs(backed_up) == {(member, attempt): "Completed" for member in MEMBERS for attempt in (1, 2)}
    assert "AttemptWaiting" not in conditions(backed_up)


def test_any_other_edit_after_the_first_run_runs_nothing(fleet: Fleet, whole: Workspace) -> None:
    whole.commit({"restores/back.yaml": plain(policy=CONFIG_MAPS.replace("copied", "elsewhere"))}, "Edit")
    done = whole.sync()
    assert done.code == 1
    assert "raise spec.attempt" in conditions(whole)["SpecChanged"]
    assert "raise spec.attempt" in done.text
    for member in fleet.members:
        assert member.api.get("/api/v1/namespaces/elsewhere") is None


def test_before_the_first_run_edits_apply_freely(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.stop_apiserver()
    backed_up.commit({"restores/back.yaml": plain()}, "Ask")
    assert backed_up.sync().code == 3
    edited = plain(policy=CONFIG_MAPS.replace("copied", "elsewhere"))
    revision = backed_up.commit({"restores/back.yaml": edited}, "No, there")
    for member in fleet.members:
        member.start_apiserver()
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert backed_up.record("restores", "back")["status"]["revision"] == revision
    for member in fleet.members:
        assert set(objects.config_maps(member, "elsewhere")) == {"plain", "marked"}
        assert member.api.get("/api/v1/namespaces/copied") is None


def test_a_backup_has_attempts_too(fleet: Fleet, backed_up: Workspace) -> None:
    more = "attempt: 2\n  rerun: All"
    backed_up.commit({"backups/before.yaml": objects.backup("before", more=more)}, "Back up once more")
    done = backed_up.sync()
    assert done.code == 0, done.text
    for member in fleet.members:
        made = {item["metadata"]["name"]: item["status"]["phase"] for item in member.backups()}
        assert len(made) == 2
        assert set(made.values()) == {"Completed"}
    latest = backed_up.runs("backups", "before")[FIRST]
    assert latest["backupNameInCluster"] == f"{FIRST}-backup-default-before-2-{latest['runID'][:6]}"


def test_the_first_backup_of_what_init_held_is_taken_by_a_raised_attempt(fleet: Fleet, workspace: Workspace) -> None:
    old = Workspace.create(
        workspace.root.parent / "old", workspace.kubeconfig, workspace.home, workspace.processes, workspace.members
    )
    old.commit({"fleets/q.yaml": objects.fleet(), "backups/old.yaml": objects.backup("old")}, "An old repository")
    assert old.run("init").code == 0
    assert old.sync().code == 1, "held"
    old.commit({"backups/old.yaml": objects.backup("old", more="attempt: 2")}, "Take it")
    assert old.sync().code == 0
    assert {run["attempt"] for run in old.runs("backups", "old").values()} == {2}
    assert [len(member.backups()) for member in fleet.members] == [1, 1]
    assert NAMESPACE in str(fleet.members[0].backups()[0]["spec"])


def test_a_cluster_that_was_given_up_counts_until_a_later_attempt_goes_on_without_it(
    fleet: Fleet, backed_up: Workspace
) -> None:
    stays, gone = fleet.members
    gone.stop_apiserver()
    backed_up.commit({"restores/back.yaml": plain()}, "Ask")
    assert backed_up.sync().code == 3
    alone = objects.fleet(members=(stays.name,), declared=(stays.name,))
    backed_up.commit({"fleets/quickstart.yaml": alone}, "Member 2 is no more")
    assert backed_up.sync().code == 1
    assert runs(backed_up) == {(FIRST, 1): "Completed", (SECOND, 1): "Failed"}

    backed_up.commit({"restores/back.yaml": plain("attempt: 2")}, "Go on without it")
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert runs(backed_up) == {(FIRST, 1): "Completed", (SECOND, 1): "Failed"}
    assert backed_up.record("restores", "back")["status"]["phase"] == "Completed"
    for command in (("get", "restores", "-o", "wide"), ("describe", "restore", "back")):
        assert f"AttachedCluster {gone.name} is declared nowhere" in backed_up.run(*command).out.replace("\n", " ")
    assert len(stays.restores()) == 1
