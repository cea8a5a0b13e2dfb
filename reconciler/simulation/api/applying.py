"""Server-side apply: each manager owns the fields it applied, what it applies no more goes, and owners can conflict.

Owners are kept in metadata.managedFields as on a real server, but appliers alone: writes by other means own nothing.
"""

from __future__ import annotations

import json
from typing import Any

from reconciler.simulation.api.changes import copy
from reconciler.simulation.api.fields import step_into
from reconciler.simulation.api.statuses import ApiStatusError
from reconciler.simulation.api.types import OBJECT_META, Kind, resolve, schemas
from reconciler.simulation.cluster import Object

Path = tuple[str, ...]
_IDENTITY = {("f:apiVersion",), ("f:kind",), ("f:metadata",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace")}


def apply(kind: Kind, live: Object | None, config: Object, manager: str, *, force: bool, now: str) -> Object:
    """The object as it is once `manager` has applied `config` to it. 409 where fields are others' and differ."""
    schema = _schema(kind)
    config = copy(config)
    config["metadata"].pop("managedFields", None)
    wanted = _paths(schema, config, ()) - _IDENTITY
    entries = list((live or {}).get("metadata", {}).get("managedFields", ()))
    owners = {each["manager"]: _flat(each.get("fieldsV1", {}), ()) for each in entries if each["operation"] == "Apply"}
    others = {name: paths for name, paths in owners.items() if name != manager}
    clashes = [
        (name, path)
        for name, paths in others.items()
        for path in sorted(paths & wanted)
        if _value(live, path) != _value(config, path)
    ]
    if clashes and not force:
        raise _conflicts(clashes)
    merged: Object = _merged(schema, live or {}, config)
    kept_by_others = set[Path]().union(*others.values())
    for path in sorted(owners.get(manager, set()) - wanted - kept_by_others, key=len, reverse=True):
        _remove(merged, path)
    owners = {name: paths - {path for of, path in clashes if of == name} for name, paths in others.items()}
    owners[manager] = wanted
    old = {each["manager"]: each for each in entries}
    merged["metadata"]["managedFields"] = [
        _entry(kind, name, paths, old.get(name), now) for name, paths in owners.items() if paths
    ]
    return merged


def _schema(kind: Kind) -> Object:
    if not kind.custom:
        return resolve(kind.schema)
    return {**kind.schema, "properties": {**kind.schema.get("properties", {}), "metadata": schemas()[OBJECT_META]}}


def _entry(kind: Kind, manager: str, paths: set[Path], old: Object | None, now: str) -> Object:
    fields = _tree(paths)
    if old is not None and old.get("fieldsV1") == fields:
        return old
    entry = {"manager": manager, "operation": "Apply", "apiVersion": kind.type.api_version, "time": now}
    return {**entry, "fieldsType": "FieldsV1", "fieldsV1": fields}


def _conflicts(clashes: list[tuple[str, Path]]) -> ApiStatusError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{name}"', "field": _shown(path)}
        for name, path in clashes
    ]
    count = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
    said = f"{causes[0]['message']}: {causes[0]['field']}"
    if len(causes) > 1:
        said = "conflicts" + "".join(
            f'\n- {each["field"]} owned by "{name}"' for (name, _), each in zip(clashes, causes, strict=True)
        )
    return ApiStatusError(409, "Conflict", f"Apply failed with {count}: {said}", {"causes": causes})


def _shown(path: Path) -> str:
    """`.spec.containers[name="x"].image`."""
    text = ""
    for step in path:
        sort, _, name = step.partition(":")
        if sort == "k":
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(name).items()) + "]"
        else:
            text += f".{name}" if sort == "f" else f"[={name}]"
    return text


def _is_leaf(schema: Object, value: Any) -> bool:
    """What is owned as a whole: scalars, atomic maps and lists, and what the schema says nothing of."""
    if isinstance(value, dict):
        return not value or schema.get("x-kubernetes-map-type") == "atomic"
    return not isinstance(value, list) or schema.get("x-kubernetes-list-type") not in ("map", "set")


def _paths(schema: Object, value: Any, at: Path) -> set[Path]:
    schema = resolve(schema)
    if _is_leaf(schema, value):
        return {at} if at else set()
    if isinstance(value, dict):
        return {path for key, item in value.items() for path in _paths(step_into(schema, key), item, (*at, f"f:{key}"))}
    if schema["x-kubernetes-list-type"] == "set":
        return {(*at, f"v:{json.dumps(item)}") for item in value}
    found: set[Path] = set()
    for item in value:
        found |= _paths(schema.get("items", {}), item, (*at, _key(schema, item)))
    return found


def _key(schema: Object, item: Object) -> str:
    keys = {name: item.get(name) for name in schema["x-kubernetes-list-map-keys"] if name in item}
    return "k:" + json.dumps(keys, separators=(",", ":"), sort_keys=True)


def _merged(schema: Object, live: Any, config: Any) -> Any:
    schema = resolve(schema)
    if _is_leaf(schema, config) and not (config == {} and isinstance(live, dict)):
        return config
    if isinstance(config, dict):
        base = dict(live) if isinstance(live, dict) else {}
        return base | {key: _merged(step_into(schema, key), base.get(key), item) for key, item in config.items()}
    base_items = list(live) if isinstance(live, list) else []
    if schema["x-kubernetes-list-type"] == "set":
        return base_items + [item for item in config if item not in base_items]
    places = {_key(schema, item): i for i, item in enumerate(base_items)}
    for item in config:
        at = places.get(_key(schema, item))
        if at is None:
            base_items.append(item)
        else:
            base_items[at] = _merged(schema.get("items", {}), base_items[at], item)
    return base_items


def _tree(paths: set[Path]) -> Object:
    root: Object = {}
    for path in sorted(paths):
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def _flat(tree: Object, at: Path) -> set[Path]:
    steps = [step for step in tree if step != "."]
    if not steps:
        return {at} if at else set()
    return {path for step in steps for path in _flat(tree[step], (*at, step))}


def _find(node: Any, step: str) -> Any:
    """The key or index of a step in a map or a list; None where it is not there."""
    sort, _, name = step.partition(":")
    if isinstance(node, dict):
        return name if sort == "f" and name in node else None
    wanted = json.loads(name) if sort in ("k", "v") else None
    for i, item in enumerate(node if isinstance(node, list) else ()):
        if item == wanted if sort == "v" else isinstance(item, dict) and wanted and wanted.items() <= item.items():
            return i
    return None


def _value(node: Any, path: Path) -> Any:
    for step in path:
        at = _find(node, step)
        if at is None:
            return None
        node = node[at]
    return node


def _remove(node: Any, path: Path) -> None:
    """Takes a field off, and lists and maps that are empty then, or items of which only the key is left."""
    parents = []
    for step in path:
        at = _find(node, step)
        if at is None:
            return
        parents.append((node, at, step))
        node[at] = node = copy(node[at])
    (parent, at, _), *above = reversed(parents)
    del parent[at]
    for parent, at, step in above:
        key = json.loads(step[2:]) if step.startswith("k:") else {}
        if parent[at] and parent[at] != key:
            return
        del parent[at]
