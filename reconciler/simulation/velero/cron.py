"""When a schedule's expression comes due, read as Velero's library (robfig/cron) reads it.

Called by `schedules`. cronsim finds the times; the shorthands, time zones and error texts are that library's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from reconciler.simulation.velero.words import seconds

_SHORTHANDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY: Final = "@every "
_BOUNDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_FIELDS: Final = len(_BOUNDS)


class CronError(Exception):
    """The expression is no good; the text is what Velero writes into validationErrors."""


class Cron:
    """One expression."""

    def __init__(self, expression: str) -> None:
        if not expression:
            raise CronError("Schedule must be a non-empty valid Cron expression")
        self._zone: tzinfo = UTC
        self._every: timedelta | None = None
        self._fields = ""
        try:
            self._parse(expression)
        except (ValueError, CronSimError) as error:
            raise CronError(f"invalid schedule: {error}") from error

    def after(self, when: datetime) -> datetime | None:
        """The next time; None where there is none within fifty years."""
        if self._every is not None:
            return when.replace(microsecond=0) + self._every
        return next(CronSim(self._fields, when.astimezone(self._zone)), None) if self._fields else None

    def _parse(self, expression: str) -> None:
        rest = expression
        if rest.startswith(("TZ=", "CRON_TZ=")):
            name, _, rest = rest.partition("=")[2].partition(" ")
            rest = rest.strip()
            try:
                self._zone = ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError(f"provided bad location {name}: unknown time zone {name}") from error
        if rest.startswith(_EVERY):
            self._every = _interval(rest)
            return
        if rest.startswith("@"):
            if rest not in _SHORTHANDS:
                raise ValueError(f'unrecognized descriptor: "{rest}"')
            rest = _SHORTHANDS[rest]
        fields = rest.split()
        if len(fields) != _FIELDS:
            raise ValueError(f"expected exactly {_FIELDS} fields, found {len(fields)}: [{' '.join(fields)}]")
        for field, (lowest, highest) in zip(fields, _BOUNDS, strict=True):
            _check(field, lowest, highest)
        wanted = " ".join(field.replace("?", "*") for field in fields)
        if not _never(wanted):
            CronSim(wanted, datetime.now(UTC))
            self._fields = wanted


def _never(fields: str) -> bool:
    """A day that no month has: Velero's library accepts it, and knows no next time."""
    try:
        CronSim(fields, datetime.now(UTC))
    except CronSimError as error:
        return "day-of-month" in str(error)
    return False


def _interval(expression: str) -> timedelta:
    text = expression.removeprefix(_EVERY)
    try:
        return timedelta(seconds=max(1.0, int(seconds(text))))
    except ValueError as error:
        raise ValueError(f'failed to parse duration "{expression}": {error}') from error


def _check(field: str, lowest: int, highest: int) -> None:
    for part in field.split(","):
        span, _, step = part.partition("/")
        numbers = [int(number) for number in re.findall(r"^\d+$|^\d+(?=-)|(?<=-)\d+$", span)]
        if numbers and numbers[0] < lowest:
            raise ValueError(f'beginning of range ({numbers[0]}) below minimum ({lowest}): "{part}"')
        if numbers and numbers[-1] > highest:
            raise ValueError(f'end of range ({numbers[-1]}) above maximum ({highest}): "{part}"')
        if step == "0":
            raise ValueError(f'step of range must be a positive number: "{part}"')
