"""What names, keys, times, durations and plain values may look like: the smallest parts of what users write.

`resources` builds on it, and whoever reads a time or a duration later does so by the very function that checked it. A
ValueError raised here reads "what is wrong; what to do" and quotes at most 80 characters of a value, control characters
escaped; `manifests` shows it to the user as it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, PlainValidator, Strict, WithJsonSchema

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_WORD = re.compile(r"[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?")  # of a label: its value, and its key after any `/`
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LABEL_KEY = re.compile(rf"({_SUBDOMAIN.pattern}/)?{_WORD.pattern}")
_LABEL_VALUE = re.compile(rf"({_WORD.pattern})?")
_DURATIONS = re.compile(rf"(?=.*[1-9])({_DURATION.pattern})+")  # not zero
_LONGEST: Final = timedelta(microseconds=(2**63 - 1) // 1000)  # what Go's time.Duration holds: some 292 years
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class FieldError(ValueError):
    """As any ValueError here, about one of several fields that are judged together: `field`, in YAML's words."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


def shown(text: str) -> str:
    """A value as it may stand in a message: quoted, escaped, at most 80 characters of it."""
    return repr(text) if len(text) <= 80 else f"{text[:80]!r}…"


def bare(text: str) -> str:
    """As `shown`, without the quotes."""
    return repr(text[:80])[1:-1] + ("…" if len(text) > 80 else "")


def printable(text: str) -> str:
    """A path or name as it may stand in a message: in full, and escaped where it holds control characters."""
    return text if text.isprintable() else repr(text)[1:-1]


def duration(text: str) -> timedelta:
    """A duration above zero as Go writes it (`1h30m`, `720h0m0s`), as Velero's `ttl` takes it.

    Raises ValueError for anything else.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{shown(text)} is not a duration; write it as in 90m, 24h or 720h0m0s")
    try:
        length = timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))
    except OverflowError:
        length = timedelta.max
    if not timedelta() < length <= _LONGEST:
        raise ValueError(f"{shown(text)} is zero, or longer than 292 years; write a length between the two, as in 24h")
    return length


def _label_name(text: str) -> str:
    if len(text) > 63 or not LABEL.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is no RFC 1123 label; use 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends"
        )
    return text


def _object_name(text: str) -> str:
    if len(text) > 63 or not _SUBDOMAIN.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is no RFC 1123 name that can be used here; "
            "use 1 to 63 of a-z, 0-9, '-' and '.', with a letter or digit at both ends and around each '.'"
        )
    return text


def _secret_name(text: str) -> str:
    if len(text) > 253 or not _SUBDOMAIN.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is no name of a Secret; use a-z, 0-9, '-' and '.', with a letter or digit at both ends"
        )
    return text


def _secret_key(text: str) -> str:
    if len(text) > 253 or not _KEY.fullmatch(text) or text == "." or text.startswith(".."):
        raise ValueError(
            f"{shown(text)} is no key of a Secret; use letters, digits, '-', '_' and '.', not '..' at the beginning"
        )
    return text


def instant(text: str) -> datetime:
    """A point in time as RFC 3339 writes it, with a time zone. Raises ValueError for anything else."""
    try:
        parsed = datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
        if parsed is not None:
            parsed.astimezone(UTC)  # the first and last hours of all years have none in UTC
    except (ValueError, OverflowError):
        parsed = None
    if parsed is None:
        raise ValueError(f'{shown(text)} is no time; write it with its zone, as in "2026-11-23T03:00:00Z"')
    return parsed


def _velero_name(text: str) -> str:
    if len(text) > 253 or not _SUBDOMAIN.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is no name of a Velero object; use a-z, 0-9, '-' and '.', a letter or digit at both ends"
        )
    return text


def _label_key(text: str) -> str:
    prefix, slash, name = text.rpartition("/")
    if (
        len(name) > 63
        or not _WORD.fullmatch(name)
        or (slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix)))
    ):
        raise ValueError(
            f"{shown(text)} is no key of a label; use 1 to 63 letters, digits, '-', '_' and '.', "
            "with a letter or digit at both ends, and before it a DNS name and '/' if there is one"
        )
    return text


def _label_value(text: str) -> str:
    if len(text) > 63 or (text and not _WORD.fullmatch(text)):
        raise ValueError(
            f"{shown(text)} is no value of a label; use at most 63 letters, digits, '-', '_' and '.', "
            "with a letter or digit at both ends"
        )
    return text


def _time_text(text: str) -> str:
    instant(text)
    return text


def _duration_text(text: str) -> str:
    duration(text)
    return text


def _in_schema(pattern: re.Pattern[str], longest: int = 0) -> WithJsonSchema:
    """What a JSON Schema can say of a type: `schema` prints it for editors, and the reader's own check goes further."""
    limit = {"maxLength": longest} if longest else {}
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern.pattern})$", **limit})


Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]
LabelName = Annotated[Text, AfterValidator(_label_name), _in_schema(LABEL, 63)]
ObjectName = Annotated[Text, AfterValidator(_object_name), _in_schema(_SUBDOMAIN, 63)]
SecretName = Annotated[Text, AfterValidator(_secret_name), _in_schema(_SUBDOMAIN, 253)]
SecretKey = Annotated[Text, AfterValidator(_secret_key), _in_schema(_KEY, 253)]
VeleroName = Annotated[Text, AfterValidator(_velero_name), _in_schema(_SUBDOMAIN, 253)]
LabelKey = Annotated[Text, AfterValidator(_label_key), _in_schema(_LABEL_KEY, 317)]
LabelValue = Annotated[Text, AfterValidator(_label_value), _in_schema(_LABEL_VALUE, 63)]
Time = Annotated[Text, AfterValidator(_time_text), _in_schema(_TIME)]
Duration = Annotated[Text, AfterValidator(_duration_text), _in_schema(_DURATIONS)]
Unread = Annotated[Any, PlainValidator(lambda _: None)]  # may hold anything, is none of our business and is not kept
