"""Velero's own words about a run, and the names of what it did not bring back: the same in `sync` and `describe`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.records import Run, Texts

LINES: Final = 10
"""Of one run and sort."""
_LEFT: Final = (
    ("not_restored", "not restored though different"),
    ("not_compared", "not compared"),
    ("failed", "failed"),
)


def outcome_lines(texts: Texts, run: Run, path: str) -> Iterator[str]:
    """Errors, warnings and what was left, each sort cut short with the path of the file that has more."""
    for word, told in (("error", texts.errors), ("warning", texts.warnings)):
        yield from _short([f"{word} in {where}: {text}" for where, text in told], f"{word}s", path)
    for sort, words in _LEFT:
        names = texts.names.get(sort, ())
        yield from _short([f"{words}: {name}" for name in names], words, path, _count(run, sort))
    if texts.note:
        yield texts.note


def _short(lines: Sequence[str], what: str, path: str, total: int = 0) -> Iterator[str]:
    """The first ones, and how many there are beside them."""
    yield from lines[:LINES]
    more = max(total, len(lines)) - len(lines[:LINES])
    if more > 0:
        yield f"… and {more} more {what} in {path}"


def _count(run: Run, sort: str) -> int:
    """How many there were, of which the file may name only some."""
    return getattr(run.items, sort) if run.items else 0
