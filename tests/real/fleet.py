"""The real fleet: starts and ends everything, so that a test or a person says one `with`.

Called by `fixtures.py` and `__main__.py`.
"""

import fcntl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO

import requests

from tests.real.build import Binaries, Say, build_all
from tests.real.cluster import free_port, merged_kubeconfig, write_secret
from tests.real.member import Member
from tests.real.processes import Process
from tests.real.s3 import S3
from tests.real.velero import custom_resource_definitions

MEMBERS = ("kurator-member1", "kurator-member2")


class FleetError(Exception):
    """The fleet cannot be started as asked; the text says why."""


class RealFleet:
    """Two members by default, each a cluster with its Velero; one etcd and one S3 server serve all.

    `directory` gets all that the fleet writes: `kubeconfig` (all contexts), `kubeconfigs/<member>/value`, `logs`.
    """

    def __init__(self, directory: Path, members: Sequence[str] = MEMBERS, say: Say = print) -> None:
        self.directory = directory.absolute()
        self.names = tuple(members)
        self.members: tuple[Member, ...] = ()
        self._say = say
        self._processes: list[Process] = []
        self._lock: IO[str] | None = None

    def __enter__(self) -> "RealFleet":
        binaries = build_all(self._say)
        try:
            self._take_directory()
            self._start(binaries)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process at once; the data are of no more use."""
        for process in self.processes:
            process.kill()
        if self._lock is not None:
            self._lock.close()

    @property
    def processes(self) -> tuple[Process, ...]:
        """All of them, those that depend on others first."""
        return (*(process for member in self.members for process in member.processes), *self._processes)

    def member(self, name: str) -> Member:
        return next(member for member in self.members if member.name == name)

    def reset(self) -> None:
        """All members at once back to pristine. What they share comes first, not started by each of them."""
        for process in self._processes:
            process.resume()
            process.check()
        self.s3.start()
        self._on_all(Member.reset)

    @property
    def kubeconfig(self) -> Path:
        """One file with a context for each member."""
        return self.directory / "kubeconfig"

    @property
    def kubeconfig_directory(self) -> Path:
        """`<member>/value` in it holds that member's kubeconfig, as a mounted Secret would."""
        return self.directory / "kubeconfigs"

    def _take_directory(self) -> None:
        """Two fleets in one folder would spoil each other's data; an ended one's folder may be used again."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock = (self.directory / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FleetError(f"A fleet runs in {self.directory} already; end that one or choose another.") from error

    def _start(self, binaries: Binaries) -> None:
        started = time.monotonic()
        etcd = self._start_etcd(binaries)
        self.s3 = S3(self.directory, binaries)
        self._processes.append(self.s3.process)
        self.s3.start()
        self._say(f"S3 and etcd run ({time.monotonic() - started:.1f} s)")
        self.members = tuple(
            Member(
                name,
                self.directory / "members" / name,
                self.kubeconfig_directory / name / "value",
                etcd,
                self.s3,
                binaries,
            )
            for name in self.names
        )
        definitions = custom_resource_definitions(binaries, self.directory)

        def start(member: Member) -> None:
            member.start(definitions)
            self._say(f"{member.name} is ready ({time.monotonic() - started:.1f} s)")

        self._on_all(start)
        write_secret(self.kubeconfig, merged_kubeconfig(member.kubeconfig for member in self.members))

    def _start_etcd(self, binaries: Binaries) -> str:
        client, peer = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
        etcd = Process(
            "etcd",
            (
                binaries.etcd,
                "--unsafe-no-fsync",
                f"--data-dir={self.directory / 'etcd'}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
                "--log-level=warn",
            ),
            log=self.directory / "logs" / "etcd.log",
        )
        self._processes.append(etcd)
        etcd.start()
        etcd.wait_ready(lambda: healthy(client), 30)
        return client

    def _on_all(self, work: Callable[[Member], None]) -> None:
        with ThreadPoolExecutor(len(self.members)) as pool:
            list(pool.map(work, self.members))


def healthy(etcd: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{etcd}/health", timeout=2).status_code == 200
        except requests.RequestException:
            return False
