"""The state machine of one run, the same for every kind.

`Pending` → `Starting` (recorded and pushed before the create) → `InProgress` → a terminal phase; `Held` aside. Each
step takes the recorded run and what the member answered, and returns the run as it should be recorded; a run that
nothing is known about comes back as it went in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from reconciler.plan.answers import UNKNOWN, Answer, Failure
from reconciler.plan.asks import RESUMABLE, Ask
from reconciler.records import Items, Phase, Run, Texts
from reconciler.resources import Identity
from reconciler.velero.plainly import line
from reconciler.velero.status import Seen

NOT_RESTORED: Final = "NotRestored"
NOT_VERIFIED: Final = "NotVerified"
DOUBTED: Final = (NOT_RESTORED, NOT_VERIFIED)
"""Reasons why what Velero calls Completed is not taken for restored, unless the file accepts it; the worst first."""
_NAMED: Final = 3
_WHY: Final = 200
"""Characters of why something could not be read."""
Gate = Callable[[Run, Answer], Run]
"""What a kind still wants before a start: the run `Pending` with its reason, `Failed`, or `Starting` and pinned."""


_HELD_BECAUSE: Final = {
    Ask.SPEC_CHANGED: "the file no longer asks for this attempt as it was; raise spec.attempt to run it as it is now",
    Ask.WITHDRAWN: "no file asks for it any more; raise spec.attempt if it is to run after all",
    Ask.SUSPENDED: "spec.suspend is set; it goes on once that is removed",
    Ask.PAUSED: "the repository is paused; it goes on once .reconciler-paused is removed",
}


def advance(
    run: Run, identity: Identity, ask: Ask, answer: Answer, now: datetime, deadline: datetime, gate: Gate
) -> Run:
    """The run as it should be recorded now. `deadline` is when a run that did not start is too late."""
    if run.settled:
        return run
    name = (identity.kind, run.object_name)
    seen = answer.seen.get(name)
    if seen is not None:
        return _follow(run, identity, seen, answer)
    if run.phase is Phase.HELD:
        return _resume(run, ask)
    if run.phase.terminal:
        return run
    if ask is Ask.ABANDONED:
        return _end(run, "Abandoned", f"{run.cluster.kind} {run.cluster.name} is declared nowhere any more")
    absent = name in answer.seen
    if run.phase is Phase.IN_PROGRESS:
        gone = absent and name in answer.running
        return _end(run, "Vanished", f"{identity.kind} {run.object_name} is gone; it may have run") if gone else run
    if ask in _HELD_BECAUSE and (absent or run.phase is Phase.PENDING):
        return _hold(run, ask)
    if ask in (Ask.FROZEN, Ask.UNFINISHED):
        return run
    if now > deadline and (absent or run.phase is Phase.PENDING):
        return _end(run, "Expired", "not started within spec.startWithin; raise spec.attempt to run it now")
    if run.phase is Phase.STARTING:
        return run
    return gate(run, answer)


def wait(run: Run, failure: Failure) -> Run:
    """`Pending` for that reason. The text of a reason that is recorded already stays: it would only make commits."""
    if run.phase is Phase.PENDING and run.reason and failure.reason in (run.reason, UNKNOWN.reason):
        return run  # what is unknown never overwrites what is known
    return replace(run, phase=Phase.PENDING, reason=failure.reason, message=failure.message)


def explain(run: Run, failure: Failure | None) -> Run:
    """A run that is still `Starting` because its create was refused says why."""
    if failure is None or run.phase is not Phase.STARTING or run.reason == failure.reason:
        return run
    return replace(run, reason=failure.reason, message=failure.message)


def refuse(run: Run, reason: str, message: str) -> Run:
    """`Failed` before anything was created, because waiting can't help."""
    return _end(run, reason, message)


def _hold(run: Run, ask: Ask) -> Run:
    return replace(run, phase=Phase.HELD, reason=str(ask), message=_HELD_BECAUSE[ask])


def _resume(run: Run, ask: Ask) -> Run:
    """What was suspended goes on when the files say so, and is given up when they ask for it no more."""
    if run.reason not in RESUMABLE:
        return run
    if ask is Ask.ASKED:
        return replace(run, phase=Phase.PENDING, reason="", message="")
    return _hold(run, ask) if ask in _HELD_BECAUSE else run


def _follow(run: Run, identity: Identity, seen: Seen, answer: Answer) -> Run:
    """An object of that name is there. One with our run id is ours, whoever created it and whatever is recorded."""
    if seen.run_id != run.run_id:
        return _foreign(run, identity, (seen.kind, seen.name) in answer.running)
    followed = replace(run, cluster_uid=run.cluster_uid or answer.cluster_uid)
    if seen.terminal is None:
        if seen.new and (seen.deleting or run.reason == "Deleted"):  # an older answer does not bring it back
            return _end(followed, "Deleted", f"{identity.kind} {run.object_name} was deleted before Velero took it up")
        if run.phase is Phase.IN_PROGRESS:
            return run
        return replace(followed, phase=Phase.IN_PROGRESS, reason="", message="", status=seen.status)
    if needs_texts(seen) and (seen.kind, seen.name) not in answer.texts:
        if run.phase in (Phase.STARTING, Phase.IN_PROGRESS):
            return run  # asked again: the texts are recorded with the outcome
        return replace(followed, phase=Phase.IN_PROGRESS, reason="", message="")  # which makes it so
    texts = answer.texts.get((seen.kind, seen.name))
    items = texts.items if texts else None
    reason, message = "", ""
    if seen.terminal is not Phase.COMPLETED:
        reason, message = str(seen.terminal), _outcome(seen, texts)
    elif items and items.left:
        reason, message = NOT_RESTORED, _left(items, texts)
    elif items is None and seen.warnings and seen.kind == "Restore":
        reason, message = NOT_VERIFIED, _unread(seen, texts)
    return replace(
        followed,
        phase=seen.terminal,
        reason=reason,
        message=message,
        status=seen.status,
        errors=seen.errors,
        warnings=seen.warnings,
        items=items,
    )


def needs_texts(seen: Seen) -> bool:
    """What Velero counted, or restored, is told in the object storage."""
    told = seen.kind == "Restore" and seen.terminal in (Phase.COMPLETED, Phase.PARTIALLY_FAILED)
    return told or (seen.terminal is not None and (seen.errors > 0 or seen.warnings > 0))


def _left(items: Items, texts: Texts | None) -> str:
    """Velero's `Completed` does not mean restored: what was there already and differed is as it was."""
    names = (*texts.names.get("not_restored", ()), *texts.names.get("failed", ())) if texts else ()
    more = f" and {items.left - len(names[:_NAMED])} more" if items.left > len(names[:_NAMED]) else ""
    todo = "restore with policy.existingResourcePolicy: update, or accept it with spec.allowSkipped"
    return f"{items.left} not restored, though different: {', '.join(names[:_NAMED])}{more}; {todo}"


def _unread(seen: Seen, texts: Texts | None) -> str:
    """That an object was left as it is would stand among the warnings, and nobody could read them."""
    warnings = f"{seen.warnings} warning{'' if seen.warnings == 1 else 's'}"
    why = f", since {line(texts.unread, _WHY)}" if texts and texts.unread else ""
    todo = (
        f"see `velero restore describe {seen.name} --details`, then accept it with spec.allowSkipped, or restore again"
    )
    return f"{warnings}, and what became of the objects could not be read{why}; {todo}"


def _outcome(seen: Seen, texts: Texts | None) -> str:
    first = texts.errors[0][1][:300] if texts and texts.errors else ""
    return seen.message or first or (f"{seen.errors} errors" if seen.errors else "Velero gives no reason")


def _foreign(run: Run, identity: Identity, asked_since: bool) -> Run:
    if run.phase is Phase.IN_PROGRESS and asked_since:
        return _end(run, "Vanished", f"{identity.kind} {run.object_name} is another one now; ours may have run")
    if run.phase in (Phase.PENDING, Phase.STARTING):
        return _end(
            run, "NameConflict", f"{identity.kind} {run.object_name} is there already and not ours; use a new name"
        )
    return run


def _end(run: Run, reason: str, message: str) -> Run:
    return replace(run, phase=Phase.FAILED, reason=reason, message=message)
