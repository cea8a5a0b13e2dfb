"""The only door to clusters: asks questions of many members at once and carries out actions on them.

A member that is dead or slow costs the others nothing: a pass takes what answered in time, the rest goes on in the
background for the next pass, and what failed is asked again with growing, jittered pauses.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.desired import Member
from reconciler.errors import KubeconfigError, MemberError
from reconciler.members.apply import carry_out
from reconciler.members.connection import Connection
from reconciler.members.credentials import Credentials
from reconciler.members.following import Following
from reconciler.members.observe import visit
from reconciler.members.velero import Velero
from reconciler.plan.actions import Action, Outcome
from reconciler.plan.answers import Answer, Failure, Question
from reconciler.resources import ClusterId
from reconciler.settings import MemberSettings

PATIENCE_SECONDS = 5.0
AT_ONCE = 200
_LATE = Answer(failure=Failure("Unreachable", "the cluster has not answered within 5 s"), late=True)


@dataclass(frozen=True, slots=True)
class _Pause:
    """A member that failed `times` in a row, with `answer`, is left alone until `until` (monotonic)."""

    times: int
    until: float
    answer: Answer


class Members:
    """Connections to the members of one command, opened when first needed. Close it in the loop that used it."""

    def __init__(self, settings: MemberSettings) -> None:
        self._settings = settings
        self._credentials = Credentials(settings)
        self._connections: dict[ClusterId, Connection] = {}
        self._visits: dict[ClusterId, asyncio.Task[Answer]] = {}
        self._begun: dict[ClusterId, float] = {}
        self._pauses: dict[ClusterId, _Pause] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def observe(self, questions: Iterable[Question]) -> dict[ClusterId, Answer]:
        """What each member answered within 5 s; one that did not is answered for, and heard in a later pass.

        Until that one is heard, what it failed with the last time is believed.
        """
        asked = {question.member.id: question for question in questions}
        answers = {cluster: pause.answer for cluster in asked if (pause := self._pausing(cluster))}
        late = set(self._visits)
        for cluster in asked.keys() - answers.keys() - late:
            self._begun[cluster] = time.monotonic()
            self._visits[cluster] = asyncio.create_task(self._visit(asked[cluster]))
        expected = {self._visits[cluster] for cluster in asked.keys() - answers.keys() - late}
        if expected:
            await asyncio.wait(expected, timeout=PATIENCE_SECONDS)
        for cluster in asked.keys() - answers.keys():
            if self._visits[cluster].done():
                answers[cluster] = self._visits.pop(cluster).result()
                self._remember(cluster, answers[cluster])
            else:
                answers[cluster] = self._pauses[cluster].answer if cluster in self._pauses else _LATE
        return answers

    async def apply(self, actions: Iterable[Action], fetched_at: float) -> tuple[Outcome, ...]:
        """Carries out all actions, side by side; `fetched_at` is the monotonic time at which the ledger was read.

        What was decided on what a member said long ago is as stale as an old ledger: its object may have come and gone
        since, by another process, while this one stood still.
        """
        carried = (self._carry_out(action, self._since(action, fetched_at)) for action in actions)
        return tuple(await asyncio.gather(*carried))

    def following(self, stir: Callable[[], None]) -> Following:
        """Watches of what runs, by the same connections; `stir` is called when something went on."""
        return Following(self._velero, stir)

    async def close(self) -> None:
        """Ends visits under way and all connections."""
        for task in self._visits.values():
            task.cancel()
        await asyncio.gather(*self._visits.values(), return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))
        await self._credentials.close()

    async def _visit(self, question: Question) -> Answer:
        async with self._slots:
            try:
                velero = await self._velero(question.member)
            except KubeconfigError as error:
                return Answer(failure=Failure(error.reason, str(error)))
            answer = await visit(velero, question)
            self._mind(question.member, answer.failure)
            return answer

    def _since(self, action: Action, fetched_at: float) -> float:
        return min(fetched_at, self._begun.get(action.member.id, fetched_at))

    async def _carry_out(self, action: Action, fetched_at: float) -> Outcome:
        async with self._slots:
            try:
                outcome = await carry_out(await self._velero(action.member), action, fetched_at)
            except MemberError as error:
                return Outcome(action, Failure(error.reason, str(error)))
            self._mind(action.member, outcome.failure)
            return outcome

    async def _velero(self, member: Member) -> Velero:
        """The member's connection, opened anew when its credentials have changed."""
        kubeconfig = await self._credentials.find(member)
        connection = self._connections.setdefault(member.id, Connection(member.id.name))
        return Velero(await connection.client(kubeconfig), self._settings.velero_namespace)

    def _mind(self, member: Member, failure: Failure | None) -> None:
        """Credentials that a member did not take are had anew before the next try."""
        if failure is not None and failure.reason == "Unauthorized":
            self._credentials.distrust(member)
            self._connections[member.id].drop()

    def _pausing(self, cluster: ClusterId) -> _Pause | None:
        pause = self._pauses.get(cluster)
        return pause if pause and time.monotonic() < pause.until else None

    def _remember(self, cluster: ClusterId, answer: Answer) -> None:
        """Pauses of about 1, 2, 4 … 60 s while a member fails."""
        if answer.failure is None:
            self._pauses.pop(cluster, None)
        else:
            times = self._pauses[cluster].times + 1 if cluster in self._pauses else 1
            seconds = min(60.0, 2.0 ** (times - 1)) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
            self._pauses[cluster] = _Pause(times, time.monotonic() + seconds, answer)
