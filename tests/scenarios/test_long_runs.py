"""Restores that take long, end unseen, or are sent late: none runs twice, and each is recorded as it truly ended."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from reconciler.members import Members
from reconciler.passed import Pass
from reconciler.plan.actions import Action, Create, Outcome
from reconciler.reconcile import Reconciler
from reconciler.records import timestamp
from reconciler.repository import Repository, Tracked
from reconciler.settings import MemberSettings, SyncSettings
from tests.behaviour.velero import path
from tests.fleets import Fleet, Member
from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace, audited_creates

COPY = objects.to_namespace("copied")
FIRST = f"{MEMBERS[0]}-restore-default-copy"


def copy(name: str = "copy") -> dict[str, str | None]:
    return {f"restores/{name}.yaml": objects.restore(name, "before", policy=objects.to_namespace(name))}


def set_status(member: Member, name: str, **status: Any) -> None:
    """What Velero says of a Restore, where Velero itself is down."""
    member.api.patch_merge(path("Restore", name), {"status": status})


@pytest.mark.case("stuck")
def test_in_progress_for_hours_while_velero_is_down(fleet: Fleet, backed_up: Workspace) -> None:
    """velero #7207."""
    stuck, first = fleet.members[0], f"{MEMBERS[0]}-restore-default-stuck"
    stuck.stop_velero()
    backed_up.commit(copy("stuck"), "Copy")
    assert backed_up.sync("--no-wait").code == 3
    since = timestamp(datetime.now(UTC) - timedelta(hours=5))
    set_status(stuck, first, phase="InProgress", startTimestamp=since)
    for _ in range(2):
        assert backed_up.sync("--timeout", "2s").code == 3
        runs = backed_up.runs("restores", "stuck")
        assert [runs[name]["phase"] for name in MEMBERS] == ["InProgress", "Completed"]
    told = backed_up.run("describe", "restore", "stuck").out
    assert f"{since} (5h ago)" in told, told

    backed_up.commit(copy("unstuck"), "Another")
    assert backed_up.sync("--timeout", "3s").code == 3
    assert backed_up.runs("restores", "unstuck")[MEMBERS[1]]["phase"] == "Completed"
    assert backed_up.runs("restores", "stuck")[MEMBERS[0]]["phase"] == "InProgress"
    assert audited_creates(stuck, "restores").count(first) == 1


@pytest.mark.case("finalizing")
@pytest.mark.parametrize("phase", ["FinalizingPartiallyFailed", "WaitingForPluginOperationsPartiallyFailed"])
def test_a_phase_that_only_sounds_like_an_end(fleet: Fleet, backed_up: Workspace, phase: str) -> None:
    """cluster-backup-operator #698: it was taken for success."""
    member = fleet.members[0]
    member.stop_velero()
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync("--no-wait").code == 3
    set_status(member, FIRST, phase=phase)
    assert backed_up.sync("--timeout", "2s").code == 3
    assert backed_up.runs("restores", "copy")[MEMBERS[0]]["phase"] == "InProgress"
    found = member.restore(FIRST)
    assert found is not None
    assert "reconciler/recorded" in found["metadata"]["finalizers"], "it is not let go before it has ended"


@pytest.mark.case("restart")
def test_everything_starts_again_while_it_is_new(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.stop_velero()
    backed_up.commit(copy("restarted"), "Copy")
    assert backed_up.sync("--no-wait").code == 3
    assert backed_up.sync("--no-wait").code == 3
    for member in fleet.members:
        member.start_velero()
    done = backed_up.sync()
    assert done.code == 0, done.text
    for member in fleet.members:
        assert audited_creates(member, "restores").count(f"{member.name}-restore-default-restarted") == 1
        assert len(member.restores()) == 1
    assert {run["phase"] for run in backed_up.runs("restores", "restarted").values()} == {"Completed"}


@pytest.mark.case("gone-meanwhile", "deleted by hand")
def test_deleted_by_hand_after_its_end_while_nobody_looked(fleet: Fleet, backed_up: Workspace) -> None:
    """`kubectl delete restore`: our finalizer holds it until its true outcome is recorded."""
    backed_up.commit(copy(), "Copy")
    assert backed_up.sync("--no-wait").code == 3
    for member in fleet.members:
        name = f"{member.name}-restore-default-copy"
        member.wait_phase("restores", name, "Completed")
        member.api.delete(path("Restore", name))
        wait_for(partial(_is_being_deleted, member, name), 30, f"the Restore of {member.name} to be deleted")
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert {run["phase"] for run in backed_up.runs("restores", "copy").values()} == {"Completed"}
    for member in fleet.members:
        member.api.wait_gone(path("Restore", f"{member.name}-restore-default-copy"))
    assert backed_up.sync().code == 0
    assert [member.restores() for member in fleet.members] == [[], []]


def _is_being_deleted(member: Member, name: str) -> bool:
    found = member.restore(name)
    return found is not None and "deletionTimestamp" in found["metadata"]


class Asleep:
    """The members door of a process that was paused for an hour between its commit and its creates."""

    def __init__(self, members: Members) -> None:
        self._members = members

    async def observe(self, questions: Any) -> Any:
        return await self._members.observe(questions)

    async def apply(self, actions: tuple[Action, ...], fetched_at: float) -> tuple[Outcome, ...]:
        return await self._members.apply(actions, fetched_at - 3600)


@pytest.mark.case("late-process")
def test_a_process_that_wakes_after_an_hour_creates_nothing(fleet: Fleet, backed_up: Workspace) -> None:
    """Whatever it was about to create by what the ledger said then; a fresh look creates it, once."""
    backed_up.commit(copy("late"), "Copy")

    async def late() -> Pass:
        members = Members(MemberSettings(kubeconfig=str(backed_up.kubeconfig)))
        door: Any = Asleep(members)
        try:
            return await Reconciler(Repository.open(Tracked(str(backed_up.root))), door, SyncSettings()).run()
        finally:
            await members.close()

    done = asyncio.run(late())
    tried = [outcome for outcome in done.outcomes if isinstance(outcome.action, Create)]
    assert [outcome.failure and outcome.failure.reason for outcome in tried] == ["Stale", "Stale"]
    assert {run["phase"] for run in backed_up.runs("restores", "late").values()} == {"Starting"}
    assert [member.restores() for member in fleet.members] == [[], []]

    assert backed_up.sync().code == 0
    for member in fleet.members:
        assert audited_creates(member, "restores").count(f"{member.name}-restore-default-late") == 1


@pytest.mark.case("two-names", "led elsewhere")
def test_a_kubeconfig_that_leads_to_another_cluster(fleet: Fleet, workspace: Workspace) -> None:
    """What runs on the first cluster is not looked for, and not called gone, on the second one."""
    first, second = fleet.members
    alone = objects.fleet(members=MEMBERS[:1], declared=MEMBERS[:1])
    workspace.commit({"fleets/quickstart.yaml": alone, "backups/before.yaml": objects.backup("before")}, "One alone")
    assert workspace.sync().code == 0
    first.stop_velero()
    workspace.commit(copy(), "Copy")
    assert workspace.sync("--no-wait").code == 3
    assert workspace.sync("--no-wait").code == 3
    before = workspace.runs("restores", "copy")[MEMBERS[0]]["phase"]
    assert before == "InProgress"

    done = workspace.sync("--timeout", "4s", "--context", f"{MEMBERS[0]}={MEMBERS[1]}")
    assert done.code == 3, done.text
    assert workspace.runs("restores", "copy")[MEMBERS[0]]["phase"] == "InProgress"
    assert second.restores() == []
    first.start_velero()
    assert workspace.sync().code == 0
    assert len(first.restores()) == 1
