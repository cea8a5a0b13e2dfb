"""Rules of `design.md` §4 broken: that the ledger comes first, and that the files are asked."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler import gather
from reconciler.errors import RepositoryError
from reconciler.members import apply
from reconciler.plan import asks, decide, drafts, questions
from reconciler.plan.asks import Ask
from reconciler.repository import branches, commit, door, snapshot
from tests.soak.breaking import broken, put
from tests.soak.clock import HERE


def _asks(*ignored: Ask) -> AbstractContextManager[None]:
    """What the files say against a run is not heard."""
    true = asks.ask_of

    def deaf(*arguments: Any) -> Ask:
        said = true(*arguments)
        return Ask.ASKED if said in ignored else said

    return put((decide, "ask_of", deaf), (questions, "ask_of", deaf))


# ------------------------------------------------------------ the ledger comes first


@broken("the record is pushed before the create: not pushed at all")
def _() -> AbstractContextManager[None]:
    return put((commit, "push", lambda *arguments: None))


@broken("the record is pushed before the create: a push that was refused counts")
def _() -> AbstractContextManager[None]:
    true = commit.push

    def careless(*arguments: Any) -> None:
        try:
            true(*arguments)
        except RepositoryError:
            return

    return put((commit, "push", careless))


@broken("a push is never forced")
def _() -> AbstractContextManager[None]:
    def force(place: Any, upstream: Any, parent: str, made: str) -> None:
        place.git.out("push", "--quiet", "--force", upstream.remote, f"{made}:{upstream.ref}")

    return put((commit, "push", force))


@broken("creates are sent within 60 s of the fetch")
def _() -> AbstractContextManager[None]:
    return put((apply, "FRESH_SECONDS", 1e9))


@broken("where nothing was pushed, the tip is asked for once more before a create")
def _() -> AbstractContextManager[None]:
    def trust(self: Any, snapshot: Any) -> Any:
        return replace(snapshot.tip, fetched_at=HERE.process.monotonic() if HERE.process else time.monotonic())

    return put((door.Repository, "confirm", trust))


@broken("with a status branch the tracked branch is looked at once more")
def _() -> AbstractContextManager[None]:
    return put((branches.Branches, "check_tracked", lambda self, commit: None))


# ------------------------------------------------------------ what the files say


@broken("withdrawn is looked at before a create")
def _() -> AbstractContextManager[None]:
    return _asks(Ask.WITHDRAWN)


@broken("suspended is looked at before a create")
def _() -> AbstractContextManager[None]:
    return _asks(Ask.SUSPENDED)


@broken("a changed spec is looked at before a create")
def _() -> AbstractContextManager[None]:
    return _asks(Ask.SPEC_CHANGED)


@broken(".reconciler-paused is looked at")
def _() -> AbstractContextManager[None]:
    return put((snapshot, "is_paused", lambda history, tip: False))


@broken("an error in a file is no removal")
def _() -> AbstractContextManager[None]:
    true = vars(gather)["resolve"]

    def resolve(*arguments: Any) -> Any:
        return replace(true(*arguments), complete=True, refused={})

    return put((gather, "resolve", resolve))


@broken("an attempt that is raised waits for the earlier one")
def _() -> AbstractContextManager[None]:
    true = drafts._asks_anew

    def eager(wanted: Any, record: Any) -> bool:
        return true(wanted, record) or (not record.schedules and bool(wanted.spec.attempt > record.attempt))

    return put((drafts, "_asks_anew", eager))


@broken("an attempt that is lowered runs nothing")
def _() -> AbstractContextManager[None]:
    true = drafts._asks_anew

    def again(wanted: Any, record: Any) -> bool:
        ended = not record.schedules and not any(run.phase.open for run in record.runs)
        return true(wanted, record) or (ended and bool(wanted.spec.attempt < record.attempt))

    return put((drafts, "_asks_anew", again))


@broken("an edit of what ran runs nothing")
def _() -> AbstractContextManager[None]:
    return put((drafts, "untouched", lambda record: True))


@broken("what is too late (startWithin) does not start")
def _() -> AbstractContextManager[None]:
    return put((decide, "duration", lambda text: timedelta(days=9999)))
