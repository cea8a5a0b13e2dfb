"""The schedule: how it begins, how reconcilers are driven through it, what holds after each step and in the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.soak.changing import mended
from tests.soak.drawn import (
    TIMER_GATES,
    after,
    at,
    changes,
    faults,
    first_members,
    gates,
    hindrances,
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
from tests.soak.people import MEMBERS
from tests.soak.people_rules import PeopleRules
from tests.soak.resting import outcomes, owed, unfinished
from tests.soak.world import ROUND_SECONDS
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
            self.world.clusters["m1"].someone_makes("Restore", "m1-restore-default-r2")
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
        self.all_ends()
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
        self.all_ends()
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

    @rule(which=which, name=restores, raised=raises, member=first_members, how=hindrances, running=st.booleans())
    def a_restore_meets_a_hindrance(
        self, which: int, name: str, raised: str, member: str, how: str, running: bool
    ) -> None:
        """Before it begins, or while it runs."""
        seat = self.seat(which)
        self.all_ends()
        self.go(seat, flush=True)
        if not running:
            self.hinder(member, how)
        self.commit(raised, name)
        self.go(seat, flush=True)
        if running:
            self.hinder(member, how)
        for _ in range(2):
            self.world.clock.advance(70)
            self.go(seat, flush=True)

    @rule(which=which, gate=st.sampled_from(TIMER_GATES), how=otherwise, member=first_members, seconds=pauses,
          replaced=st.booleans())  # fmt: skip
    def a_schedule_changes(self, which: int, gate: str, how: str, member: str, seconds: int, replaced: bool) -> None:
        """It is in place when people want it otherwise, and somebody puts another one there meanwhile."""
        seat, cluster = self.seat(which), self.world.clusters[member]
        self.commit("add", "nightly")
        for _ in range(2):
            self.go(seat, flush=True)
        self.commit(how, "nightly")
        self.go(seat, at(gate), flush=True)
        if replaced:
            self.world.clock.advance(seconds)
            name = f"{member}-backup-default-nightly"
            if cluster.find("Schedule", name):
                cluster.delete("Schedule", name)
            cluster.someone_makes("Schedule", name)
        self.go(seat)

    @rule(which=which)
    def what_was_refused_is_allowed(self, which: int) -> None:
        self.world.accept(self.seat(which))

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
            seat.process.ahead, seat.process.losing = timedelta(), []
            if seat.process.busy:
                self.go(seat)
        sick = [name for name in MEMBERS if not world.healthy(name)][:1]
        for name in MEMBERS:
            if name not in sick:
                world.heal(name)
        self._let_an_hour_pass()
        if sick or not world.upstream.tree.sound:
            self._rounds(lambda: not self._owed())
            assert not self._owed(), f"{sick or 'broken files'} keep others from being done: {self._owed()}"
        self._mend()
        rested = self._rounds(lambda: False)
        assert not self._owed(), f"it is not done: {self._owed()}"
        if unfinished(world):
            world.clock.advance(60 * 3600)  # longer than `startWithin`, by the most wrong of clocks
            rested = self._rounds(lambda: False)
        assert rested, "there is no end to it"
        assert world.passed(), world.last_passes()
        assert not unfinished(world), unfinished(world)
        outcomes(world)
        world.upstream.at_last()

    def _owed(self) -> list[str]:
        return owed(self.world, [name for name in MEMBERS if self.world.healthy(name)])

    def _rounds(self, done: Callable[[], bool]) -> bool:
        """Passes of everybody; whether there was one in which nobody committed anything, or asked any member.

        What a slow member was asked before may come in only then, so nothing may be owed or held either.
        """
        for _ in range(12):
            self.all_ends()
            worked = self.world.everybody_passes(ROUND_SECONDS)
            self.nothing_happened_that_never_may()
            held = any(cluster.held() for name, cluster in self.world.clusters.items() if self.world.healthy(name))
            if not worked and self.world.passed() and not self._owed() and not held:
                return True
            if done():
                break
        return False

    def _mend(self) -> None:
        """Everything that people can put right."""
        world = self.world
        known = {name for tree in world.upstream.history for name in tree.declared}
        self.write(mended(world.upstream.tree, tuple(name for name in MEMBERS if name in known)))
        for name in MEMBERS:
            world.heal(name)
            world.clusters[name].clear_names()
        self._let_an_hour_pass()

    def _let_an_hour_pass(self) -> None:
        """Schedules that need nothing are not looked at more often."""
        if any(wish.schedule for wish in self.world.upstream.tree.wishes()):
            self.world.clock.advance(3600)

    def _count(self) -> None:
        figures, world = self.stage.figures, self.world
        figures.commits += world.upstream.by_people
        figures.timers += sum(len(cluster.objects("Schedule")) for cluster in world.clusters.values())
        figures.records += sum(len(branch.moves) for branch in world.upstream.branches)
        figures.requests += sum(cluster.requests for cluster in world.clusters.values())
