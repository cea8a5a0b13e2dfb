"""One member that is dead or hangs delays and hides nothing of the other."""

from __future__ import annotations

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS, NAMESPACE
from tests.scenarios.workspace import Workspace


def test_the_other_completes_and_the_dead_one_follows(fleet: Fleet, backed_up: Workspace) -> None:
    dead, alive = fleet.members
    alive.remove_namespace(NAMESPACE)
    dead.stop_apiserver()
    backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")

    done = backed_up.sync()
    assert done.code == 3, done.text
    assert set(objects.config_maps(alive)) == {"plain", "marked"}
    runs = backed_up.runs("restores", "back")
    assert runs[alive.name]["phase"] == "Completed"
    assert (runs[dead.name]["phase"], runs[dead.name]["reason"]) == ("Pending", "Unreachable")
    assert "can't be reached" in runs[dead.name]["message"]
    assert dead.name in done.out
    head = backed_up.head()
    assert backed_up.sync().code == 3
    assert backed_up.head() == head, "waiting makes no commits"

    dead.start_apiserver()
    dead.remove_namespace(NAMESPACE)
    assert backed_up.sync().code == 0
    assert set(objects.config_maps(dead)) == {"plain", "marked"}
    assert {run["phase"] for run in backed_up.runs("restores", "back").values()} == {"Completed"}
    assert len(dead.restores()) == len(alive.restores()) == 1


@pytest.mark.case("bad-member", "never", "waits with a reason", "the others finish")
def test_a_member_that_hangs_costs_one_wait_of_a_few_seconds(fleet: Fleet, backed_up: Workspace) -> None:
    hanging, alive = fleet.members
    hanging.pause_apiserver()
    backed_up.commit(
        {"restores/copy.yaml": objects.restore("copy", "before", policy=objects.to_namespace("copied"))}, "Copy"
    )
    done = backed_up.sync()
    assert done.code == 3, done.text
    assert backed_up.runs("restores", "copy")[alive.name]["phase"] == "Completed"
    assert backed_up.runs("restores", "copy")[hanging.name]["reason"] == "Unreachable"
    hanging.resume_apiserver()
    assert hanging.backups(), "it answers again"
    assert backed_up.sync().code == 0


def test_a_member_that_dies_while_it_restores_is_followed_when_it_is_back(fleet: Fleet, backed_up: Workspace) -> None:
    dying, _ = fleet.members
    dying.stop_velero()
    backed_up.commit(
        {"restores/copy.yaml": objects.restore("copy", "before", policy=objects.to_namespace("copied"))}, "Copy"
    )
    assert backed_up.sync("--no-wait").code == 3
    assert len(dying.restores()) == 1
    dying.stop_apiserver()
    assert backed_up.sync().code == 3
    assert backed_up.runs("restores", "copy")[dying.name]["phase"] in ("Starting", "InProgress")
    dying.start_apiserver()
    dying.start_velero()
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert len(dying.restores()) == 1


@pytest.mark.case("two-names", "two names for one cluster")
def test_two_names_for_one_cluster_are_both_refused(fleet: Fleet, workspace: Workspace) -> None:
    one = fleet.members[0].name
    options = ("--context", f"{MEMBERS[1]}={one}")
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    done = workspace.sync(*options)
    assert done.code == 3, done.text
    assert {run["reason"] for run in workspace.runs("backups", "before").values()} == {"SameCluster"}
    assert [member.backups() for member in fleet.members] == [[], []]


@pytest.mark.case("two-names", "two names for one cluster")
@pytest.mark.parametrize("asked", MEMBERS)
def test_two_names_for_one_cluster_are_refused_where_only_one_is_asked(
    fleet: Fleet, workspace: Workspace, asked: str
) -> None:
    """Whichever is asked for, pass after pass: what the other told once is not forgotten."""
    options = ("--context", f"{MEMBERS[1]}={MEMBERS[0]}")
    content = objects.backup("before").replace(objects.WHOLE, objects.only(asked))
    workspace.commit({"backups/before.yaml": content}, "Back up")
    for _ in range(2):
        done = workspace.sync(*options)
        assert done.code == 3, done.text
        assert workspace.runs("backups", "before")[asked]["reason"] == "SameCluster"
    assert [member.backups() for member in fleet.members] == [[], []]
    done = workspace.sync()
    assert done.code == 0, f"the kubeconfig is mended, and the other is asked which cluster it is: {done.text}"
    assert [len(member.backups()) for member in fleet.members] == [name == asked for name in MEMBERS]


@pytest.mark.case("two-names", "led elsewhere")
def test_a_member_that_turns_out_to_be_another_one_gets_nothing(fleet: Fleet, backed_up: Workspace) -> None:
    """They were known as two; now the kubeconfig of one leads to the other, where its Restore must not run."""
    options = ("--context", f"{MEMBERS[1]}={MEMBERS[0]}")
    content = objects.restore("copy", "before", more=objects.only(MEMBERS[1]), policy=objects.to_namespace("copied"))
    backed_up.commit({"restores/copy.yaml": content}, "Copy on member 2")
    for _ in range(2):
        done = backed_up.sync(*options)
        assert done.code == 3, done.text
        assert backed_up.runs("restores", "copy")[MEMBERS[1]]["reason"] == "SameCluster"
    assert [member.restores() for member in fleet.members] == [[], []]
    done = backed_up.sync()
    assert done.code == 0, "the kubeconfig is mended"
    assert [len(member.restores()) for member in fleet.members] == [0, 1]


@pytest.mark.case("two-names", "led elsewhere")
def test_what_began_on_a_cluster_is_not_looked_for_on_another(fleet: Fleet, workspace: Workspace) -> None:
    """The kubeconfig leads elsewhere while a Restore runs: it did not vanish, and it does not begin again there."""
    first, other = fleet.members
    alone = objects.fleet(members=(first.name,), declared=(first.name,))
    workspace.commit(
        {"fleets/quickstart.yaml": alone, "backups/before.yaml": objects.backup("before")}, "Back up one member"
    )
    assert workspace.sync().code == 0
    first.pause_velero()
    content = objects.restore("copy", "before", policy=objects.to_namespace("copied"))
    workspace.commit({"restores/copy.yaml": content}, "Copy")
    assert workspace.sync("--timeout", "2s").code == 3

    done = workspace.sync("--context", f"{first.name}={other.name}")
    assert done.code == 3, done.text
    assert f"{first.name}: ClusterChanged: the kubeconfig of {first.name} leads to another cluster" in done.text
    assert workspace.runs("restores", "copy")[first.name]["phase"] == "InProgress"
    assert other.restores() == []
    first.resume_velero()
    assert workspace.sync().code == 0
    assert workspace.runs("restores", "copy")[first.name]["phase"] == "Completed"
    assert [len(member.restores()) for member in fleet.members] == [1, 0]
