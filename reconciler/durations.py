"""Lengths of time as Go reads them (`time.ParseDuration`), with Go's own words where it would not.

Called by `cron` for `@every`, and by the simulated Velero. What users write elsewhere is read by `names.duration`,
which is stricter and speaks to them.
"""

from __future__ import annotations

import re
from typing import Final

_PART: Final = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)")
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST: Final = (2**63 - 1) / 1e9  # in seconds: a Duration counts nanoseconds in 64 bits


def seconds(text: str) -> float:
    """The seconds of Go's duration, e.g. `1h30m`, `-1.5h`, `0`. Raises ValueError with Go's words."""
    rest, sign = text, 1.0
    if rest[:1] in ("+", "-"):
        rest, sign = rest[1:], -1.0 if rest[0] == "-" else 1.0
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None:
            raise ValueError(f'time: invalid duration "{text}"')
        if not part[2]:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if part[2] not in _UNITS:
            raise ValueError(f'time: unknown unit "{part[2]}" in duration "{text}"')
        total, at = total + float(part[1]) * _UNITS[part[2]], part.end()
    if not rest or total > _LONGEST:
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * total
