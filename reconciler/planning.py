"""`plan`: reads as a pass does, asks the members with no more than `get` and `list`, and decides by the same core."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.desired import Desired
from reconciler.gather import State, look
from reconciler.initialise import check_afresh
from reconciler.plan.actions import Action
from reconciler.plan.answers import Answer, Question
from reconciler.plan.decide import actions, decide
from reconciler.plan.drafts import Asked, draft, unrecorded
from reconciler.plan.planned import Plan, planned, reading_only, supposing
from reconciler.plan.questions import Looking, questions
from reconciler.plan.safety import refuse_mass_removal
from reconciler.plan.same_cluster import compared, presumed_uids
from reconciler.plan.watch import Watch, load_watch
from reconciler.records import Record
from reconciler.repository import Repository
from reconciler.resources import ClusterId, Identity
from reconciler.settings import SyncSettings

if TYPE_CHECKING:
    from reconciler.members import Members

SECOND_LOOK_SECONDS = 2.0
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """What the records would become, by what the members answered, in all rounds together."""

    decided: Mapping[Identity, Record]
    answers: Mapping[ClusterId, Answer]
    todo: tuple[Action, ...]


async def plan(
    repository: Repository, members: Members, settings: SyncSettings, revision: str = "", base: str = ""
) -> Plan:
    """What `sync --once` would do if `revision` were the tip; with `base` only what is new since they parted.

    `revision` is the tip unless given; in a CI job's checkout, which has no branch, HEAD.

    Raises what a pass raises: RepositoryError and its kin, RecordError, Unsafe.
    """
    if not revision and repository.pinned and (base or not repository.branch):
        revision = "HEAD"
    state = await asyncio.to_thread(look, repository, revision)
    if state.recorded is None:
        check_afresh(repository, state)
    watch = load_watch(await asyncio.to_thread(repository.load_state, settings.shard.file))
    foreseen = await _foresee(state, members, settings, watch)
    decided, problems = foreseen.decided, state.desired.problems
    put_back = tuple(sorted({*state.snapshot.tampered, *state.edited}))
    objects = planned(state.desired, state.records, decided, foreseen.todo, foreseen.answers)
    if base:
        parted = await asyncio.to_thread(repository.fork, base, state.revision)
        since = await asyncio.to_thread(look, repository, parted)
        before = since.desired
        brought = {identity for identity in decided if _brought(identity, before, state.desired)}
        objects = tuple(steps for steps in objects if steps.record.identity in brought)
        problems = tuple(problem for problem in problems if problem not in before.problems)
        put_back = tuple(path for path in state.edited if path not in since.edited)
        decided = {**decided, **{each: record for each, record in state.records.items() if each not in brought}}
    if not settings.allow_mass_removal:
        refuse_mass_removal(state.records, decided)
    new_ledger = state.recorded is None and not base
    specs = {identity: record.spec for identity, record in state.records.items()}
    paused, clusters = state.desired.paused, frozenset(state.desired.members)
    return Plan(state.revision, base, paused, objects, problems, put_back, new_ledger, specs, clusters)


async def _foresee(state: State, members: Members, settings: SyncSettings, watch: Watch) -> _Foreseen:
    """Decides until nothing changes any more, as passes would: what is resumed, say, starts in the pass after it."""
    records: Mapping[Identity, Record] = state.records
    now, looked_twice = datetime.now(UTC), False
    told: dict[ClusterId, Answer] = {}
    for _ in range(_ROUNDS):
        asked = {
            each.identity: Asked(each.position.file, state.revision, "") for each in unrecorded(state.desired, records)
        }
        drafted = draft(state.desired, records, asked, state.ledger, now)
        answers = await _observe(state, drafted, members, settings, watch, now)
        failed = any(answer.failure for answer in answers.values())
        if failed and not looked_twice:
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            answers, looked_twice = await _observe(state, drafted, members, settings, watch, now), True
        told |= {cluster: _added(told.get(cluster), answer) for cluster, answer in answers.items()}
        watch = replace(watch, uids={**watch.uids, **_uids(answers)})
        decided = decide(state.desired, drafted, answers, state.ledger, now)
        todo = actions(state.desired, decided, answers, settings.velero_namespace)
        if decided == records:
            break
        records = decided
    return _Foreseen(decided, told, todo)


def _added(before: Answer | None, answer: Answer) -> Answer:
    """With the backups that an earlier round saw: one that is pinned is not asked for again."""
    if before is None:
        return answer
    backups_of = {**before.backups_of, **answer.backups_of}
    return replace(answer, seen={**before.seen, **answer.seen}, backups_of=backups_of)


async def _observe(
    state: State,
    drafted: Mapping[Identity, Record],
    members: Members,
    settings: SyncSettings,
    watch: Watch,
    now: datetime,
) -> dict[ClusterId, Answer]:
    """Of what was left behind, no more than this machine remembers. Before anything starts, every member tells which
    cluster it is, as a new machine asks all of them what was left behind there."""
    declared = state.desired.members
    everywhere = frozenset(declared)
    looking = Looking(now, settings.schedule_refresh, everywhere)
    watch = replace(watch, inventoried=everywhere)
    asked: dict[ClusterId, Question] = {
        question.member.id: question
        for question in questions(state.desired, drafted, watch, state.ledger, settings.velero_namespace, looking)
    }
    if any(question.dry_runs for question in asked.values()):
        unknown = everywhere - watch.uids.keys() - asked.keys()
        asked |= {cluster: Question(declared[cluster]) for cluster in unknown}
    answers = await members.observe([reading_only(question) for question in asked.values()])
    supposed = {cluster: supposing(asked[cluster], answer) for cluster, answer in answers.items()}
    return compared(supposed, presumed_uids(watch.uids, drafted, declared), declared)


def _uids(answers: Mapping[ClusterId, Answer]) -> dict[ClusterId, str]:
    return {cluster: answer.cluster_uid for cluster, answer in answers.items() if answer.cluster_uid}


def _brought(identity: Identity, before: Desired, after: Desired) -> bool:
    """What the files ask for differs from what those of the base ask for."""
    old, new = before.wanted.get(identity), after.wanted.get(identity)
    if old is None or new is None:
        return old is not new
    return replace(old, position=new.position) != new or old.spec != new.spec or before.paused != after.paused
