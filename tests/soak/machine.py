"""The schedule: how it begins, how reconcilers are driven through it, what holds after each step and in the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.soak.changing import mended
from tests.soak.drawn import after, at, gates, setups, which
from tests.soak.people import MEMBERS
from tests.soak.people_rules import PeopleRules
from tests.soak.resting import outcomes, owed, unfinished
from tests.soak.stories import Stories
from tests.soak.world import ROUND_SECONDS
from tests.soak.world_rules import WorldRules


class Soak(PeopleRules, WorldRules, Stories):
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
        world.clock.advance(3600)  # what needs nothing is not looked at more often
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
        world = self.world
        for _ in range(12):
            self.all_ends()
            worked = world.everybody_passes(ROUND_SECONDS)
            self.nothing_happened_that_never_may()
            if world.passed():
                world.upstream.put_back()
            held = any(cluster.held() for name, cluster in world.clusters.items() if world.healthy(name))
            if not worked and world.passed() and not self._owed() and not held:
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
        world.clock.advance(3600)  # what needs nothing is not looked at more often

    def _count(self) -> None:
        figures, world = self.stage.figures, self.world
        figures.commits += world.upstream.by_people
        figures.timers += sum(len(cluster.objects("Schedule")) for cluster in world.clusters.values())
        figures.records += sum(len(branch.moves) for branch in world.upstream.branches)
        figures.requests += sum(cluster.requests for cluster in world.clusters.values())
