"""Objects that are there already and differ: left alone, and counted, named and failed for; or repaired."""

from __future__ import annotations

import json

import pytest

from reconciler.simulation.fleet import SimulatedFleet
from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS, NAMESPACE
from tests.scenarios.rights import USER
from tests.scenarios.velero_objects import set_content
from tests.scenarios.workspace import Workspace

CONFIG_MAPS = "resourceFilter: {includedResources: [configmaps]}"
UPDATE = f"{CONFIG_MAPS}\n    existingResourcePolicy: update"
NONE = f"{CONFIG_MAPS}\n    existingResourcePolicy: none"
LEFT = f"ConfigMap {NAMESPACE}/plain"


@pytest.fixture
def damaged(fleet: Fleet, backed_up: Workspace) -> Workspace:
    """On every member somebody changed ConfigMap `plain` since the backup; `marked` is as it was."""
    for member in fleet.members:
        set_content(member, "damage")
    return backed_up


def sync(workspace: Workspace, content: str, code: int, message: str = "Repair") -> str:
    workspace.commit({"restores/repair.yaml": content}, message)
    done = workspace.sync()
    assert done.code == code, done.text
    return done.text


def contents(fleet: Fleet) -> list[str]:
    return [objects.config_maps(member)["plain"]["of"] for member in fleet.members]


def ready(workspace: Workspace) -> tuple[str, str]:
    """Status and reason of the condition."""
    (found,) = (c for c in workspace.record("restores", "repair")["status"]["conditions"] if c["type"] == "Ready")
    return found["status"], found["reason"]


@pytest.mark.parametrize("policy", [CONFIG_MAPS, NONE], ids=["by default", "by none"])
def test_what_is_there_and_differs_is_left_and_told_everywhere(fleet: Fleet, damaged: Workspace, policy: str) -> None:
    text = sync(damaged, objects.restore("repair", "before", policy=policy), code=1)
    assert contents(fleet) == ["damage", "damage"]
    counts, advice = "1 equal already, 1 not restored though different", "policy.existingResourcePolicy: update"
    for words in (counts, f"1 not restored, though different: {LEFT}", advice):
        assert words in text
    for run in damaged.runs("restores", "repair").values():
        assert (run["phase"], run["reason"]) == ("Completed", "NotRestored")
        assert run["items"] == {"equal": 1, "notRestored": 1}
    assert ready(damaged) == ("False", "NotRestored")
    assert "Stalled" in str(damaged.record("restores", "repair")["status"]["conditions"])

    message = damaged.git("log", "-1", "--format=%B")
    subject = "Completed on 2 of 2 clusters, 2 objects not restored though different"
    assert message.startswith(f"restore default/repair: {subject}\n")
    assert message.count(LEFT) == message.count(f"  {counts}\n") == 2
    texts = damaged.git("show", f"HEAD:status/restores/default/repair.d/{MEMBERS[0]}-1.yaml")
    assert LEFT in texts
    described = damaged.run("describe", "restore", "repair").out
    assert LEFT in described
    assert counts in described
    assert "NotRestored" in damaged.run("get", "restores").out
    assert counts in damaged.run("get", "restores", "-o", "wide").out
    assert damaged.sync().code == 1, "it stays so until somebody does something about it"


def test_update_repairs_it(fleet: Fleet, damaged: Workspace) -> None:
    sync(damaged, objects.restore("repair", "before", policy=UPDATE), code=0)
    assert contents(fleet) == list(MEMBERS)
    for run in damaged.runs("restores", "repair").values():
        assert (run["phase"], run.get("reason", "")) == ("Completed", "")
        assert run["items"] == {"updated": 1, "equal": 1}
    assert ready(damaged) == ("True", "Completed")
    assert "  1 updated, 1 equal already\n" in damaged.git("log", "-1", "--format=%B")


def test_update_by_a_raised_attempt_repairs_what_the_first_one_left(fleet: Fleet, damaged: Workspace) -> None:
    sync(damaged, objects.restore("repair", "before", policy=CONFIG_MAPS), code=1)
    sync(damaged, objects.restore("repair", "before", more="attempt: 2", policy=UPDATE), code=0, message="Again")
    assert contents(fleet) == list(MEMBERS)
    assert ready(damaged) == ("True", "Completed")
    assert damaged.record("restores", "repair")["status"]["attempt"] == 2


def test_only_the_cluster_where_something_was_left_is_not_ready(fleet: Fleet, backed_up: Workspace) -> None:
    broken, whole = fleet.members
    set_content(broken, "damage")
    sync(backed_up, objects.restore("repair", "before", policy=CONFIG_MAPS), code=1)
    reasons = {name: run.get("reason", "") for name, run in backed_up.runs("restores", "repair").items()}
    assert reasons == {broken.name: "NotRestored", whole.name: ""}
    assert backed_up.runs("restores", "repair")[whole.name]["items"] == {"equal": 2}


def test_what_is_all_created_is_said_to_be(fleet: Fleet, damaged: Workspace) -> None:
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    sync(damaged, objects.restore("repair", "before", policy=CONFIG_MAPS), code=0)
    assert contents(fleet) == list(MEMBERS)
    for run in damaged.runs("restores", "repair").values():
        assert run["items"] == {"created": 3}, "with the namespace"


def test_it_may_be_accepted_beforehand_and_is_told_all_the_same(fleet: Fleet, damaged: Workspace) -> None:
    content = objects.restore("repair", "before", more="allowSkipped: true", policy=CONFIG_MAPS)
    text = sync(damaged, content, code=0)
    assert f"1 not restored, though different: {LEFT}" in text
    assert contents(fleet) == ["damage", "damage"]
    assert ready(damaged) == ("True", "Completed")
    assert {run["items"]["notRestored"] for run in damaged.runs("restores", "repair").values()} == {1}


def test_it_may_be_accepted_afterwards_without_another_run(fleet: Fleet, damaged: Workspace) -> None:
    sync(damaged, objects.restore("repair", "before", policy=CONFIG_MAPS), code=1)
    content = objects.restore("repair", "before", more="allowSkipped: true", policy=CONFIG_MAPS)
    sync(damaged, content, code=0, message="So be it")
    assert ready(damaged) == ("True", "Completed")
    assert [len(member.restores()) for member in fleet.members] == [1, 1]
    head = damaged.head()
    assert json.loads(damaged.sync("-o", "json").out)["exitCode"] == 0
    assert damaged.head() == head


def test_an_acceptance_outlives_its_file(fleet: Fleet, damaged: Workspace) -> None:
    """Whether somebody breaks or removes it: what is recorded of the runs is the last word on them."""
    sync(damaged, objects.restore("repair", "before", policy=CONFIG_MAPS), code=1)
    content = objects.restore("repair", "before", more="allowSkipped: true", policy=CONFIG_MAPS)
    sync(damaged, content, code=0, message="So be it")
    record = damaged.record("restores", "repair")
    sync(damaged, content.replace("allowSkipped", "allowSkiped"), code=1, message="Slip")
    assert damaged.record("restores", "repair") == record
    damaged.commit({"restores/repair.yaml": None}, "It is done")
    done = damaged.sync()
    assert done.code == 0, done.text
    assert damaged.record("restores", "repair") == record


@pytest.mark.parametrize("fleet", ["simulated"], indirect=True)  # what a single account may not ask for
def test_what_nobody_could_read_is_not_taken_for_restored(simulated_fleet: SimulatedFleet, damaged: Workspace) -> None:
    unread, known = simulated_fleet.members
    unread.forbid("create", "downloadrequests", USER)
    assert "NotVerified" in sync(damaged, objects.restore("repair", "before", policy=CONFIG_MAPS), code=1)
    runs = damaged.runs("restores", "repair")
    assert {name: run["reason"] for name, run in runs.items()} == {
        unread.name: "NotVerified",
        known.name: "NotRestored",
    }
    message = runs[unread.name]["message"]
    assert message.startswith("1 warning, and what became of the objects could not be read, since ")
    assert "downloadrequests.velero.io is forbidden" in message
    assert f"velero restore describe {unread.name}-restore-default-repair --details" in message
    assert ready(damaged) == ("False", "NotRestored")
    subject = "Completed on 2 of 2 clusters, 1 object not restored though different, not verified on 1"
    assert damaged.git("log", "-1", "--format=%s") == f"restore default/repair: {subject}"
    assert "rerun: All" not in damaged.run("describe", "restore", "repair").out

    accepted = objects.restore("repair", "before", more="allowSkipped: true", policy=CONFIG_MAPS)
    sync(damaged, accepted, code=0, message="So be it")
    assert ready(damaged) == ("True", "Completed")
