"""What people do to the repository and to the members, as rules."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler.records import path_of
from reconciler.resources import Identity
from tests.soak.drawn import Drawn, changes, members, objects, raises, restores
from tests.soak.member import TERMINAL
from tests.soak.people import OBJECTS


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
        if not self.outage:
            self.world.upstream.note()
            history = self.world.upstream.history
            self.world.upstream.commit(history[-min(back + 1, len(history))])

    @rule(name=objects, how=st.sampled_from(("delete", "Pending", "Completed", "Failed", "garbage")))
    def people_tamper_with_a_record(self, name: str, how: str) -> None:
        if self.outage:
            return
        world = self.world
        world.upstream.note()
        path = path_of(Identity(OBJECTS[name].kind, "default", name))
        found = world.upstream.git("ls-tree", "--name-only", world.upstream.ledger.tip, path)
        if not found:
            return
        content: str | None = None
        if how != "delete":
            content = world.upstream.git("show", f"{world.upstream.ledger.tip}:{path}")
            for phase in ("Starting", "InProgress", *TERMINAL, "Held", "Pending"):
                content = content.replace(f"phase: {phase}\n", f"phase: {how}\n")
        world.upstream.tamper(path, content)

    @rule(commits=st.integers(1, 6), records=st.booleans())
    def people_force_a_push(self, commits: int, records: bool) -> None:
        if self.outage:
            return
        upstream = self.world.upstream
        upstream.note()
        before = upstream.ledger.tip
        upstream.set_back(upstream.ledger if records else upstream.main, commits)
        if upstream.ledger.tip != before:
            self.world.forget(before)

    @rule()
    def people_amend(self) -> None:
        if not self.outage:
            self.world.upstream.note()
            self.world.upstream.amend()

    @rule(member=members, kind=st.sampled_from(("Restore", "Backup")), number=st.integers(0, 3), expire=st.booleans())
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
        self.world.clock.advance(91)
        self.note()
        cluster = self.world.clusters[member]
        begun = {run.object_name for run in self.world.runs(self.world.upstream.ledger.tip) if run.status}
        there = [name for name in cluster.held() if name in begun]
        if there:
            cluster.free(there[number % len(there)])

    @rule(member=members, name=restores)
    def somebody_takes_a_name(self, member: str, name: str) -> None:
        self.world.clusters[member].someone_makes(f"{member}-restore-default-{name}")
