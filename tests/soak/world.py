"""Upstream, members and processes of one schedule, and what may never happen in it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from reconciler.errors import HistoryRewritten
from reconciler.passed import Pass
from reconciler.records import Phase, Record, Run, Schedule, moment
from reconciler.repository import Tracked
from reconciler.resources import Identity
from reconciler.simulation.cluster import Object
from reconciler.velero.objects import FINALIZER, RUN_ID
from tests.soak.clock import Clock
from tests.soak.member import TERMINAL, Cluster, DirectMembers, Made
from tests.soak.people import MEMBERS
from tests.soak.process import Counts, Process
from tests.soak.upstream import Upstream

FRESH_SECONDS: Final = 60.0
LATEST_START: Final = timedelta(hours=24, minutes=3)
"""`startWithin`, and as long as a plan of that moment may take."""
KINDS: Final = ("mirror", "clone")


@dataclass(slots=True)
class Figures(Counts):
    """What all schedules came to."""

    schedules: int = 0
    commits: int = 0
    records: int = 0
    creates: int = 0
    lost: int = 0
    requests: int = 0


@dataclass(slots=True)
class Seat:
    """Where a reconciler runs; its process may be another one after a crash."""

    number: int
    kind: str
    process: Process
    accepts: bool = False


@dataclass(slots=True)
class World:
    """`folder` holds `up.git` and, for each seat, its copy; `template` the copies as they are on a new machine."""

    folder: Path
    template: Path
    apart: bool
    local: bool
    figures: Figures
    clock: Clock
    upstream: Upstream
    clusters: dict[str, Cluster] = field(default_factory=dict)
    seats: list[Seat] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    forgiven: set[str] = field(default_factory=set)
    """Run ids of which a human's forced push took the record away: should the Restore be gone, too, nobody knows."""
    skewed: bool = False
    """Some clock was wrong at some time."""
    judged: int = 0

    @classmethod
    def begin(
        cls, folder: Path, template: Path, figures: Figures, *, apart: bool, local: bool, seats: Sequence[str]
    ) -> World:
        clock = Clock()
        world = cls(folder, template, apart, local, figures, clock, Upstream(folder / "up.git", clock, apart))
        world.clusters = {name: Cluster(name, clock, world.watch) for name in MEMBERS}
        for number, kind in enumerate(seats):
            world.copy(number, kind)
            world.seats.append(Seat(number, kind, world.process(number, kind)))
        return world

    # ------------------------------------------------------------ machines

    def copy(self, number: int, kind: str) -> None:
        """A new machine: nothing is there but a fresh copy."""
        if not self.local:
            place = self.folder / f"{kind}-{number}"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.template / kind, place, symlinks=True)
        else:
            shutil.rmtree(self.folder / "up.git" / "reconciler", ignore_errors=True)

    def process(self, number: int, kind: str, accept: bool = False) -> Process:
        status = "records" if self.apart else ""
        where, cache = f"file://{self.folder}/up.git", None
        if self.local:
            where = str(self.folder / "up.git")
        elif kind == "clone":
            where = str(self.folder / f"clone-{number}")
        else:
            cache = self.folder / f"mirror-{number}"
        tracked = Tracked(where, branch="main", status_branch=status, cache=cache, accept_rewrite=accept)
        return Process(self.clock, tracked, lambda process: DirectMembers(self.clusters, process), self.figures)

    def restart(self, seat: Seat, *, fresh: bool = False, accept: bool = False) -> None:
        """Kills what runs there, and begins again: with what lies on the disk, or (`fresh`) on a new machine."""
        ahead = seat.process.ahead
        seat.process.kill()
        if fresh:
            self.copy(seat.number, seat.kind)
        seat.process = self.process(seat.number, seat.kind, accept)
        seat.process.ahead = ahead

    def accept(self, seat: Seat) -> None:
        """Somebody reads the message and says `--accept-rewrite`."""
        if isinstance(seat.process.last, HistoryRewritten) and not seat.process.busy:
            self.restart(seat, accept=True)

    def forget(self, before: str) -> None:
        """Takes down what a forced push took from the ledger that stood at `before`."""
        now = {run.run_id: run.phase for run in self.runs(self.upstream.ledger.tip)}
        self.forgiven |= {run.run_id for run in self.runs(before) if now.get(run.run_id) is not run.phase}

    # ------------------------------------------------------------ what is recorded

    def runs(self, commit: str) -> Iterator[Run]:
        for record in self.upstream.recorded(commit).records.values():
            yield from record.runs

    def _schedules(self, commit: str) -> Iterator[Schedule]:
        for record in self.upstream.recorded(commit).records.values():
            yield from record.schedules

    @property
    def made(self) -> list[Made]:
        return [made for cluster in self.clusters.values() for made in cluster.made]

    # ------------------------------------------------------------ what may never happen

    def watch(self, cluster: Cluster, verb: str, plural: str, obj: Object) -> None:
        """Judges a write of ours that has just taken effect."""
        match verb, plural:
            case "create", "restores" | "backups":
                self._created(cluster, obj)
            case "delete" | "deletecollection", "restores" | "backups":
                self.violations.append(f"{plural} of {cluster.name} were deleted by us")
            case "patch", "restores":
                self._released(cluster, obj)
            case "delete", "schedules":
                self._timer_deleted(cluster)
            case "create" | "patch", "schedules":
                self._timer_written(cluster, obj)

    def _created(self, cluster: Cluster, obj: Object) -> None:
        kind, meta = obj["kind"], obj["metadata"]
        run_id = meta["annotations"][RUN_ID]
        if kind == "Restore":
            self.figures.creates += 1
            twice = [made for made in cluster.made if made.name == meta["name"] and made.kind == kind]
            if len(twice) > 1 and run_id not in self.forgiven:
                self.violations.append(f"Restore {meta['name']} was created {len(twice)} times")
            if FINALIZER not in meta.get("finalizers", ()):
                self.violations.append(f"Restore {meta['name']} was created without our finalizer")
        identity = Identity(kind, "default", meta["labels"][f"kurator.dev/{kind.lower()}-name"])
        why = "nobody asked"
        for stand in self.upstream.asked(FRESH_SECONDS):
            tree = self.upstream.trees[stand.files]
            wish = tree.wish(kind, identity.name)
            record = self.upstream.recorded(stand.ledger).records.get(identity)
            run = next((run for run in record.runs if run.run_id == run_id), None) if record else None
            if wish is None or wish.suspended or tree.paused or cluster.name not in wish.clusters:
                why = f"{wish or 'no file'} at {stand.files[:7]}{', which is paused' if tree.paused else ''}"
            elif run is None or run.attempt != wish.attempt or not wish.asks_for(obj["spec"]):
                why = f"{wish} at {stand.files[:7]} is not {obj['spec']} of {run}"
            elif run.phase is not Phase.STARTING or run.cluster.name != cluster.name:
                why = f"the ledger called it {run.phase} at {stand.ledger[:7]}"
            elif record and any(each.attempt < run.attempt and each.phase.open for each in record.runs):
                why = f"an earlier attempt had not ended at {stand.ledger[:7]}"
            elif record and not self.skewed and self._age(record) > LATEST_START:
                why = f"it was first recorded at {record.recorded_at}"
            else:
                return
        self.violations.append(f"{identity} was started on {cluster.name}, and {why}")

    def _age(self, record: Record) -> timedelta:
        return self.clock.now() - (moment(record.recorded_at) or self.clock.now())

    def judge(self) -> None:
        """Looks at what was recorded since: what has ended stays so, and only what has ended is called so."""
        moves = self.upstream.ledger.moves
        for old, new in moves[self.judged :]:
            after = {run.run_id: run for run in self.runs(new)}
            for run in self.runs(old):
                if run.settled and after.get(run.run_id) != run:
                    self.violations.append(f"{run} became {after.get(run.run_id)}")
        self.judged = len(moves)
        running = {made.run_id: made for made in self.made if not made.gone and made.phase not in ("", *TERMINAL)}
        for run in self.runs(self.upstream.ledger.tip):
            wrong = run.phase.terminal and run.reason not in ("Expired", "Abandoned")
            if wrong and run.run_id in running and run.run_id not in self.forgiven:
                self.violations.append(f"{running[run.run_id]} is recorded as {run}")

    def _released(self, cluster: Cluster, obj: Object) -> None:
        """Whoever lets go of an outcome has recorded it, where everybody can see it."""
        meta, phase = obj["metadata"], obj.get("status", {}).get("phase", "")
        run_id = meta["annotations"][RUN_ID]
        deleted = phase in ("", "New") and bool(meta.get("deletionTimestamp"))
        self.upstream.note()
        for commit in dict.fromkeys(stand.ledger for stand in reversed(self.upstream.stands)):
            for run in self.runs(commit):
                if run.run_id == run_id and run.phase.terminal and (deleted or run.phase == phase):
                    return
        self.violations.append(f"Restore {meta['name']} on {cluster.name} was released before {phase!r} was recorded")

    def _timer_deleted(self, cluster: Cluster) -> None:
        for stand in self.upstream.asked(FRESH_SECONDS):
            tree = self.upstream.trees[stand.files]
            wish = tree.wish("Backup", "nightly")
            gone = tree.sound and not tree.paused and (wish is None or cluster.name not in wish.clusters)
            removing = any(
                each.cluster.name == cluster.name and each.phase is Phase.REMOVING
                for each in self._schedules(stand.ledger)
            )
            if gone and removing:
                return
        self.violations.append(f"the Schedule of {cluster.name} was deleted, and nobody asked")

    def _timer_written(self, cluster: Cluster, obj: Object) -> None:
        for stand in self.upstream.asked(FRESH_SECONDS):
            tree = self.upstream.trees[stand.files]
            wish = tree.wish("Backup", "nightly")
            if wish and not tree.paused and cluster.name in wish.clusters and wish.asks_for(obj["spec"]["template"]):
                return
        self.violations.append(f"the Schedule of {cluster.name} was written, and nobody asked")

    # ------------------------------------------------------------ the end

    def everybody_passes(self, seconds: float) -> bool:
        """A round of whole passes after that time; whether anybody did anything."""
        self.clock.advance(seconds)
        before = self._work()
        for seat in self.seats:
            self.accept(seat)
            seat.process.go(flush=True)
        self.upstream.note()
        return self._work() != before

    def _work(self) -> tuple[int, int]:
        return sum(len(b.moves) for b in self.upstream.branches), sum(c.requests for c in self.clusters.values())

    def outcomes(self) -> None:
        """Every Restore that was ever created is recorded as what became of it, and nothing holds it."""
        recorded = {run.run_id: run for run in self.runs(self.upstream.ledger.tip)}
        for made in self.made:
            if made.kind != "Restore" or (made.gone and made.run_id in self.forgiven):
                continue
            run = recorded.get(made.run_id)
            assert run is not None, f"{made} is recorded nowhere"
            true = made.phase if made.phase in TERMINAL else "Failed"  # deleted before Velero took it up
            vanished = made.freed and run.reason == "Vanished"
            assert run.phase == true or vanished, f"{made} is recorded as {run}"
        known = {made.run_id for made in self.made}
        freed = {made.run_id for made in self.made if made.freed} | self.forgiven
        for run in recorded.values():
            assert not run.settled or run.run_id in known or run.backup_name == "", f"{run} was never created"
            assert run.reason != "Vanished" or run.run_id in freed, f"{run} can't have vanished"
        counts = Counter(made.name for made in self.made if made.kind == "Restore" and made.run_id not in self.forgiven)
        assert all(count == 1 for count in counts.values()), counts
        for cluster in self.clusters.values():
            assert not cluster.held(), f"{cluster.held()} on {cluster.name} carry our finalizer for ever"

    def last_passes(self) -> list[Any]:
        return [seat.process.last for seat in self.seats]

    def waiting(self, healthy: Sequence[str]) -> list[str]:
        """Runs on healthy members that have not ended, although sound files ask for them and nothing else is amiss."""
        tree, found = self.upstream.tree, []
        for identity, record in self.upstream.recorded(self.upstream.ledger.tip).records.items():
            wish = tree.wish(identity.kind, identity.name)
            if wish is None or wish.suspended or tree.paused or wish.attempt != record.attempt or record.schedules:
                continue
            for run in record.runs:
                waits = run.reason in ("BackupNotFound", "BackupDeleting")
                if run.attempt == wish.attempt and run.cluster.name in healthy and run.phase.open and not waits:
                    found.append(f"{identity}: {run}")
        return found

    def unfinished(self) -> list[Run]:
        """Runs that may still go on by themselves."""
        return [run for run in self.runs(self.upstream.ledger.tip) if run.phase.open]

    def passed(self) -> bool:
        """Everybody's last pass came to its end."""
        return all(isinstance(last, Pass) for last in self.last_passes())
