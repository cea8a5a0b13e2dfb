"""YAML text to plain values, with the line of each, under one reading of scalars that no version of YAML disputes.

The only module that imports ruamel.yaml, and of it only the parser's events: nothing is ever expanded or constructed,
so an alias costs nothing. Called by `reading`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.reader import ReaderError

from reconciler.manifests.documents import Path
from reconciler.names import bare, shown

MAX_DEPTH: Final = 50

_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NULL: Final = ("", "~", "null", "Null", "NULL")
_BOOL: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)")
_DISPUTED = (
    re.compile(  # what YAML 1.1 or 1.2 reads as something else than text, and the other does not, or differently
        r"y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|=|<<"
        r"|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0[oO]?[0-9_]+|[-+]?0[bB][01_]+|[-+]?[0-9][0-9_]*"
        r"|[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
        r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?"
    )
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong in one file, at `line` (from 1). `always` tells that it counts in documents of foreign kinds."""

    line: int
    what: str
    todo: str
    always: bool = False


@dataclass(frozen=True, slots=True)
class NotText:
    """Stands for an unquoted fraction, or (`disputed`) one that versions of YAML read differently: `on`, `0o17`."""

    text: str
    disputed: bool


@dataclass(frozen=True, slots=True)
class Null:
    """Stands for an empty value or `null`, so that an emptied filter is never taken for one that was left out."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands where a flaw was reported already, so that it is not reported twice."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One document: `value` of dict, list, str, bool, int and the three stand-ins; lines from 1."""

    line: int
    value: object
    lines: dict[Path, int]
    flaws: tuple[Flaw, ...]


def parse(text: str) -> tuple[Tree, ...] | Flaw:
    """The documents of a file, empty ones left out, or the one flaw that makes all of the file unreadable."""
    composer = _Composer(text)
    try:
        return tuple(composer.documents())
    except _TooDeepError:
        return Flaw(composer.line, f"nested deeper than {MAX_DEPTH} levels", "write it flatter")
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Flaw(composer.line_at(mark.index) if mark else composer.line, *_syntax(error))
    except ReaderError as error:
        return Flaw(composer.line_at(error.position), "a control character stands in the file", "remove it")
    except (YAMLError, ValueError, OverflowError):  # an escape such as "\UFFFFFFFF" ends in chr()
        return Flaw(composer.line, "this is not YAML", "look for a broken escape or directive from this line on")


def _syntax(error: MarkedYAMLError) -> tuple[str, str]:
    """What is wrong and what to do, for the mistakes that people make, and in the parser's words for the others."""
    problem = "".join(c if c.isprintable() else "?" for c in str(error.problem or "unknown error"))[:120]
    context = str(error.context or "")
    if "'\\t'" in problem:
        return "a tab stands where YAML allows only spaces", "use spaces"
    if "alias" in context or "anchor" in context:
        return "`*` or `&` begins an alias or anchor, and these are not read", 'quote text that begins so, as in "*"'
    if "cannot start any token" in problem:
        return f"this is not YAML: {problem}", "quote text that begins with it"
    return f"this is not YAML: {problem}", "mend the indentation, a missing quote, bracket or colon near this line"


class _TooDeepError(Exception):
    """Stops the parser at once: all that follows would cost time for nothing."""


class _Composer:
    """Builds the trees of one file from the parser's events."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
        self._ends = [match.end() for match in _LINE_END.finditer(text)]
        self._lines: dict[Path, int] = {}
        self._flaws: list[Flaw] = []
        self.line = 1  # of the last event, for errors that do not tell

    def line_at(self, index: int) -> int:
        """The line (from 1) of a character (from 0), as editors count: YAML itself knows more line ends."""
        return bisect_right(self._ends, index) + 1

    def documents(self) -> Iterator[Tree]:
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            self._lines, self._flaws = {}, []
            root = self._next()
            line = self.line
            value = self._value(root, ())
            if self._flaws or not isinstance(value, Null):
                yield Tree(line, value, self._lines, tuple(self._flaws))

    def _next(self) -> Any:
        event = next(self._events)
        self.line = self.line_at(event.start_mark.index)
        return event

    def _value(self, event: Any, path: Path, depth: int = 1) -> object:
        """The value that begins with this event; all of its events are taken."""
        if depth > MAX_DEPTH and not isinstance(event, ScalarEvent | AliasEvent):
            raise _TooDeepError
        if isinstance(event, AliasEvent):
            self._flaw(f"`*{bare(event.anchor)}` is an alias, and aliases are not read", _ALIAS, always=True)
            return Unusable()
        if event.anchor is not None:
            self._flaw(f"`&{bare(event.anchor)}` is an anchor, and anchors are not read", _ANCHOR, always=True)
        tagged = event.tag is not None
        if tagged:
            self._flaw(f"the tag `{_tag(event.tag)}` is not read", "remove it, and quote what must be text")
        if isinstance(event, ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, MappingStartEvent):
            value = self._mapping(path, depth)
        else:
            value = self._sequence(path, depth)
        return Unusable() if tagged else value

    def _scalar(self, event: ScalarEvent) -> object:
        text: str = event.value
        if _SURROGATE.search(text):
            self._flaw("an escape in this text stands for half a character", "write the character itself")
            return Unusable()
        return resolve(text) if event.style is None else text

    def _sequence(self, path: Path, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            here = (*path, len(items))
            self._lines[here] = self.line
            items.append(self._value(event, here, depth + 1))
        return items

    def _mapping(self, path: Path, depth: int) -> dict[str, object]:
        fields: dict[str, object] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            line = self.line
            key = self._key(event, depth)
            here = path if key is None else (*path, key)
            if key is not None and key in fields:
                what = f"`{bare(key)}` stands twice, first in line {self._lines[here]}"
                self._flaw(what, "keep one")
                self._value(self._next(), here, depth + 1)
                fields[key] = Unusable()
                continue
            if key is not None:
                self._lines[here] = line
            value = self._value(self._next(), here, depth + 1)
            if key is not None:
                fields[key] = value
        return fields

    def _key(self, event: Any, depth: int) -> str | None:
        line = self.line
        key = self._value(event, ("?",), depth + 1)
        if isinstance(key, str):
            return key
        if isinstance(event, ScalarEvent) and event.value == "<<":
            self._flaw("`<<` is a merge key, and these are not read", "write the fields out", line)
        elif isinstance(event, ScalarEvent) and not isinstance(key, Unusable):
            self._flaw(f"the key {shown(event.value)} must be text", f'quote it: "{bare(event.value)}"', line)
        elif not isinstance(key, Unusable):
            self._flaw("a key must be text, not a list or mapping", "write `name: value`", line)
        return None

    def _flaw(self, what: str, todo: str, line: int = 0, *, always: bool = False) -> None:
        self._flaws.append(Flaw(line or self.line, what, todo, always))


_ALIAS: Final = 'write out what it stands for, or quote it if it is text, as in "*"'
_ANCHOR: Final = 'write the value without it, or quote it if it is text, as in "&"'


def resolve(text: str) -> object:
    """An unquoted scalar as every version of YAML and Kubernetes reads it; a stand-in where they differ."""
    if text in _NULL:
        return Null()
    if text in _BOOL:
        return _BOOL[text]
    if text[0].isalpha() and len(text) > 3:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return NotText(text, disputed=False)
    return NotText(text, disputed=True) if _DISPUTED.fullmatch(text) else text


def _tag(tag: str) -> str:
    return bare(tag.replace("tag:yaml.org,2002:", "!!"))
