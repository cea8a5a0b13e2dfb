"""Label and field selectors, parsed as a real server does, and asked whether they select an object."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.simulation.api.metadata import qualified_name, quoted
from reconciler.simulation.api.statuses import ApiStatusError, bad_request
from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object

Selector = Callable[[Object], bool]
_SYMBOLS = ("", "=", "==", "!=", "!", "(", ")", ",", "<", ">")
_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
# Beside metadata.name and metadata.namespace, which all kinds have.
_FIELDS = {
    "pods": "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName status.phase status.podIP",
    "namespaces": "status.phase",
    "secrets": "type",
    "events": "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid reason type source",
    "nodes": "spec.unschedulable",
    "replicasets": "status.replicas",
    "jobs": "status.successful",
}


def everything(_: Object) -> bool:
    """The selector that is empty."""
    return True


@dataclass(frozen=True, slots=True)
class _Requirement:
    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Object) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value in self.values
            case "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "absent":
                return value is None
            case _:
                return _is_number(value) and (
                    int(str(value)) > int(self.values[0])
                    if self.operator == ">"
                    else int(str(value)) < int(self.values[0])
                )


def _is_number(value: Any) -> bool:
    return re.fullmatch(r"-?\d+", str(value)) is not None


class _Reader:
    """Reads the tokens of a label selector one after the other; the words of its refusals are apimachinery's."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def next(self) -> str:
        found = self.peek()
        self._at += 1
        return found

    def requirements(self) -> list[_Requirement]:
        found: list[_Requirement] = []
        while self.peek() or found:
            if self.peek() != "!" and self.peek() in _SYMBOLS:
                wanted = "identifier after ','" if found else "!, identifier, or 'end of string'"
                raise bad_request(f"found '{self.peek()}', expected: {wanted}")
            found.append(self.requirement())
            if not self.peek():
                break
            if (mark := self.next()) != ",":
                raise bad_request(f"found '{mark}', expected: ',' or 'end of string'")
        return found

    def requirement(self) -> _Requirement:
        absent = self.peek() == "!"
        if absent:
            self.next()
        key = self.identifier("identifier")
        if wrong := next(qualified_name(key), ""):
            raise _cannot_parse(f"<nil>: Invalid value: {quoted(key)}: {wrong}")
        operator = self.peek()
        if absent or operator in ("", ","):
            return _Requirement(key, "absent" if absent else "exists")
        self.next()
        if operator in ("in", "notin"):
            return _Requirement(key, operator, self.values())
        if operator in ("<", ">"):
            number = self.identifier("identifier")
            if not _is_number(number):
                text = "for 'Gt', 'Lt' operators, the value must be an integer"
                raise _cannot_parse(f"values[0]: Invalid value: {quoted(number)}: {text}")
            return _Requirement(key, operator, (number,))
        if operator in ("=", "==", "!="):
            value = "" if self.peek() in ("", ",") else self.identifier("identifier")
            return _Requirement(key, "notin" if operator == "!=" else "in", (value,))
        raise _cannot_parse(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")

    def identifier(self, expected: str) -> str:
        found = self.next()
        if found in _SYMBOLS:
            raise _cannot_parse(f"found '{found}', expected: {expected}")
        return found

    def values(self) -> tuple[str, ...]:
        if (found := self.next()) != "(":
            raise _cannot_parse(f"found '{found}' expected: '('")
        values, mark = [], ","
        while mark == ",":
            values.append("" if self.peek() in (",", ")") else self.identifier("',', ')' or identifier"))
            mark = self.next()
        if mark != ")":
            raise _cannot_parse(f"found '{mark}', expected: ',' or ')'")
        return tuple(values)


def _cannot_parse(why: str) -> ApiStatusError:
    return bad_request(f"unable to parse requirement: {why}")


def label_selector(text: str) -> Selector:
    """Equality and set based requirements, e.g. `a=b,c!=d,e in (f,g),!h`. 400 where it can't be parsed."""
    requirements = _Reader(text).requirements()
    if not requirements:
        return everything
    return lambda obj: all(each.holds(obj["metadata"].get("labels") or {}) for each in requirements)


def matches(selector: Object | None, labels: Object) -> bool:
    """Whether a LabelSelector as objects have it (matchLabels, matchExpressions) selects these labels."""
    selector = selector or {}
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    return all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()) and all(
        _Requirement(each["key"], operators[each["operator"]], tuple(each.get("values") or ())).holds(labels)
        for each in selector.get("matchExpressions") or ()
    )


def field_selector(kind: Kind, text: str) -> Selector:
    """`metadata.name=x`, and the few others that a real server knows of that kind."""
    terms = []
    for term in filter(None, text.split(",")):
        found = re.fullmatch(r"([^=!]+)(==|!=|=)(.*)", term)
        if found is None:
            raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
        path, operator, value = found.groups()
        if path not in _known_fields(kind):
            raise bad_request(_unknown_field(kind, path))
        terms.append((path.split("."), operator != "!=", value))
    return lambda obj: all((_at(obj, path) == value) is equal for path, equal, value in terms)


def _known_fields(kind: Kind) -> tuple[str, ...]:
    more = () if kind.custom else tuple(_FIELDS.get(kind.type.plural, "").split())
    return ("metadata.name", "metadata.namespace", *more)


def _unknown_field(kind: Kind, path: str) -> str:
    if kind.custom or kind.type.plural in _FIELDS:
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _at(obj: Object, path: list[str]) -> str:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return "" if value is None else str(value)
