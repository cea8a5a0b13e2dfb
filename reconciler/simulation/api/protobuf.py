"""Bodies in protobuf, which kubectl sends for what it makes itself (`kubectl create namespace`); answers are JSON.

The fields of the messages were read from Kubernetes' sources, see `tests/simulation/structs.py`. Go's encoder writes
fields that are zero, too, unless they are pointers; here they are as if they were not there, as in Go's JSON.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from reconciler.simulation.api.types import messages
from reconciler.simulation.cluster import Object

_MAGIC = b"k8s\x00"
_PACKAGES = {"rbac.authorization.k8s.io": "rbac", "networking.k8s.io": "networking", "": "core"}
Field = tuple[int, int | bytes]


def decode(body: bytes, message: str = "") -> Object:
    """The object in an envelope of Kubernetes; `message` where it is none that has a kind of its own. ValueError."""
    if not body.startswith(_MAGIC):
        raise ValueError("no Kubernetes protobuf")
    envelope = dict(_fields(body[len(_MAGIC) :]))
    typed = {number: _text(value) for number, value in _fields(_bytes(envelope.get(1, b"")))}
    version, kind = typed.get(1, ""), typed.get(2, "")
    group, _, number = version.rpartition("/")
    package = _PACKAGES.get(group, group.partition(".")[0])
    found = _message(message or f"{package}/{number}.{kind}", _bytes(envelope.get(2, b"")))
    return {"apiVersion": version, "kind": kind, **found}


def _message(name: str, content: bytes) -> Object:
    known = messages().get(name)
    if known is None:
        raise ValueError(f"no message {name}")
    found: Object = {}
    for number, value in _fields(content):
        field, sort = known.get(str(number), ("", ""))
        if not sort:
            continue
        if sort.startswith("[]"):
            items = _packed(value) if sort == "[]int" and isinstance(value, bytes) else [_value(sort[2:], value)]
            found.setdefault(field, []).extend(items)
        elif sort.startswith("map:"):
            entry = dict(_fields(_bytes(value)))
            found.setdefault(field, {})[_text(entry.get(1, b""))] = _value(sort[4:], entry.get(2, b""))
        elif (made := _value(sort.lstrip("*"), value)) or sort.startswith("*"):
            found |= {field: made} if field else made
    return found


def _value(sort: str, value: int | bytes) -> Any:
    match sort:
        case "string":
            return _text(value)
        case "bytes":
            return base64.b64encode(_bytes(value)).decode()
        case "bool":
            return bool(value)
        case "int":
            number = int(value) if isinstance(value, int) else 0
            return number - (1 << 64) if number >> 63 else number
        case "double":
            return struct.unpack("<d", _bytes(value))[0]
        case "quantity":
            return _text(dict(_fields(_bytes(value))).get(1, b""))
        case "time":
            seconds = dict(_fields(_bytes(value))).get(1)
            made = datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and not seconds >> 63 else None
            return made.strftime("%Y-%m-%dT%H:%M:%SZ") if made else None
        case "intorstring":
            parts = dict(_fields(_bytes(value)))
            return _text(parts.get(3, b"")) if parts.get(1) else _value("int", parts.get(2, 0))
    if sort.startswith("items:"):
        return [_value(sort[6:], item) for _, item in _fields(_bytes(value))]
    return _message(sort, _bytes(value))


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()


def _packed(content: bytes) -> list[int]:
    numbers, at = [], 0
    while at < len(content):
        number, at = _varint(content, at)
        numbers.append(number)
    return numbers


def _fields(content: bytes) -> Iterator[Field]:
    """The numbers of the fields, and what is in them: an int, or bytes."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        length = {1: 8, 5: 4}.get(key & 7, 0)
        if key & 7 == 0:
            number, at = _varint(content, at)
            yield key >> 3, number
            continue
        if key & 7 == 2:
            length, at = _varint(content, at)
        if (not length and key & 7 != 2) or at + length > len(content):
            raise ValueError("unexpected EOF")
        yield key >> 3, content[at : at + length]
        at += length


def _varint(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(content):
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
    raise ValueError("unexpected EOF")
