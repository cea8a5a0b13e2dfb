"""What members, git's server and time do, as rules."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.soak.cluster import TERMINAL
from tests.soak.drawn import Drawn, hindrances, members, phases, which
from tests.soak.gates import LOST


class WorldRules(Drawn):
    """Velero works, restarts and fails; members can't be used; answers get lost; time passes."""

    @rule(member=members, phase=phases, all_of_it=st.booleans())
    def velero_works(self, member: str, phase: str, all_of_it: bool) -> None:
        cluster = self.world.clusters[member]
        for kind in ("Backup", "Restore"):
            for obj in cluster.objects(kind)[: None if all_of_it else 1]:
                cluster.work(obj, phase)

    @rule(member=members, phase=st.sampled_from(TERMINAL))
    def velero_finishes(self, member: str, phase: str) -> None:
        self.world.clusters[member].finish(phase)

    @rule(member=members)
    def velero_restarts(self, member: str) -> None:
        self.world.clusters[member].restart_velero()

    @rule(member=members)
    def schedules_are_due(self, member: str) -> None:
        self.world.clusters[member].take_backups()

    @rule(member=members, how=hindrances)
    def a_member_fails(self, member: str, how: str) -> None:
        self.hinder(member, how)

    @rule(member=members)
    def a_member_recovers(self, member: str) -> None:
        self.world.heal(member)

    @rule(member=members, answers=st.integers(1, 2))
    def answers_get_lost(self, member: str, answers: int) -> None:
        self.world.clusters[member].lost = answers
        self.stage.figures.lost += answers

    @rule(which=which, what=st.sampled_from(sorted(LOST)))
    def of_a_push_something_gets_lost(self, which: int, what: str) -> None:
        self.seat(which).process.losing = list(LOST[what])
        self.stage.figures.lost += 1

    @rule(outage=st.booleans())
    def the_git_server_goes_or_comes_back(self, outage: bool) -> None:
        world = self.world
        if outage != world.outage and not world.local:
            here, away = (world.folder / name for name in ("up.git", "away.git"))
            world.judge()
            (here if outage else away).rename(away if outage else here)
            world.outage = outage

    @rule(seconds=st.sampled_from((11, 30, 70, 3600, 25 * 3600)))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(which=which, hours=st.sampled_from((-48, 0, 25)))
    def a_clock_is_set_wrong(self, which: int, hours: int) -> None:
        self.seat(which).process.ahead = timedelta(hours=hours)
        self.world.skewed = True
