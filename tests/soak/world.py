"""Upstream, members and processes of one schedule, and how they are driven."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from reconciler.errors import HistoryRewritten, Unsafe
from reconciler.passed import Pass
from reconciler.records import Record, Run, moment
from reconciler.repository import Tracked
from tests.soak import judging
from tests.soak.clock import Clock
from tests.soak.cluster import GOING, TERMINAL, Cluster, Made
from tests.soak.landing import landed
from tests.soak.member import DirectMembers
from tests.soak.people import MEMBERS
from tests.soak.process import Counts, Process, Stop
from tests.soak.upstream import Upstream

KINDS: Final = ("mirror", "clone")
ROUND_SECONDS: Final = 75.0
"""Longer than a member that failed is left alone."""
SPARE: Final = "spare"
"""A cluster that no file declares, where nothing may be created; a kubeconfig may lead there by mistake."""


LEAST: Final = {
    "creates": 0.5, "outcomes": 0.5, "kills": 0.2, "records": 0.5, "commits": 0.5, "timers": 0.2,
    "pauses": 0.08, "lost": 0.08, "held_back": 0.1, "abandoned": 0.01,
}  # fmt: skip
"""So many of these for each schedule, or too little happened for anything to be shown.

Less than half of what thousands come to: a hundred vary much, as hypothesis varies what it drew before.
"""


@dataclass(slots=True)
class Figures(Counts):
    """What all schedules came to."""

    schedules: int = 0
    commits: int = 0
    records: int = 0
    creates: int = 0
    outcomes: int = 0
    timers: int = 0
    held_back: int = 0
    abandoned: int = 0
    lost: int = 0
    requests: int = 0

    def lacking(self) -> list[str]:
        """Of what there was too little."""
        return [name for name, share in LEAST.items() if getattr(self, name) < int(share * self.schedules)]


@dataclass(slots=True)
class Seat:
    """Where a reconciler runs; its process may be another one after a crash."""

    number: int
    kind: str
    process: Process


@dataclass(slots=True)
class World:
    """`folder` holds `up.git` and, for each seat, its copy; `template` the copies as they are on a new machine.

    `leads`: the clusters that kubeconfigs lead to, where that is another one than they are named for.
    """

    folder: Path
    template: Path
    apart: bool
    local: bool
    figures: Figures
    clock: Clock
    upstream: Upstream
    clusters: dict[str, Cluster] = field(default_factory=dict)
    leads: dict[str, str] = field(default_factory=dict)
    seats: list[Seat] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    contents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What each recorded digest stands for."""
    forgiven: set[str] = field(default_factory=set)
    """Run ids of which a human's forced push took the record away: should the Restore be gone, too, nobody knows."""
    skewed: bool = False
    """Some clock was wrong at some time."""
    outage: bool = False
    """Git's server is away."""
    judged: int = 0

    @classmethod
    def begin(
        cls, folder: Path, template: Path, figures: Figures, *, apart: bool, local: bool, seats: Sequence[str]
    ) -> World:
        clock = Clock()
        world = cls(folder, template, apart, local, figures, clock, Upstream(folder / "up.git", clock, apart))
        watcher = world.watcher()
        world.clusters = {name: Cluster(name, clock, watcher) for name in (*MEMBERS, SPARE)}
        world.clusters[SPARE].refuse(True)
        for number, kind in enumerate(seats):
            world.copy(number, kind)
            world.seats.append(Seat(number, kind, world.process(number, kind)))
        return world

    def watcher(self) -> Callable[..., None]:
        return lambda *what: judging.watch(self, *what)

    # ------------------------------------------------------------ machines

    def copy(self, number: int, kind: str) -> None:
        """A new machine: nothing is there but a fresh copy."""
        if not self.local:
            place = self.folder / f"{kind}-{number}"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.template / kind, place, symlinks=True)
        else:
            shutil.rmtree(self.folder / "up.git" / "reconciler", ignore_errors=True)

    def process(self, number: int, kind: str, accept: bool = False, allowed: bool = False) -> Process:
        status = "records" if self.apart else ""
        where, cache = f"file://{self.folder}/up.git", None
        if self.local:
            where = str(self.folder / "up.git")
        elif kind == "clone":
            where = str(self.folder / f"clone-{number}")
        else:
            cache = self.folder / f"mirror-{number}"
        tracked = Tracked(where, branch="main", status_branch=status, cache=cache, accept_rewrite=accept)
        return Process(self.clock, tracked, self._members, self.figures, allowed)

    def _members(self, process: Process) -> DirectMembers:
        return DirectMembers(lambda name: self.clusters[self.leads.get(name, name)], self.clock, process)

    def restart(self, seat: Seat, *, fresh: bool = False, accept: bool = False, allowed: bool = False) -> None:
        """Kills what runs there, and begins again: with what lies on the disk, or (`fresh`) on a new machine."""
        ahead = seat.process.ahead
        seat.process.kill()
        if fresh:
            self.copy(seat.number, seat.kind)
        seat.process = self.process(seat.number, seat.kind, accept, allowed)
        seat.process.ahead = ahead

    def accept(self, seat: Seat) -> None:
        """Somebody reads the message and says `--accept-rewrite`, or `--allow-mass-removal`."""
        last = seat.process.last
        if isinstance(last, HistoryRewritten | Unsafe) and not seat.process.busy:
            self.restart(seat, accept=isinstance(last, HistoryRewritten), allowed=isinstance(last, Unsafe))

    def forget(self, before: str) -> None:
        """Takes down what a forced push took from the ledger that stood at `before`."""
        now = {run.run_id: run.phase for run in self.runs(self.upstream.ledger.tip)}
        self.forgiven |= {run.run_id for run in self.runs(before) if now.get(run.run_id) is not run.phase}

    # ------------------------------------------------------------ passes

    def go(self, seat: Seat, stop: Stop = lambda label: False, flush: bool = False) -> None:
        """Lets the process there go on; what it committed on the way is judged."""
        seat.process.go(stop, flush)
        if self.outage:
            return
        self.upstream.note()
        moves = self.upstream.ledger.moves
        for old, new in moves[self.judged :]:
            self.violations += landed(self, seat.process, old, new)
        self.judged = len(moves)

    def everybody_passes(self, seconds: float) -> bool:
        """A round of whole passes after that time; whether anybody did anything."""
        self.clock.advance(seconds)
        before = self._work()
        for seat in self.seats:
            self.accept(seat)
            self.go(seat, flush=True)
        return self._work() != before

    def _work(self) -> tuple[int, int]:
        return sum(len(b.moves) for b in self.upstream.branches), sum(c.requests for c in self.clusters.values())

    def last_passes(self) -> list[Any]:
        return [seat.process.last for seat in self.seats]

    def passed(self) -> bool:
        """Everybody's last pass came to its end."""
        return all(isinstance(last, Pass) for last in self.last_passes())

    # ------------------------------------------------------------ members

    def healthy(self, name: str) -> bool:
        """Nothing is wrong with that member, nor with the way to it."""
        cluster = self.clusters[name]
        known = [each for each in self.upstream.tree.declared if self.leads.get(each, each) == name]
        return known == [name] and cluster.available and not (cluster.fault or cluster.refuses)

    def heal(self, name: str) -> None:
        """All that is wrong with it is put right."""
        cluster = self.clusters[name]
        cluster.fault, cluster.lost = "", 0
        cluster.store_up(True)
        cluster.refuse(False)
        self.leads.pop(name, None)

    @property
    def made(self) -> list[Made]:
        return [made for cluster in self.clusters.values() for made in cluster.made]

    # ------------------------------------------------------------ what is recorded

    def runs(self, commit: str) -> Iterator[Run]:
        for record in self.upstream.recorded(commit).records.values():
            yield from record.runs

    def age(self, record: Record) -> timedelta:
        return self.clock.now() - (moment(record.recorded_at) or self.clock.now())

    def judge(self) -> None:
        """What runs is not recorded as ended."""
        at_rest = ("", GOING, *TERMINAL)
        running = {made.run_id: made for made in self.made if not made.gone and made.phase not in at_rest}
        for run in self.runs(self.upstream.ledger.tip) if running else ():
            wrong = run.phase.terminal and run.reason not in ("Expired", "Abandoned")
            if wrong and run.run_id in running and run.run_id not in self.forgiven:
                self.violations.append(f"{running[run.run_id]} is recorded as {run}")
