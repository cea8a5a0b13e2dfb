"""`make bench`, second half: how long a daemon takes from a commit to the Velero Restore, and what it costs while idle.

Latency counts from the moment that `git commit` or `git push` returns to the first look that finds the Restore on the
first member; beside it, in the same run, what a bare client takes from its create to that look.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from tests.fleets import Fleet, Member
from tests.real.processes import wait_for
from tests.scenarios import objects, rights
from tests.scenarios.daemons import Daemon
from tests.scenarios.workspace import Workspace
from tests.servers.https import https
from tests.servers.sshd import sshd
from tests.servers.writers import served, verify, writers

ROUNDS = 5
POLL = 5
RESTORES = "/apis/velero.io/v1/namespaces/velero/restores"
IDLE_SECONDS = float(os.environ.get("BENCH_IDLE_SECONDS", "600"))
WRITING_SECONDS = float(os.environ.get("BENCH_WRITING_SECONDS", "60"))
WARMING_SECONDS = float(os.environ.get("BENCH_WARMING_SECONDS", "120"))
GROWTH = 1.05
"""How much more memory is taken at the end than after the first minutes; what leaks grows with every poll."""
SECRET = "bench"


class Latency:
    """A repository whose Backup `before` has run, its bare upstream, and a count of Restores asked for."""

    def __init__(self, fleet: Fleet, workspace: Workspace, folder: Path) -> None:
        self.members, self.member = fleet.members, fleet.members[0]
        self.workspace = workspace
        self.bare = folder / "server.git"
        workspace.git("clone", "-q", "--bare", str(workspace.root), str(self.bare))
        self.person = workspace.at(self.bare).clone(folder / "person")
        self.secret = folder / "hook"
        self.secret.write_text(SECRET)
        self._count = 0

    def asked(self, workspace: Workspace, way: str) -> str:
        """Commits a new Restore; the name of its object on the first member."""
        self._count += 1
        name = f"{way}-{self._count}"
        policy = objects.to_namespace(name)
        workspace.commit({f"restores/{name}.yaml": objects.restore(name, "before", policy=policy)}, f"Restore {name}")
        return f"{self.member.name}-restore-default-{name}"

    def until_created(self, name: str) -> float:
        """Seconds from now until it is there."""
        started = time.perf_counter()
        wait_for(lambda: self.member.restore(name), 60, name, every=0.01)
        return time.perf_counter() - started

    def bare_client(self) -> float:
        self._count += 1
        name = f"created-{self._count}"
        spec = {
            "backupName": f"{self.member.name}-backup-default-before",
            "namespaceMapping": {objects.NAMESPACE: name},
        }
        started = time.perf_counter()
        body = {"apiVersion": "velero.io/v1", "kind": "Restore", "metadata": {"name": name}, "spec": spec}
        self.member.api.create(RESTORES, body)
        self.until_created(name)
        return time.perf_counter() - started

    def by_commit(self) -> float:
        return self.until_created(self.asked(self.workspace, "commit"))

    def by_push(self, after: Callable[[], object]) -> float:
        self.person.git("pull", "-q", "--rebase")
        name = self.asked(self.person, "push")
        self.person.git("push", "-q")
        after()
        return self.until_created(name)

    def hook(self, daemon: Daemon) -> None:
        digest = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Event": "push"}
        assert requests.post(f"{daemon.address}/hook", data=b"{}", headers=headers, timeout=5).status_code == 202

    def print(self) -> None:
        """All ways, one after the other, each with a daemon of its own."""
        found = {"bare client, create": [self.bare_client() for _ in range(ROUNDS + 1)]}
        url = self.bare.as_uri()
        with Daemon(self.workspace, "--interval", "1h") as daemon:
            found["local commit"] = self._rounds(daemon, self.by_commit)
        with Daemon(
            self.person, "--repo", url, "--interval", "1h", "--webhook-secret-file", str(self.secret)
        ) as daemon:
            found["push, webhook"] = self._rounds(daemon, lambda: self.by_push(lambda: self.hook(daemon)))
        with Daemon(self.person, "--repo", url, "--interval", f"{POLL}s") as daemon:
            found[f"push, poll every {POLL} s"] = self._rounds(daemon, lambda: self.by_push(lambda: None))
        base = statistics.median(found["bare client, create"][1:])
        print(f"\nFrom a commit to the Velero Restore (median of {ROUNDS}, least to most, ratio to the bare client)")
        for way, seconds in found.items():
            counted = seconds[1:]
            median = statistics.median(counted)
            print(f"  {way:24} {median:7.3f} s   {min(counted):6.3f} to {max(counted):6.3f}   × {median / base:.1f}")

    def _rounds(self, daemon: Daemon, once: Callable[[], float]) -> list[float]:
        daemon.settled()
        found = []
        for number in range(ROUNDS + 1):
            found.append(once())
            daemon.settled(number + 2)
        daemon.end()
        return found


def many_writers(folder: Path) -> None:
    """Twelve writers on one branch for a minute, over https and over ssh: how long a record takes to land."""
    print(f"\nTwelve writers on one branch for {WRITING_SECONDS:g} s, half of them people")
    for name, server in (("https", https), ("ssh", sshd)):
        place = folder / name
        place.mkdir(parents=True)
        bare = served(place)
        with server(place) as there:
            access, work = there.access(place / "access"), place / "writers"
            landed = writers(there.url(), access, there.human(), work, WRITING_SECONDS)
        verify(landed, bare)
        print(f"  {name:6} {landed}")


def memory(pid: int) -> float:
    """MiB that the process has in memory (`VmRSS`)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return float(status.split("VmRSS:")[1].split()[0]) / 1024


def processor(pid: int) -> float:
    """Seconds of all cores that it, and the children that it waited for, took so far (proc(5), fields 14 to 17)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def idle(latency: Latency) -> None:
    """A daemon that polls as by default while nothing changes: no commit, no call to a cluster, no growth of memory;
    and its share of a core. (Its look at the Schedules comes after an hour, and here are none.)"""
    config = latency.person.home / "limited"
    config.write_text(rights.merged_kubeconfig(latency.members))  # of these rights the reads are in the audit log, too
    person = Workspace(latency.person.root, config, latency.person.home, members=latency.members)
    with Daemon(person, "--repo", latency.bare.as_uri()) as daemon:
        daemon.settled()
        time.sleep(WARMING_SECONDS)
        pid, branch = daemon.process.pid, latency.workspace.at(latency.bare)
        before, calls, first, used = branch.head(), called(latency.members), memory(pid), processor(pid)
        time.sleep(IDLE_SECONDS)
        last, share = memory(pid), (processor(pid) - used) / IDLE_SECONDS
        assert branch.head() == before, "it made a commit"
        assert called(latency.members) == calls, "it called a cluster"
        print(f"\nIdle for {IDLE_SECONDS:g} s on the real fleet: no commit, no call, {100 * share:.2f} % of a core,")
        print(f"  memory {first:.1f} MiB before, {last:.1f} MiB after (× {last / first:.3f})")
        assert last < first * GROWTH, "its memory grew"
        daemon.end()


def called(members: Sequence[Member]) -> list[int]:
    """How often each was asked for anything, as far as its audit log tells."""
    return [len(member.requests()) for member in members]
