"""Small translations that all controllers share: times, Go's durations, names that must fit into a label.

Called by every module beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.durations import seconds

_LABEL_LENGTH: Final = 63
_BACKUP_DURATIONS: Final = ("ttl", "csiSnapshotTimeout", "itemOperationTimeout")


def stamp(when: datetime) -> str:
    """As Kubernetes writes times: whole seconds, UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: Any) -> datetime | None:
    """The time that Kubernetes wrote, or None."""
    try:
        return datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None


def duration(value: Any) -> float:
    """The seconds of a field of an object; 0 where it is absent or no duration."""
    try:
        return seconds(value) if value else 0.0
    except (TypeError, ValueError):
        return 0.0


def go_duration(total: float) -> str:
    """As Go writes a duration: `1h30m0s`, `90ms`, `0s`."""
    if 0 < total < 1:
        return f"{total * 1000:.10g}ms"
    hours, rest = divmod(total, 3600)
    minutes, left = divmod(rest, 60)
    text = f"{left:.10g}s"
    if hours or minutes:
        text = f"{int(minutes)}m{text}"
    return f"{int(hours)}h{text}" if hours else text


def typed_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A Backup's spec as the server itself creates it: Go writes durations its own way, and structs that are empty."""
    times = {name: go_duration(duration(spec.get(name))) for name in _BACKUP_DURATIONS}
    return {"hooks": {}, "metadata": {}, **spec, **times}


def label_value(name: str) -> str:
    """The name where it fits into a label, else its first 57 characters and 6 of its digest (`pkg/label`)."""
    if len(name) <= _LABEL_LENGTH:
        return name
    return name[: _LABEL_LENGTH - 6] + hashlib.sha256(name.encode()).hexdigest()[:6]
