"""What people do to the repository and to the members, as rules."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.soak.changing import FLEET_CHANGES, gather_crowd
from tests.soak.drawn import (
    Drawn,
    changes,
    first_members,
    kinds,
    members,
    objects,
    raises,
    restores,
    tamperings,
    which,
)
from tests.soak.people import CROWDS, OBJECTS


class PeopleRules(Drawn):
    """Commits, pushes that are forced, hands on records and members."""

    @rule(how=changes, name=objects)
    def people_commit(self, how: str, name: str) -> None:
        self.commit(how, name)

    @rule(how=raises, name=restores)
    def people_want_a_restore(self, how: str, name: str) -> None:
        self.commit(how, name)

    @rule(name=objects)
    def people_break_a_file(self, name: str) -> None:
        self.commit("break", name)

    @rule(back=st.integers(1, 6))
    def people_revert(self, back: int) -> None:
        """All files as they were some commits ago."""
        history = self.world.upstream.history
        self.write(history[-min(back + 1, len(history))], empty=True)

    @rule(how=st.sampled_from(FLEET_CHANGES))
    def the_fleet_changes(self, how: str) -> None:
        self.commit(how, "r1")

    @rule(which=which, path=st.sampled_from(sorted(CROWDS)), rare=st.integers(0, 2), allowed=st.booleans())
    def a_crowd_comes_and_goes(self, which: int, path: str, rare: int, allowed: bool) -> None:
        """Many objects at once, and their file goes while they wait, or while their Schedules are in place."""
        if rare:
            return
        seat = self.seat(which)
        self.world.clusters["m2"].fault = "unreachable" if path.startswith("restores") else ""
        for _ in range(2):
            self.write(gather_crowd(self.world.upstream.tree, path))
            for _ in range(2):
                self.world.clock.advance(70)
                self.go(seat, flush=True)
        if allowed:
            self.world.accept(seat)
            self.go(seat, flush=True)
        else:
            self.write(gather_crowd(self.world.upstream.tree, path))

    @rule(name=objects, how=tamperings)
    def people_tamper_with_a_record(self, name: str, how: str) -> None:
        self.tamper(name, how)

    @rule(commits=st.integers(1, 6), records=st.booleans())
    def people_force_a_push(self, commits: int, records: bool) -> None:
        if self.world.outage:
            return
        upstream = self.world.upstream
        before = upstream.ledger.tip
        upstream.set_back(upstream.ledger if records else upstream.main, commits)
        if upstream.ledger.tip != before:
            self.world.forget(before)

    @rule()
    def people_amend(self) -> None:
        if not self.world.outage:
            self.world.upstream.amend()

    @rule(
        member=members,
        kind=kinds,
        number=st.integers(0, 3),
        expire=st.booleans(),
    )
    def something_is_deleted_or_expires(self, member: str, kind: str, number: int, expire: bool) -> None:
        cluster = self.world.clusters[member]
        there = cluster.objects(kind)
        if not there:
            return
        name = there[number % len(there)]["metadata"]["name"]
        if kind == "Backup" and expire:
            cluster.expire(name)
        else:
            cluster.delete(kind, name)

    @rule(member=members, number=st.integers(0, 3))
    def somebody_frees_a_restore(self, member: str, number: int) -> None:
        """Takes our finalizer off by hand, and deletes it. Before it is recorded that it runs, that is beyond us, and
        so it is as long as another process may still create it again: README says how long."""
        if self.world.outage:
            return
        self.world.clock.advance(91)
        cluster = self.world.clusters[member]
        begun = {run.object_name for run in self.world.runs(self.world.upstream.ledger.tip) if run.status}
        there = [name for name in cluster.held() if name in begun]
        if there:
            cluster.free(there[number % len(there)])

    @rule(member=first_members, name=st.sampled_from(("r1", "r2", "nightly")))
    def somebody_takes_a_name(self, member: str, name: str) -> None:
        kind = "Schedule" if name == "nightly" else "Restore"
        self.world.clusters[member].someone_makes(kind, f"{member}-{OBJECTS[name].kind.lower()}-default-{name}")
