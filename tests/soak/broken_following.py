"""Rules of `design.md` §4 broken: what a member's answer tells, what is recorded, what a machine remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from reconciler import reconcile
from reconciler.members import velero
from reconciler.plan import asks, decide, questions, runs, schedules
from reconciler.plan.asks import Ask
from reconciler.records import Phase
from reconciler.repository import door, history
from reconciler.velero import objects, status
from tests.soak.breaking import broken, put


def _advance(change: Callable[..., Any]) -> AbstractContextManager[None]:
    """`change` gets the run, what it would become, its identity and the answer."""
    true = runs.advance

    def advance(run: Any, identity: Any, ask: Any, answer: Any, *rest: Any) -> Any:
        return change(run, true(run, identity, ask, answer, *rest), identity, answer)

    return put((decide, "advance", advance))


def _failed(run: Any, reason: str) -> Any:
    return replace(run, phase=Phase.FAILED, reason=reason, message="a rule is broken")


def _absent(run: Any, identity: Any, answer: Any) -> bool:
    return answer.seen.get((identity.kind, run.object_name), ...) is None


# ------------------------------------------------------------ what a member says


@broken("a run id tells ours: an object without it is adopted")
def _() -> AbstractContextManager[None]:
    true = runs._follow
    return put((runs, "_follow", lambda run, identity, seen, answer: true(
        run, identity, replace(seen, run_id=run.run_id), answer)))  # fmt: skip


@broken("a run id tells ours: our own is not recognised")
def _() -> AbstractContextManager[None]:
    true = runs._follow
    return put((runs, "_follow", lambda run, identity, seen, answer: true(
        run, identity, replace(seen, run_id="") if run.phase is Phase.STARTING else seen, answer)))  # fmt: skip


@broken("Starting and absent was never created: it is taken for gone")
def _() -> AbstractContextManager[None]:
    def gone(run: Any, after: Any, identity: Any, answer: Any) -> Any:
        lost = run.phase is Phase.STARTING and after == run and _absent(run, identity, answer)
        return _failed(run, "Vanished") if lost else after

    return _advance(gone)


@broken("Starting and unknown is not absent: it is taken for absent, and given up")
def _() -> AbstractContextManager[None]:
    def gone(run: Any, after: Any, identity: Any, answer: Any) -> Any:
        unknown = (identity.kind, run.object_name) not in answer.seen
        return _failed(run, "NotCreated") if run.phase is Phase.STARTING and after == run and unknown else after

    return _advance(gone)


@broken("InProgress and unknown is not absent: it has not vanished")
def _() -> AbstractContextManager[None]:
    def gone(run: Any, after: Any, identity: Any, answer: Any) -> Any:
        unknown = (identity.kind, run.object_name) not in answer.seen
        return _failed(run, "Vanished") if run.phase is Phase.IN_PROGRESS and after == run and unknown else after

    return _advance(gone)


@broken("what vanished is not created again")
def _() -> AbstractContextManager[None]:
    def again(run: Any, after: Any, identity: Any, answer: Any) -> Any:
        return replace(run, phase=Phase.STARTING, status={}) if after.reason == "Vanished" else after

    return _advance(again)


@broken("a phase that is not known is running")
def _() -> AbstractContextManager[None]:
    return put((status._TERMINAL, "FinalizingPartiallyFailed", Phase.PARTIALLY_FAILED))


@broken("what is unknown never overwrites what is known")
def _() -> AbstractContextManager[None]:
    def overwrite(run: Any, after: Any, identity: Any, answer: Any) -> Any:
        failed = answer.failure and run.phase in (Phase.STARTING, Phase.IN_PROGRESS)
        return _failed(run, answer.failure.reason) if failed else after

    return _advance(overwrite)


@broken("an answer that got lost is no proof that nothing was created")
def _() -> AbstractContextManager[None]:
    def believe(run: Any, failure: Any) -> Any:
        return _failed(run, failure.reason) if failure and run.phase is Phase.STARTING else run

    return put((decide, "explain", believe))


@broken("what is recorded as ended is never started again")
def _() -> AbstractContextManager[None]:
    true = decide._creates

    def creates(desired: Any, committed: Mapping[Any, Any], answers: Any, namespace: str) -> Any:
        loose = {
            identity: replace(record, runs=tuple(_startable(run) for run in record.runs))
            for identity, record in committed.items()
        }
        return true(desired, loose, answers, namespace)

    return put((decide, "_creates", creates))


def _startable(run: Any) -> Any:
    return replace(run, phase=Phase.STARTING) if run.phase.terminal else run


# ------------------------------------------------------------ the finalizer, and what a machine remembers


@broken("Restores carry our finalizer")
def _() -> AbstractContextManager[None]:
    true = objects.metadata

    def bare(*arguments: Any) -> dict[str, Any]:
        return {name: value for name, value in true(*arguments).items() if name != "finalizers"}

    return put((objects, "metadata", bare))


@broken("the finalizer is taken off only once the outcome is recorded")
def _() -> AbstractContextManager[None]:
    return put((decide, "_told", lambda run, seen: seen.terminal is not None or run.settled))


@broken("the finalizer is taken off in the end")
def _() -> AbstractContextManager[None]:
    async def keep(*arguments: Any) -> None:
        return None

    return put((velero.Velero, "release", keep))


@broken("what is not released yet is remembered before it is created")
def _() -> AbstractContextManager[None]:
    return put((reconcile, "before_creates", lambda watch, records, answers, now: watch))


@broken("what is remembered is kept on the disk")
def _() -> AbstractContextManager[None]:
    return put((door.Repository, "save_state", lambda *arguments: None))


@broken("a machine that remembers nothing lists our objects once")
def _() -> AbstractContextManager[None]:
    return put((reconcile, "orphans", lambda *arguments: {}))


# ------------------------------------------------------------ what is recorded


@broken("records count as of our own last commit, whatever a human made of them")
def _() -> AbstractContextManager[None]:
    return put((history.History, "newest_own", lambda self, tip, known: tip))


@broken("rewritten history stops it")
def _() -> AbstractContextManager[None]:
    return put((history.History, "contains", lambda self, tip, commit: True))


@broken("a Schedule is removed only where no file asks for it")
def _() -> AbstractContextManager[None]:
    true = asks.ask_of_schedule

    def lost(*arguments: Any) -> Ask:
        said = true(*arguments)
        return Ask.WITHDRAWN if said is Ask.FROZEN else said

    return put((schedules, "ask_of_schedule", lost), (decide, "ask_of_schedule", lost), (
        questions, "ask_of_schedule", lost))  # fmt: skip
