"""Where output goes: results on stdout, progress and remarks on stderr; colours only on a terminal."""

from __future__ import annotations

import json
from typing import Any, Final

import yaml
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from reconciler.records import Phase

STYLES: Final = {
    Phase.COMPLETED: "green",
    Phase.PARTIALLY_FAILED: "red",
    Phase.FAILED: "red",
    Phase.FAILED_VALIDATION: "red",
    Phase.HELD: "yellow",
    Phase.PENDING: "yellow",
    Phase.STARTING: "cyan",
    Phase.IN_PROGRESS: "cyan",
    Phase.ENABLED: "green",
    Phase.PAUSED: "yellow",
    Phase.REMOVING: "cyan",
    Phase.REMOVED: "dim",
}
_GAP: Final = 3
_LAST_AT_LEAST: Final = 30


def out() -> Console:
    """For results. Lines are never wrapped or cut where no terminal reads them."""
    return _console(stderr=False)


def err() -> Console:
    """For progress, notes and errors."""
    return _console(stderr=True)


def table(*columns: str) -> Table:
    """Aligned columns as kubectl prints them; the last one takes what room is left."""
    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for number, column in enumerate(columns):
        last = number == len(columns) - 1
        made.add_column(column, no_wrap=not last, overflow="fold")
    return made


def say(text: str, style: str = "") -> None:
    """A line on stdout, there at once: what follows it may be another program's."""
    console = out()
    console.print(Text(text, style=style), soft_wrap=True)
    console.file.flush()


def show(grid: Table) -> None:
    """A table on stdout, without the blanks that fill its lines. Nothing is cut.

    The last column is folded where the table fits then; a terminal that is too narrow even so wraps whole lines.
    """
    console = out()
    narrowest, widest = _widths(grid)
    console.width = console.width if narrowest <= console.width else widest
    with console.capture() as captured:
        console.print(grid)
    console.print(Text.from_ansi("\n".join(line.rstrip() for line in captured.get().splitlines())), soft_wrap=True)


def phase(value: Phase) -> Text:
    """A phase in its colour."""
    return Text(str(value), style=STYLES[value])


def machine(data: Any, form: str) -> str:
    """`json` or `yaml` text."""
    if form == "json":
        return json.dumps(data, indent=2, ensure_ascii=False)
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    return text.rstrip("\n")


def _widths(grid: Table) -> tuple[int, int]:
    """Of the table with its last column folded as far as can be read, and as it is."""
    widths = [max(_width(cell) for cell in (column.header, *column.cells)) for column in grid.columns]
    others = sum(widths[:-1]) + _GAP * len(widths)
    return others + min(widths[-1], _LAST_AT_LEAST), others + widths[-1]


def _width(cell: RenderableType) -> int:
    return cell.cell_len if isinstance(cell, Text) else cell_len(str(cell))


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if console.is_terminal and not console.is_dumb_terminal:  # rich takes a dumb one for 80 columns, and cuts
        return console
    return Console(
        stderr=stderr, highlight=False, markup=False, emoji=False, force_terminal=False, width=10_000, no_color=True
    )
