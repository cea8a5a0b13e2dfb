"""The first member of the simulated fleet as new, and the door to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember
from tests.members.door import Door


@pytest.fixture
def member(simulated_member: SimulatedMember) -> Iterator[SimulatedMember]:
    yield simulated_member
    simulated_member.reset()


@pytest.fixture
def door(simulated_fleet: SimulatedFleet) -> Door:
    return Door(simulated_fleet)
