"""Tables on terminals of all widths, and on those that can nothing: nothing is cut, no line is folded and wrapped."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NAME, WORDS = "a-cluster-with-a-long-name", "words of a message that is somewhat longer than a line " * 2
DRAW = f"""
from reconciler.output.console import err, show, table
grid = table("CLUSTER", "OBJECT", "MESSAGE")
grid.add_row({NAME!r}, "{{object}}", {WORDS.strip()!r})
show(grid)
err().print(err().is_terminal)
"""


def lines_on(columns: int, term: str, object_: str) -> list[str]:
    """What a terminal of that width and kind is sent; the last line tells whether it counts as one."""
    reading, writing = os.openpty()
    subprocess.run(
        [sys.executable, "-c", DRAW.replace("{object}", object_)],
        env={"PATH": os.environ["PATH"], "TERM": term, "COLUMNS": str(columns), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        check=True,
    )
    os.close(writing)
    found = b""
    with os.fdopen(reading, "rb", buffering=0) as screen:
        while True:
            try:
                found += screen.read(4096)
            except OSError:  # all that was written has been read
                break
    return found.decode().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()


def words(lines: list[str]) -> str:
    """The last column's, put together again."""
    start = lines[0].index("MESSAGE")
    return " ".join(line[start:] for line in lines[1:])


def test_the_last_column_is_folded_where_the_table_fits_then() -> None:
    *lines, terminal = lines_on(80, "xterm", "short")
    assert terminal == "True"
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80
    assert words(lines) == WORDS.strip()


@pytest.mark.parametrize(("columns", "term"), [(80, "xterm"), (40, "xterm"), (80, "dumb"), (80, "unknown")])
def test_a_line_that_cannot_fit_is_left_to_the_terminal_to_wrap(columns: int, term: str) -> None:
    *lines, terminal = lines_on(columns, term, "an object of a name that alone is long enough")
    assert terminal == str(term == "xterm")
    assert len(lines) == 2
    assert words(lines) == WORDS.strip()


def test_a_dumb_terminal_is_none() -> None:
    lines = lines_on(20, "dumb", "short")
    assert len(lines) == 3
    assert NAME in lines[1]
    assert words(lines[:2]) == WORDS.strip()
