"""Objects against the schema of their kind: what is unknown, what is pruned, what has the wrong type.

A real server decodes built-in kinds into Go structs, where one wrong type ends the request with 400, and checks custom
resources against their CustomResourceDefinition, which names all that is wrong in a 422; so does `conform`. An unknown
field is dropped by both, or with `fieldValidation=Strict` refused (`strict_errors`).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from reconciler.simulation.api.statuses import ApiStatusError, Cause, bad_request, invalid
from reconciler.simulation.api.types import OBJECT_META, Kind, resolve
from reconciler.simulation.cluster import Object

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_GO_TYPES = {"string": "string", "boolean": "bool", "number": "float64", "array": "[]interface {}", "object": "map"}


class Repeated(dict[str, Any]):
    """A JSON object that names a field twice."""

    fields: tuple[str, ...] = ()


def parse(text: bytes) -> Any:
    """JSON, in which repeated fields are remembered for `strict_errors`."""
    return json.loads(text, object_pairs_hook=_pairs)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    repeated = Repeated(found)
    repeated.fields = tuple(key for number, key in enumerate(keys) if key in keys[:number])
    return repeated


class _Walk:
    """One walk through an object; `unknown` and `causes` fill as it goes."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.unknown: list[str] = []
        self.repeated: list[str] = []
        self.causes: list[Cause] = []

    def decode(self, obj: Object) -> Object:
        if not self.kind.custom:
            return self.struct(self.kind.schema, obj, "", "")  # type: ignore[no-any-return] # an object stays one
        metadata = self.struct({"$ref": f"#/components/schemas/{OBJECT_META}"}, obj.get("metadata"), "metadata", "")
        rest = {key: value for key, value in obj.items() if key != "metadata"}
        already, self.unknown = self.unknown, []
        found: Object = self.custom(self.kind.schema, rest, "")
        self.unknown = already + sorted(self.unknown)
        for key in ("apiVersion", "kind"):
            found[key] = obj.get(key)
        return {**found, "metadata": metadata or {}}

    def note(self, value: Any, path: str) -> None:
        if isinstance(value, Repeated):
            self.repeated += [join(path, name) for name in value.fields]

    def struct(self, node: Object, value: Any, path: str, owner: str) -> Any:
        """As Go decodes into a struct: null and empty maps and lists are as if they were not there."""
        schema = resolve(node)
        owner = node["$ref"].rpartition(".")[2] if "$ref" in node else owner
        kind = schema.get("type")
        if value is None or kind is None or schema.get("format") == "int-or-string":
            return value
        wrong = wrong_type(kind, value)
        if wrong:
            where = f"{owner}.{path}" if path else owner
            go = _GO_TYPES.get(kind) or schema.get("format", "int64")
            raise self.cannot(f"json: cannot unmarshal {wrong} into Go struct field {where} of type {go}")
        if schema.get("format") == "byte":
            self.base64(value)
        if kind == "array":
            items = schema.get("items", {})
            return [self.struct(items, item, f"{path}[{i}]", owner) for i, item in enumerate(value)]
        if kind != "object":
            return value
        self.note(value, path)
        fields, more = schema.get("properties"), schema.get("additionalProperties")
        if fields is None and more is None:
            return dict(value)
        found = {}
        for key, item in value.items():
            if fields is not None and key not in fields:
                self.unknown.append(join(path, key))
                continue
            inner, where = (fields[key], join(path, key)) if fields is not None else (more, path)
            made = self.struct(inner, item, where, owner) if isinstance(inner, dict) else item
            if made is None or (fields is not None and not made and is_collection(inner or {})):
                continue
            found[key] = made
        return found

    def base64(self, value: str) -> None:
        try:
            base64.b64decode(value.replace("\n", ""), validate=True)
        except (binascii.Error, ValueError):
            at = re.search(r"[^A-Za-z0-9+/=]", value)
            offset = at.start() if at else len(value) // 4 * 4
            raise self.cannot(f"illegal base64 data at input byte {offset}") from None

    def cannot(self, why: str) -> ApiStatusError:
        return bad_request(cannot_be_handled(self.kind, why))

    def custom(self, schema: Object, value: Any, path: str) -> Any:
        """As a CustomResourceDefinition has it: unknown fields are pruned, all else is checked."""
        if value is None and not schema.get("nullable"):
            if "default" in schema:
                return schema["default"]
            self.wrong(path, schema.get("type", "object"), "null")
            return None
        kind = schema.get("type")
        if value is None or schema.get(_INT_OR_STRING) or kind is None:
            return value
        if wrong := wrong_type(kind, value):
            named = "integer" if wrong == "number" and isinstance(value, int) else wrong
            self.wrong(path, kind, {"bool": "boolean"}.get(named, named))
            return value
        self.limits(schema, value, path)
        if kind == "array":
            items = schema.get("items", {})
            return [self.custom(items, item, f"{path}[{i}]") for i, item in enumerate(value)]
        return self.custom_object(schema, value, path) if kind == "object" else value

    def custom_object(self, schema: Object, value: Object, path: str) -> Object:
        self.note(value, path)
        fields, more = schema.get("properties", {}), schema.get("additionalProperties")
        found = {}
        for key, item in value.items():
            where = join(path, key)
            if key in fields:
                found[key] = self.custom(fields[key], item, where)
            elif isinstance(more, dict):
                found[key] = self.custom(more, item, where)
            elif more or schema.get(_PRESERVE):
                found[key] = item
            elif path or key not in ("apiVersion", "kind"):
                self.unknown.append(where)
        for key, inner in fields.items():
            if key not in found and "default" in inner:
                found[key] = inner["default"]
        for key in schema.get("required", ()):
            if key not in found:
                self.causes.append(Cause(join(path, key), "Required value"))
        return found

    def limits(self, schema: Object, value: Any, path: str) -> None:
        if "enum" in schema and value not in schema["enum"]:
            allowed = ", ".join(json.dumps(each) for each in schema["enum"])
            self.causes.append(Cause(path, f"Unsupported value: {json.dumps(value)}: supported values: {allowed}"))
        if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
            text = f"{path} in body should match '{schema['pattern']}'"
            self.causes.append(Cause(path, f"Invalid value: {json.dumps(value)}: {text}"))
        for limit, name, broken in (("minimum", "greater", -1), ("maximum", "less", 1)):
            if limit in schema and (value > schema[limit]) - (value < schema[limit]) == broken:
                text = f"{path} in body should be {name} than or equal to {schema[limit]}"
                self.causes.append(Cause(path, f"Invalid value: {value}: {text}"))

    def wrong(self, path: str, wanted: str, found: str) -> None:
        text = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'
        self.causes.append(Cause(path, text, type_is_wrong=True))


def join(path: str, key: str) -> str:
    """`spec.x`, or `x` at the top."""
    return f"{path}.{key}" if path else key


def is_collection(node: Object) -> bool:
    """A map or a list, which Go leaves out when it is empty; an empty struct stays."""
    schema = resolve(node)
    return schema.get("type") == "array" or "additionalProperties" in schema


def wrong_type(wanted: str, value: Any) -> str:
    """What `encoding/json` calls the value where it has not the wanted type, else nothing."""
    match value:
        case bool():
            name, right = "bool", wanted == "boolean"
        case int():
            name, right = "number", wanted in ("integer", "number")
        case float():
            name, right = "number", wanted == "number" or (wanted == "integer" and value.is_integer())
        case str():
            name, right = "string", wanted == "string"
        case list():
            name, right = "array", wanted == "array"
        case dict():
            name, right = "object", wanted == "object"
        case _:
            name, right = "null", True
    return "" if right else name


def cannot_be_handled(kind: Kind, why: str) -> str:
    """The sentence that begins all refusals to decode an object."""
    name, version = kind.type.kind, kind.type.version
    return f'{name} in version "{version}" cannot be handled as a {name}: {why}'


def conform(kind: Kind, obj: Object) -> Object:
    """A copy without unknown fields, with the defaults of its definition. 400 or 422 where it has wrong types."""
    walk = _Walk(kind)
    found = walk.decode(obj)
    if walk.causes:
        name = str((obj.get("metadata") or {}).get("name") or "")
        raise invalid(kind.type.group, kind.type.kind, name, walk.causes)
    return found


def strict_errors(kind: Kind, obj: Object) -> list[str]:
    """What `fieldValidation=Strict` refuses and `Warn` warns of: unknown fields, and those that come twice."""
    walk = _Walk(kind)
    walk.decode(obj)
    repeated = [f'duplicate field "{path}"' for path in walk.repeated]
    return repeated + [f'unknown field "{path}"' for path in walk.unknown]


def step_into(node: Object, step: str) -> Object:
    """The schema of one field, or with `*` of the items, of an object or a list."""
    if step == "*":
        found = node.get("items", {})
    else:
        found = node.get("properties", {}).get(step) or node.get("additionalProperties", {})
    return found if isinstance(found, dict) else {}
