"""What every schedule begins with, made once by real passes and copied: a ledger, a fleet, a Backup that has run.

On a file system in memory where there is one: the disk is not what is tested. So many runs as may start in one commit
are fewer than in the product, so that a crowd of six comes to that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler import records
from reconciler.plan import decide
from reconciler.records import LEDGER_PATH, Ledger
from reconciler.repository import Repository, Tracked
from reconciler.simulation.cluster import Object
from tests.soak.breaking import put
from tests.soak.clock import steered
from tests.soak.gates import gated
from tests.soak.landing import STARTS
from tests.soak.people import FIRST
from tests.soak.upstream import ENVIRONMENT, LEDGER_ID
from tests.soak.world import ROUND_SECONDS, Figures, World


class Stage:
    """Folders for one schedule after the other, always at the same place, since copies know where they came from."""

    def __init__(self, top: Path, steered: tuple[str, ...]) -> None:
        self.steered = steered
        self._run, self._top = top / "run", top
        self._backups: dict[bool, dict[str, list[Object]]] = {}
        self.figures = Figures()

    def world(self, *, apart: bool, local: bool, seats: Sequence[str]) -> World:
        """A new one; what the last one left is gone."""
        self.prepare()
        shutil.rmtree(self._run, ignore_errors=True)
        shutil.copytree(self._template(apart) / "up.git", self._run / "up.git")
        world = World.begin(self._run, self._template(apart), self.figures, apart=apart, local=local, seats=seats)
        for name, backups in self._backups[apart].items():
            for backup in backups:
                world.clusters[name].store.seed("backups.velero.io", backup)
        return world

    def prepare(self) -> None:
        """Makes what is copied, where it is not there yet."""
        for apart in (False, True):
            if apart not in self._backups:
                self._backups[apart] = self._prepare(apart)

    def _template(self, apart: bool) -> Path:
        return self._top / ("apart" if apart else "together")

    def _prepare(self, apart: bool) -> dict[str, list[Object]]:
        shutil.rmtree(self._run, ignore_errors=True)
        self._run.mkdir(parents=True)
        up = self._run / "up.git"
        _git(self._run, "init", "--quiet", "--bare", "--template=", "-b", "main", str(up))
        _git(up, "config", "core.logAllRefUpdates", "always")
        lines = ["commit refs/heads/main", "committer Human <human@example.org> 1748779200 +0000", "data 5", "Begin"]
        for path, content in FIRST.contents().items():
            lines += [f"M 100644 inline {path}", f"data {len(content.encode())}", content]
        _git(up, "fast-import", "--quiet", stdin="\n".join(lines) + "\n")
        self._copies(up, apart)
        template = self._template(apart)
        shutil.copytree(self._run / "mirror", template / "mirror")
        world = World.begin(self._run, template, Figures(), apart=apart, local=False, seats=["mirror"])
        for _ in range(4):
            world.everybody_passes(ROUND_SECONDS)
            for cluster in world.clusters.values():
                cluster.finish()
        assert {run.phase for run in world.runs(world.upstream.ledger.tip)} == {"Completed"}, world.last_passes()
        world.seats[0].process.kill()
        _git(self._run, "clone", "--quiet", f"file://{up}", str(template / "clone"))
        shutil.copytree(up, template / "up.git")
        return {name: cluster.objects("Backup") for name, cluster in world.clusters.items()}

    def _copies(self, up: Path, apart: bool) -> None:
        """The first commit of the ledger, in which everything that is asked for is still to run."""
        status = "records" if apart else ""
        tracked = Tracked(f"file://{up}", branch="main", status_branch=status, cache=self._run / "mirror")
        repository = Repository.open(tracked)
        ledger = records.dump_ledger(Ledger(LEDGER_ID, "main", "", status))
        message = f"status: a ledger of what runs\n\nReconciler-Ledger: {LEDGER_ID}\n"
        repository.record(repository.read(), {LEDGER_PATH: ledger}, message)
        for state in self._run.glob("mirror/*/reconciler"):
            shutil.rmtree(state)


@contextmanager
def stage() -> Iterator[Stage]:
    """All that schedules need, for as long as it lasts: folders, the clock, the gates, no configuration of git."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="soak-", dir=memory if memory.is_dir() else None) as top:
        before = {name: os.environ.get(name) for name in ENVIRONMENT}
        os.environ.update(ENVIRONMENT)
        try:
            with steered() as names, gated(), put((decide, "STARTS_PER_COMMIT", STARTS)):
                yield Stage(Path(top), names)
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name)
                else:
                    os.environ[name] = value


def _git(folder: Path, *args: str, stdin: str = "") -> None:
    environment = {**os.environ, **ENVIRONMENT}
    subprocess.run(["git", *args], cwd=folder, input=stdin, text=True, check=True, capture_output=True, env=environment)
