"""What takes several steps in the right order, and so hardly ever comes about by chance, as rules."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler.passed import Pass
from tests.soak.cluster import TERMINAL
from tests.soak.drawn import (
    RESUMED_GATES,
    TIMER_GATES,
    UNPUSHED_GATES,
    Drawn,
    at,
    changes,
    faults,
    first_members,
    hindrances,
    late_gates,
    members,
    objects,
    otherwise,
    pauses,
    phases,
    raises,
    restores,
    tamperings,
    unsent,
    which,
)
from tests.soak.people import LATER
from tests.soak.world import SPARE, Seat


class Stories(Drawn):
    """Most begin with a pass in which all that was under way is recorded as ended."""

    @rule(which=which, gate=late_gates, how=changes, name=restores, seconds=pauses, times=st.integers(1, 2))
    def stop_while_the_world_goes_on(
        self, which: int, gate: str, how: str, name: str, seconds: int, times: int
    ) -> None:
        """A process stops at a gate in whatever pass comes next."""
        self.sleep_through(self.seat(which), gate, how, name, seconds, times)

    @rule(which=which, gate=late_gates, raised=raises, how=otherwise, name=restores, seconds=pauses,
          times=st.integers(1, 2))  # fmt: skip
    def second_thoughts(
        self, which: int, gate: str, raised: str, how: str, name: str, seconds: int, times: int
    ) -> None:
        """A restore is under way when people want it otherwise, while its process sleeps and others go on with it."""
        self.sleep_through(self.asked_anew(which, raised, name), gate, how, name, seconds, times)

    @rule(
        which=which, gate=st.sampled_from(UNPUSHED_GATES), raised=raises, how=otherwise, name=restores, seconds=pauses
    )
    def second_thoughts_before_a_push(
        self, which: int, gate: str, raised: str, how: str, name: str, seconds: int
    ) -> None:
        """It is decided, and not pushed, that a restore begins when people want it otherwise; nobody else does a thing.

        With a branch for the records that push succeeds all the same.
        """
        self.sleep_through(self.asked_anew(which, raised, name), gate, how, name, seconds, times=0)

    @rule(which=which, gate=unsent, again=st.sampled_from(RESUMED_GATES), raised=raises, how=otherwise, name=restores,
          seconds=pauses)  # fmt: skip
    def second_thoughts_after_a_death(
        self, which: int, gate: str, again: str, raised: str, how: str, name: str, seconds: int
    ) -> None:
        """A restore is recorded and not sent when its process dies; another follows, and sleeps before it sends it."""
        mine = self.asked_anew(which, raised, name)
        self.go(mine, at(gate), flush=True)
        self.kill(mine, fresh=False)
        self.go(mine, at(again), flush=True)
        self.commit(how, name)
        self.world.clock.advance(seconds)
        self.go(mine)

    @rule(which=which, name=restores, raised=raises, member=members, fault=faults, phase=phases)
    def a_restore_runs(self, which: int, name: str, raised: str, member: str, fault: str, phase: str) -> None:
        """It is recorded as InProgress; then its member fails, or Velero goes on."""
        seat, cluster = self.asked_anew(which, raised, name), self.world.clusters[member]
        self.go(seat, flush=True)
        self.all_begins()
        self.go(seat, flush=True)
        cluster.fault = fault
        for obj in cluster.objects("Restore") if not fault else ():
            cluster.work(obj, phase)
        self.go(seat, flush=True)

    @rule(which=which, name=restores, raised=raises)
    def an_outcome_waits_for_company(self, which: int, name: str, raised: str) -> None:
        """A restore that has run for a while ends just after another began, and is not recorded at once."""
        seat = self.asked_anew(which, raised, name)
        self.go(seat, flush=True)
        self.all_begins()
        self.go(seat, flush=True)
        self.world.clock.advance(100)
        self.commit(raised, "r2" if name == "r1" else "r1")
        self.go(seat, flush=True)
        for cluster in self.world.clusters.values():
            for obj in cluster.objects("Restore"):
                if obj["metadata"].get("labels", {}).get("kurator.dev/restore-name") == name:
                    cluster.work(obj, "Completed")
        self.go(seat)

    @rule(which=which, name=st.sampled_from(("r1", "r2", "extra")), raised=raises, member=first_members, how=hindrances,
          when=st.sampled_from(("before", "in between", "meanwhile")), gate=late_gates)  # fmt: skip
    def a_run_meets_a_hindrance(
        self, which: int, name: str, raised: str, member: str, how: str, when: str, gate: str
    ) -> None:
        """Before it begins, after it was decided that it does, or while it runs."""
        seat = self.ended(which)
        if when == "before":
            self.hinder(member, how)
        self.commit(raised, name)
        if when == "in between":
            self.go(seat, at(gate), flush=True)
            self.hinder(member, how)
        self.go(seat, flush=True)
        if when == "meanwhile":
            self.hinder(member, how)
        for _ in range(2):
            self.world.clock.advance(70)
            self.go(seat, flush=True)

    @rule(which=which, member=first_members, phase=st.sampled_from(TERMINAL[1:]))
    def a_backup_fails_and_is_to_be_restored(self, which: int, member: str, phase: str) -> None:
        seat = self.ended(which)
        self.commit("add", "extra")
        self.go(seat, flush=True)
        self.world.clusters[member].finish(phase)
        self.go(seat, flush=True)
        self.commit("add", "r3")
        self.go(seat, flush=True)

    @rule(which=which, name=restores, raised=raises)
    def a_new_machine_is_led_astray(self, which: int, name: str, raised: str) -> None:
        """What has just ended still carries our finalizer when its machine is lost, and a kubeconfig is wrong."""
        seat = self.asked_anew(which, raised, name)
        self.go(seat, flush=True)
        self.ended(which)
        self.hinder("m2", SPARE)
        self.kill(seat, fresh=True)
        self.go(seat, flush=True)
        self.world.heal("m2")

    @rule(which=which, name=restores, raised=raises, how=tamperings)
    def a_record_is_tampered_with_while_all_is_quiet(self, which: int, name: str, raised: str, how: str) -> None:
        seat = self.asked_anew(which, raised, name)
        for _ in range(3):
            self.go(seat, flush=True)
            self.all_ends()
        self.tamper(name, how)
        self.go(seat, flush=True)
        if isinstance(seat.process.last, Pass) and not self.world.outage:
            self.world.upstream.put_back()

    @rule(which=which, name=restores, raised=raises, fault=faults, returns=st.booleans())
    def a_cluster_goes(self, which: int, name: str, raised: str, fault: str, returns: bool) -> None:
        """It is declared nowhere any more while something runs there, or waits for it; and perhaps it comes back."""
        seat = self.ended(which)
        self.world.clusters["m2"].fault = fault
        self.commit(raised, name)
        self.go(seat, flush=True)
        for _ in range(2):
            self.commit("leave", name)
        self.go(seat, flush=True)
        if returns:
            self.world.clusters["m2"].fault = ""
            for _ in range(2):
                self.commit("grow", name)
            self.go(seat, flush=True)

    @rule(which=which, gate=st.sampled_from(TIMER_GATES), how=otherwise, member=first_members, seconds=pauses,
          replaced=st.booleans())  # fmt: skip
    def a_schedule_changes(self, which: int, gate: str, how: str, member: str, seconds: int, replaced: bool) -> None:
        """It is in place when people want it otherwise, and somebody puts another one there meanwhile."""
        seat = self.with_a_schedule(which)
        self.commit(how, "nightly")
        self.go(seat, at(gate), flush=True)
        if replaced:
            self.world.clock.advance(seconds)
            self.replace_schedule(member)
        self.go(seat)

    @rule(which=which, gate=st.sampled_from(("act Delete", "before DELETE schedules")), member=first_members)
    def a_schedule_is_replaced_just_before_it_is_removed(self, which: int, gate: str, member: str) -> None:
        seat = self.with_a_schedule(which)
        self.commit("delete", "nightly")
        self.go(seat, at(gate), flush=True)
        self.replace_schedule(member)
        self.go(seat, flush=True)

    @rule(which=which, name=st.sampled_from(("extra", "nightly")), took=st.booleans(), times=st.integers(1, 2))
    def a_backup_changes_its_kind(self, which: int, name: str, took: bool, times: int) -> None:
        """One that ran gets a schedule, or loses it; and perhaps people think better of that."""
        seat = self.ended(which)
        self.commit("add", name)
        for _ in range(2):
            self.go(seat, flush=True)
            if took:
                self.all_ends()
        for _ in range(times):
            self.commit("retime", name)
            for _ in range(2):
                self.world.clock.advance(70)
                self.go(seat, flush=True)

    @rule(which=which, other=objects, name=restores, raised=raises)
    def others_are_asked_for_beside_a_broken_file(self, which: int, other: str, name: str, raised: str) -> None:
        seat = self.ended(which)
        self.commit("break", other)
        self.commit(raised, name)
        for _ in range(2):
            self.go(seat, flush=True)

    @rule(which=which, name=st.sampled_from(("r1", "r2", "extra", "extra")), raised=raises, alone=st.booleans(),
          to=st.sampled_from(("m1", SPARE)), since=st.sampled_from(("the start", "act Create", "the end")))  # fmt: skip
    def a_kubeconfig_is_wrong(self, which: int, name: str, raised: str, alone: bool, to: str, since: str) -> None:
        """Since that gate of the pass in which something is begun, on one member or on all."""
        seat = self.ended(which)
        self.commit(raised, name)
        if alone:
            self.commit("narrow", name)
        if since != "the start":
            self.go(seat, at(since), flush=True)
        if since == "the end":
            self.all_begins()
            self.go(seat, flush=True)  # it is recorded that it runs
        self.hinder("m2", to)
        for _ in range(2):
            self.go(seat, flush=True)
            self.world.clock.advance(70)

    @rule(which=which, name=restores, raised=raises)
    def a_kubeconfig_is_put_right_when_nobody_looks(self, which: int, name: str, raised: str) -> None:
        """What made two members look like one is over, and nothing more is asked of the one that was mistaken."""
        seat = self.ended(which)
        self.commit("grow", name)
        self.hinder(LATER, "m1")
        self.commit("add", "extra")
        self.go(seat, flush=True)
        self.commit("delete", "extra")
        self.go(seat, flush=True)
        self.world.heal(LATER)
        self.commit(raised, name)
        self.go(seat, flush=True)

    def sleep_through(self, mine: Seat, gate: str, how: str, name: str, seconds: int, times: int) -> None:
        """It stops at a gate; people change something, and Velero and the others go on; it wakes up."""
        self.go(mine, at(gate), flush=True)
        self.commit(how, name)
        self.world.clock.advance(seconds)
        for _ in range(times):
            self.others_pass(mine)
            self.all_begins()
        self.go(mine)

    def with_a_schedule(self, which: int) -> Seat:
        """That seat, after passes in which a Schedule came about, if nothing stood against it."""
        seat = self.seat(which)
        self.commit("add", "nightly")
        for _ in range(2):
            self.go(seat, flush=True)
        return seat

    def replace_schedule(self, member: str) -> None:
        """Somebody deletes it and makes one of their own."""
        cluster, name = self.world.clusters[member], f"{member}-backup-default-nightly"
        if cluster.find("Schedule", name):
            cluster.delete("Schedule", name)
        cluster.someone_makes("Schedule", name)
