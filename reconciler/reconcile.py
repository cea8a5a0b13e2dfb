"""One pass, top to bottom: read a commit, ask the members, decide, commit the records, then act.

Whatever kills it, another pass simply follows: nothing is created that the pushed ledger does not call `Starting`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from reconciler.errors import RepositoryError, TipMoved
from reconciler.gather import State
from reconciler.grace import Grace
from reconciler.initialise import begin
from reconciler.looks import Looks
from reconciler.passed import Pass
from reconciler.plan.actions import Release
from reconciler.plan.answers import Answer, Failure
from reconciler.plan.changes import changes, due
from reconciler.plan.decide import actions, decide
from reconciler.plan.orphans import kept, orphans
from reconciler.plan.questions import questions
from reconciler.plan.safety import foreseen, refuse_mass_removal
from reconciler.plan.same_cluster import compared, presumed_uids
from reconciler.plan.watch import Watch, after_pass, before_creates, begun, dump_watch, load_watch
from reconciler.records import Record
from reconciler.repository import Repository, Tip
from reconciler.resources import ClusterId, Identity
from reconciler.settings import SyncSettings
from reconciler.untold import Untold

if TYPE_CHECKING:
    from reconciler.members import Members

BATCH_SECONDS = 10.0
TRIES = 20


class Reconciler:
    """Repeatable passes over one repository and its members."""

    def __init__(self, repository: Repository, members: Members, settings: SyncSettings) -> None:
        self._repository = repository
        self._members = members
        self._settings = settings
        self._list_again = settings.accept_rewrite
        self._refused: dict[str, Failure] = {}
        self.looks = Looks(settings.schedule_refresh)
        self._grace = Grace(settings.release_after)
        self._committed_at = -BATCH_SECONDS
        self._untold = Untold()

    async def run(self, flush: bool = False) -> Pass:
        """One pass. `flush` commits what would wait for company.

        Raises RepositoryError and its kin, RecordError, Unsafe; one member's trouble is never an exception.
        """
        await asyncio.to_thread(self._repository.preflight)
        watch = load_watch(await asyncio.to_thread(self._repository.load_state, self._settings.shard.file))
        if self._list_again:
            watch, self._list_again = replace(watch, inventoried=frozenset()), False
        answers: dict[ClusterId, Answer] | None = None
        for number in range(TRIES):
            whole = await asyncio.to_thread(begin, self._repository)
            state = whole.of(self._settings.shard)
            now = datetime.now(UTC)
            drafted = state.drafted(now)
            if answers is None:
                answers = await self._observe(state, drafted, watch, now)
            found = kept(
                orphans(drafted, answers, state.ledger, now), self._settings.shard, whole.desired.wanted, whole.records
            )
            decided = decide(state.desired, drafted | found, answers, state.ledger, now, self._refused)
            if not self._settings.allow_mass_removal:
                refuse_mass_removal(whole.records, foreseen(whole.desired, whole.records, decided, whole.ledger, now))
            watch = before_creates(watch, decided, answers, now)
            await asyncio.to_thread(self._repository.save_state, dump_watch(watch), self._settings.shard.file)
            due = flush or self._due(state, decided)
            committed = decided if due else state.records
            todo = actions(state.desired, committed, answers, self._settings.velero_namespace)
            try:
                creates = any(not isinstance(action, Release) for action in todo)
                tip, commit = await asyncio.to_thread(self._land, state, committed, answers, creates)
            except TipMoved:  # decided again on what was observed
                await asyncio.sleep(random.uniform(0, min(0.05 * 2**number, 1.0)))  # noqa: S311 - not in step
                continue
            todo, waiting = self._grace.divided(todo, begun(watch, committed), monotonic())
            outcomes = await self._members.apply(todo, tip.fetched_at)
            self._refused = {
                o.action.run_id: o.failure for o in outcomes if o.failure and not isinstance(o.action, Release)
            }
            watch = after_pass(watch, committed, answers, outcomes, now)
            await asyncio.to_thread(self._repository.save_state, dump_watch(watch), self._settings.shard.file)
            before = await asyncio.to_thread(self._untold.before, state.records, self._repository.holds)
            return Pass(state, state.desired, before, committed, decided, answers, outcomes, watch, commit, waiting)
        raise RepositoryError(f"branch {self._repository.branch} moved {TRIES} times in one pass; try again")

    async def _observe(
        self, state: State, drafted: Mapping[Identity, Record], watch: Watch, now: datetime
    ) -> dict[ClusterId, Answer]:
        declared, namespace = state.desired.members, self._settings.velero_namespace
        looking = self.looks.looking(declared, now)
        answers = await self._members.observe(
            questions(state.desired, drafted, watch, state.ledger, namespace, looking)
        )
        self.looks.looked(looking, answers)
        return compared(answers, presumed_uids(watch.uids, drafted, declared), declared)

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
            known = self._repository.made
            try:
                tip = self._repository.record(snapshot, made.files, made.message)
            finally:  # it may have landed whatever is said
                if self._repository.made != known:
                    self._untold.tried(self._repository.made, state.records, wanted)
            self._committed_at = monotonic()
            return tip, tip.commit
        if not creates:
            return snapshot.tip, None
        confirmed = self._repository.confirm(snapshot)
        if confirmed is None:
            raise TipMoved("the branch moved before a create")
        return confirmed, None
