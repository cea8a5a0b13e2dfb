"""What names, keys, durations and plain values may look like: the smallest parts of what users write.

Only `resources` builds on it. A ValueError raised here reads "what is wrong; what to do" and quotes at most
80 characters of a value, control characters escaped; `manifests` shows it to the user as it is.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, PlainValidator, Strict

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")
_LONGEST: Final = timedelta(microseconds=(2**63 - 1) // 1000)  # what Go's time.Duration holds: some 292 years
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


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


def _duration_text(text: str) -> str:
    duration(text)
    return text


Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]
LabelName = Annotated[Text, AfterValidator(_label_name)]
ObjectName = Annotated[Text, AfterValidator(_object_name)]
SecretName = Annotated[Text, AfterValidator(_secret_name)]
SecretKey = Annotated[Text, AfterValidator(_secret_key)]
Duration = Annotated[Text, AfterValidator(_duration_text)]
Unread = Annotated[Any, PlainValidator(lambda _: None)]  # may hold anything, is none of our business and is not kept
