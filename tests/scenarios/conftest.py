"""The fleet and the repository that a scenario starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fleets import Fleet, Member
from tests.scenarios import agreement, objects, rights
from tests.scenarios.workspace import Workspace


@pytest.fixture(autouse=True)
def agreements(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """How many plans were compared with their sync, for the summary of all tests."""
    before = agreement.count
    yield
    record_property("agreements", agreement.count - before)


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """The members as new, with busybox and two ConfigMaps on each; every scenario runs on both fleets."""
    fleet: Fleet = request.getfixturevalue(f"{request.param}_fleet")
    _together(fleet, lambda member: member.reset())
    _together(fleet, objects.populate)
    return fleet


@pytest.fixture
def workspace(request: pytest.FixtureRequest, fleet: Fleet, tmp_path: Path) -> Workspace:
    """A repository with a ledger and the fleet's files; on the members the command has the least rights."""
    real = request.node.callspec.params["fleet"] == "real"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(rights.merged_kubeconfig(fleet.members))
    made = Workspace.create(tmp_path / "fleet", kubeconfig, tmp_path / "home", processes=real, members=fleet.members)
    assert made.run("init").code == 0
    made.commit({"fleets/quickstart.yaml": objects.fleet()}, "Declare the fleet")
    return made


@pytest.fixture
def backed_up(workspace: Workspace) -> Workspace:
    """A repository whose Backup `before` has run on both members."""
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    done = workspace.sync()
    assert done.code == 0, done.text
    return workspace


def _together(fleet: Fleet, work: Callable[[Member], None]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(work, fleet.members))
