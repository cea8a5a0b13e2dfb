"""The real pass in a child process that is killed before or after a named step: `python -m tests.scenarios.killed`.

Called by `test_kill.py` with a repository, a step as `<name>:<count>` and `before` or `after`. Steps are the calls that
a pass makes on its repository and its members, and the steps inside of a commit (`repository.STEPS`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

from reconciler.members import Members
from reconciler.once import settle
from reconciler.plan.actions import Action, Outcome
from reconciler.reconcile import Reconciler
from reconciler.repository import Repository, Tracked
from reconciler.settings import MemberSettings, OnceSettings, SyncSettings


class Killer:
    """Counts steps by name and ends this process, as `kill -9` would, at the one it was told."""

    def __init__(self, step: str, when: str) -> None:
        self._step, self._when = step, when
        self._counts: Counter[str] = Counter()

    def reached(self, name: str, when: str) -> None:
        self._counts[f"{when} {name}"] += 1
        if when == self._when and self._step == f"{name}:{self._counts[f'{when} {name}']}":
            os.kill(os.getpid(), signal.SIGKILL)


class KilledRepository:
    """A Repository whose every call is a step."""

    def __init__(self, repository: Repository, killer: Killer) -> None:
        self._repository, self._killer = repository, killer

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._repository, name)
        if not callable(found):
            return found

        def step(*arguments: Any) -> Any:
            self._killer.reached(name, "before")
            result = found(*arguments)
            self._killer.reached(name, "after")
            return result

        return step


class KilledMembers:
    """Members of which every call, and every single create and release, is a step."""

    def __init__(self, members: Members, killer: Killer) -> None:
        self._members, self._killer = members, killer

    async def observe(self, questions: Any) -> Any:
        self._killer.reached("observe", "before")
        answers = await self._members.observe(questions)
        self._killer.reached("observe", "after")
        return answers

    async def apply(self, actions: tuple[Action, ...], fetched_at: float) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = []
        for action in actions:
            name = type(action).__name__.lower()
            self._killer.reached(name, "before")
            outcomes += await self._members.apply((action,), fetched_at)
            self._killer.reached(name, "after")
        return tuple(outcomes)


async def _main(repo: str, step: str, when: str) -> None:
    killer = Killer(step, when)
    members = Members(MemberSettings())
    repository = Repository.open(Tracked(repo), lambda name: killer.reached(name, "after"))
    driven: tuple[Any, Any] = KilledRepository(repository, killer), KilledMembers(members, killer)
    reconciler = Reconciler(*driven, SyncSettings(release_after=timedelta()))
    await settle(reconciler, OnceSettings(timeout_seconds=60), lambda done: None)
    await members.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
