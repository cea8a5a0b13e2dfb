"""What pydantic found wrong, in plain words and with the line of the field. Called by `reading`.

Nothing of pydantic's own wording reaches the user, and at most 80 characters of any value.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from reconciler.manifests.documents import Path, line_of
from reconciler.manifests.kinds import suggestion
from reconciler.manifests.nodes import Flaw, NotText, Null, Tree, Unusable
from reconciler.names import FieldError, bare, shown
from reconciler.resources import Resource, RestoreFilter

_SET_BY_SERVERS: Final = frozenset(
    (
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    )
)
_WANTED: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_TODO: Final = {
    "bool_type": "write true or false, without quotes",
    "int_type": "write decimal digits, without quotes",
    "tuple_type": "write a list, each item after `- `",
    "dict_type": "write `name: value` lines below it",
    "model_type": "write `name: value` lines below it",
}


def flaws(tree: Tree, model: type[Resource], error: ValidationError) -> Iterator[Flaw]:
    """One flaw for each of pydantic's errors, without those that only follow from another flaw."""
    for detail in error.errors(include_url=False):
        path = path_of(detail, tree)
        if isinstance(detail["input"], Unusable) or (detail["type"] == "missing" and _renamed(detail)):
            continue
        what, todo = _words(detail, path, model)
        yield Flaw(line_of(tree.lines, path, tree.line), what, todo)


def path_of(detail: ErrorDetails, tree: Tree) -> Path:
    """The way to what is wrong: to the field that a check of several names, and of a bad key to the key itself."""
    path = tuple(detail["loc"])
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, FieldError):
        return (*path, error.field)
    return path[:-1] if path and path[-1] == "[key]" and path not in tree.lines else path


def _words(detail: ErrorDetails, path: Path, model: type[Resource]) -> tuple[str, str]:
    """What is wrong and what to do."""
    kind, value, field = detail["type"], detail["input"], f"`{_shown_path(path)}`"
    if kind == "missing":
        return f"{field} is missing", f"add it{_below(path[:-1])}"
    if kind == "extra_forbidden":
        return _unknown(path, model)
    if isinstance(value, Null):
        return f"{field} is empty", "write a value (in quotes if the text `null` is meant), or remove the line"
    if kind in _WANTED:
        what, todo = _type(kind, value, field)
        return what, _refused_in_quotes(value, path, model) or todo
    if kind == "literal_error":
        return _choice(detail, field)
    if kind == "greater_than_equal":
        return f"{field} is {value}, which is too low", f"write {detail['ctx']['ge']} or more"
    if kind == "value_error":
        what, _, todo = str(detail["ctx"]["error"]).rpartition("; ")
        return f"{field}: {what}", todo
    return f"{field} has a value that can't be used here", "see the description of this field in the documentation"


def _type(kind: str, value: object, field: str) -> tuple[str, str]:
    what = f"{field} must be {_WANTED[kind]}, not {_described(value)}"
    if kind != "string_type":
        return what, _TODO[kind]
    text = _as_text(value)
    return what, "write a single value" if text is None else f'quote it: "{bare(text)}"'


def _as_text(value: object) -> str | None:
    """What an unquoted value is as text; None for what is no single value."""
    if isinstance(value, NotText):
        return value.text
    return str(value).lower() if isinstance(value, bool | int) else None


def _refused_in_quotes(value: object, path: Path, model: type[Resource]) -> str:
    """What to write where the value is refused in quotes, too: `30` is no duration either way."""
    text, parent = _as_text(value), _fields(model, path[:-1])
    check = _check_of(parent, str(path[-1])) if parent else None
    if text is None or check is None:
        return ""
    try:
        check.validate_python(text)
    except ValidationError as error:
        told = (detail["ctx"]["error"] for detail in error.errors() if detail["type"] == "value_error")
        return next((str(each).rpartition("; ")[2] for each in told), "")
    return ""


@lru_cache(maxsize=256)  # dear to make, and a hostile file may ask for it in every line
def _check_of(model: type[BaseModel], name: str) -> TypeAdapter[Any] | None:
    """The check of one field, by its name in YAML; None where the model has none of that name."""
    field = next((field for key, field in model.model_fields.items() if (field.alias or key) == name), None)
    if field is None:
        return None
    wanted: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return TypeAdapter(wanted)


def _described(value: object) -> str:
    match value:
        case NotText(text, True):
            return f"`{bare(text)}`, which versions of YAML read differently"
        case NotText(text, False):
            return f"the number {bare(text)}"
        case bool():
            return str(value).lower()
        case int():
            return f"the number {value}"
        case str():
            return f"the text {shown(value)}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _choice(detail: ErrorDetails, field: str) -> tuple[str, str]:
    value, choices = detail["input"], detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    todo = suggestion(value, choices) if isinstance(value, str) and len(choices) > 1 else ""
    if not todo.startswith("did you mean"):
        todo = f"write {' or '.join(filter(None, (', '.join(choices[:-1]), choices[-1])))}"
    return f"{field} can't be {_described(value)}", todo


def _unknown(path: Path, model: type[Resource]) -> tuple[str, str]:
    """A field that is not known: most are slips of the pen, some are known elsewhere and get words of their own."""
    parent, name = path[:-1], str(path[-1])
    if path == ("status",):
        return "`status` is not for users to write", "remove it: what ran is recorded under status/ in the repository"
    if parent == ("metadata",) and name in _SET_BY_SERVERS:
        return f"`metadata.{name}` is set by API servers", "remove it: a file says only what is wanted"
    if path == ("metadata", "generateName"):
        return "`metadata.generateName` would give a new object at every reading", "write `metadata.name`"
    if len(parent) > 1 and parent[-2] == "clusters" and name in ("namespace", "apiVersion"):
        return f"unknown field `{name}` in {_shown_path(parent)}", "remove it: clusters lie in this object's namespace"
    fields = _fields(model, parent)
    if fields is RestoreFilter and name.endswith("ScopedResources"):
        return (
            f"Velero's Restore has no `{name}`",
            "use includedResources or excludedResources, with includeClusterResources",
        )
    known = [field.alias or key for key, field in fields.model_fields.items()] if fields else []
    return f"unknown field `{bare(name)}`{_within(parent)}", suggestion(name, known)


def _fields(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model that describes the mapping at a path."""
    here: Any = model
    for step in path:
        if isinstance(step, int):
            continue
        by_alias = {field.alias or key: field.annotation for key, field in here.model_fields.items()}
        here = _model_in(by_alias.get(str(step)))
        if here is None:
            return None
    return here  # type: ignore[no-any-return]  # Any only because annotations are looked up at run time


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inside = (_model_in(argument) for argument in get_args(annotation))
    return next((found for found in inside if found), None)


def _renamed(detail: ErrorDetails) -> bool:
    """A missing name beside `generateName`, which is reported itself."""
    return detail["loc"] == ("metadata", "name") and "generateName" in detail["input"]


def _shown_path(path: Path) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{bare(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def _within(parent: Path) -> str:
    return f" in {_shown_path(parent)}" if parent else ""


def _below(parent: Path) -> str:
    return f" below `{_shown_path(parent)}`" if parent else " to the document"
