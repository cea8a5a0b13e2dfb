"""`get`: records as kubectl would list them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from reconciler.output.console import machine, out, phase, show, table
from reconciler.output.parts import backup, items, troubled, why
from reconciler.output.times import age_of, next_run, took
from reconciler.plan.advice import ready
from reconciler.plan.summary import OF_FILE
from reconciler.records import Part, Phase, Record, Run, Schedule, as_object, moment, timestamp


def listing(records: tuple[Record, ...], form: str, one: bool, namespaces: bool) -> None:
    """A table, with `form` wide a row per cluster; json or yaml the objects; `one` prints the object, not a List."""
    if form in ("json", "yaml"):
        objects = [as_object(record) for record in records]
        data: Any = objects[0] if one else {"apiVersion": "v1", "kind": "List", "items": objects}
        out().print(machine(data, form), soft_wrap=True)
    elif form == "wide":
        _wide(records, namespaces, datetime.now(UTC))
    else:
        _narrow(records, namespaces, datetime.now(UTC))


def _narrow(records: tuple[Record, ...], namespaces: bool, now: datetime) -> None:
    """A row per object."""
    columns = ("NAME", "PHASE", "COMPLETED", "READY", "ATTEMPT", "AGE", "MESSAGE")
    grid = table(*(["NAMESPACE"] if namespaces else []), *columns)
    for record in records:
        done = sum(_completed(part) for part in record.parts)
        grid.add_row(
            *([record.identity.namespace] if namespaces else []),
            record.identity.name,
            phase(record.phase),
            f"{done}/{len(record.parts)}",
            _ready(record),
            str(record.attempt),
            age_of(record.recorded_at, now),
            Text(_message(record)),
        )
    show(grid)


def _wide(records: tuple[Record, ...], namespaces: bool, now: datetime) -> None:
    """A row per object and cluster."""
    scheduled = any(record.schedules for record in records)
    columns = ["NAME", "CLUSTER", "PHASE", "ATTEMPT", "BACKUP", "TAKEN", "ITEMS", "DURATION"]
    grid = table(
        *(["NAMESPACE"] if namespaces else []), *columns, *(["SCHEDULE", "NEXT RUN"] if scheduled else []), "MESSAGE"
    )
    for record in records:
        for part in record.listed:
            grid.add_row(
                *([record.identity.namespace] if namespaces else []),
                record.identity.name,
                part.cluster.name,
                phase(part.phase),
                str(part.attempt) if isinstance(part, Run) else "",
                *_backup(part, record.identity.kind, now),
                items(part),
                took(part.status),
                *(_schedule(record, part, now) if scheduled else ()),
                Text(why(part)),
            )
    show(grid)


def _ready(record: Record) -> Text:
    return Text("True", style="green") if ready(record) else Text("False", style="yellow")


def _completed(part: Part) -> bool:
    """The run, or the latest backup of a Schedule."""
    if isinstance(part, Schedule):
        return part.status.get("phase") == Phase.COMPLETED
    return part.phase is Phase.COMPLETED


def _backup(part: Part, kind: str, now: datetime) -> tuple[str, str]:
    """Its name, with Velero's phase where a Schedule's is not Completed, and when it was taken and how long ago."""
    found = backup(part, kind)
    failed = isinstance(part, Schedule) and found.phase not in ("", Phase.COMPLETED)
    at = moment(found.started)
    return (
        f"{found.name} ({found.phase})" if failed else found.name,
        f"{timestamp(at)} ({age_of(found.started, now)})" if at else "",
    )


def _schedule(record: Record, part: Part, now: datetime) -> tuple[str, str]:
    if not isinstance(part, Schedule):
        return "", ""
    return str(record.spec.get("schedule") or ""), next_run(record.spec, part, now)


def _message(record: Record) -> str:
    """What is worth a look: a file that was changed in vain, and the first cluster that is not as it was asked for."""
    changed = next((c.message for c in record.conditions if c.type in OF_FILE), "")
    first = next((part for part in record.parts if troubled(part) and why(part)), None)
    return changed or (f"{first.cluster.name}: {why(first)}" if first else "")
