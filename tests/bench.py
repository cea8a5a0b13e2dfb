"""`make bench`: what a restore through git costs beside the same restore without it, on the real fleet, in one run.

Each round restores one small namespace on both members in each way, in turn, so that all meet the same machine. What
counts is the ratio to the bare client of the same run; single seconds depend on the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench_daemon import Latency, idle, many_writers
from tests.real.build import build_all
from tests.real.fleet import RealFleet
from tests.real.member import Member
from tests.scenarios import objects
from tests.scenarios.workspace import RECONCILER, Workspace

ROUNDS = 7
RESTORES = "/apis/velero.io/v1/namespaces/velero/restores"


class Bench:
    """A fleet with one backup on each member, and a repository that restores from it."""

    def __init__(self, fleet: RealFleet, folder: Path, velero: Path) -> None:
        self.fleet, self.velero = fleet, velero
        self.workspace = Workspace.create(folder / "repo", fleet.kubeconfig, folder / "home", processes=True)
        self.workspace.run("init")
        files = {"fleets/quickstart.yaml": objects.fleet(), "backups/before.yaml": objects.backup("before")}
        self.workspace.commit(files, "Back up")
        for member in fleet.members:
            objects.populate(member)
        assert self.workspace.sync().code == 0
        self._count = 0

    def name(self, way: str) -> str:
        """A new name, for the restore and for the namespace that it fills."""
        self._count += 1
        return f"{way}-{self._count}"

    def bare_client(self) -> float:
        """Create and poll, both members at once, in a process that has the client loaded already."""
        name = self.name("bare")
        return timed(lambda: asyncio.run(self._bare(name)))

    async def _bare(self, name: str) -> None:
        from kubernetes.aio import client, config

        async def restore(member: Member) -> None:
            spec = {"backupName": _backup(member), "namespaceMapping": {objects.NAMESPACE: name}}
            body = {"apiVersion": "velero.io/v1", "kind": "Restore", "metadata": {"name": name}, "spec": spec}
            async with await config.new_client_from_config(str(member.kubeconfig)) as api:
                custom = client.CustomObjectsApi(api)
                where = ("velero.io", "v1", "velero", "restores")
                await custom.create_namespaced_custom_object(*where, body)
                for _ in range(1000):
                    seen = await custom.get_namespaced_custom_object(*where, name)
                    if seen.get("status", {}).get("phase") == "Completed":
                        return
                    await asyncio.sleep(0.05)
                raise TimeoutError(f"{name} did not complete on {member.name}")

        await asyncio.gather(*(restore(member) for member in self.fleet.members))

    def velero_in_a_loop(self) -> float:
        """`velero restore create --wait`, one member after the other."""
        name = self.name("loop")

        def run() -> None:
            for member in self.fleet.members:
                command = [str(self.velero), "restore", "create", name, "--from-backup", _backup(member), "--wait"]
                command += [
                    "--namespace-mappings",
                    f"{objects.NAMESPACE}:{name}",
                    "--kubeconfig",
                    str(member.kubeconfig),
                ]
                subprocess.run(command, check=True, capture_output=True, env=self.workspace.environment)

        return timed(run)

    def reconciler(self) -> float:
        """`reconciler sync --once`, from the commit that asks to the commit that records, process start included."""
        name = self.name("git")
        policy = objects.to_namespace(name)
        asked = objects.restore(name, "before", policy=policy)
        self.workspace.commit({f"restores/{name}.yaml": asked}, f"Restore {name}")

        def run() -> None:
            done = self.workspace.sync(disturbed="timed, so without the plan before it")
            assert done.code == 0, done.text

        return timed(run)

    def reconciler_idle(self) -> float:
        """`reconciler sync --once` with nothing to do."""
        return timed(lambda: self.workspace.sync(disturbed="timed"))


def timed(run: Callable[[], object]) -> float:
    """Seconds that it took."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def program(*command: str) -> Callable[[], float]:
    """The time of a whole process."""
    return lambda: timed(lambda: subprocess.run(command, check=True, capture_output=True))


def compare(title: str, baseline: str, ways: dict[str, Callable[[], float]]) -> None:
    """Medians and their ratios to the baseline's, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, run in ways.items():
            seconds = run()
            if number:
                times[name].append(seconds)
    base = statistics.median(times[baseline])
    print(f"\n{title} (median of {ROUNDS}, least to most, ratio to {baseline})")
    for name, found in times.items():
        median = statistics.median(found)
        print(f"  {name:34} {median:7.3f} s   {min(found):6.3f} to {max(found):6.3f}   × {median / base:.2f}")


def _backup(member: Member) -> str:
    return f"{member.name}-backup-default-before"


def main() -> None:
    """Prints both tables."""
    binaries = build_all(print)
    with tempfile.TemporaryDirectory() as folder, RealFleet(Path(folder) / "fleet") as fleet:
        bench = Bench(fleet, Path(folder), binaries.velero)
        ways = {
            "bare client": bench.bare_client,
            "velero restore create --wait, loop": bench.velero_in_a_loop,
            "reconciler sync --once": bench.reconciler,
            "reconciler sync --once, idle": bench.reconciler_idle,
        }
        compare("One restore on two members", "bare client", ways)
        latency = Latency(fleet, bench.workspace, Path(folder))
        latency.print()
        idle(latency)
        many_writers(Path(folder) / "writers")
    ways = {
        "python -c pass": program(sys.executable, "-c", "pass"),
        "reconciler --help": program(str(RECONCILER), "--help"),
    }
    compare("Start of the program", "python -c pass", ways)


if __name__ == "__main__":
    main()
