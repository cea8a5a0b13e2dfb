"""Progress of `sync --once`: a line per cluster, redrawn on a terminal, a plain line per change elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from types import TracebackType

from rich.live import Live
from rich.text import Text

from reconciler.output.console import err, phase, table
from reconciler.output.parts import items, why
from reconciler.output.times import age
from reconciler.passed import Pass
from reconciler.plan.answers import UNASKED
from reconciler.plan.same_cluster import believed
from reconciler.records import Part, Phase, Record, Run, moment

LINES_ON_A_TERMINAL = 40


class Progress:
    """Shows passes while the command waits. A context manager."""

    def __init__(self) -> None:
        self._console = err()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._told: dict[str, str] = {}
        self._remarked: set[str] = set()

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, done: Pass) -> None:
        """The state after one pass: what is open, and what has changed since the command began."""
        rows = [(record, part, _detail(record, part, done)) for record, part in _rows(done)]
        if self._console.is_terminal:
            self._redraw(rows)
        else:
            self._tell(rows)

    def remark(self, sentences: Iterable[str]) -> None:
        """Each once, however often it is told."""
        for sentence in sentences:
            if sentence not in self._remarked:
                self._remarked.add(sentence)
                self._console.print(Text(f"note: {sentence}", style="yellow"), soft_wrap=True)

    def _redraw(self, rows: list[tuple[Record, Part, str]]) -> None:
        shown = rows[:LINES_ON_A_TERMINAL]
        grid = table("CLUSTER", "OBJECT", "PHASE", "")
        room = self._console.width - max((_width(record, part) for record, part, _ in shown), default=0)
        for record, part, detail in shown:
            text = Text(detail)
            text.truncate(max(room, 1), overflow="ellipsis")
            grid.add_row(part.cluster.name, str(record.identity), phase(part.phase), text)
        if len(rows) > LINES_ON_A_TERMINAL:
            grid.add_row(f"… {len(rows) - LINES_ON_A_TERMINAL} more", "", "", "")
        self._live.update(grid, refresh=True)

    def _tell(self, rows: list[tuple[Record, Part, str]]) -> None:
        for record, part, detail in rows:
            line = f"{part.cluster.name}: {record.identity}: {part.phase}"
            known = line + part.reason
            if self._told.get(part.run_id) != known:
                self._told[part.run_id] = known
                self._console.print(f"{line}{' (' + detail + ')' if detail else ''}")


def _width(record: Record, part: Part) -> int:
    """Of a line without its detail; columns are three blanks apart."""
    return len(part.cluster.name) + len(str(record.identity)) + max(len(part.phase), len("InProgress")) + 3 * 3


def _rows(done: Pass) -> Iterator[tuple[Record, Part]]:
    for identity, record in done.decided.items():
        before = done.before.get(identity)
        known = {part.run_id: part for part in before.everything} if before else {}
        yield from ((record, part) for part in record.everything if part.phase.open or known.get(part.run_id) != part)


def _detail(record: Record, part: Part, done: Pass) -> str:
    if part.phase is not Phase.IN_PROGRESS:
        counted = items(part) if isinstance(part, Run) and part.items else ""
        return "; ".join(text for text in (why(part), counted) if text)
    answer = believed(part, done.answers.get(part.cluster, UNASKED))
    seen = answer.seen.get((record.identity.kind, part.object_name))
    if answer.failure:
        return f"{answer.failure.reason}: {answer.failure.message}"
    if seen is None:
        return ""
    told = [seen.phase or "New", f"{seen.progress[0]} of {seen.progress[1]} items" if seen.progress else ""]
    started = moment(str(seen.status.get("startTimestamp") or ""))
    told.append(age((datetime.now(UTC) - started).total_seconds()) if started else "")
    return ", ".join(text for text in told if text)
