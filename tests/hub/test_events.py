"""Events reach the hub as kubectl shows them, and whatever becomes of them delays nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from reconciler.errors import Unclear
from reconciler.hub import Events, Hub, regarding
from reconciler.hub.events import NOTE_BYTES, WAITING
from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember
from tests.real.fleet import RealFleet

LEASE = regarding({}, "default", "reconciler")
POD = regarding({"POD_NAME": "reconciler-0", "POD_NAMESPACE": "default"}, "", "")


class Receiver:
    """A hub that takes Events, one after another, when it is let."""

    def __init__(self, fails: bool = False) -> None:
        self.taken: list[Any] = []
        self.fails = fails
        self.open = asyncio.Event()

    async def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        await self.open.wait()
        if self.fails:
            raise Unclear("Unreachable", "the hub is away")
        self.taken.append((method, path, body))
        return {}


@asynccontextmanager
async def events(receiver: Receiver, told: Callable[[str], None] = lambda trouble: None) -> AsyncIterator[Events]:
    async with Events(receiver, LEASE, "here", told) as made:
        yield made


def test_one_event() -> None:
    async def run() -> None:
        receiver = Receiver()
        receiver.open.set()
        async with events(receiver) as made:
            made.post("Warning", "RestoreFailed", "restore default/copy: Failed on 1 of 2 clusters")
        ((method, path, body),) = receiver.taken
        assert (method, path) == ("POST", "/apis/events.k8s.io/v1/namespaces/default/events")
        kept = {key: value for key, value in body.items() if key not in ("metadata", "eventTime")}
        assert kept == {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "reportingController": "reconciler/fleet-restore",
            "reportingInstance": "here",
            "action": "Reconcile",
            "reason": "RestoreFailed",
            "regarding": LEASE,
            "note": "restore default/copy: Failed on 1 of 2 clusters",
            "type": "Warning",
        }
        assert (made.sent, made.dropped, made.trouble) == (1, 0, "")

    asyncio.run(run())


@pytest.mark.parametrize("letter", ["x", "é", "語", "😀"])
def test_a_note_is_cut_to_what_the_server_takes(letter: str) -> None:
    async def run() -> str:
        receiver = Receiver()
        receiver.open.set()
        async with events(receiver) as made:
            made.post("Normal", "Restored", letter * 2000)
        ((_, _, body),) = receiver.taken
        return str(body["note"])

    note = asyncio.run(run())
    assert NOTE_BYTES - 4 <= len(note.encode()) <= NOTE_BYTES
    assert note.lstrip(letter) == "…"


def test_a_hub_that_hangs_delays_nothing_and_what_is_too_much_is_counted() -> None:
    async def run() -> None:
        receiver = Receiver()
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with events(receiver) as made:
            for number in range(3 * WAITING):
                made.post("Normal", "Restored", str(number))
            assert loop.time() - began < 1
            assert made.dropped >= 2 * WAITING - 1
            ending = loop.time()
        assert loop.time() - ending < 5
        assert made.sent == 0
        assert made.dropped == 3 * WAITING

    asyncio.run(run())


def test_what_the_hub_does_not_take_is_dropped_and_the_next_one_goes_out() -> None:
    async def run() -> None:
        receiver, told = Receiver(fails=True), list[str]()
        receiver.open.set()
        async with events(receiver, told.append) as made:
            for _ in range(2):
                made.post("Normal", "Restored", "one")
            async with asyncio.timeout(5):
                while made.dropped < 2:  # noqa: ASYNC110 - it is counted elsewhere
                    await asyncio.sleep(0.01)
            assert made.trouble == "the hub is away"
            receiver.fails = False
            made.post("Normal", "Restored", "two")
        assert [body["note"] for _, _, body in receiver.taken] == ["two"]
        assert (made.sent, made.dropped, made.trouble) == (1, 2, "")
        assert told == ["the hub is away", ""], "once a change"

    asyncio.run(run())


def test_a_hub_without_the_right_to_it(hub: SimulatedMember, simulated_fleet: SimulatedFleet) -> None:
    """Over HTTP: it answers, and says no."""
    hub.faults.status(403, resource="events")

    async def run() -> None:
        door = Hub(hub.kubeconfig)
        try:
            async with Events(door, LEASE, "here") as made:
                made.post("Normal", "Restored", "one")
            assert (made.sent, made.dropped) == (0, 1)
            assert made.trouble
        finally:
            await door.close()

    asyncio.run(run())


@pytest.mark.real
@pytest.mark.parametrize("about", [LEASE, POD], ids=["lease", "pod"])
def test_a_real_api_server_takes_them(real_fleet: RealFleet, about: dict[str, Any]) -> None:
    member = real_fleet.members[0]

    async def run() -> Events:
        door = Hub(member.kubeconfig)
        try:
            async with Events(door, about, "here") as made:
                made.post("Normal", "RestoreCompleted", "short")
                made.post("Warning", "RestoreFailed", "語" * 2000)
            return made
        finally:
            await door.close()

    made = asyncio.run(run())
    assert (made.sent, made.dropped, made.trouble) == (2, 0, "")
    found = member.api.list("/apis/events.k8s.io/v1/namespaces/default/events")
    ours = [each for each in found if each["regarding"].get("kind") == about["kind"]]
    assert {(each["type"], each["reason"]) for each in ours} >= {
        ("Normal", "RestoreCompleted"),
        ("Warning", "RestoreFailed"),
    }
