"""A cluster that plays the hub: any member does, of either fleet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.settings import MemberSettings
from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember
from tests.fleets import Fleet, Member
from tests.hub.asking import SECRET, put


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def any_hub(request: pytest.FixtureRequest) -> Member:
    """The first member of either fleet, as new."""
    fleet: Fleet = request.getfixturevalue(f"{request.param}_fleet")
    fleet.members[0].reset()
    return fleet.members[0]


@pytest.fixture
def hub(simulated_fleet: SimulatedFleet) -> Iterator[SimulatedMember]:
    """The first simulated member, as new; the second one is the fleet."""
    yield from _as_new(simulated_fleet.members[0])


@pytest.fixture
def member(simulated_fleet: SimulatedFleet) -> Iterator[SimulatedMember]:
    yield from _as_new(simulated_fleet.members[1])


@pytest.fixture
def stored(hub: SimulatedMember, member: SimulatedMember) -> Iterator[SimulatedMember]:
    """A hub with the kubeconfig of the member."""
    put(hub, member.kubeconfig_text)
    yield hub
    hub.api.delete(SECRET)


@pytest.fixture
def settings(stored: SimulatedMember) -> MemberSettings:
    return MemberSettings(hub=stored.kubeconfig)


def _as_new(member: SimulatedMember) -> Iterator[SimulatedMember]:
    member.reset()
    yield member
    member.reset()
