"""Whatever comes between: Schedules end as the files say, nobody else's is touched, and no Restore runs twice."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconciler.plan.schedules import fingerprint
from reconciler.records import Phase
from reconciler.resources import BackupSpec, ClusterId, Identity
from reconciler.velero.objects import fingerprint as fingerprint_of
from tests.plan import builders as b
from tests.plan.members import TERMINAL, Member, Timer
from tests.plan.world import Machine, World, minutes_later

which = st.integers(0, 1)
clusters = st.sampled_from([b.M1, b.M2])
BOTH = b.scheduled(b.M1, b.M2)
EDITED = b.scheduled(b.M1, b.M2, schedule="0 4 * * *")
SUSPENDED = b.scheduled(b.M1, b.M2, suspend=True)
RESTORE = b.restore(b.M1, b.M2)
MEMBER_1 = Identity("AttachedCluster", "default", "m1")
FILES = {
    "both": b.ask(BOTH, RESTORE),
    "the restore is gone": b.ask(BOTH),
    "all is gone": b.ask(),
    "edited": b.ask(EDITED, RESTORE),
    "suspended": b.ask(SUSPENDED, RESTORE),
    "a cluster left": b.ask(b.scheduled(b.M1), b.restore(b.M1)),
    "attempt 2": b.ask(BOTH, b.restore(b.M1, b.M2, attempt=2, rerun="All")),
    "attempt 3": b.ask(BOTH, b.restore(b.M1, b.M2, attempt=3, before="2025-06-01T13:00:00Z")),
    "bound": b.ask(BOTH, b.restore(b.M1, b.M2, attempt=4, rerun="All", maxSkew="1h", maxBackupAge="24h")),
    "the restore is suspended": b.ask(BOTH, b.restore(b.M1, b.M2, suspend=True)),
    "paused": b.ask(EDITED, RESTORE, paused=True),
    "immediate now": b.ask(b.backup(b.M1, b.M2), RESTORE),
    "unread": b.ask(complete=False),
    "refused": b.ask(refused=[b.BACKUP, b.RESTORE]),
    "a cluster is refused": b.ask(BOTH, RESTORE, refused=[MEMBER_1], members=[b.M2], complete=False),
    "a cluster is declared nowhere": b.ask(BOTH, RESTORE, members=[b.M2]),
}
NAMES = sorted(FILES)


class Scheduled(RuleBasedStateMachine):
    """Two machines, two clusters, a scheduled Backup and a Restore from it, with all that can go wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(FILES["both"], {b.M1: Member("uid-1"), b.M2: Member("uid-2")})
        self.machines = [Machine(self.world), Machine(self.world)]
        self.theirs: dict[str, Timer] = {}

    @initialize(made=st.booleans(), taken=st.booleans())
    def schedules_may_have_been_made_and_backups_taken(self, made: bool, taken: bool) -> None:
        for _ in range(3 if made else 0):
            self.machines[0].a_pass()
        if taken:
            self.schedules_are_due(b.M1)
            self.schedules_are_due(b.M2)

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

    @rule(which=which, passes=st.integers(1, 3))
    def a_machine_makes_whole_passes(self, which: int, passes: int) -> None:
        for _ in range(passes):
            self.machines[which].a_pass()

    @rule(which=which, state=st.booleans())
    def a_machine_is_lost(self, which: int, state: bool) -> None:
        if state:
            self.machines[which].lose()
        else:
            self.machines[which].crash()

    @rule(which=which, files=st.sampled_from(NAMES), passes=st.integers(1, 3))
    def a_machine_acts_on_what_the_other_has_given_up(self, which: int, files: str, passes: int) -> None:
        self.machines[which].observe()
        self.machines[which].decide()
        self.the_files_change(files)
        for _ in range(passes):
            self.machines[1 - which].a_pass()
        self.machines[which].act()

    # ------------------------------------------------------------ the clusters

    @rule(cluster=clusters)
    def schedules_are_due(self, cluster: ClusterId) -> None:
        self.world.members[cluster].take_backups(self.world.now)
        for name in self.world.members[cluster].objects:
            self.world.members[cluster].work(name, "InProgress", 0)

    @rule(cluster=clusters, phase=st.sampled_from([*TERMINAL, "Finalizing"]))
    def velero_works(self, cluster: ClusterId, phase: str) -> None:
        for name in self.world.members[cluster].objects:
            self.world.members[cluster].work(name, phase, 0)

    @rule(cluster=clusters, paused=st.booleans())
    def somebody_pauses_or_resumes_schedules(self, cluster: ClusterId, paused: bool) -> None:
        for name, timer in self.world.members[cluster].timers.items():
            if timer.uid not in self.theirs:
                self.world.members[cluster].someone_pauses(name, paused)

    @rule(cluster=clusters)
    def somebody_deletes_schedules(self, cluster: ClusterId) -> None:
        """Their own as well as ours."""
        for timer in self.world.members[cluster].timers.values():
            self.theirs.pop(timer.uid, None)
        self.world.members[cluster].timers.clear()

    @rule(cluster=clusters)
    def somebody_makes_a_schedule_of_our_name(self, cluster: ClusterId) -> None:
        name = f"{cluster.name}-backup-default-nightly"
        if name not in self.world.members[cluster].timers:
            self.world.members[cluster].someone_makes_a_schedule(name)
            made = self.world.members[cluster].timers[name]
            self.theirs[made.uid] = deepcopy(made)

    @precondition(lambda self: any(member.objects for member in self.world.members.values()))
    @rule(data=st.data())
    def backups_expire_with_their_restores(self, data: st.DataObject) -> None:
        minutes_later(self.world, self.machines, 2)
        member = data.draw(st.sampled_from([m for m in self.world.members.values() if m.objects]))
        member.delete(data.draw(st.sampled_from(sorted(member.objects))))

    @rule(cluster=clusters, reachable=st.booleans())
    def a_member_goes_or_comes_back(self, cluster: ClusterId, reachable: bool) -> None:
        self.world.members[cluster].reachable = reachable

    # ------------------------------------------------------------ files and time

    @rule(files=st.sampled_from(NAMES))
    def the_files_change(self, files: str) -> None:
        self.world.desired = FILES[files]
        self.world.ledger.moved += 1

    @rule(minutes=st.sampled_from([2, 61, 60 * 25]))
    def time_passes(self, minutes: int) -> None:
        minutes_later(self.world, self.machines, minutes)

    # ------------------------------------------------------------ what always holds

    @invariant()
    def no_restore_is_created_twice(self) -> None:
        for member in self.world.members.values():
            counts = Counter(made.run_id for made in member.created if made.kind == "Restore")
            assert all(count == 1 for count in counts.values()), counts

    @invariant()
    def somebody_elses_schedule_is_as_they_made_it(self) -> None:
        there = {timer.uid: timer for member in self.world.members.values() for timer in member.timers.values()}
        assert {uid: there.get(uid) for uid in self.theirs} == self.theirs

    @invariant()
    def what_is_restored_is_a_backup_of_that_cluster(self) -> None:
        for cluster, member in self.world.members.items():
            for made in member.created:
                assert made.kind == "Backup" or made.source.startswith(f"{cluster.name}-backup-default-nightly"), made

    # ------------------------------------------------------------ in the end

    def teardown(self) -> None:
        """All goes well again: then every Schedule is as the files say, and every Restore is recorded."""
        for member in self.world.members.values():
            member.reachable = True
        for machine in self.machines:
            machine.crash()
        self.world.desired = replace(self.world.desired, members=FILES["both"].members)
        for _ in range(10):
            for member in self.world.members.values():
                for name in member.objects:
                    member.work(name, "Completed", 0)
            for machine in self.machines:
                machine.a_pass()
            minutes_later(self.world, self.machines, 31)
        before = dict(self.world.ledger.records)
        for machine in self.machines:
            machine.a_pass()
        assert self.world.ledger.records == before
        recorded = self.world.recorded()
        for made in (made for member in self.world.members.values() for made in member.created):
            true = made.phase if made.phase in TERMINAL else "Failed"
            assert made.kind == "Backup" or recorded[made.run_id] == true, made
        self._schedules_are_as_the_files_say()
        self.no_restore_is_created_twice()
        self.somebody_elses_schedule_is_as_they_made_it()

    def _schedules_are_as_the_files_say(self) -> None:
        desired = self.world.desired
        wanted = desired.wanted.get(b.BACKUP)
        record = self.world.ledger.records.get(b.BACKUP)
        if not desired.complete or desired.refused or desired.paused or record is None:
            return  # nothing can be told, or nothing may be made
        if wanted and not (isinstance(wanted.spec, BackupSpec) and wanted.spec.schedule):
            return  # a Backup never changes to an immediate one: the Schedules stay
        for schedule in record.schedules:
            there = self.world.members[schedule.cluster].timers.get(schedule.object_name)
            if there and there.uid in self.theirs:
                assert schedule.phase in (Phase.FAILED, Phase.REMOVED), schedule
            elif wanted is None or schedule.cluster not in wanted.clusters:
                assert (there, schedule.phase) == (None, Phase.REMOVED), schedule
            else:
                assert isinstance(wanted.spec, BackupSpec)
                assert there, schedule
                assert fingerprint_of(there.spec) == fingerprint(wanted.spec) == schedule.what
                paused = bool(there.spec.get("paused"))
                assert paused is (wanted.spec.suspend or there.theirs), there
                assert schedule.phase is (Phase.PAUSED if paused else Phase.ENABLED), schedule


TestScheduledForever = Scheduled.TestCase
TestScheduledForever.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_create_that_lands_after_the_removal_was_confirmed_is_removed_too() -> None:
    """What the random runs come by too seldom."""
    fleet = Scheduled()
    fleet.a_machine_acts_on_what_the_other_has_given_up(0, "all is gone", 2)
    assert {schedule.phase for schedule in fleet.world.ledger.records[b.BACKUP].schedules} == {Phase.REMOVED}
    assert all(member.timers for member in fleet.world.members.values())
    fleet.teardown()
    assert not any(member.timers for member in fleet.world.members.values())
