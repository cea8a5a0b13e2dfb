"""Who leads, seen from within: what is asked of the hub, what is believed, what is told to the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from reconciler.errors import Refused, Unclear
from reconciler.hub import Hub, Leadership, identity, instance, regarding
from reconciler.simulation.member import SimulatedMember

PATH = "/apis/coordination.k8s.io/v1/namespaces/default/leases/reconciler-2"
LONG_AGO, FAR_AHEAD = "2001-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"
SECONDS = 2


@pytest.fixture(autouse=True)
def no_lease(hub: SimulatedMember) -> None:
    hub.api.delete(PATH)


@asynccontextmanager
async def candidate(
    hub: SimulatedMember, name: str = "me", told: Callable[[str], None] = lambda trouble: None
) -> AsyncIterator[Leadership]:
    door = Hub(hub.kubeconfig)
    try:
        async with Leadership(door, "default", "reconciler-2", name, SECONDS, told=told) as leadership:
            yield leadership
    finally:
        await door.close()


def put(hub: SimulatedMember, holder: str, renewed: str, seconds: int = SECONDS) -> None:
    """A Lease of somebody else."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds, "renewTime": renewed, "leaseTransitions": 6}
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "reconciler-2"}, "spec": spec}
    hub.api.create(PATH.rpartition("/")[0], body)


def spec(hub: SimulatedMember) -> Mapping[str, Any]:
    found = hub.api.get(PATH)
    assert found is not None
    return dict(found["spec"])


async def in_time(leadership: Leadership, seconds: float = 10.0) -> float:
    """How long it took to lead."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(seconds):
        await leadership.lead()
    assert leadership.leading
    return loop.time() - began


@pytest.mark.parametrize("renewed", [LONG_AGO, FAR_AHEAD])
def test_expiry_is_judged_by_what_we_saw_and_by_no_clock_of_others(hub: SimulatedMember, renewed: str) -> None:
    """A holder with a clock that is years wrong is waited for as long as any other, and no longer."""
    put(hub, "other", renewed)

    async def run() -> None:
        async with candidate(hub) as leadership:
            took = await in_time(leadership)
            assert SECONDS <= took < SECONDS + 10
            assert spec(hub)["leaseTransitions"] == 7
            assert spec(hub)["holderIdentity"] == leadership.holder == "me"

    asyncio.run(run())
    assert spec(hub)["holderIdentity"] == ""


def test_a_holder_that_renews_is_never_followed(hub: SimulatedMember) -> None:
    put(hub, "other", LONG_AGO)

    async def run() -> None:
        async with candidate(hub) as leadership:
            for number in range(10):
                await asyncio.to_thread(
                    hub.api.patch_merge, PATH, {"spec": {"renewTime": f"2001-01-01T00:00:1{number}.0Z"}}
                )
                await asyncio.sleep(SECONDS / 4)
                assert not leadership.leading
            assert leadership.holder == "other"

    asyncio.run(run())
    assert spec(hub)["holderIdentity"] == "other", "what is another's is not let go"


def test_the_holder_says_how_long_it_is_to_be_waited_for(hub: SimulatedMember) -> None:
    """As replicas of two versions may differ."""
    put(hub, "other", LONG_AGO, seconds=SECONDS * 2)

    async def run() -> None:
        async with candidate(hub) as leadership:
            assert await in_time(leadership) >= SECONDS * 2

    asyncio.run(run())


def test_what_was_let_go_is_taken_at_once(hub: SimulatedMember) -> None:
    put(hub, "", LONG_AGO, seconds=60)

    async def run() -> None:
        async with candidate(hub) as leadership:
            assert await in_time(leadership) < 1

    asyncio.run(run())


def test_a_renewal_never_overwrites_what_somebody_wrote_meanwhile(hub: SimulatedMember) -> None:
    async def run() -> None:
        async with candidate(hub) as leadership:
            await in_time(leadership)
            stolen = {"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 60}}
            await asyncio.to_thread(hub.api.patch_merge, PATH, stolen)
            async with asyncio.timeout(SECONDS * 2):
                await leadership.lost.wait()
            assert not leadership.leading
            assert leadership.holder == "thief"

    asyncio.run(run())
    assert spec(hub)["holderIdentity"] == "thief"


def test_answers_that_are_lost_cost_no_leadership(hub: SimulatedMember) -> None:
    async def run() -> None:
        async with candidate(hub) as leadership:
            await in_time(leadership)
            hub.faults.lost_after("update", "leases", times=2)
            hub.faults.status(500, resource="leases", times=1)
            await asyncio.sleep(SECONDS)
            assert leadership.leading
            assert not leadership.lost.is_set()
            assert leadership.trouble == ""

    asyncio.run(run())


def test_who_may_not_hold_leases_says_why_and_begins_when_it_may(hub: SimulatedMember) -> None:
    """And says it once, however often it tries."""
    hub.forbid("create", "leases")
    told: list[str] = []

    async def run() -> None:
        async with candidate(hub, told=told.append) as leadership:
            await asyncio.sleep(SECONDS)
            assert not leadership.leading
            assert "forbidden" in leadership.trouble
            assert told == [leadership.trouble]
            await asyncio.to_thread(hub.allow_all)
            await in_time(leadership)
            assert told[1:] == [""]

    asyncio.run(run())


def test_a_hub_that_hangs_ends_leadership_in_time_and_the_exit_is_not_held_up(hub: SimulatedMember) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with candidate(hub) as leadership:
            await in_time(leadership)
            hub.faults.hang(resource="leases")
            async with asyncio.timeout(SECONDS):
                await leadership.lost.wait()
            assert not leadership.leading
            hub.faults.clear()
            await in_time(leadership)
            assert not leadership.lost.is_set()
            hub.faults.hang(resource="leases")
            ending = loop.time()
        assert loop.time() - ending < 5

    asyncio.run(run())


class Answers:
    """A hub that answers with what is in a list, or breaks."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.answers = list(answers)

    async def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        answer = self.answers.pop(0) if self.answers else Unclear("Unreachable", "gone")
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_clock_that_moved_while_we_slept_ends_leadership_before_anything_else_is_done() -> None:
    """A process or a machine that was paused: nothing has run yet when it is asked."""
    now = 100.0

    async def run() -> None:
        nonlocal now
        absent = Refused("NotFound", "no lease", 404, "leases/reconciler")
        async with Leadership(Answers(absent, {}), "default", "reconciler", "me", 10, clock=lambda: now) as leadership:
            async with asyncio.timeout(5):
                await leadership.lead()
            now += 6.6
            assert leadership.leading
            now += 0.1
            assert not leadership.leading

    asyncio.run(run())


def test_a_mistake_of_ours_does_not_leave_anybody_waiting() -> None:
    async def run() -> None:
        async with Leadership(Answers(RuntimeError("a mistake")), "default", "reconciler", "me") as leadership:
            with pytest.raises(RuntimeError, match="a mistake"):
                await leadership.lead()
            assert not leadership.leading

    asyncio.run(run())


def test_no_two_processes_have_one_identity() -> None:
    pod = {"POD_NAME": "reconciler-7d9f-x2x", "POD_NAMESPACE": "fleet"}
    assert identity(pod) != identity(pod)
    assert identity(pod).startswith("reconciler-7d9f-x2x_")
    assert instance(pod) == "reconciler-7d9f-x2x"
    assert instance({})
    assert regarding(pod, "default", "reconciler")["kind"] == "Pod"
    assert regarding({}, "default", "reconciler") == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "namespace": "default",
        "name": "reconciler",
    }
