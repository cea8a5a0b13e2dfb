"""What every rule needs: the values that schedules are drawn from, and how a reconciler is driven."""

from __future__ import annotations

from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from reconciler.errors import HistoryRewritten
from reconciler.records import path_of
from reconciler.resources import Identity
from tests.soak.changing import CHANGES, FLEET_CHANGES, change
from tests.soak.cluster import FAULTS, TERMINAL
from tests.soak.people import FIRST_MEMBERS, MEMBERS, OBJECTS, Tree
from tests.soak.process import Stop
from tests.soak.stage import Stage
from tests.soak.upstream import GHOST
from tests.soak.world import SPARE, Seat, World

LATE_GATES: Final = (
    "before save_state", "git commit-tree", "git push", "step pushed", "step recorded", "git ls-remote", "act Create",
    "before POST restores", "after POST restores",
)  # fmt: skip
"""From the decision to the create."""
UNPUSHED_GATES: Final = ("before save_state", "git commit-tree", "git push")
RESUMED_GATES: Final = ("before save_state", "git ls-remote", "act Create", "before POST restores")
"""On the same way where nothing is left to record."""
TIMER_GATES: Final = (
    "git push", "step recorded", "act Create", "act Update", "act Delete", "before POST schedules",
    "before PATCH schedules", "before DELETE schedules", "after DELETE schedules",
)  # fmt: skip
SECOND_THOUGHTS: Final = (
    "nothing", "delete", "narrow", "suspend", "edit", "pause", "break", "raise", "lower", "leave", "shrink", "lose",
    "rename",
)  # fmt: skip
GATES: Final = (
    "git fetch", "git rev-list", "git unpack-objects", "git commit-tree", "git push", "git ls-remote", "git update-ref",
    "step commit-built", "step pushed", "step branch-moved", "step recorded",
    "before save_state", "after save_state", "before GET restores", "after GET restores", "before DRY restores",
    "after DRY restores", "act Create", "before POST restores", "after POST restores", "act Release",
    "before PATCH restores", "after PATCH restores", "act Delete", "after DELETE schedules",
)  # fmt: skip
"""Where a process is stopped on purpose; by a number of gates it is stopped at any."""
SETUPS: Final = (
    ("mirror",), ("clone",), ("mirror", "mirror"), ("mirror", "clone"), ("mirror", "mirror", "clone"), ("bare",),
)  # fmt: skip
RAISES: Final = ("raise", "raise on all", "raise, edited", "add")
HINDRANCES: Final = ("storage", "create", "deleting", "expired", "m1", "m1", SPARE, *FAULTS)
"""What keeps a member from being used, or a run on it from starting; a name: where its kubeconfig leads by mistake."""
which = st.integers(0, 2)
members = st.sampled_from((*FIRST_MEMBERS, *MEMBERS))
first_members = st.sampled_from(FIRST_MEMBERS)
objects = st.sampled_from(("r1", *OBJECTS))
gates = st.sampled_from(GATES)
setups = st.sampled_from(SETUPS)
raises = st.sampled_from(RAISES)
otherwise = st.sampled_from(SECOND_THOUGHTS)
late_gates = st.sampled_from(LATE_GATES)
unsent = st.sampled_from(("act Create", "before POST restores"))
pauses = st.sampled_from((0, 61, 3600, 3600, 25 * 3600))
restores = st.sampled_from(("r1", "r2"))
hindrances = st.sampled_from(HINDRANCES)
kinds = st.sampled_from(("Restore", "Backup", "Schedule"))
faults = st.sampled_from(("", "", "", *FAULTS))
phases = st.sampled_from((*TERMINAL, "FinalizingPartiallyFailed", "FinalizingPartiallyFailed"))
tamperings = st.sampled_from(("delete", "Pending", "Completed", "Failed", "garbage", "ghost"))
changes = st.sampled_from((*CHANGES, *FLEET_CHANGES))


def at(label: str) -> Stop:
    return lambda here: here == label


def after(count: int) -> Stop:
    """At the so-manieth gate from here."""
    left = [count]

    def stop(_: str) -> bool:
        left[0] -= 1
        return left[0] <= 0

    return stop


class Drawn(RuleBasedStateMachine):
    """One schedule: a ledger, two or three members, one to three reconcilers, people."""

    stage: ClassVar[Stage]
    """Set by whoever runs it."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self.world: World

    def seat(self, which: int) -> Seat:
        return self.world.seats[which % len(self.world.seats)]

    def go(self, seat: Seat, stop: Stop = lambda label: False, flush: bool = False) -> None:
        try:
            self.world.go(seat, stop, flush)
        except AssertionError:
            self.broken = True
            raise

    def kill(self, seat: Seat, fresh: bool) -> None:
        accepted = not isinstance(seat.process.last, HistoryRewritten)
        self.world.restart(seat, fresh=fresh and accepted)
        self.stage.figures.kills += 1

    def commit(self, how: str, name: str) -> None:
        """A commit of a human; none where the change does not fit, or the git server is away."""
        self.write(change(self.world.upstream.tree, how, OBJECTS[name]), empty=how == "nothing")

    def write(self, tree: Tree, empty: bool = False) -> None:
        if not self.world.outage and (empty or tree != self.world.upstream.tree):
            self.world.upstream.commit(tree)

    def tamper(self, name: str, how: str) -> None:
        """A record is changed, deleted, or copied for an object that nobody asks for."""
        upstream = self.world.upstream
        path = path_of(Identity(OBJECTS[name].kind, "default", name))
        if self.world.outage or not upstream.git("ls-tree", "--name-only", upstream.ledger.tip, path):
            return
        content: str | None = None
        if how != "delete":
            content = upstream.git("show", f"{upstream.ledger.tip}:{path}")
        if how == "ghost":
            path = path_of(GHOST)
        elif content is not None:
            for phase in ("Starting", "InProgress", *TERMINAL, "Held", "Pending"):
                content = content.replace(f"phase: {phase}\n", f"phase: {how}\n")
        upstream.tamper(path, content)

    def others_pass(self, mine: Seat) -> None:
        for seat in self.world.seats:
            if seat is not mine:
                self.go(seat, flush=True)

    def all_ends(self) -> None:
        for cluster in self.world.clusters.values():
            cluster.finish()

    def all_begins(self) -> None:
        """Velero takes up every Restore."""
        for cluster in self.world.clusters.values():
            for obj in cluster.objects("Restore"):
                cluster.work(obj, "InProgress")

    def ended(self, which: int) -> Seat:
        """That seat, after a pass in which all that ran is recorded as ended."""
        seat = self.seat(which)
        self.all_ends()
        self.go(seat, flush=True)
        return seat

    def asked_anew(self, which: int, raised: str, name: str) -> Seat:
        """Like that, and then people ask for a restore."""
        seat = self.ended(which)
        self.commit(raised, name)
        return seat

    def hinder(self, member: str, how: str) -> None:
        cluster = self.world.clusters[member]
        match how:
            case "storage":
                cluster.store_up(False)
            case "create":
                cluster.refuse(True)
            case "deleting" | "expired":
                cluster.go_bad(f"{member}-backup-default-base", how)
            case "m1" | "spare":
                if member != "m1":
                    self.world.leads[member] = how
            case _:
                cluster.fault = how
