"""`get`: records as kubectl would list them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from reconciler.output.console import machine, out, phase, show, table
from reconciler.output.progress import age
from reconciler.records import Phase, Record, as_object, moment


def listing(records: tuple[Record, ...], form: str, one: bool, namespaces: bool) -> None:
    """A table, or with `form` json or yaml the objects; `one` prints the object itself, not a List."""
    if form in ("json", "yaml"):
        items = [as_object(record) for record in records]
        data: Any = items[0] if one else {"apiVersion": "v1", "kind": "List", "items": items}
        out().print(machine(data, form), soft_wrap=True)
        return
    grid = table(*(["NAMESPACE"] if namespaces else []), "NAME", "PHASE", "COMPLETED", "ATTEMPT", "AGE", "MESSAGE")
    for record in records:
        done = sum(run.phase is Phase.COMPLETED for run in record.runs)
        grid.add_row(
            *([record.identity.namespace] if namespaces else []),
            record.identity.name,
            phase(record.phase),
            f"{done}/{len(record.runs)}",
            str(record.attempt),
            _age_of(record),
            Text(_message(record)),
        )
    show(grid)


def _age_of(record: Record) -> str:
    recorded = moment(record.recorded_at)
    return age((datetime.now(UTC) - recorded).total_seconds()) if recorded else ""


def _message(record: Record) -> str:
    """What is worth a look: the first run that did not complete, and a file that was changed in vain."""
    troubled = next((run for run in record.runs if run.phase is not Phase.COMPLETED and run.message), None)
    changed = next((c.message for c in record.conditions if c.type == "SpecChanged"), "")
    return changed or (f"{troubled.cluster.name}: {troubled.message}" if troubled else "")
