"""What happens to objects: an `Event` for whoever listens, and what a deletion led to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """One change: ADDED | MODIFIED | DELETED, with the object after it and before it. Neither may be changed."""

    version: int
    kind: Kind
    type: str
    obj: Object
    old: Object | None


@dataclass(frozen=True, slots=True)
class Removed:
    """What a deletion led to: the object as it is now, or as it last was where it is `gone`."""

    obj: Object
    gone: bool


def copy(value: T) -> T:
    """A deep copy of JSON."""
    return _copy(value)  # type: ignore[no-any-return] # of the same type


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
