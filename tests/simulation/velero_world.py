"""Simulated members with their Veleros, without HTTP between: for the tests of what only a simulation can be told."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

from reconciler.simulation.api.controllers import Controllers
from reconciler.simulation.api.store import Store
from reconciler.simulation.clock import Clock
from reconciler.simulation.cluster import Object
from reconciler.simulation.install import install
from reconciler.simulation.velero import Bucket, SimulatedVelero

NAMESPACE = "velero"
SPACE = "shop"
PATIENCE = 5.0


class World:
    """Members that share a clock and a bucket; `one` is the first of them."""

    def __init__(self, members: int = 1) -> None:
        self.clock, self.bucket = Clock(), Bucket()
        self.members = [Member(f"member{number}", self) for number in range(members)]
        self.one = self.members[0]

    async def advance(self, seconds: float) -> None:
        """Moves time on, and lets everybody do what is due by then."""
        self.clock.advance(seconds)
        await settle()


class Member:
    """A store, its controllers and its Velero, which runs."""

    def __init__(self, name: str, world: World) -> None:
        self.name, self.world = name, world
        self.store = Store(name, world.clock)
        install(self.store)
        Controllers(self.store)
        self.velero = SimulatedVelero(self.store, world.bucket, name, world.clock)
        self.velero.step_seconds = 0.0
        self.velero.start()

    def create(self, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> Object:
        resource = f"{kind.lower()}s.velero.io"
        return self.store.create(resource, NAMESPACE, {"metadata": {"name": name, **metadata}, "spec": spec})

    def get(self, kind: str, name: str) -> Object | None:
        return self.store.find(f"{kind.lower()}s.velero.io", NAMESPACE, name)

    def all(self, kind: str) -> list[Object]:
        return self.store.all(f"{kind.lower()}s.velero.io")

    def phase(self, kind: str, name: str) -> str:
        return str(((self.get(kind, name) or {}).get("status") or {}).get("phase", ""))

    def change(self, kind: str, name: str, **parts: Any) -> None:
        """Patches parts of an object, e.g. its `spec`, one level deep."""
        found = self.get(kind, name) or {}
        for part, fields in parts.items():
            found[part] = {**found.get(part, {}), **fields}
        self.store.update(f"{kind.lower()}s.velero.io", found)

    async def reached(self, kind: str, name: str, *phases: str) -> Object:
        await until(lambda: self.phase(kind, name) in phases, f"{kind} {name} to be {' or '.join(phases)}")
        return self.get(kind, name) or {}

    async def run(self, kind: str, name: str, spec: dict[str, Any], phase: str = "Completed") -> Object:
        self.create(kind, name, spec)
        return await self.reached(kind, name, phase)

    async def back_up(self, name: str = "first", **spec: Any) -> Object:
        return await self.run("Backup", name, {"includedNamespaces": [SPACE], **spec})

    async def stock(self) -> None:
        """A namespace with a ConfigMap, and a storage that is Available."""
        await self.reached("BackupStorageLocation", "default", "Available")
        self.store.create("namespaces", "", {"metadata": {"name": SPACE}})
        self.put("configmaps", "plain", data={"colour": "blue"})
        await settle()

    def put(self, resource: str, name: str, namespace: str = SPACE, **fields: Any) -> Object:
        metadata = {"name": name, **fields.pop("metadata", {})}
        return self.store.create(resource, namespace, {"metadata": metadata, **fields})

    def find(self, resource: str, name: str, namespace: str = SPACE) -> Object | None:
        return self.store.find(resource, namespace, name)

    def file(self, path: str) -> Any:
        """What lies in the bucket below this member's prefix."""
        return json.loads(gzip.decompress(self.world.bucket.get(f"{self.name}/{path}")))


async def until(reached: Callable[[], bool], what: str) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not reached():
        assert loop.time() < end, f"waited for {what}, in vain"
        await asyncio.sleep(0.001)


async def settle() -> None:
    """Everybody who can go on without time has gone on."""
    for _ in range(50):
        await asyncio.sleep(0)


def within(test: Callable[[World], Awaitable[None]], members: int = 1) -> None:
    """Runs a test's body in a loop of its own, and ends all servers."""

    async def body() -> None:
        world = World(members)
        try:
            await test(world)
        finally:
            for member in world.members:
                member.velero.stop()
            await settle()

    asyncio.run(body())
