"""Rules broken: what a member's answer tells of a run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from reconciler.members import observe, velero
from reconciler.members import schedules as member_schedules
from reconciler.plan import decide, drafts, runs
from reconciler.records import Phase
from reconciler.velero import objects, status
from tests.soak.breaking import advance, broken, failed, put


def _absent(run: Any, identity: Any, answer: Any) -> bool:
    return answer.seen.get((identity.kind, run.object_name), ...) is None


def _unknown(run: Any, identity: Any, answer: Any) -> bool:
    return (identity.kind, run.object_name) not in answer.seen


@broken("run id: an object without it is not adopted")
def _() -> AbstractContextManager[None]:
    true = runs._follow
    return put((runs, "_follow", lambda run, identity, seen, answer: true(
        run, identity, replace(seen, run_id=run.run_id), answer)))  # fmt: skip


@broken("run id: our own is recognised by it")
def _() -> AbstractContextManager[None]:
    true = runs._follow
    return put((runs, "_follow", lambda run, identity, seen, answer: true(
        run, identity, replace(seen, run_id="") if run.phase is Phase.STARTING else seen, answer)))  # fmt: skip


@broken("run id: what carries it is recorded even where it was given up")
def _() -> AbstractContextManager[None]:
    given_up = (Phase.HELD, Phase.FAILED)
    return advance(lambda run, after, identity, ask, answer: (
        run if run.phase in given_up and after.phase not in (*given_up, Phase.PENDING) else after))  # fmt: skip


@broken("names: later attempts have one of their own")
def _() -> AbstractContextManager[None]:
    return put((drafts, "object_name", lambda identity, cluster, attempt, run_id: objects.object_name(
        identity, cluster, 1, run_id)))  # fmt: skip


@broken("absent: Starting and absent was never created")
def _() -> AbstractContextManager[None]:
    def gone(run: Any, after: Any, identity: Any, ask: Any, answer: Any) -> Any:
        lost = run.phase is Phase.STARTING and after == run and _absent(run, identity, answer)
        return failed(run, "Vanished") if lost else after

    return advance(gone)


@broken("absent: Starting and unknown is not absent")
def _() -> AbstractContextManager[None]:
    def gone(run: Any, after: Any, identity: Any, ask: Any, answer: Any) -> Any:
        lost = run.phase is Phase.STARTING and after == run and _unknown(run, identity, answer)
        return failed(run, "NotCreated") if lost else after

    return advance(gone)


@broken("absent: InProgress and unknown has not vanished")
def _() -> AbstractContextManager[None]:
    def gone(run: Any, after: Any, identity: Any, ask: Any, answer: Any) -> Any:
        lost = run.phase is Phase.IN_PROGRESS and after == run and _unknown(run, identity, answer)
        return failed(run, "Vanished") if lost else after

    return advance(gone)


@broken("absent: an answer from before it ran does not tell that it vanished")
def _() -> AbstractContextManager[None]:
    def gone(run: Any, after: Any, identity: Any, ask: Any, answer: Any) -> Any:
        lost = run.phase is Phase.IN_PROGRESS and after == run and _absent(run, identity, answer)
        return failed(run, "Vanished") if lost else after

    return advance(gone)


@broken("absent: only a word about that very object tells")
def _() -> AbstractContextManager[None]:
    def any_404(error: Any, kind: str, name: str) -> bool:
        return bool(error.code == 404)

    async def believe(self: Any) -> None:  # another guard, which sees the same where nothing at all is found
        return None

    absent = ((where, "is_absent", any_404) for where in (velero, member_schedules))
    return put(*absent, (observe._Visit, "doubt_absence", believe))


@broken("absent: what vanished is not created again")
def _() -> AbstractContextManager[None]:
    return advance(lambda run, after, identity, ask, answer: (
        replace(run, phase=Phase.STARTING, status={}) if after.reason == "Vanished" else after))  # fmt: skip


@broken("absent: an answer that got lost is no proof that nothing was created")
def _() -> AbstractContextManager[None]:
    def believe(run: Any, failure: Any) -> Any:
        return failed(run, failure.reason) if failure and run.phase is Phase.STARTING else run

    return put((decide, "explain", believe))


@broken("terminal: a phase that is not known is running")
def _() -> AbstractContextManager[None]:
    return put((status._TERMINAL, "FinalizingPartiallyFailed", Phase.PARTIALLY_FAILED))


@broken("terminal: what is deleted while it is new has failed")
def _() -> AbstractContextManager[None]:
    true = runs._follow
    return put((runs, "_follow", lambda run, identity, seen, answer: true(
        run, identity, replace(seen, deleting=False), answer)))  # fmt: skip


@broken("terminal: what has ended is never started again")
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
