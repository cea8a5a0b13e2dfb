"""Reading what a member says without trusting it: what is missing or of another type is empty, never an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

STATUS_BYTES: Final = 512
"""Of JSON in ASCII. All that Velero tells of an ordinary run is less, and a cluster is to take about 1 KiB."""
_CUTS: Final = ((120, 6), (40, 3))  # the characters of a text, and the entries of a list or mapping, that are kept
_READ: Final = ("phase", "startTimestamp", "completionTimestamp", "expiration", "progress", "errors", "warnings")
_DEEPEST: Final = 10


def line(told: str, limit: int = 300) -> str:
    """One line without control characters, since a member's words reach terminals and records."""
    line = " ".join("".join(c if c.isprintable() else " " for c in told).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def text(value: Any) -> str:
    """Exactly the text, empty where there is none, or something else."""
    return value if isinstance(value, str) else ""


def word(value: Any) -> str:
    """A short text in one line, empty where there is none."""
    return line(text(value))


def recordable(status: Mapping[str, Any]) -> dict[str, Any]:
    """A status as it is where it is small. In a longer one texts and lists are cut short, then fields are left out.

    Each cut shows by its `…`. What a hostile member could break a record with is never in it: lone surrogates, endless
    nesting.
    """
    whole: dict[str, Any] = _sound(status)
    told = whole
    for characters, entries in _CUTS:
        if _size(told) <= STATUS_BYTES:
            return told
        told = {_cut(name, characters, entries): _cut(value, characters, entries) for name, value in whole.items()}
    return _fitting(told)


def count(value: Any) -> int:
    """A number above zero, else zero."""
    return value if type(value) is int and value > 0 else 0


def sequence(value: Any) -> list[Any]:
    """The list, empty where there is none."""
    return value if isinstance(value, list) else []


def mapping(value: Any) -> Mapping[str, Any]:
    """The mapping, empty where there is none."""
    return value if isinstance(value, Mapping) else {}


def _sound(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_sound(str(k)): _sound(v, depth + 1) for k, v in value.items()} if depth < _DEEPEST else {}
    if isinstance(value, list):
        return [_sound(item, depth + 1) for item in value] if depth < _DEEPEST else []
    return value


def _cut(value: Any, characters: int, entries: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= characters else f"{value[:characters]}… ({len(value)} characters)"
    if isinstance(value, dict):
        kept = {_cut(k, characters, entries): _cut(v, characters, entries) for k, v in [*value.items()][:entries]}
        return kept | ({"…": f"{len(value) - entries} more"} if len(value) > entries else {})
    if isinstance(value, list):
        items = [_cut(item, characters, entries) for item in value[:entries]]
        return items + ([f"… {len(value) - entries} more"] if len(value) > entries else [])
    return value


def _fitting(status: dict[str, Any]) -> dict[str, Any]:
    """As many fields as there is room for, those first that are read again."""
    room, kept = STATUS_BYTES, dict[str, Any]()
    for name in sorted(status, key=lambda name: name not in _READ):
        size = _size({name: status[name]})
        if size <= room:
            room, kept[name] = room - size, status[name]
    left = len(status) - len(kept)
    return kept | ({"…": f"{left} more"} if left else {})


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")))
