"""Rules broken: what is recorded, where and when, and what a machine remembers besides."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from reconciler import gather, reconcile
from reconciler.members import velero
from reconciler.plan import decide, drafts, questions
from reconciler.plan.changes import changes
from reconciler.plan.drafts import Asked
from reconciler.plan.watch import load_watch
from reconciler.records import timestamp
from reconciler.repository import door, history
from reconciler.resources import ClusterId
from reconciler.velero import objects
from tests.soak.breaking import advance, broken, failed, put
from tests.soak.people import MEMBERS

EVERYWHERE = frozenset(ClusterId("default", "AttachedCluster", name) for name in MEMBERS)


@broken("record: what counts is our own last commit, whatever a human made of it")
def _() -> AbstractContextManager[None]:
    return put((history.History, "newest_own", lambda self, tip, known: tip))


@broken("record: what a human changed is put back")
def _() -> AbstractContextManager[None]:
    return put((reconcile, "changes", lambda recorded, wanted, answers, revision, put_back: changes(
        recorded, wanted, answers, revision, ())))  # fmt: skip


@broken("record: rewritten history stops it")
def _() -> AbstractContextManager[None]:
    return put((history.History, "contains", lambda self, tip, commit: True))


@broken("record: identity is never the path")
def _() -> AbstractContextManager[None]:
    true = drafts._asks_anew

    def moved(wanted: Any, record: Any) -> bool:
        return true(wanted, record) or (not record.schedules and bool(record.source != wanted.position.file))

    return put((drafts, "_asks_anew", moved))


@broken("record: who asked is the commit at which it arrived")
def _() -> AbstractContextManager[None]:
    true = vars(gather)["_asked"]

    def newest(repository: Any, snapshot: Any, wanted: Any) -> Asked:
        found: Asked = true(repository, snapshot, wanted)
        return replace(found, revision=snapshot.tip.commit)

    return put((gather, "_asked", newest))


@broken("record: it changes only where something did")
def _() -> AbstractContextManager[None]:
    true = vars(decide)["summarise"]

    def beat(record: Any, desired: Any, now: Any) -> Any:
        summed = true(record, desired, now)
        return replace(summed, conditions=tuple(replace(each, since=timestamp(now)) for each in summed.conditions))

    return put((decide, "summarise", beat))


@broken("record: what is unknown never overwrites what is known")
def _() -> AbstractContextManager[None]:
    def overwrite(run: Any, after: Any, identity: Any, ask: Any, answer: Any) -> Any:
        known = run.phase in (run.phase.STARTING, run.phase.IN_PROGRESS)
        return failed(run, answer.failure.reason) if answer.failure and known else after

    return advance(overwrite)


# ------------------------------------------------------------ the finalizer, and what a machine remembers


@broken("finalizer: Restores carry it")
def _() -> AbstractContextManager[None]:
    true = objects.metadata

    def bare(*arguments: Any) -> dict[str, Any]:
        return {name: value for name, value in true(*arguments).items() if name != "finalizers"}

    return put((objects, "metadata", bare))


@broken("finalizer: Backups never carry it")
def _() -> AbstractContextManager[None]:
    true = objects.metadata
    return put((objects, "metadata", lambda *arguments: {**true(*arguments), "finalizers": [objects.FINALIZER]}))


@broken("finalizer: it is taken off only once the outcome is recorded")
def _() -> AbstractContextManager[None]:
    return put((decide, "_told", lambda run, seen: seen.terminal is not None or run.settled))


@broken("finalizer: it is taken off in the end")
def _() -> AbstractContextManager[None]:
    async def keep(*arguments: Any) -> None:
        return None

    return put((velero.Velero, "release", keep))


@broken("finalizer: what is not released yet is remembered before it is created")
def _() -> AbstractContextManager[None]:
    return put((reconcile, "before_creates", lambda watch, records, answers, now: watch))


@broken("finalizer: what is remembered is kept on the disk")
def _() -> AbstractContextManager[None]:
    return put((door.Repository, "save_state", lambda *arguments: None))


@broken("finalizer: a machine that remembers nothing lists our objects once")
def _() -> AbstractContextManager[None]:
    return put((reconcile, "load_watch", lambda state: replace(load_watch(state), inventoried=EVERYWHERE)))


@broken("finalizer: what such a machine finds is recorded")
def _() -> AbstractContextManager[None]:
    return put((reconcile, "orphans", lambda *arguments: {}))


@broken("finalizer: a member that was another cluster meanwhile is listed again")
def _() -> AbstractContextManager[None]:
    return put((questions, "elsewhere", lambda *arguments: frozenset()))
