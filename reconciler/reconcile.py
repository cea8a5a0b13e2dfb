"""One pass, top to bottom: read a commit, ask the members, decide, commit the records, then act.

Whatever kills it, another pass simply follows: nothing is created that the pushed ledger does not call `Starting`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol

from reconciler.desired import Desired
from reconciler.errors import NoLedger, RepositoryError, TipMoved
from reconciler.gather import State, gather
from reconciler.initialise import initialise, may_start_afresh
from reconciler.plan.actions import Action, Create, Outcome
from reconciler.plan.answers import Answer, Failure, Question
from reconciler.plan.changes import changes, due
from reconciler.plan.decide import actions, decide
from reconciler.plan.orphans import orphans
from reconciler.plan.questions import questions
from reconciler.plan.safety import refuse_mass_removal
from reconciler.plan.watch import Watch, after_pass, before_creates, dump_watch, load_watch
from reconciler.records import Record
from reconciler.repository import Repository, Tip
from reconciler.resources import ClusterId, Identity
from reconciler.settings import SyncSettings

BATCH_SECONDS = 10.0
TRIES = 20


class MembersDoor(Protocol):
    """What a pass needs of `members.Members`."""

    async def observe(self, questions: tuple[Question, ...]) -> dict[ClusterId, Answer]: ...

    async def apply(self, actions: tuple[Action, ...], fetched_at: float) -> tuple[Outcome, ...]: ...


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass found and did. `decided` may be ahead of `committed` while small changes are batched."""

    state: State
    desired: Desired
    committed: Mapping[Identity, Record]
    decided: Mapping[Identity, Record]
    answers: Mapping[ClusterId, Answer]
    outcomes: tuple[Outcome, ...]
    watch: Watch
    commit: str | None


class Reconciler:
    """Repeatable passes over one repository and its members."""

    def __init__(self, repository: Repository, members: MembersDoor, settings: SyncSettings) -> None:
        self._repository = repository
        self._members = members
        self._settings = settings
        self._list_again = settings.accept_rewrite
        self._refused: dict[str, Failure] = {}
        self._committed_at = -BATCH_SECONDS

    async def run(self, flush: bool = False) -> Pass:
        """One pass. `flush` commits what would wait for company.

        Raises RepositoryError and its kin, RecordError, Unsafe; one member's trouble is never an exception.
        """
        await asyncio.to_thread(self._repository.preflight)
        watch = load_watch(await asyncio.to_thread(self._repository.load_state))
        if self._list_again:
            watch, self._list_again = replace(watch, inventoried=frozenset()), False
        answers: dict[ClusterId, Answer] | None = None
        for _ in range(TRIES):
            state = await self._read()
            now = datetime.now(UTC)
            drafted = state.drafted(now)
            if answers is None:
                asked = questions(state.desired, drafted, watch, self._settings.velero_namespace)
                answers = await self._members.observe(asked)
            found = orphans(drafted, answers, state.recorded.ledger.id if state.recorded else "", now)
            decided = decide(state.desired, drafted | found, answers, now, self._refused)
            if not self._settings.allow_mass_removal:
                refuse_mass_removal(state.records, decided)
            watch = before_creates(watch, decided, answers, now)
            await asyncio.to_thread(self._repository.save_state, dump_watch(watch))
            due = flush or self._due(state, decided)
            committed = decided if due else state.records
            todo = actions(state.desired, committed, answers, self._settings.velero_namespace)
            try:
                creates = any(isinstance(action, Create) for action in todo)
                tip, commit = await asyncio.to_thread(self._land, state, committed, answers, creates)
            except TipMoved:
                continue  # decided again on what was observed
            outcomes = await self._members.apply(todo, tip.fetched_at)
            self._refused = {o.action.run_id: o.failure for o in outcomes if isinstance(o.action, Create) and o.failure}
            watch = after_pass(watch, committed, answers, outcomes, now)
            await asyncio.to_thread(self._repository.save_state, dump_watch(watch))
            return Pass(state, state.desired, committed, decided, answers, outcomes, watch, commit)
        raise RepositoryError(
            f"branch {self._repository.branch} moved {TRIES} times while a commit was made; try again"
        )

    async def _read(self) -> State:
        state = await asyncio.to_thread(gather, self._repository)
        if state.recorded:
            return state
        if not may_start_afresh(await asyncio.to_thread(gather, self._repository, False)):
            raise NoLedger(
                "there is no ledger here, but there are Backups or Restores that may have run already; "
                "`reconciler init` records them as held and runs none of them"
            )
        await asyncio.to_thread(initialise, self._repository, state, False)
        return await asyncio.to_thread(gather, self._repository)

    def _due(self, state: State, decided: Mapping[Identity, Record]) -> bool:
        waited = monotonic() - self._committed_at >= BATCH_SECONDS
        return waited or bool(state.snapshot.tampered) or due(state.records, decided)

    def _land(
        self, state: State, wanted: Mapping[Identity, Record], answers: Mapping[ClusterId, Answer], creates: bool
    ) -> tuple[Tip, str | None]:
        """Commits and pushes what changed; before creates without a commit, looks whether the tip still stands."""
        assert state.recorded is not None  # `_read` made sure
        snapshot = state.snapshot
        made = changes(state.recorded, wanted, answers, snapshot.tip.commit, snapshot.tampered)
        if made:
            tip = self._repository.record(snapshot, made.files, made.message)
            self._committed_at = monotonic()
            return tip, tip.commit
        if not creates:
            return snapshot.tip, None
        confirmed = self._repository.confirm(snapshot)
        if confirmed is None:
            raise TipMoved("the branch moved before a create")
        return confirmed, None
