"""The simulated fleet: members with their API servers and Veleros in this process, so that one says one `with`.

Used by the demo and by tests, with the interface of the tests' real fleet.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from reconciler.simulation import certificates
from reconciler.simulation.clock import Clock
from reconciler.simulation.member import ADMIN, ApiOf, SimulatedMember
from reconciler.simulation.server import SimulatedServer
from reconciler.simulation.velero import Bucket

MEMBERS = ("kurator-member1", "kurator-member2")
_OWN_DOORS = 50  # more members than that share one port; each door costs a few file descriptors
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Storage:
    """The object storage that all members share; without it their storage is Unavailable."""

    def __init__(self, bucket: Bucket, server: SimulatedServer) -> None:
        self._bucket, self._server = bucket, server

    def start(self) -> None:
        self._server.call(lambda: self._set(available=True))

    def stop(self) -> None:
        self._server.call(lambda: self._set(available=False))

    def empty(self, prefix: str) -> None:
        """Remove every object under a prefix."""
        self._server.call(lambda: self._bucket.empty(prefix))

    def _set(self, *, available: bool) -> None:
        self._bucket.available = available


class SimulatedFleet:
    """Members that run while one is within it. `speed` is how fast their time goes by.

    `directory` gets all that the fleet writes: `kubeconfig` (all contexts), `kubeconfigs/<member>/value`, keys.
    `api` makes `member.api`, where a test wants its own client (the member has `url`, `tokens` and `kubeconfig`).
    """

    def __init__(
        self, directory: Path, members: Sequence[str] = MEMBERS, speed: float = 1.0, api: ApiOf | None = None
    ) -> None:
        self.directory = directory.absolute()
        self.clock = Clock(speed)
        self.bucket = Bucket()
        self.certificates = certificates.make(self.directory / "server")
        self.server = SimulatedServer(self.certificates, self.bucket)
        self.s3 = Storage(self.bucket, self.server)
        self.members: tuple[SimulatedMember, ...] = ()
        self._names = tuple(members)
        self._api = api
        self._running = ExitStack()

    def __enter__(self) -> SimulatedFleet:
        self._running.enter_context(self.server)
        self.members = tuple(
            SimulatedMember(
                name, self.kubeconfig_directory / name / "value", self.server, self.bucket, self.clock, self._api
            )
            for name in self._names
        )
        own_doors = len(self.members) <= _OWN_DOORS
        self.server.wait(self._add(own_doors=own_doors))
        self._write_kubeconfigs()
        for member in self.members if own_doors else ():
            member.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def kubeconfig(self) -> Path:
        """One file with a context for each member."""
        return self.directory / "kubeconfig"

    @property
    def kubeconfig_directory(self) -> Path:
        """`<member>/value` in it holds that member's kubeconfig, as a mounted Secret would."""
        return self.directory / "kubeconfigs"

    def member(self, name: str) -> SimulatedMember:
        return next(member for member in self.members if member.name == name)

    def advance(self, **duration: float) -> None:
        """Moves time on for all members, e.g. by `days=31`."""
        self.server.call(lambda: self.clock.advance(timedelta(**duration).total_seconds()))

    def reset(self) -> None:
        """All members back to pristine."""
        for member in self.members:
            member.reset()

    async def _add(self, *, own_doors: bool) -> None:
        for member in self.members:
            await self.server.add(member, own_door=own_doors)

    def _write_kubeconfigs(self) -> None:
        authority = base64.b64encode(self.certificates.authority.read_bytes()).decode()
        entries = [_entries(member, authority) for member in self.members]
        for member, entry in zip(self.members, entries, strict=True):
            certificates.write_secret(member.kubeconfig, _kubeconfig([entry]))
        certificates.write_secret(self.kubeconfig, _kubeconfig(entries))


def _entries(member: SimulatedMember, authority: str) -> dict[str, Any]:
    name = member.name
    return {
        "clusters": {"name": name, "cluster": {"server": member.url, "certificate-authority-data": authority}},
        "users": {"name": name, "user": {"token": member.tokens[ADMIN]}},
        "contexts": {"name": name, "context": {"cluster": name, "user": name}},
    }


def _kubeconfig(entries: list[dict[str, Any]]) -> bytes:
    """With the contexts of all; the first one's is the current one."""
    config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    for section in ("clusters", "users", "contexts"):
        config[section] = [entry[section] for entry in entries]
    config["current-context"] = entries[0]["contexts"]["name"]
    return yaml.dump(config, Dumper=_Dumper, sort_keys=False).encode()
