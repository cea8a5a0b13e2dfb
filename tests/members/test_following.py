"""Watches of what runs: a change stirs, what merely is there does not, and a member that is away stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from reconciler.members import Members
from reconciler.members.following import Following
from reconciler.plan.answers import Name
from reconciler.settings import MemberSettings
from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember
from reconciler.velero.objects import MANAGED_BY, MANAGER
from tests.behaviour.velero import create, ended, path
from tests.members.door import declared

OURS = {MANAGED_BY: MANAGER}
NONE = {"includedNamespaces": ["none-*"]}
RUNS: Name = ("Backup", "b")


class Follower:
    """Follows the members of a fleet, and is told when something went on."""

    def __init__(self, fleet: SimulatedFleet) -> None:
        self.fleet = fleet
        self.stirred = asyncio.Event()
        self.members = Members(MemberSettings(kubeconfig_dir=fleet.kubeconfig_directory))
        self.following: Following = self.members.following(self.stirred.set)

    async def follow(self, *members: SimulatedMember) -> None:
        known = {declared(member).id: declared(member) for member in self.fleet.members}
        self.following.follow({declared(member).id: [RUNS] for member in members}, known)
        await asyncio.sleep(0.5)  # the watch stands, and has brought what was there

    async def told(self, seconds: float = 10.0) -> bool:
        """Whether something went on since it was asked last."""
        try:
            await asyncio.wait_for(self.stirred.wait(), seconds)
        except TimeoutError:
            return False
        self.stirred.clear()
        return True


def following(fleet: SimulatedFleet, story: Callable[[Follower], Awaitable[None]]) -> None:
    async def run() -> None:
        follower = Follower(fleet)
        try:
            await story(follower)
        finally:
            await follower.following.close()
            await follower.members.close()

    asyncio.run(run())


def test_each_phase_stirs_and_what_was_there_does_not(simulated_fleet: SimulatedFleet, member: SimulatedMember) -> None:
    member.pause_velero()
    create(member, "Backup", "b", NONE, labels=OURS)

    async def story(follower: Follower) -> None:
        await follower.follow(member)
        assert not await follower.told(0.5)
        await asyncio.to_thread(member.resume_velero)
        await asyncio.to_thread(ended, member, "Backup", "b")
        assert await follower.told()
        await asyncio.sleep(0.5)
        await follower.told(0.1)
        await asyncio.to_thread(member.api.delete, path("Backup", "b"))
        assert await follower.told()

    following(simulated_fleet, story)


def test_one_that_ended_before_the_watch_stood_is_told(
    simulated_fleet: SimulatedFleet, member: SimulatedMember
) -> None:
    create(member, "Backup", "b", NONE, labels=OURS)
    ended(member, "Backup", "b")

    async def story(follower: Follower) -> None:
        await follower.follow(member)
        assert await follower.told()

    following(simulated_fleet, story)


@pytest.mark.parametrize("labels", [{}, {**OURS, "velero.io/schedule-name": "nightly"}], ids=["foreign", "scheduled"])
def test_what_is_no_run_of_ours_is_not_watched(
    simulated_fleet: SimulatedFleet, member: SimulatedMember, labels: dict[str, str]
) -> None:
    async def story(follower: Follower) -> None:
        await follower.follow(member)
        await asyncio.to_thread(create, member, "Backup", "other", NONE, labels=labels)
        await asyncio.to_thread(ended, member, "Backup", "other")
        assert not await follower.told(0.5)

    following(simulated_fleet, story)


def test_a_member_that_was_away_is_watched_again(simulated_fleet: SimulatedFleet, member: SimulatedMember) -> None:
    member.pause_velero()
    create(member, "Backup", "b", NONE, labels=OURS)

    async def story(follower: Follower) -> None:
        await follower.follow(member)
        await asyncio.to_thread(member.stop_apiserver)
        await asyncio.sleep(0.2)
        await asyncio.to_thread(member.start_apiserver)
        await asyncio.to_thread(member.resume_velero)
        await asyncio.to_thread(ended, member, "Backup", "b")
        assert await follower.told()

    following(simulated_fleet, story)


def test_nothing_is_watched_where_nothing_runs_any_more(
    simulated_fleet: SimulatedFleet, member: SimulatedMember
) -> None:
    async def story(follower: Follower) -> None:
        await follower.follow(*simulated_fleet.members)
        assert follower.following.watched == 2
        await follower.follow(member)
        assert follower.following.watched == 1
        await follower.follow()
        assert follower.following.watched == 0

    following(simulated_fleet, story)
