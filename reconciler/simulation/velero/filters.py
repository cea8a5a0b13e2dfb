"""Include and exclude lists, and label selectors, as Velero reads them (`pkg/util/collections`, `pkg/util/wildcard`).

Called by `collecting` and `restoring` to choose, by `backups` and `restores` to validate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_NAME_LENGTH: Final = 63
_NOT_A_NAME: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_BAD_INCLUDES: Final = "includes list must either contain '*' only, or a non-empty list of items"


@dataclass(frozen=True, slots=True)
class Filter:
    """Everything in the includes (all, where there are none) but what is in the excludes; both may hold patterns."""

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    nothing: bool = False
    """Patterns were given and none of them matched anything."""

    def __contains__(self, name: str) -> bool:
        if self.nothing or matches(self.excludes, name):
            return False
        return not self.includes or "*" in self.includes or matches(self.includes, name)

    @property
    def everything(self) -> bool:
        return not self.nothing and not self.excludes and self.includes in ((), ("*",))


def matches(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def is_pattern(text: str) -> bool:
    return any(character in text for character in "*?[")


def expanded(includes: Sequence[str], excludes: Sequence[str], existing: Sequence[str]) -> Filter:
    """A backup's namespaces: patterns become the names that match now, unless everything is included."""
    if not includes or "*" in includes or not any(map(is_pattern, (*includes, *excludes))):
        return Filter(tuple(sorted({*includes})), tuple(sorted({*excludes})))
    chosen = _names(includes, existing)
    return Filter(chosen, _names(excludes, existing), nothing=not chosen)


def _names(patterns: Sequence[str], existing: Sequence[str]) -> tuple[str, ...]:
    found = {name for name in existing if matches(filter(is_pattern, patterns), name)}
    return tuple(sorted(found | {name for name in patterns if not is_pattern(name)}))


def mistakes(includes: Sequence[str], excludes: Sequence[str]) -> list[str]:
    """What is wrong with two lists."""
    found = [_BAD_INCLUDES] if len({*includes}) > 1 and "*" in includes else []
    found += ["excludes list cannot contain '*'"] if "*" in excludes else []
    return found + _overlap(includes, excludes)


def scoped_mistakes(includes: Sequence[str], excludes: Sequence[str]) -> list[str]:
    """What is wrong with the lists of the newer fields, in which excluding `*` has a meaning."""
    found = [_BAD_INCLUDES] if len({*includes}) > 1 and "*" in includes else []
    if len({*excludes}) > 1 and "*" in excludes:
        found.append("excludes list must either contain '*' only, or a non-empty list of items")
    if includes and "*" in excludes:
        found.append("when exclude is '*', include cannot have value")
    return found + _overlap(includes, excludes)


def namespace_mistakes(includes: Sequence[str], excludes: Sequence[str]) -> list[str]:
    """What is wrong with a backup's lists of namespaces."""
    found = mistakes(includes, excludes)
    for name in (*sorted({*includes}), *sorted({*excludes})):
        found += [problem] if (problem := _namespace_mistake(name)) else []
    return found


def _overlap(includes: Sequence[str], excludes: Sequence[str]) -> list[str]:
    both = sorted({*includes} & {*excludes})
    return [f"excludes list cannot contain an item in the includes list: {name}" for name in both]


def _namespace_mistake(name: str) -> str:
    if not name:
        return ""
    if any(character in name for character in "|()!{},"):
        return "wildcard pattern contains unsupported characters: |, (, ), !, {, }, ,"
    if "**" in name:
        return "wildcard pattern contains consecutive asterisks (only single * allowed)"
    if problem := _bracket_mistake(name):
        return problem
    plain = re.sub(r"[*?\[\]]", "x", name)
    if not _NAME.fullmatch(plain):
        return f'invalid namespace "{name}": {_NOT_A_NAME}'
    if len(plain) > _NAME_LENGTH:
        return f'invalid namespace "{name}": must be no more than 63 characters'
    return ""


def _bracket_mistake(pattern: str) -> str:
    rest = pattern
    while rest:
        if rest[0] == "]":
            return "wildcard pattern contains unmatched closing bracket ']'"
        if rest[0] == "[":
            inside, closed, rest = rest[1:].partition("]")
            if not closed:
                return "wildcard pattern contains unclosed bracket '['"
            if not inside:
                return "wildcard pattern contains empty bracket pattern '[]'"
        else:
            rest = rest[1:]
    return ""


def selected(labels: Mapping[str, str], selector: Mapping[str, Any] | None) -> bool:
    """Whether a metav1.LabelSelector, where there is one, matches."""
    if not selector:
        return True
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(labels, one) for one in selector.get("matchExpressions") or ())


def any_selected(labels: Mapping[str, str], selectors: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of them matches; true where there are none."""
    return not selectors or any(selected(labels, selector) for selector in selectors)


def _expression(labels: Mapping[str, str], one: Mapping[str, Any]) -> bool:
    key, values = one.get("key", ""), one.get("values") or []
    match one.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
