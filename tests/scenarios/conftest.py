"""The fleet and the repository that a scenario starts from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fleets import Fleet, Member
from tests.scenarios import objects
from tests.scenarios.workspace import Workspace


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """The members as new, with busybox and two ConfigMaps on each; every scenario runs on both fleets."""
    fleet: Fleet = request.getfixturevalue(f"{request.param}_fleet")
    _together(fleet, lambda member: member.reset())
    _together(fleet, objects.populate)
    return fleet


@pytest.fixture
def workspace(request: pytest.FixtureRequest, fleet: Fleet, tmp_path: Path) -> Workspace:
    """A repository with a ledger and the fleet's files."""
    real = request.node.callspec.params["fleet"] == "real"
    made = Workspace.create(tmp_path / "fleet", fleet.kubeconfig, tmp_path / "home", processes=real)
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
