"""The schedule: how it begins, how reconcilers are driven through it, what holds after each step and in the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.soak.drawn import (
    after,
    at,
    changes,
    faults,
    gates,
    late_gates,
    members,
    otherwise,
    pauses,
    phases,
    raises,
    restores,
    setups,
    which,
)
from tests.soak.people import MEMBERS, OBJECTS, change
from tests.soak.people_rules import PeopleRules
from tests.soak.world_rules import WorldRules


class Soak(PeopleRules, WorldRules):
    """One schedule, with all that can come between."""

    @initialize(
        setup=setups,
        apart=st.booleans(),
        wanted=st.booleans(),
        timed=st.integers(0, 3),
        taken=st.booleans(),
    )
    def begin(self, setup: tuple[str, ...], apart: bool, wanted: bool, timed: int, taken: bool) -> None:
        self.stage.figures.schedules += 1
        self.world = self.stage.world(apart=apart, local=setup == ("bare",), seats=setup)
        if wanted:
            self.commit("add", "r1")
        if taken:
            self.world.clusters["m1"].someone_makes("m1-restore-default-r2")
        if not timed:
            self.commit("add", "nightly")
            for _ in range(2):
                self.go(self.seat(0), flush=True)

    @rule(which=which, flush=st.booleans(), times=st.integers(1, 2))
    def pass_to_its_end(self, which: int, flush: bool, times: int) -> None:
        for _ in range(times):
            self.go(self.seat(which), flush=flush)

    @rule(which=which, gates=st.integers(1, 25), flush=st.booleans())
    def go_some_steps(self, which: int, gates: int, flush: bool) -> None:
        self.go(self.seat(which), after(gates), flush)

    @rule(which=which, gate=gates, flush=st.booleans())
    def go_up_to(self, which: int, gate: str, flush: bool) -> None:
        self.go(self.seat(which), at(gate), flush)

    @rule(which=which, gates=st.integers(1, 60), fresh=st.booleans())
    def kill_after_some_steps(self, which: int, gates: int, fresh: bool) -> None:
        self.go(self.seat(which), after(gates), flush=True)
        self.kill(self.seat(which), fresh)

    @rule(which=which, gate=gates, fresh=st.booleans())
    def kill_at(self, which: int, gate: str, fresh: bool) -> None:
        self.go(self.seat(which), at(gate), flush=True)
        self.kill(self.seat(which), fresh)

    @rule(which=which, gate=late_gates, how=changes, name=restores, seconds=pauses)
    def stop_while_the_world_goes_on(self, which: int, gate: str, how: str, name: str, seconds: int) -> None:
        """A process stops at a gate; people and the others go on; it wakes up."""
        mine = self.seat(which)
        self.go(mine, at(gate), flush=True)
        self.commit(how, name)
        self.world.clock.advance(seconds)
        self.others_pass(mine)
        self.go(mine)

    @rule(which=which, gate=late_gates, again=late_gates, raised=raises, how=otherwise, name=restores, seconds=pauses,
          killed=st.booleans())  # fmt: skip
    def second_thoughts(
        self, which: int, gate: str, again: str, raised: str, how: str, name: str, seconds: int, killed: bool
    ) -> None:
        """A restore is under way when people want it otherwise, and its process sleeps, or dies and another follows."""
        mine = self.seat(which)
        for cluster in self.world.clusters.values():
            cluster.finish()
        self.go(mine, flush=True)
        self.commit(raised, name)
        self.go(mine, at(gate), flush=True)
        if killed:
            self.kill(mine, fresh=False)
            self.go(mine, at(again), flush=True)
        self.commit(how, name)
        self.world.clock.advance(seconds)
        if not killed:
            self.others_pass(mine)
        self.go(mine)

    @rule(which=which, name=restores, raised=raises, member=members, fault=faults, phase=phases)
    def a_restore_runs(self, which: int, name: str, raised: str, member: str, fault: str, phase: str) -> None:
        """It is recorded as InProgress; then its member fails, or Velero goes on."""
        seat, cluster = self.seat(which), self.world.clusters[member]
        for each in self.world.clusters.values():
            each.finish()
        self.go(seat, flush=True)
        self.commit(raised, name)
        self.go(seat, flush=True)
        for obj in cluster.objects("Restore"):
            cluster.work(obj, "InProgress")
        self.go(seat, flush=True)
        cluster.fault = fault
        for obj in cluster.objects("Restore") if not fault else ():
            cluster.work(obj, phase)
        self.go(seat, flush=True)

    @rule(which=which)
    def rewritten_history_is_accepted(self, which: int) -> None:
        self.world.accept(self.seat(which))

    @rule(which=which, hours=st.sampled_from((-48, 0, 25)))
    def a_clock_is_set_wrong(self, which: int, hours: int) -> None:
        self.seat(which).process.ahead = timedelta(hours=hours)
        self.world.skewed = True

    # ------------------------------------------------------------ what always holds

    @invariant()
    def nothing_happened_that_never_may(self) -> None:
        if hasattr(self, "world"):
            self.world.judge()
            self.broken = self.broken or bool(self.world.violations)
            assert not self.world.violations, "; ".join(self.world.violations)

    # ------------------------------------------------------------ in the end

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            if not self.broken:
                self._come_to_rest()
        finally:
            for seat in self.world.seats:
                seat.process.kill()
            self._count()

    def _come_to_rest(self) -> None:
        world = self.world
        self.the_git_server_goes_or_comes_back(False)
        for seat in world.seats:
            seat.process.ahead = timedelta()
            if seat.process.busy:
                self.go(seat)
        sick = [name for name, cluster in world.clusters.items() if cluster.fault][:1]
        for name, cluster in world.clusters.items():
            cluster.fault, cluster.lost = cluster.fault if name in sick else "", 0
        if sick or not world.upstream.tree.sound:
            healthy = [name for name in MEMBERS if name not in sick]
            self._rounds(lambda: not world.waiting(healthy))
            waiting = world.waiting(healthy)
            assert not waiting, f"{sick or 'broken files'} keep others from being done: {waiting}"
        self._mend()
        rested = self._rounds(lambda: False)
        if world.unfinished():
            world.clock.advance(60 * 3600)  # longer than `startWithin`, by the most wrong of clocks
            rested = self._rounds(lambda: False)
        assert rested, "there is no end to it"
        assert world.passed(), world.last_passes()
        assert not world.unfinished()
        world.outcomes()
        world.upstream.at_last()

    def _rounds(self, done: Callable[[], bool]) -> bool:
        """Passes of everybody; whether there was one in which nobody committed anything, or asked any member."""
        for _ in range(12):
            for cluster in self.world.clusters.values():
                cluster.finish()
            worked = self.world.everybody_passes(70)
            self.nothing_happened_that_never_may()
            if not worked and self.world.passed():
                return True
            if done():
                break
        return False

    def _mend(self) -> None:
        upstream = self.world.upstream
        upstream.note()
        tree = upstream.tree
        for path in [path for path, wish in tree.files.items() if wish is None]:
            tree = tree.without(path)
        if tree.paused:
            tree = change(tree, "pause", OBJECTS["r1"])
        if tree != upstream.tree:
            upstream.commit(tree)
        for cluster in self.world.clusters.values():
            cluster.fault = ""

    def _count(self) -> None:
        figures, world = self.stage.figures, self.world
        figures.commits += world.upstream.by_people
        figures.records += sum(len(branch.moves) for branch in world.upstream.branches)
        figures.requests += sum(cluster.requests for cluster in world.clusters.values())
