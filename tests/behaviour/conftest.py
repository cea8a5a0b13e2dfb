"""The members on which a behaviour is looked at: what the simulation claims is what the real thing does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fleets import Fleet, Member


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """Both members as new."""
    fleet: Fleet = request.getfixturevalue(f"{request.param}_fleet")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda member: member.reset(), fleet.members))
    return fleet


@pytest.fixture
def member(fleet: Fleet) -> Member:
    """The first of them."""
    return fleet.members[0]
