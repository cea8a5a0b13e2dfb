"""JSON Schema of what users write, made from the very types that read it, so that an editor knows every field.

Called by the command `schema`; `schemas/` holds what it prints. A schema can't follow a name to another file, nor
tell all that Velero refuses: what it accepts is checked by `validate`, but what it refuses is refused there, too.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from reconciler.resources import KINDS, VERSION, Resource

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NAMED: Final = ("properties", "patternProperties", "$defs")  # hold schemas by names that users see
_EMPTY: Final[tuple[object, ...]] = (None, "", [])
_LINE_BREAK: Final = re.compile(r"(?<!\n)\n(?!\n)")  # of a docstring; paragraphs stay
_MODELS: Final = {model.__name__.lower(): model for model in KINDS.values()}


def schema(kind: str = "") -> str:
    """The schema of a kind, in singular or plural and in any case, as JSON text; of all kinds together without one.

    Raises KeyError for other words.
    """
    if not kind:
        return _printed("all", _together([_of(model) for model in _MODELS.values()]))
    word = kind.lower()
    name = word if word in _MODELS else word.removesuffix("s")
    return _printed(name, _of(_MODELS[name]))


def _of(model: type[Resource]) -> dict[str, Any]:
    """The schema of one kind as pydantic makes it, put right."""
    return {"title": model.__name__, **_tidied(model.model_json_schema(by_alias=True))}


def _together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """One of several kinds; what they share is there once."""
    kinds = {part.pop("title"): part for part in parts}
    shared = {name: one for part in parts for name, one in part.pop("$defs", {}).items()}
    return {
        "title": "reconciler",
        "description": "A fleet, a cluster, a backup or a restore.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in sorted(kinds)],
        "$defs": dict(sorted({**shared, **kinds}.items())),
    }


def _tidied(made: dict[str, Any]) -> dict[str, Any]:
    """Without what pydantic adds for itself: a title for everything, and null, which a file may not have."""
    found: dict[str, Any] = {}
    for word, value in made.items():
        if word in _NAMED:
            found[word] = {name: _tidied(one) for name, one in value.items()}
        elif word == "anyOf":
            (present,) = (one for one in value if one != {"type": "null"})
            found |= _tidied(present)
        elif word == "description":
            found[word] = _LINE_BREAK.sub(" ", value)
        elif isinstance(value, dict):
            found[word] = _tidied(value)
        elif word != "title" and not (word == "default" and value in _EMPTY):
            found[word] = value
    if "patternProperties" in found:
        found["additionalProperties"] = False
    return found


def _printed(name: str, made: dict[str, Any]) -> str:
    head = {"$schema": _DIALECT, "$id": f"urn:fleet-restore:{VERSION}:{name}"}
    return json.dumps(head | made, indent=2) + "\n"
