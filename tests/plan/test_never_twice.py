"""Whatever comes between: no Restore runs twice, no outcome is forgotten, what is recorded as ended stays so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconciler.desired import Desired
from reconciler.records import Phase, Run
from reconciler.resources import ClusterId
from tests.plan import builders as b
from tests.plan.members import TERMINAL, Member, Object
from tests.plan.world import Machine, World, minutes_later

which = st.integers(0, 1)
BACKUP = b.backup(b.M1, b.M2)
ASKED = b.ask(BACKUP, b.restore(b.M1, b.M2))
UPDATES = {"existingResourcePolicy": "update"}


def files(*clusters: ClusterId, **spec: Any) -> Desired:
    return b.ask(BACKUP, b.restore(*(clusters or (b.M1, b.M2)), **spec))


FILES = {
    "as at first": ASKED,
    "the restore is gone": b.ask(BACKUP),
    "a cluster left": files(b.M1),
    "edited": files(policy=UPDATES),
    "attempt 2": files(attempt=2),
    "attempt 2 on all": files(attempt=2, rerun="All"),
    "attempt 3, edited": files(attempt=3, policy=UPDATES),
    "attempt 3 on one": files(b.M2, attempt=3, destination=b.to(b.M2)),
    "suspended": files(suspend=True),
    "attempt 2, suspended": files(attempt=2, suspend=True),
    "edited, suspended": files(policy=UPDATES, suspend=True),
    "paused": replace(ASKED, paused=True),
    "attempt 2 on all, paused": replace(files(attempt=2, rerun="All"), paused=True),
    "bound, backup 2": b.ask(b.backup(b.M1, b.M2, attempt=2), b.restore(b.M1, b.M2, maxSkew="1h")),
    "refused": b.ask(BACKUP, refused=[b.RESTORE]),
    "unread": b.ask(complete=False),
    "a cluster is declared nowhere": b.ask(BACKUP, b.restore(b.M1, b.M2), members=[b.M2]),
}
NAMES = sorted(FILES)


class Fleet(RuleBasedStateMachine):
    """Two machines that work on one ledger and two clusters, with all that can go wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(ASKED, {b.M1: Member("uid-1"), b.M2: Member("uid-2")})
        self.machines = [Machine(self.world), Machine(self.world)]
        self.last_words: dict[str, Run] = {}

    @initialize(taken=st.booleans(), started=st.booleans())
    def backups_may_have_been_taken_and_restores_be_started(self, taken: bool, started: bool) -> None:
        for _ in range(2 if taken else 0):
            self.machines[0].a_pass()
            self.velero_finishes_backups()
            self.velero_finishes_backups()
        if taken and started:
            self.machines[0].a_pass()

    # ------------------------------------------------------------ the machines

    @rule(which=which)
    def a_machine_reads_and_asks(self, which: int) -> None:
        self.machines[which].observe()

    @rule(which=which, flush=st.booleans())
    def a_machine_decides_and_commits(self, which: int, flush: bool) -> None:
        self.machines[which].decide(flush)

    @rule(which=which)
    def a_machine_acts(self, which: int) -> None:
        if self.machines[which].todo is not None:
            self.machines[which].act()

    @rule(which=which)
    def a_machine_makes_a_whole_pass(self, which: int) -> None:
        self.machines[which].a_pass()

    @rule(which=which)
    def a_process_is_killed(self, which: int) -> None:
        self.machines[which].crash()

    @rule(which=which)
    def a_machine_is_lost_with_its_local_state(self, which: int) -> None:
        self.machines[which].lose()

    @rule(which=which, hours=st.sampled_from([-48, 0, 25]))
    def a_clock_is_set_wrong(self, which: int, hours: int) -> None:
        self.machines[which].ahead = timedelta(hours=hours)

    @rule(which=which, files=st.sampled_from(NAMES), errors=st.integers(0, 1), hours=st.sampled_from([0, 25]))
    def the_other_gives_up_what_a_machine_is_about_to_create(
        self, which: int, files: str, errors: int, hours: int
    ) -> None:
        mine, other = self.machines[which], self.machines[1 - which]
        mine.observe()
        mine.decide()
        other.ahead = timedelta(hours=hours)
        self.the_files_change(files)
        other.a_pass()
        if mine.todo is not None:
            mine.act()
        for member in self.world.members.values():
            for name in member.objects if errors else ():
                member.work(name, "InProgress", 0)
                member.work(name, "PartiallyFailed", errors)

    @rule(which=which)
    def a_member_goes_before_a_machine_acts(self, which: int) -> None:
        machine = self.machines[which]
        machine.observe()
        machine.decide()
        self.a_member_goes_or_comes_back(b.M1, False)
        machine.act()
        self.a_member_goes_or_comes_back(b.M1, True)

    # ------------------------------------------------------------ the clusters

    @rule(data=st.data(), phase=st.sampled_from([*TERMINAL, "FinalizingPartiallyFailed"]), errors=st.integers(0, 1))
    def velero_works(self, data: st.DataObject, phase: str, errors: int) -> None:
        for member in self.world.members.values():
            for name in (
                data.draw(st.lists(st.sampled_from(sorted(member.objects)), unique=True)) if member.objects else ()
            ):
                member.work(name, phase, errors)

    @rule()
    def velero_finishes_backups(self) -> None:
        for member in self.world.members.values():
            for name, there in member.objects.items():
                if there.kind == "Backup":
                    member.work(name, "Completed", 0)

    @precondition(lambda self: any(member.objects for member in self.world.members.values()))
    @rule(data=st.data())
    def a_human_deletes_something(self, data: st.DataObject) -> None:
        """More than a minute after anybody read the ledger: see the doubt about a faster one in `design.md` §4."""
        minutes_later(self.world, self.machines, 2)
        member = data.draw(st.sampled_from([m for m in self.world.members.values() if m.objects]))
        member.delete(data.draw(st.sampled_from(sorted(member.objects))))

    @rule(cluster=st.sampled_from([b.M1, b.M2]), reachable=st.booleans())
    def a_member_goes_or_comes_back(self, cluster: ClusterId, reachable: bool) -> None:
        self.world.members[cluster].reachable = reachable

    # ------------------------------------------------------------ files and time

    @rule(files=st.sampled_from(NAMES))
    def the_files_change(self, files: str) -> None:
        """A commit of a human: a machine that is between read and commit must read again."""
        self.world.desired = FILES[files]
        self.world.ledger.moved += 1

    @rule(minutes=st.sampled_from([2, 60, 60 * 25]))
    def time_passes(self, minutes: int) -> None:
        minutes_later(self.world, self.machines, minutes)

    # ------------------------------------------------------------ what always holds

    @invariant()
    def no_restore_is_created_twice(self) -> None:
        for member in self.world.members.values():
            counts = Counter(made.run_id for made in member.created if made.kind == "Restore")
            assert all(count == 1 for count in counts.values()), counts

    @invariant()
    def veleros_last_word_stays(self) -> None:
        recorded = self.world.runs()
        self.last_words |= {run_id: run for run_id, run in recorded.items() if run.settled}
        assert {run_id: recorded.get(run_id) for run_id in self.last_words} == self.last_words

    @invariant()
    def what_is_recorded_is_what_was_created(self) -> None:
        """An edit changes no record of what may run already."""
        recorded = self.world.runs()
        for run_id, what in self.world.restored.items():
            assert run_id in recorded, run_id
            assert recorded[run_id].what == what, recorded[run_id]

    @invariant()
    def nothing_is_let_go_before_its_outcome_is_recorded(self) -> None:
        recorded = self.world.recorded()
        for made in self._restores():
            assert made.held or recorded[made.run_id].terminal
            if made.phase in TERMINAL and not made.held:
                assert recorded[made.run_id] == made.phase

    # ------------------------------------------------------------ in the end

    def teardown(self) -> None:
        """All goes well again: then every Restore that was created is recorded as what became of it."""
        for member in self.world.members.values():
            member.reachable = True
        for machine in self.machines:
            machine.crash()
            machine.ahead = timedelta()
        self.world.desired = replace(self.world.desired, members=ASKED.members)
        for _ in range(12):
            for member in self.world.members.values():
                for name in member.objects:
                    member.work(name, "Completed", 0)
            for machine in self.machines:
                machine.a_pass()
            minutes_later(self.world, self.machines, 3)
        recorded = self.world.recorded()
        for made in self._restores():
            true = made.phase if made.phase in TERMINAL else "Failed"  # deleted before Velero took it up
            assert recorded[made.run_id] == true, (made, recorded)
            assert not made.held, made
        for run in self.world.ledger.records[b.BACKUP].runs if b.BACKUP in self.world.ledger.records else ():
            there = ("Backup", run.object_name) in self.world.members[run.cluster].objects
            assert not (there and run.reason == "Vanished"), run
        before = dict(self.world.ledger.records)
        frozen = {run.object_name for record in before.values() for run in record.runs if run.phase is Phase.STARTING}
        for machine in self.machines:
            machine.a_pass()
            assert {name for _, (_, name) in machine.watch().unreleased} <= frozen
        assert self.world.ledger.records == before
        self.no_restore_is_created_twice()
        self.veleros_last_word_stays()

    def _restores(self) -> list[Object]:
        return [made for member in self.world.members.values() for made in member.created if made.kind == "Restore"]


TestNeverTwice = Fleet.TestCase
TestNeverTwice.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
