"""Reading all files of a commit, under the limits: every error of every file at once, and no file stops another.

Called by `reconcile` and the commands, through the package.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Final

from pydantic import ValidationError

from reconciler.manifests.documents import Document, Manifests, Path, Position, Problem, SourceFile
from reconciler.manifests.kinds import Foreign, identity_of, kind_of
from reconciler.manifests.nodes import Flaw, Tree, parse
from reconciler.manifests.wording import flaws, path_of
from reconciler.resources import Resource

MAX_FILE_BYTES: Final = 1024 * 1024
MAX_TOTAL_BYTES: Final = 64 * 1024 * 1024
MAX_FILES: Final = 50_000
_MAX_FLAWS: Final = 50  # of one document; a hostile file could have as many as it has lines
_SMALL: Final = 16 * 1024  # bytes of a file that is remembered among many; of larger ones only a few are


@dataclass(frozen=True, slots=True)
class _Read:
    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[tuple[Position, str], ...] = ()
    halves: tuple[Document, ...] = ()


def read(files: Iterable[SourceFile]) -> Manifests:
    """All documents, problems and notes of these files. Never raises for what they hold.

    The limits count in the order in which the files come: 1 MiB a file, 64 MiB and 50,000 files in all.
    """
    results: list[_Read] = []
    unread: set[str] = set()
    total = 0
    for number, file in enumerate(files, start=1):
        total += len(file.content or b"")
        result = _within_limits(file, number, total)
        if result.problems:
            unread.add(file.path)
        results.append(result)
    notes = sorted(note for result in results for note in result.notes)
    return Manifests(
        documents=tuple(sorted((d for r in results for d in r.documents), key=lambda document: document.position)),
        problems=tuple(sorted({p for r in results for p in r.problems})),
        notes=tuple(f"{position}: {text}" for position, text in notes),
        unread=frozenset(unread),
        halves=tuple(half for result in results for half in result.halves),
    )


def _within_limits(file: SourceFile, number: int, total: int) -> _Read:
    if file.content is None:
        what, _, todo = file.problem.partition("; ")
        return _refused(file, what or "the file could not be read", todo or "put a plain YAML file in its place")
    if len(file.content) > MAX_FILE_BYTES:
        return _refused(file, f"the file has {len(file.content):,} bytes, and the limit is 1 MiB", "split it")
    if total > MAX_TOTAL_BYTES or number > MAX_FILES:
        return _refused(
            file, "the files before it reach the limit of 64 MiB or 50,000 files", "use fewer or smaller files"
        )
    return (_read_small if len(file.content) <= _SMALL else _read_large)(file.path, file.content)


def _refused(file: SourceFile, what: str, todo: str) -> _Read:
    return _Read(problems=(Problem(Position(file.path, 1), what, todo),))


def _read(path: str, content: bytes) -> _Read:
    text = _decoded(content)
    trees = text if isinstance(text, Flaw) else parse(text)
    if isinstance(trees, Flaw):
        return _Read(problems=(Problem(Position(path, trees.line), trees.what, trees.todo),))
    documents: list[Document] = []
    problems: list[Problem] = []
    notes: list[tuple[Position, str]] = []
    halves: list[Document] = []
    for tree in trees:
        before = len(problems)
        for found in _document(path, tree):
            match found:
                case Document():
                    documents.append(found)
                case Problem():
                    problems.append(found)
                case _:
                    notes.append((Position(path, tree.line), found))
        halves += _half(path, tree) if len(problems) > before else ()
    return _Read(tuple(documents), tuple(problems), tuple(notes), tuple(halves))


# Every pass reads all files again, and almost none has changed since.
_read_small = lru_cache(maxsize=8192)(_read)
_read_large = lru_cache(maxsize=64)(_read)


def _decoded(content: bytes) -> str | Flaw:
    """The text without a byte order mark, which Kubernetes accepts too."""
    if (nul := content.find(b"\0")) >= 0:
        return Flaw(_line(content, nul), "a NUL byte stands in the file", "save it as plain UTF-8 text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"the byte 0x{content[error.start]:02x} is not UTF-8"
        return Flaw(_line(content, error.start), what, "save the file as UTF-8 (it may be Latin-1 or UTF-16)")


def _line(content: bytes, offset: int) -> int:
    return len((content[:offset] + b".").splitlines())


def _document(path: str, tree: Tree) -> Iterator[Document | Problem | str]:
    """One document, or one note, or all that is wrong with it."""
    kind = kind_of(tree)
    if isinstance(kind, Foreign):
        found = [flaw for flaw in tree.flaws if flaw.always]
        if not found:
            yield kind.note
            return
    else:
        made = _made(tree, kind)
        if isinstance(made, Resource):
            yield Document(Position(path, tree.line), made, tree.lines)
            return
        found = made
    known = None if isinstance(kind, Foreign) else identity_of(tree)
    for flaw in sorted(dict.fromkeys(found), key=lambda flaw: flaw.line)[:_MAX_FLAWS]:
        yield Problem(Position(path, flaw.line), flaw.what, flaw.todo, known)


def _made(tree: Tree, kind: type[Resource] | Flaw | None) -> Resource | list[Flaw]:
    """The resource, if there is nothing wrong at all, else all flaws together."""
    found = list(tree.flaws)
    if isinstance(kind, Flaw):
        return [*found, kind]
    if kind is None:
        return found
    try:
        resource = kind.model_validate(tree.value)
    except ValidationError as error:
        return [*found, *flaws(tree, kind, error)]
    return found or resource


def _half(path: str, tree: Tree) -> Iterator[Document]:
    """A document with errors without the fields that are wrong, where the rest of it can be read by itself."""
    kind = kind_of(tree)
    if not isinstance(kind, type):
        return
    kept = deepcopy(tree.value)
    try:
        kind.model_validate(kept)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _remove(kept, path_of(detail, tree))
    with contextlib.suppress(ValidationError):
        yield Document(Position(path, tree.line), kind.model_validate(kept), tree.lines)


def _remove(value: object, path: Path) -> None:
    """Takes out the field at `path`; of a list all, so that no other item gets another number."""
    steps = tuple(takewhile(lambda step: isinstance(step, str), path))
    for step in steps[:-1]:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, dict) and steps:
        value.pop(steps[-1], None)
