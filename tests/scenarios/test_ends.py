"""SIGTERM while git hangs or is in the midst of a push: the daemon ends in time, and a record is there or is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fleets import Fleet, Member
from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.daemons import Daemon
from tests.scenarios.workspace import Workspace, audited_creates
from tests.servers.https import Fault, Https, https

PUSHED = "/git-receive-pack"
RESTORE = {"restores/copy.yaml": objects.restore("copy", "before", policy=objects.to_namespace("ends-copy"))}


class Served:
    """A repository over https in which a Backup has run, a person's clone of it by path, and daemons by its URL."""

    def __init__(self, server: Https, workspace: Workspace, folder: Path) -> None:
        bare = folder / "served" / "fleet.git"
        workspace.git("clone", "-q", "--bare", str(workspace.root), str(bare))
        self.server, self.bare = server, workspace.at(bare)
        self.person = self.bare.clone(folder / "person")
        access = server.access(folder / "access")
        self._created = [self._creates(member) for member in workspace.members]
        self._options = ("--git-token-file", str(access.token_file), "--git-ca-file", str(access.ca_file))

    def daemon(self, interval: str) -> Daemon:
        return Daemon(self.person, "--repo", self.server.url(), "--interval", interval, *self._options)

    def push(self) -> None:
        self.person.commit(RESTORE, "Copy")
        self.person.git("push", "-q")

    def hang(self, where: str, seconds: float) -> Callable[[], object]:
        """From now on the server takes so long; waits until a request has come to it."""
        self.server.paths.clear()
        self.server.faults.append(Fault("slow", where, seconds=seconds))
        return lambda: wait_for(lambda: any(where in path for path in self.server.paths), 60, f"a request of {where}")

    def phases(self) -> set[str]:
        """Of the Restore, as the branch has it; empty before it is recorded."""
        if "status/restores/default/copy.yaml" not in self.bare.recorded():
            return set()
        return {run["phase"] for run in self.bare.runs("restores", "copy").values()}

    def goes_on(self) -> None:
        """Another daemon takes it from where it stands to the end."""
        self.server.faults.clear()
        with self.daemon("1s") as daemon:
            wait_for(lambda: self.phases() == {"Completed"}, 60, "the Restore")
            daemon.settled()
            daemon.end()

    def check(self) -> None:
        """All is recorded, nothing is broken, and nothing ran twice."""
        assert self.phases() == {"Completed"}
        self.bare.git("fsck", "--strict", "--no-dangling")
        for member, before in zip(self.bare.members, self._created, strict=True):
            assert self._creates(member)[len(before) :] == [f"{member.name}-restore-default-copy"]

    def _creates(self, member: Member) -> list[str]:
        return audited_creates(member, "restores")


@pytest.fixture
def served(backed_up: Workspace, tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "served").mkdir()
    with https(tmp_path / "served") as server:
        yield Served(server, backed_up, tmp_path)


def test_it_ends_in_time_where_the_git_server_hangs_at_the_start(fleet: Fleet, served: Served) -> None:
    hung = served.hang("info/refs", 30)
    with served.daemon("1s") as daemon:
        hung()
        daemon.end()


def test_it_ends_in_time_where_the_git_server_hangs_when_it_is_asked(fleet: Fleet, served: Served) -> None:
    with served.daemon("1s") as daemon:
        daemon.settled()
        served.hang("info/refs", 30)()
        daemon.end()


def test_it_ends_in_time_where_the_git_server_hangs_in_a_fetch(fleet: Fleet, served: Served) -> None:
    """It asks once in an hour; but a run waits, and each pass for it fetches."""
    fleet.members[0].stop_apiserver()
    served.push()
    with served.daemon("1h") as daemon:
        daemon.wait("standing", now="Waiting")
        served.hang("info/refs", 30)()
        daemon.end()


def test_a_push_that_takes_its_time_lands_before_the_end(fleet: Fleet, served: Served) -> None:
    with served.daemon("1s") as daemon:
        daemon.settled()
        pushed = served.hang(PUSHED, 3)
        served.push()
        pushed()
        daemon.end()
    assert served.phases(), "the record is there"
    served.goes_on()
    served.check()


def test_a_push_that_hangs_is_cut_off_and_what_it_becomes_harms_nothing(fleet: Fleet, served: Served) -> None:
    """It may land long after the daemon has ended, when another one is at work."""
    with served.daemon("1s") as daemon:
        daemon.settled()
        pushed = served.hang(PUSHED, 13)
        served.push()
        pushed()
        began = time.monotonic()
        daemon.end()
    assert not served.phases(), "it is under way"
    served.goes_on()
    time.sleep(max(0.0, began + 14 - time.monotonic()))
    served.check()
