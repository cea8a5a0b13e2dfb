"""`history`: what happened, newest first: a row per commit and object; of one object, cluster by cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text

from reconciler.output.console import STYLES, err, machine, out, show, table
from reconciler.output.parts import counts, items, why
from reconciler.plan.events import Event, Move
from reconciler.recall import Commit, Past
from reconciler.records import Run, timestamp

CLUSTERS: Final = 20
"""Clusters of one commit that are told of one by one."""


def history(past: Past, form: str, one: bool) -> None:
    """On stdout; what is not complete is said on stderr. `one`: all of it is of one object."""
    for name in past.unreadable:
        err().print(Text(f"note: {name} can't be read by this version, and is left out"))
    if past.shallow:
        err().print(Text("note: the clone is shallow, so older commits are missing; run `git fetch --unshallow`"))
    if form:
        out().print(machine(as_data(past), form), soft_wrap=True)
    elif not past.events:
        err().print(Text("nothing is recorded of that" + (f" since {past.since}" if past.since else "")))
    elif one:
        for line in _told(past):
            out().print(line, soft_wrap=True)
    else:
        _table(past)


def as_data(past: Past) -> dict[str, Any]:
    """As `-o json` has it."""
    return {"complete": not (past.shallow or past.unreadable), "items": [_item(*each) for each in past.events]}


def _item(commit: Commit, event: Event) -> dict[str, Any]:
    record, identity = event.record, event.identity
    asked_by, merged_by, approved_by = _people(commit, event)
    return {
        "when": timestamp(commit.when),
        "commit": commit.id,
        "kind": identity.kind,
        "namespace": identity.namespace,
        "name": identity.name,
        "attempt": record.attempt,
        "what": event.what,
        "phase": "" if event.forgotten else str(record.phase),
        "requestedBy": asked_by,
        "mergedBy": merged_by,
        "approvedBy": list(approved_by),
        "committedBy": commit.author,
        "source": record.source,
        "revision": record.revision,
        "clusters": [_cluster(move) for move in event.moves],
    }


def _cluster(move: Move) -> dict[str, Any]:
    part = move.part
    run = part if isinstance(part, Run) else None
    return {
        "clusterName": part.cluster.name,
        "clusterKind": part.cluster.kind,
        "attempt": run.attempt if run else None,
        "phase": str(part.phase),
        "phaseBefore": str(move.before) if move.before else "",
        "reason": part.reason,
        "message": part.message,
        "backup": part.backup_name,
        "items": counts(run.items) if run else None,
        "runID": part.run_id,
    }


def _table(past: Past) -> None:
    grid = table("WHEN", "OBJECT", "ATTEMPT", "WHAT", "ASKED BY", "MERGED BY", "COMMIT")
    for commit, event in past.events:
        grid.add_row(
            timestamp(commit.when),
            str(event.identity),
            _attempt(event),
            Text(event.what, style=STYLES[event.record.phase]),
            *(Text(who) for who in _people(commit, event)[:2]),
            commit.id[:7],
        )
    show(grid)


def _told(past: Past) -> Iterator[Text]:
    for commit, event in past.events:
        attempt = f"attempt {event.record.attempt}: " if event.record.runs and not event.forgotten else ""
        line = Text(f"{timestamp(commit.when)}  {commit.id[:7]}  {attempt}")
        yield line.append(event.what, style="bold")
        asked_by, merged_by, approved_by = _people(commit, event)
        merged = f", merged by {merged_by}" if merged_by else ""
        approved = f", approved by {', '.join(approved_by)}" if approved_by else ""
        yield Text(f"  asked by {asked_by}{merged}{approved}; {event.record.source}")
        for move in event.moves[:CLUSTERS]:
            yield Text(f"  - {_moved(move, event)}")
        if len(event.moves) > CLUSTERS:
            yield Text(f"  … and {len(event.moves) - CLUSTERS} more clusters; -o json has all")


def _moved(move: Move, event: Event) -> str:
    part = move.part
    run = part if isinstance(part, Run) else None
    text = f"{part.cluster.name}: {part.phase}"
    text += f" in attempt {run.attempt}" if run and run.attempt != event.record.attempt else ""
    latest = f"latest backup {part.backup_name}: {part.status.get('phase') or 'New'}" if part.backup_name else ""
    told = (why(part), f"from {run.backup_name}" if run and run.backup_name else "" if run else latest, items(part))
    return "; ".join(each for each in (text, *told) if each)


def _people(commit: Commit, event: Event) -> tuple[str, str, tuple[str, ...]]:
    """Who asked, merged, approved. Who forgets a record is none of those that it names."""
    if event.forgotten:
        return commit.author, "", ()
    return event.record.requested_by, event.record.merged_by, event.record.approved_by


def _attempt(event: Event) -> str:
    return str(event.record.attempt) if event.record.runs else ""
