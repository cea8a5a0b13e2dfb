"""The simulated fleet as a pytest fixture: started once a session, when the first test asks for it.

Imported by the conftest of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember
from tests.real.api import Api


def client_of(fleet: SimulatedFleet, member: SimulatedMember) -> Api:
    """The tests' own client of real members, over HTTP, as the user that no fault hits."""
    return Api(member.url, member.tokens["rig"], fleet.certificates.authority)


@pytest.fixture(scope="session")
def simulated_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFleet]:
    """As the last test left it; a test that needs to know its state resets it."""
    clients: dict[str, Api] = {}

    def api(member: SimulatedMember) -> Api:
        return clients.setdefault(member.name, client_of(fleet, member))

    with SimulatedFleet(tmp_path_factory.mktemp("simulated-fleet"), api=api) as fleet:
        yield fleet


@pytest.fixture
def simulated_member(simulated_fleet: SimulatedFleet) -> SimulatedMember:
    """The first member, pristine."""
    member = simulated_fleet.members[0]
    member.reset()
    return member
