"""What members, git's server and time do, as rules."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.soak.drawn import Drawn, members, phases
from tests.soak.member import FAULTS, TERMINAL


class WorldRules(Drawn):
    """Velero works, restarts and fails; answers get lost; time passes."""

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

    @rule(member=members, fault=st.sampled_from(FAULTS))
    def a_member_fails(self, member: str, fault: str) -> None:
        self.world.clusters[member].fault = fault

    @rule(member=members)
    def a_member_recovers(self, member: str) -> None:
        self.world.clusters[member].fault = ""

    @rule(member=members, answers=st.integers(1, 2))
    def answers_get_lost(self, member: str, answers: int) -> None:
        self.world.clusters[member].lost = answers
        self.stage.figures.lost += answers

    @rule(outage=st.booleans())
    def the_git_server_goes_or_comes_back(self, outage: bool) -> None:
        if outage != self.outage and not self.world.local:
            here, away = (self.world.folder / name for name in ("up.git", "away.git"))
            self.note()
            self.world.judge()
            (here if outage else away).rename(away if outage else here)
            self.outage = outage

    @rule(seconds=st.sampled_from((11, 30, 70, 3600, 25 * 3600)))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
