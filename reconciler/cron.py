"""When a schedule comes due, as Velero reads its expression. Pure: nothing here asks for the time.

Velero up to 1.18.1 reads expressions with robfig/cron v3, 1.18.3 with netresearch/go-cron 0.15 (`ParseStandard` of
either), and the two differ. `Cron` reads as the newer one does, or as the `old` one, with its words where it would not;
`agreed` takes what both read, and read alike. cronsim finds the times.

Called by `resources` when a Backup is read, by what shows the next time, and by the simulated Velero.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from reconciler.durations import seconds
from reconciler.names import bare, shown

EVERY: Final = "@every "
SHORTHANDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
PATTERN: Final = (  # what a JSON Schema can say of an expression
    r"^$|^((CRON_)?TZ=\S+ \s*)?"
    rf"({'|'.join(SHORTHANDS)}|{EVERY}[0-9.a-zµμ]+|\s*[0-9A-Za-z*?,/+-]+(\s+[0-9A-Za-z*?,/+-]+){{4}}\s*)$"
)
_BY_HAND: Final = ("@triggered", "@manual", "@none")  # of the newer library only: no time at all
_LONGEST: Final = 1024  # bytes
_UNSIGNED: Final = 2**64
_SEARCHED_YEARS: Final = 5  # Velero's libraries give up then, and Velero takes that for "now"
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SPACE: Final = re.compile(r"[^\S\x1c-\x1f]+")  # Python counts these four as white space, Go does not
_ZONE: Final = re.compile(r"[A-Za-z0-9/_+:-]{1,64}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_FORM: Final = 'write minute, hour, day of month, month and day of week as in "0 3 * * *", or @daily, or @every 24h'


class CronError(ValueError):
    """Velero would refuse the expression; the text is that of its library."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    lowest: int
    highest: int
    names: str = ""

    def number(self, text: str) -> int:
        """A number, or a name where the field has names."""
        names = self.names.split()
        return names.index(text.lower()) + self.lowest if text.lower() in names else _number(text)


_MINUTE, _HOUR, _DAY = _Bounds(0, 59), _Bounds(0, 23), _Bounds(1, 31)
_MONTH = _Bounds(1, 12, "jan feb mar apr may jun jul aug sep oct nov dec")
_OLD_WEEKDAY = _Bounds(0, 6, "sun mon tue wed thu fri sat")
_WEEKDAY = _Bounds(0, 7, _OLD_WEEKDAY.names)  # 7 is Sunday, as 0 is


@dataclass(frozen=True, slots=True)
class _Times:
    """The five fields. Where `either`, a day fits by its date or by its weekday, else it must fit by both."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def come(self) -> bool:
        """Whether any day of any year fits."""
        dated = any(day <= _DAYS[month - 1] for month in self.months for day in self.days)
        days = (dated or bool(self.weekdays)) if self.either else (dated and bool(self.weekdays))
        return bool(days and self.months and self.hours and self.minutes)

    def written(self) -> str:
        """For cronsim."""
        fields = (
            (self.minutes, 60),
            (self.hours, 24),
            (self.days, 31),
            (self.months, 12),
            (self.weekdays, 7),
        )
        return " ".join("*" if len(found) == all_ else ",".join(map(str, sorted(found))) for found, all_ in fields)


class Cron:
    """One expression, as Velero 1.18.3 reads it, or (`old`) Velero up to 1.18.1. Raises CronError."""

    def __init__(self, expression: str, *, old: bool = False) -> None:
        self.every: timedelta | None = None
        self.times: _Times | None = None
        if not expression:
            raise CronError("empty spec string")
        if (length := len(expression.encode("utf-8", "replace"))) > _LONGEST:
            raise CronError(f"spec too long: {length} > {_LONGEST}")
        self.zone, rest = _zone(expression, old)
        if rest.startswith(EVERY):
            self.every = _interval(rest)
        elif rest in SHORTHANDS:
            self.times = _times(SHORTHANDS[rest], old)
        elif rest.startswith("@"):
            if old or rest not in _BY_HAND:
                raise CronError(f"unrecognized descriptor: {_quoted(rest)}")
        else:
            self.times = _times(rest, old)

    @property
    def comes_due(self) -> bool:
        """Whether there is any time that fits, in any year."""
        return self.every is not None or (self.times is not None and self.times.come())

    def after(self, when: datetime) -> datetime | None:
        """The next time, in the expression's zone (UTC if it has none); None where five years have none.

        In the night on which a zone's clock skips the hour, versions of Velero differ; the hour's end is given then.
        """
        if self.every is not None:
            return when.replace(microsecond=0) + self.every
        if self.times is None or not self.times.come():
            return None
        start = when.astimezone(self.zone)
        search = CronSim(self.times.written(), start)
        search.day_and = not self.times.either  # cronsim has the older library's rule alone
        found = next(search, None)
        return found if found and found.year <= start.year + _SEARCHED_YEARS else None


def agreed(expression: str) -> str:
    """The expression, if every version of Velero runs it at the same times; empty stands for "once, now".

    Raises ValueError that reads "what is wrong; what to do".
    """
    if not expression:
        return expression
    try:
        new = Cron(expression)
    except CronError as error:
        raise ValueError(f"{shown(expression)} is no schedule ({bare(str(error))}); {_FORM}") from error
    try:
        old = Cron(expression, old=True)
    except CronError as error:
        what = f"{shown(expression)} is no schedule to Velero before 1.18.3 ({bare(str(error))})"
        raise ValueError(f"{what}; {_FORM}") from error
    if not new.comes_due:
        what = f"{shown(expression)} never comes due, and Velero then backs up at once, again and again"
        raise ValueError(f"{what}; name a day that exists")
    if old.times and old.times.either:
        what = f"{shown(expression)} limits both the day of the month and the day of the week"
        why = "Velero before 1.18.3 takes days that fit either, and later ones days that fit both"
        raise ValueError(f"{what}: {why}; write * for one of the two")
    if old.times != new.times:
        what = f"{shown(expression)} reaches Sunday as day 7, which Velero before 1.18.3 does not know"
        raise ValueError(f"{what}; write Sunday as 0 or SUN")
    return expression


def _zone(expression: str, old: bool) -> tuple[tzinfo, str]:
    """The time zone and the rest; UTC, in which Velero's server runs, where none is named."""
    if not expression.startswith(("TZ=", "CRON_TZ=")):
        return UTC, expression
    head, space, rest = expression.partition(" ")
    name = head.partition("=")[2]
    if not space:
        raise CronError(f"missing fields after timezone in spec {_quoted(expression)}")
    if not old and len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1]
    if not _ZONE.fullmatch(name):
        raise CronError(f"invalid timezone {_quoted(name)}")
    try:
        zone = UTC if name == "Local" else ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:
        raise CronError(f"unknown time zone {_quoted(name)}: unknown time zone {name}") from error
    rest = _SPACE.sub(" ", rest).strip(" ")
    if not rest:
        raise CronError(f"missing fields after timezone {_quoted(name)}")
    return zone, rest


def _interval(expression: str) -> timedelta:
    try:
        length = seconds(expression.removeprefix(EVERY))
    except ValueError as error:
        raise CronError(f"failed to parse duration {_quoted(expression)}: {error}") from error
    if length < 1:
        raise CronError(f"@every duration must be at least 1s: {_quoted(expression)}")
    return timedelta(seconds=int(length))


def _times(text: str, old: bool) -> _Times:
    fields = [field for field in _SPACE.split(text) if field]
    if len(fields) != 5:
        raise CronError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minute, hour, day, month, weekday = fields
    if not old:
        _refuse_extensions(fields)
    minutes, hours, months = (_field(*field, old)[0] for field in ((minute, _MINUTE), (hour, _HOUR), (month, _MONTH)))
    days, all_days = _field(day, _DAY, old)
    weekdays, all_weekdays = _field(weekday, _OLD_WEEKDAY if old else _WEEKDAY, old)
    weekdays = frozenset(number % 7 for number in weekdays)
    return _Times(minutes, hours, days, months, weekdays, old and not all_days and not all_weekdays)


def _refuse_extensions(fields: list[str]) -> None:
    """What the newer library knows and Velero does not turn on."""
    if any(part.startswith("H") for field in fields for part in field.split(",")):
        raise CronError("h expressions require hash option to be enabled")
    if re.search("[lw]", fields[2], re.IGNORECASE):
        options = "DomL option (for L, L-n) or DomW option (for nW, LW)"
        raise CronError(f"extended day-of-month syntax requires {options} to be enabled")
    if "#" in fields[4]:
        raise CronError("#n/#L syntax requires DowNth or DowLast option to be enabled")


def _field(text: str, bounds: _Bounds, old: bool) -> tuple[frozenset[int], bool]:
    """The numbers of a field, and whether a star stands in it, one with a step above 1 not counted."""
    numbers: set[int] = set()
    star = False
    for part in filter(None, text.split(",")):
        found, starred = _range(part, bounds, old)
        numbers.update(found)
        star = star or starred
    return frozenset(numbers), star


def _range(part: str, bounds: _Bounds, old: bool) -> tuple[list[int], bool]:
    span, *steps = part.split("/")
    ends = span.split("-")
    star = ends[0] in ("*", "?")
    if star:
        start, end = bounds.lowest, bounds.highest
    elif len(ends) > 2:
        raise CronError(f"too many hyphens: {_quoted(span)}")
    else:
        start, end = bounds.number(ends[0]), bounds.number(ends[-1])
    if len(steps) > 1:
        raise CronError(f"too many slashes: {_quoted(part)}")
    step = _number(steps[0]) if steps else 1
    if steps and len(ends) == 1:
        end = bounds.highest
    _check(part, start, end, step, bounds, old)
    size = bounds.highest - bounds.lowest + 1
    last = end if start <= end else end + size  # 22-2 goes on past midnight
    numbers = [(number - bounds.lowest) % size + bounds.lowest for number in range(start, last + 1, step)]
    return numbers, star and step == 1


def _check(part: str, start: int, end: int, step: int, bounds: _Bounds, old: bool) -> None:
    if start < bounds.lowest:
        raise CronError(f"beginning of range ({start}) below minimum ({bounds.lowest}): {_quoted(part)}")
    if end > bounds.highest:
        raise CronError(f"end of range ({end}) above maximum ({bounds.highest}): {_quoted(part)}")
    if start > end and old:
        raise CronError(f"beginning of range ({start}) beyond end of range ({end}): {_quoted(part)}")
    if step == 0:
        raise CronError(f"step of range must be a positive number: {_quoted(part)}")
    reach = end - start + 1 if start <= end else bounds.highest - start + 1 + end - bounds.lowest + 1
    if not old and 1 < step >= reach % _UNSIGNED:  # 60/8 among the minutes is taken there, and never comes due
        raise CronError(f"step ({step}) must be less than range size ({reach}): {_quoted(part)}")


def _number(text: str) -> int:
    number = int(text) if _NUMBER.fullmatch(text) else None
    if number is None or abs(number) >= _UNSIGNED // 2:
        why = "invalid syntax" if number is None else "value out of range"
        raise CronError(f"failed to parse int from {_quoted(text)}: strconv.Atoi: parsing {_quoted(text)}: {why}")
    if number < 0:
        raise CronError(f"negative number ({number}) not allowed: {_quoted(text)}")
    return number


def _quoted(text: str) -> str:
    """As Go quotes."""
    return json.dumps(text, ensure_ascii=False)
