"""`describe`: everything about one object, what to do next at the end, where the eye of who runs it rests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from reconciler.output.console import STYLES, machine, out
from reconciler.output.parts import backup, items, troubled
from reconciler.output.texts import outcome_lines
from reconciler.output.times import age_of, dated, next_run, took
from reconciler.plan.advice import advice
from reconciler.recall import Commit, Known
from reconciler.records import Part, Record, Run, Schedule, Texts, as_object, path_of, texts_path, timestamp

IN_FULL: Final = 20
"""Clusters that are told of one by one; of more, those that are as they should be are only counted."""
_WIDTH: Final = 15


def describe(known: Known, form: str) -> None:
    """As text, or with `form` json or yaml as data."""
    if form:
        out().print(machine(as_data(known), form), soft_wrap=True)
        return
    console = out()
    for line in _lines(known, datetime.now(UTC)):
        console.print(line, soft_wrap=True)


def as_data(known: Known) -> dict[str, Any]:
    """The record as it is committed, and beside it Velero's texts, the newest commits, and the advice."""
    return {
        **as_object(known.record),
        "texts": [_texts_data(run, known.texts[run.run_id]) for run in known.record.runs if run.run_id in known.texts],
        "commits": [
            {
                "commit": each.id,
                "when": timestamp(each.when),
                "author": each.author,
                "subject": each.subject,
                "what": what,
            }
            for each, what in known.commits
        ],
        "advice": list(advice(known.record, known.gone)),
    }


def _texts_data(run: Run, texts: Texts) -> dict[str, Any]:
    return {
        "clusterName": run.cluster.name,
        "attempt": run.attempt,
        "errors": [{"in": where, "text": text} for where, text in texts.errors],
        "warnings": [{"in": where, "text": text} for where, text in texts.warnings],
        "note": texts.note,
        "items": {sort: list(names) for sort, names in texts.names.items()},
    }


def _lines(known: Known, now: datetime) -> Iterator[Text]:
    record = known.record
    yield from _header(record, now)
    yield _title("Spec")
    for line in machine(dict(record.spec), "yaml").splitlines():
        yield Text(f"  {line}")
    yield _title("Clusters")
    yield from _clusters(known, now)
    yield _title("Commits")
    yield from (_commit(commit, what, now) for commit, what in known.commits)
    if not known.complete:
        yield Text(f"  … `reconciler history {_named(record)}` has all that this clone holds")
    yield _title("What to do next")
    yield from (Text(f"  - {sentence}") for sentence in advice(record, known.gone))


def _header(record: Record, now: datetime) -> Iterator[Text]:
    identity = record.identity
    yield _row("Name", identity.name)
    yield _row("Namespace", identity.namespace)
    yield _row("Kind", identity.kind)
    yield _row("Phase", str(record.phase), STYLES[record.phase])
    said = ""
    for condition in record.conditions:
        reason = condition.reason if condition.reason not in (record.phase, condition.type) else ""
        because = ": ".join(text for text in (reason, condition.message) if text)
        told = f"{condition.status}, since {dated(condition.since, now)}"
        yield _row(condition.type, told + (f": {because}" if because != said else ""))
        said = because
    if record.schedules:
        yield _row("Schedule", str(record.spec.get("schedule") or ""))
    else:
        yield _row("Attempt", str(record.attempt))
    yield _row("Source", record.source)
    yield _row("Revision", record.revision)
    yield _row("Requested by", record.requested_by)
    yield _row("Merged by", record.merged_by or "(nobody else)")
    if record.approved_by:
        yield _row("Approved by", ", ".join(record.approved_by))
    yield _row("Recorded", dated(record.recorded_at, now))
    yield _row("Record", path_of(identity))


def _clusters(known: Known, now: datetime) -> Iterator[Text]:
    """Those first that are not as they should be."""
    parts = sorted(known.record.listed, key=lambda part: not troubled(part))
    if not parts:
        yield Text("  none")
    for part in parts[:IN_FULL]:
        yield Text(f"  {part.cluster.name}: {part.phase}", style=STYLES[part.phase])
        for line in _part(part, known, now):
            yield Text(f"    {line}")
    if len(parts) > IN_FULL:
        yield Text(f"  … and {len(parts) - IN_FULL} more; `reconciler get {_named(known.record)} -o wide` lists all")


def _part(part: Part, known: Known, now: datetime) -> Iterator[str]:
    yield from _told("Reason", part.reason if part.reason != part.phase else "")
    yield from _told("Message", part.message)
    if isinstance(part, Schedule):
        yield from _schedule(part, known.record, now)
        return
    yield from _run(part, known, now)
    earlier = [run for run in known.record.runs_on(part.cluster) if run is not part]
    for run in sorted(earlier, key=lambda run: run.attempt, reverse=True):
        because = ": ".join(text for text in (run.reason if run.reason != run.phase else "", run.message) if text)
        yield f"Attempt {run.attempt}: {run.phase}" + (f" ({because})" if because else "")


def _run(run: Run, known: Known, now: datetime) -> Iterator[str]:
    kind = known.record.identity.kind
    yield from _told("Object", f"{kind} {run.object_name}")
    yield from _told("Attempt", str(run.attempt) if run.attempt != known.record.attempt else "")
    if kind == "Restore" and run.backup_name:
        found = backup(run, kind)
        yield from _told("Backup", found.name)
        yield from _told("  taken", dated(found.started, now))
        yield from _told("  complete", dated(found.completed, now))
    yield from _told("Started", dated(str(run.status.get("startTimestamp") or ""), now))
    duration = took(run.status)
    yield from _told("Ended", _ended(run, now) + (f", after {duration}" if duration else ""))
    yield from _told("Expires", str(run.status.get("expiration") or ""))
    yield from _told("Items", items(run))
    texts = known.texts.get(run.run_id)
    if texts:
        yield from outcome_lines(texts, run, texts_path(known.record.identity, run))


def _schedule(schedule: Schedule, record: Record, now: datetime) -> Iterator[str]:
    yield from _told("Object", f"Schedule {schedule.object_name}")
    yield from _told("Next run", next_run(record.spec, schedule, now))
    latest = backup(schedule, record.identity.kind)
    if not latest.name:
        yield from _told("Latest", "no backup is known")
        return
    yield from _told("Latest", f"{latest.name} ({latest.phase or 'New'})")
    yield from _told("  taken", dated(latest.started, now))
    duration = took(schedule.status)
    yield from _told("  complete", dated(latest.completed, now) + (f", after {duration}" if duration else ""))
    yield from _told("  items", items(schedule))
    yield from _told("Looked at", dated(schedule.refreshed, now))


def _ended(run: Run, now: datetime) -> str:
    return dated(str(run.status.get("completionTimestamp") or ""), now) if run.phase.terminal else ""


def _told(label: str, text: str) -> Iterator[str]:
    """A line, or none where there is nothing to tell."""
    if text:
        yield f"{label + ':':<11} {text}"


def _row(label: str, text: str, style: str = "") -> Text:
    return Text(f"{label + ':':<{_WIDTH}}").append(text, style=style)


def _title(text: str) -> Text:
    return Text(f"{text}:", style="bold")


def _commit(commit: Commit, what: str, now: datetime) -> Text:
    when = timestamp(commit.when)
    return Text(f"  {commit.id[:7]}  {when} ({age_of(when, now)} ago)  {commit.author}  {what}")


def _named(record: Record) -> str:
    identity = record.identity
    return f"{identity.kind.lower()} {identity.name} -n {identity.namespace}"
