"""Progress of `sync --once`: a line per cluster, redrawn on a terminal, a plain line per change elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType

from rich.live import Live
from rich.text import Text

from reconciler.output.console import err, phase, table
from reconciler.plan.answers import UNASKED
from reconciler.reconcile import Pass
from reconciler.records import Phase, Record, Run, moment

LINES_ON_A_TERMINAL = 40


class Progress:
    """Shows passes while the command waits. A context manager."""

    def __init__(self) -> None:
        self._console = err()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._told: dict[str, str] = {}

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, done: Pass) -> None:
        """The state after one pass: what is open, and what has changed since the command began."""
        rows = [(record, run, _detail(record, run, done)) for record, run in _rows(done)]
        if self._console.is_terminal:
            self._redraw(rows)
        else:
            self._tell(rows)

    def _redraw(self, rows: list[tuple[Record, Run, str]]) -> None:
        shown = rows[:LINES_ON_A_TERMINAL]
        grid = table("CLUSTER", "OBJECT", "PHASE", "")
        room = self._console.width - max((_width(record, run) for record, run, _ in shown), default=0)
        for record, run, detail in shown:
            text = Text(detail)
            text.truncate(max(room, 1), overflow="ellipsis")
            grid.add_row(run.cluster.name, str(record.identity), phase(run.phase), text)
        if len(rows) > LINES_ON_A_TERMINAL:
            grid.add_row(f"… {len(rows) - LINES_ON_A_TERMINAL} more", "", "", "")
        self._live.update(grid, refresh=True)

    def _tell(self, rows: list[tuple[Record, Run, str]]) -> None:
        for record, run, detail in rows:
            line = f"{run.cluster.name}: {record.identity}: {run.phase}"
            known = line + run.reason
            if self._told.get(run.run_id) != known:
                self._told[run.run_id] = known
                self._console.print(f"{line}{' (' + detail + ')' if detail else ''}")


def _width(record: Record, run: Run) -> int:
    """Of a line without its detail; columns are three blanks apart."""
    return len(run.cluster.name) + len(str(record.identity)) + max(len(run.phase), len("InProgress")) + 3 * 3


def _rows(done: Pass) -> Iterator[tuple[Record, Run]]:
    for identity, record in done.decided.items():
        before = done.state.records.get(identity)
        for run in record.runs:
            if run.phase.open or before is None or run not in before.runs:
                yield record, run


def _detail(record: Record, run: Run, done: Pass) -> str:
    answer = done.answers.get(run.cluster, UNASKED)
    seen = answer.seen.get((record.identity.kind, run.object_name))
    if run.phase is not Phase.IN_PROGRESS:
        return ": ".join(part for part in (run.reason, run.message) if part and part != run.phase)
    if answer.failure:
        return f"{answer.failure.reason}: {answer.failure.message}"
    if seen is None:
        return ""
    parts = [seen.phase or "New", f"{seen.progress[0]} of {seen.progress[1]} items" if seen.progress else ""]
    started = moment(str(seen.status.get("startTimestamp") or ""))
    parts.append(_age((datetime.now(UTC) - started).total_seconds()) if started else "")
    return ", ".join(part for part in parts if part)


def _age(seconds: float) -> str:
    """As kubectl shows ages; clocks differ, so never below zero."""
    whole = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


age = _age
