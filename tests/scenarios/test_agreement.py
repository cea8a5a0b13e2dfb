"""The comparison of plan and sync itself: it passes what agrees, and a doctored plan or sync fails it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fleets import Fleet
from tests.scenarios import agreement, objects
from tests.scenarios.agreement import Key, Stand, differences
from tests.scenarios.workspace import Result, Workspace

RUN: Key = ("m1", "Restore", "m1-restore-default-x")
BEFORE = Stand("a", {}, "", {"m1": ()})
STARTED = {"phase": "Completed", "restoreStatusInCluster": {"phase": "Completed"}, "backupNameInCluster": "taken"}
REFUSED = {"phase": "Failed", "reason": "BackupExpired"}
CREATE = {
    "verb": "create",
    "requestURI": "/apis/velero.io/v1/namespaces/velero/restores",
    "objectRef": {"resource": "restores", "name": RUN[2]},
    "responseStatus": {"code": 201},
}


def plan_of(action: str = "", reason: str = "", code: int = 1, backup: str = "taken") -> Result:
    """What `plan` printed: one step, or none."""
    cluster, kind, name = RUN
    step: dict[str, Any] = {"clusterName": cluster, "objectKind": kind, "objectName": name}
    step |= {"action": action, "reason": reason, "backup": {"name": backup}}
    items = [{"kind": kind, "clusters": [step]}] if action else []
    return Result(code, json.dumps({"items": items}), "")


def after(part: dict[str, Any], *writes: dict[str, Any]) -> Stand:
    return Stand("b", {RUN: part}, "", {"m1": writes})


def found(plan: Result, stand: Stand, code: int = 0, before: Stand = BEFORE, options: tuple[str, ...] = ()) -> str:
    return "\n".join(differences(plan, before, stand, Result(code, "", ""), options))


def test_what_was_announced_and_done_agrees() -> None:
    assert found(plan_of("start"), after(STARTED, CREATE)) == ""
    assert found(plan_of("start after its backup"), after(STARTED, CREATE)) == ""
    assert found(plan_of("start after its backup"), after({"phase": "Failed", "reason": "BackupFailed"})) == ""
    assert found(plan_of("refuse", "BackupExpired"), after(REFUSED), 1) == ""
    assert found(plan_of("wait", "Unreachable"), after({"phase": "Pending", "reason": "Unreachable"}), 3) == ""
    assert found(plan_of(code=0), BEFORE) == ""


@pytest.mark.parametrize(
    ("plan", "stand", "words"),
    [
        (plan_of(), after(STARTED), "the plan said nothing"),
        (plan_of("wait", "Unreachable"), after(STARTED), "plan said wait Unreachable"),
        (plan_of("start"), after(REFUSED), "plan said start"),
        (plan_of("start", backup="another"), after(STARTED, CREATE), "plan said start"),
        (plan_of("start"), after({"phase": "Pending", "reason": "Unreachable"}), "plan said start"),
        (plan_of("start after its backup"), after({"phase": "Failed", "reason": "NameConflict"}), "after its backup"),
        (plan_of("refuse", "BackupExpired"), after(STARTED, CREATE), "create of ('m1'"),
        (plan_of("refuse", "BackupFailed"), after(REFUSED), "plan said refuse BackupFailed"),
        (plan_of("hold", "Withdrawn"), after({"phase": "Held", "reason": "Suspended"}), "plan said hold Withdrawn"),
        (plan_of("skip"), after(STARTED), "plan said skip"),
        (plan_of(), after({}, CREATE), "was sent, and the plan said None"),
        (plan_of("start", code=0), after(STARTED), "plan ended with 0"),
        (plan_of(), BEFORE, "plan ended with 1"),
        (plan_of(code=2), BEFORE, "plan ended with 2, sync with 0"),
    ],
)
def test_what_differs_is_told(plan: Result, stand: Stand, words: str) -> None:
    assert words in found(plan, stand)


def test_a_sync_that_does_not_wait_may_leave_a_start_to_the_next_one_but_starts_nothing_else() -> None:
    pending = {RUN: {"phase": "Pending"}}
    left = found(plan_of("start"), after({"phase": "Pending"}), 3, options=("--no-wait",))
    assert left == ""
    assert "the plan said" in found(
        plan_of("hold", "Suspended"), after(STARTED), before=replace(BEFORE, parts=pending), options=("--no-wait",)
    )


def test_a_member_that_refuses_the_create_is_no_difference() -> None:
    assert found(plan_of("start"), after({"phase": "Pending", "reason": "Rejected"}), 3) == ""


def test_every_sync_of_a_scenario_is_compared(fleet: Fleet, workspace: Workspace) -> None:
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    before = agreement.count
    assert workspace.sync().code == 0
    assert agreement.count == before + 1
    assert workspace.sync(disturbed="to see that it is left out").code == 0
    assert agreement.count == before + 1


def test_a_plan_for_something_else_than_the_sync_fails_the_scenario(fleet: Fleet, workspace: Workspace) -> None:
    """The file is committed between the two, and so the plan knows nothing of it."""

    def commit_and_sync() -> Result:
        workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
        return workspace.sync(disturbed="compared by the caller")

    with pytest.raises(AssertionError, match="plan said nothing"):
        agreement.checked(workspace, (), commit_and_sync)


def test_a_plan_that_changes_something_fails_the_scenario(fleet: Fleet, workspace: Workspace) -> None:
    class Meddling(Workspace):
        def run_here(self, *arguments: str) -> Result:
            self.commit({"README.md": "A plan wrote this.\n"}, "Meddle")
            return super().run_here(*arguments)

    meddling = Meddling(workspace.root, workspace.kubeconfig, workspace.home)
    with pytest.raises(AssertionError, match="plan changed something"):
        meddling.sync()
