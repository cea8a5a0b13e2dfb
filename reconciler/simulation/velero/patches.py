"""JSON merge patches (RFC 7386) and JSON patches (RFC 6902), as far as restores use them.

Called by `restoring` and `modifiers`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any


class PatchError(Exception):
    """A patch that can't be applied."""


class TestFailed(PatchError):
    """Its `test` operation found something else, or nothing."""

    __test__ = False


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that makes `after` of `before`."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        if key not in before:
            patch[key] = copy.deepcopy(value)
        elif isinstance(value, Mapping) and isinstance(before[key], Mapping):
            if inner := merge_patch(before[key], value):
                patch[key] = inner
        elif value != before[key]:
            patch[key] = copy.deepcopy(value)
    return patch


def merged(target: Any, patch: Any) -> Any:
    """The target with a merge patch applied."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    found = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def apply(document: Any, operation: str, path: str, value: Any, source: str) -> None:
    """One operation of a JSON patch, in place."""
    match operation:
        case "add":
            _add(document, path, value)
        case "remove":
            _remove(document, path)
        case "replace":
            _remove(document, path)
            _add(document, path, value)
        case "move":
            moved = _get(document, source)
            _remove(document, source)
            _add(document, path, moved)
        case "copy":
            _add(document, path, copy.deepcopy(_get(document, source)))
        case "test":
            try:
                found = _get(document, path)
            except PatchError as error:
                raise TestFailed(str(error)) from error
            if found != value:
                raise TestFailed(f"testing value {path} failed")
        case _:
            raise PatchError(f"Unexpected kind: {operation}")


def _parent(document: Any, path: str) -> tuple[Any, Any]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if not parts:
        raise PatchError(f'"{path}" names no field')
    for part in parts[:-1]:
        document = _child(document, part, path)
    return document, parts[-1]


def _get(document: Any, path: str) -> Any:
    parent, last = _parent(document, path)
    return _child(parent, last, path)


def _child(parent: Any, part: str, path: str) -> Any:
    try:
        return parent[int(part)] if isinstance(parent, list) else parent[part]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise PatchError(f"doc is missing path: {path}: missing value") from error


def _add(document: Any, path: str, value: Any) -> None:
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        try:
            parent.insert(len(parent) if last == "-" else int(last), value)
        except ValueError as error:
            raise PatchError(f"add operation does not apply: {path}") from error
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise PatchError(f"add operation does not apply: doc is missing path: {path}")


def _remove(document: Any, path: str) -> None:
    parent, last = _parent(document, path)
    _child(parent, last, path)
    del parent[int(last) if isinstance(parent, list) else last]
