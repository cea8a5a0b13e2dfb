"""What reading gives: documents with the place of every field, problems with `file:line`.

Used by everything that speaks to users about their files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.names import printable
from reconciler.resources import Identity, Resource, identity

Path = tuple[str | int, ...]  # the way to a field: ("spec", "destination", "clusters", 0, "name")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A line of a file: `file` relative to the repository's root, `line` counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{printable(self.file)}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that the user has to mend.

    `identity` is the object that it is about, where that can be told: its record is then left as it is. It takes no
    part in comparisons, so that problems can be sorted and doubles found.
    """

    position: Position
    what: str
    todo: str
    identity: Identity | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.position}: {self.what}; {self.todo}"


@dataclass(frozen=True, slots=True)
class Document:
    """One object that was read without error.

    `position` is its first line, `lines` the line of each field by its path, counted from 1 in that file.
    """

    position: Position
    resource: Resource = field(hash=False)
    lines: Mapping[Path, int] = field(compare=False, repr=False)

    @property
    def identity(self) -> Identity:
        """(kind, namespace, name)."""
        return identity(self.resource)

    def at(self, *path: str | int) -> Position:
        """Where a field stands; where the file does not have it, the nearest mapping around it that it has."""
        return Position(self.position.file, line_of(self.lines, path, self.position.line))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as `repository` found it.

    `path` is relative to the repository's root. `content` is None where it could not be read (a symlink, say);
    `problem` then says why, as a plain sentence without a full stop, and after "; " what to do, if it knows better than
    that a plain file belongs there.
    """

    path: str
    content: bytes | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Manifests:
    """All files of one commit, each tuple in the order of file and line.

    `unread` names the files with any error; `notes` are for the user's information only. `halves`: documents with
    errors, each without the fields that are wrong, to be searched for more errors; nothing is ever done by them.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    unread: frozenset[str]
    halves: tuple[Document, ...] = ()


def line_of(lines: Mapping[Path, int], path: Path, first: int) -> int:
    """The line of a path, or of the nearest path around it; `first` where there is none. From 1."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return first
