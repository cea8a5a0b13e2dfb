"""Files and clusters that go and come again: what was withdrawn, abandoned or expired runs by a new attempt alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")
FIRST, SECOND = MEMBERS
SHRUNK = objects.fleet(members=MEMBERS[1:])
GONE = objects.fleet(members=MEMBERS[1:], declared=MEMBERS[1:])
Files = dict[str, str | None]


def copy(more: str = "", policy: str = COPY) -> Files:
    return {"restores/copy.yaml": objects.restore("copy", "before", more, policy)}


def state(workspace: Workspace) -> tuple[str, str]:
    """Of the latest run on member 1."""
    run = workspace.runs("restores", "copy")[FIRST]
    return run["phase"], run.get("reason", "")


@pytest.fixture
def waiting(fleet: Fleet, backed_up: Workspace) -> Workspace:
    """A Restore that waits for member 1 and has completed on member 2."""
    fleet.members[0].stop_apiserver()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync().code == 3
    assert state(backed_up) == ("Pending", "Unreachable")
    return backed_up


@pytest.mark.parametrize(
    ("away", "back", "ended"),
    [
        pytest.param({"restores/copy.yaml": None}, copy(), ("Held", "Withdrawn"), id="its-file"),
        pytest.param(copy("suspend: true"), copy("suspend: true"), ("Held", "Suspended"), id="suspended"),
        pytest.param(copy(policy=objects.to_namespace("other")), copy(), ("Held", "SpecChanged"), id="what-it-says"),
        pytest.param(copy(objects.only(SECOND)), copy(), ("Held", "Withdrawn"), id="its-destination"),
        pytest.param(
            {"fleets/quickstart.yaml": SHRUNK},
            {"fleets/quickstart.yaml": objects.fleet()},
            ("Held", "Withdrawn"),
            id="the-cluster-of-its-fleet",
        ),
        pytest.param(
            {"fleets/quickstart.yaml": GONE},
            {"fleets/quickstart.yaml": objects.fleet()},
            ("Failed", "Abandoned"),
            id="the-cluster-altogether",
        ),
    ],
)
def test_gone_and_come_again_runs_nothing_until_the_attempt_is_raised(
    fleet: Fleet, waiting: Workspace, away: Files, back: Files, ended: tuple[str, str]
) -> None:
    waiting.commit(away, "Away")
    waiting.sync()
    assert state(waiting) == ended
    fleet.members[0].start_apiserver()
    waiting.sync()
    waiting.commit(back | {"README.md": "again\n"}, "Back")
    assert waiting.sync().code == 1
    assert state(waiting) == ended
    assert fleet.members[0].restores() == []
    waiting.commit(copy("attempt: 2"), "Once more, with review")
    done = waiting.sync("--timeout", "200s")  # a Velero whose API server was away comes back in its own time
    assert done.code == 0, done.text
    assert state(waiting) == ("Completed", "")
    assert [len(member.restores()) for member in fleet.members] == [1, 1], "it had completed on the other"


def test_a_file_that_is_removed_while_it_runs_is_followed_to_its_end(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.pause_velero()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync("--timeout", "3s").code == 3
    backed_up.commit({"restores/copy.yaml": None}, "Remove")
    for member in fleet.members:
        member.resume_velero()
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert {run["phase"] for run in backed_up.runs("restores", "copy").values()} == {"Completed"}
    for member in fleet.members:
        (made,) = member.restores()
        assert "reconciler/recorded" not in made["metadata"].get("finalizers", [])


def test_a_cluster_that_is_removed_while_it_runs_there_is_abandoned(fleet: Fleet, backed_up: Workspace) -> None:
    """From the fleet alone it is followed to its end; declared nowhere any more nobody can ask it."""
    fleet.members[0].pause_velero()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync("--timeout", "3s").code == 3
    backed_up.commit({"fleets/quickstart.yaml": GONE}, "Member 1 is no more")
    assert backed_up.sync().code == 1
    assert state(backed_up) == ("Failed", "Abandoned")
    assert backed_up.runs("restores", "copy")[SECOND]["phase"] == "Completed"


def test_a_cluster_that_leaves_the_fleet_while_it_runs_there_is_followed(fleet: Fleet, backed_up: Workspace) -> None:
    fleet.members[0].pause_velero()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync("--timeout", "3s").code == 3
    backed_up.commit({"fleets/quickstart.yaml": SHRUNK}, "The fleet shrinks")
    fleet.members[0].resume_velero()
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert state(backed_up) == ("Completed", "")


def test_an_expired_run_is_run_by_a_raised_attempt(fleet: Fleet, backed_up: Workspace) -> None:
    fleet.members[0].stop_apiserver()
    backed_up.commit(copy("startWithin: 1s"), "Copy, now or never")
    _until(lambda: backed_up.sync(disturbed="the time itself ends its wait").code == 1)
    assert state(backed_up) == ("Failed", "Expired")
    fleet.members[0].start_apiserver()
    assert backed_up.sync().code == 1
    assert fleet.members[0].restores() == []
    backed_up.commit(copy("attempt: 2"), "Now")
    assert backed_up.sync().code == 0
    assert [len(member.restores()) for member in fleet.members] == [1, 1]


def test_forgotten_and_added_again_its_old_run_is_found_and_nothing_runs(fleet: Fleet, backed_up: Workspace) -> None:
    """The object on the member carries the very run id, so it is known again; a raised attempt runs."""
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync().code == 0
    backed_up.commit({"restores/copy.yaml": None}, "Remove")
    assert backed_up.sync().code == 0
    assert backed_up.run("forget", "restore", "default/copy").code == 0
    backed_up.commit(copy(), "Again")
    assert backed_up.sync().code == 0
    assert [len(member.restores()) for member in fleet.members] == [1, 1]
    assert state(backed_up) == ("Completed", "")


def _until(condition: Callable[[], bool], tries: int = 20) -> None:
    assert any(condition() for _ in range(tries))
