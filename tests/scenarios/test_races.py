"""Somebody pushes while a pass asks the members: what was decided is decided again, and nobody's commit is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.members import Members
from reconciler.passed import Pass
from reconciler.reconcile import Reconciler
from reconciler.repository import Repository, Tracked
from reconciler.settings import MemberSettings, SyncSettings
from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.workspace import Workspace

FILE = "restores/raced.yaml"
RACED = objects.restore("raced", "before", policy=objects.to_namespace("raced"))


class Meanwhile:
    """The members door; something happens once, after it has asked the members."""

    def __init__(self, members: Members, happens: Callable[[], object]) -> None:
        self._members = members
        self._happens: list[Callable[[], object]] = [happens]

    async def observe(self, questions: Any) -> Any:
        answers = await self._members.observe(questions)
        while self._happens:
            await asyncio.to_thread(self._happens.pop())
        return answers

    async def apply(self, actions: Any, fetched_at: float) -> Any:
        return await self._members.apply(actions, fetched_at)


def a_pass(workspace: Workspace, happens: Callable[[], object]) -> Pass:
    async def run() -> Pass:
        members = Members(MemberSettings(kubeconfig=str(workspace.kubeconfig)))
        door: Any = Meanwhile(members, happens)
        try:
            return await Reconciler(Repository.open(Tracked(str(workspace.root))), door, SyncSettings()).run()
        finally:
            await members.close()

    return asyncio.run(run())


@pytest.mark.case("two-writers")
def test_withdrawn_by_another_while_it_was_decided(fleet: Fleet, backed_up: Workspace, tmp_path: Path) -> None:
    """Flux image-automation-controller #365: the push is no fast-forward any more."""
    backed_up.git("clone", "-q", "--bare", ".", str(tmp_path / "upstream.git"))
    upstream = backed_up.at(tmp_path / "upstream.git")
    ours, human = upstream.clone(tmp_path / "ours"), upstream.clone(tmp_path / "human")
    human.commit({FILE: RACED}, "Ask")
    human.git("push", "-q")
    theirs: list[str] = []

    def withdraw() -> None:
        theirs.append(human.commit({FILE: None}, "No, don't"))
        human.git("push", "-q")

    done = a_pass(ours, withdraw)

    assert done.state.snapshot.tip.commit == theirs[0], "it was read and decided again"
    assert done.outcomes == ()
    assert [member.restores() for member in fleet.members] == [[], []]
    upstream.git("merge-base", "--is-ancestor", theirs[0], "main")
    assert FILE not in upstream.git("ls-tree", "-r", "--name-only", "main")
