"""The patches of RFC 6902 and RFC 7386, and Kubernetes' strategic merge.

Written here, in a hundred lines, rather than taken from a library: strategic merge is Kubernetes' own and in no library
of Python's, `jsonpatch` would be a dependency of the product for the sake of its simulation, and a real API server's
refusals (422 without a word of the reason) are simpler than a library's. Server-side apply is in `applying`.
"""

from __future__ import annotations

from typing import Any

from reconciler.simulation.api.changes import copy
from reconciler.simulation.api.fields import step_into
from reconciler.simulation.api.statuses import ApiStatusError, bad_request
from reconciler.simulation.api.types import resolve
from reconciler.simulation.cluster import Object

_OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")


class _CannotPatch(Exception):
    """An operation that does not fit the object."""


def json_patch(obj: Object, operations: Any) -> Object:
    """RFC 6902. As a real server's library has it, `replace` also adds a missing key."""
    if not isinstance(operations, list):
        text = "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        raise bad_request(text)
    document: Any = copy(obj)
    try:
        for operation in operations:
            document = _operate(document, operation)
        if not isinstance(document, dict):
            raise _CannotPatch
    except (_CannotPatch, KeyError, TypeError, AttributeError) as error:
        text = "the server rejected our request due to an error in our request"
        raise ApiStatusError(422, "Invalid", text, {}) from error
    return document


def _operate(document: Any, operation: Object) -> Any:
    name, path = operation["op"], _steps(operation["path"])
    if name not in _OPERATIONS:
        raise _CannotPatch
    if name == "test":
        if _at(document, path) != operation.get("value"):
            raise _CannotPatch
        return document
    if name in ("move", "copy"):
        origin = _steps(operation["from"])
        value = copy(_at(document, origin))
        if name == "move":
            document = _changed(document, origin, "remove", None)
        return _changed(document, path, "add", value)
    return _changed(document, path, name, copy(operation["value"]) if name != "remove" else None)


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise _CannotPatch
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _at(node: Any, steps: list[str]) -> Any:
    for step in steps:
        node = node[_index(node, step)] if isinstance(node, list) else node[step]
    return node


def _index(items: list[Any], step: str, *, past_the_end: bool = False) -> int:
    if step == "-" and past_the_end:
        return len(items)
    if not step.isdigit() or int(step) > len(items) - (not past_the_end):
        raise _CannotPatch
    return int(step)


def _changed(document: Any, steps: list[str], name: str, value: Any) -> Any:
    if not steps:
        return value
    parent, last = _at(document, steps[:-1]), steps[-1]
    if isinstance(parent, list):
        at = _index(parent, last, past_the_end=name == "add")
        if name == "add":
            parent.insert(at, value)
        elif name == "replace":
            parent[at] = value
        else:
            del parent[at]
    elif name == "remove":
        del parent[last]
    else:
        parent[last] = value
    return document


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_merge(target: Any, patch: Any, schema: Object) -> Any:
    """As merge, but lists whose schema says so are merged by their items' key; `$patch` and its kin are obeyed."""
    schema = resolve(schema)
    if isinstance(patch, list):
        return _merged_list(target if isinstance(target, list) else [], patch, schema)
    if not isinstance(patch, dict):
        return copy(patch)
    if patch.get("$patch") == "replace":
        return {key: copy(value) for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    merged = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        merged = {key: value for key, value in merged.items() if key in patch["$retainKeys"]}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            merged[name] = [each for each in merged.get(name, ()) if each not in value]
        elif key.startswith(("$setElementOrder/", "$retainKeys")):
            continue
        elif value is None:
            merged.pop(key, None)
        else:
            merged[key] = strategic_merge(merged.get(key), value, step_into(schema, key))
    for key, order in patch.items():
        if key.startswith("$setElementOrder/"):
            name = key.partition("/")[2]
            if isinstance(merged.get(name), list):
                merged[name] = _ordered(merged[name], order, resolve(step_into(schema, name)))
    return merged


def _merged_list(target: list[Any], patch: list[Any], schema: Object) -> list[Any]:
    if "merge" not in str(schema.get("x-kubernetes-patch-strategy", "")):
        return [copy(each) for each in patch]
    if any(isinstance(each, dict) and each.get("$patch") == "replace" for each in patch):
        return [copy(each) for each in patch if not (isinstance(each, dict) and "$patch" in each)]
    key, merged = schema.get("x-kubernetes-patch-merge-key"), list(target)
    for item in patch:
        if key is None or not isinstance(item, dict):
            merged += [] if item in merged else [copy(item)]
            continue
        at = next((i for i, each in enumerate(merged) if each.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            merged = [each for each in merged if each.get(key) != item.get(key)]
        elif at is None:
            merged.append(strategic_merge({}, item, schema.get("items", {})))
        else:
            merged[at] = strategic_merge(merged[at], item, schema.get("items", {}))
    return merged


def _ordered(items: list[Any], order: list[Any], schema: Object) -> list[Any]:
    """Items named in `order` as it has them; the others keep their place after what they followed."""
    key = schema.get("x-kubernetes-patch-merge-key")

    def name(item: Any) -> Any:
        return item.get(key) if isinstance(item, dict) else item

    places = {name(each): i for i, each in enumerate(order)}
    known = iter(sorted((each for each in items if name(each) in places), key=lambda each: places[name(each)]))
    return [next(known) if name(each) in places else each for each in items]
