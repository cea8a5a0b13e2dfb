"""Rules broken: what is begun, on which clusters, and what is begun again."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler import gather
from reconciler.plan import decide, drafts
from reconciler.plan.asks import scheduled
from tests.soak.breaking import broken, put


@broken("which clusters: what people ask for is begun")
def _() -> AbstractContextManager[None]:
    return put((gather, "unrecorded", lambda desired, records: iter(())))


@broken("which clusters: a fleet that grows later triggers nothing")
def _() -> AbstractContextManager[None]:
    true = vars(gather)["draft"]

    def follow(desired: Any, records: Any, asked: Any, ledger: str, now: Any) -> Any:
        drafted = true(desired, records, asked, ledger, now)
        for identity, wanted in desired.wanted.items():
            record = drafted.get(identity)
            if record is None or not record.runs or record.attempt != wanted.spec.attempt or scheduled(wanted):
                continue
            new = [cluster for cluster in wanted.clusters if not record.runs_on(cluster)]
            more = (drafts._pending(wanted, cluster, ledger) for cluster in new)
            drafted[identity] = replace(record, runs=(*record.runs, *more))
        return drafted

    return put((gather, "draft", follow))


@broken("which clusters: Schedules follow the fleet")
def _() -> AbstractContextManager[None]:
    true = drafts._with_schedules
    return put((drafts, "_with_schedules", lambda record, wanted, ledger: (
        record if record.schedules else true(record, wanted, ledger))))  # fmt: skip


@broken("again: an attempt that is raised waits for the earlier one")
def _() -> AbstractContextManager[None]:
    true = drafts._asks_anew

    def eager(wanted: Any, record: Any) -> bool:
        return true(wanted, record) or (not record.schedules and bool(wanted.spec.attempt > record.attempt))

    return put((drafts, "_asks_anew", eager))


@broken("again: only where the latest run did not complete")
def _() -> AbstractContextManager[None]:
    return put((drafts, "attempted", lambda wanted, earlier: wanted.clusters))


@broken("again: with rerun on all")
def _() -> AbstractContextManager[None]:
    true = drafts.attempted
    return put((drafts, "attempted", lambda wanted, earlier: true(
        replace(wanted, spec=wanted.spec.model_copy(update={"rerun": None})), earlier)))  # fmt: skip


@broken("again: a destination that names no cluster means those of the first attempt")
def _() -> AbstractContextManager[None]:
    true = drafts.attempted

    def grown(wanted: Any, earlier: Any) -> Any:
        known = {run.cluster for run in earlier}
        return (*true(wanted, earlier), *(each for each in wanted.clusters if known and each not in known))

    return put((drafts, "attempted", grown))


@broken("again: an attempt that is lowered runs nothing")
def _() -> AbstractContextManager[None]:
    true = drafts._asks_anew

    def again(wanted: Any, record: Any) -> bool:
        ended = not record.schedules and not any(run.phase.open for run in record.runs)
        return true(wanted, record) or (ended and bool(wanted.spec.attempt < record.attempt))

    return put((drafts, "_asks_anew", again))


@broken("again: an edit of what ran runs nothing")
def _() -> AbstractContextManager[None]:
    return put((drafts, "untouched", lambda record: True))


@broken("again: an edit of what has not begun applies")
def _() -> AbstractContextManager[None]:
    return put((drafts, "untouched", lambda record: False))


@broken("too late: what has waited for longer than startWithin does not start")
def _() -> AbstractContextManager[None]:
    return put((decide, "duration", lambda text: timedelta(days=9999)))


@broken("too late: what has waited for less does")
def _() -> AbstractContextManager[None]:
    return put((decide, "duration", lambda text: timedelta(minutes=30)))
