"""Reading what a member says without trusting it: what is missing or of another type is empty, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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


def recordable(value: Any, depth: int = 0) -> Any:
    """A status as it is, without what a hostile member could break a record with: lone surrogates, endless nesting."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {recordable(str(k)): recordable(v, depth + 1) for k, v in value.items()} if depth < _DEEPEST else {}
    if isinstance(value, list):
        return [recordable(item, depth + 1) for item in value] if depth < _DEEPEST else []
    return value


def count(value: Any) -> int:
    """A number above zero, else zero."""
    return value if type(value) is int and value > 0 else 0


def sequence(value: Any) -> list[Any]:
    """The list, empty where there is none."""
    return value if isinstance(value, list) else []


def mapping(value: Any) -> Mapping[str, Any]:
    """The mapping, empty where there is none."""
    return value if isinstance(value, Mapping) else {}
