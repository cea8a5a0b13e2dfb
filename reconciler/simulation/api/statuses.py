"""What an API server says when it refuses: errors that carry the very Status of a real one.

The texts are those of Kubernetes 1.36 (apimachinery's `api/errors`); `tests/behaviour` compares them with a real one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.simulation.cluster import Object, ResourceType, StatusError

_FIELD_REASONS = {
    "Invalid value": "FieldValueInvalid",
    "Required value": "FieldValueRequired",
    "Unsupported value": "FieldValueNotSupported",
    "Forbidden": "FieldValueForbidden",
}


class ApiStatusError(StatusError):
    """A StatusError with the `details` of the Status."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(code, reason, message)
        self.details = details


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong with an object: the path of the field, and the text."""

    field: str
    message: str
    type_is_wrong: bool = False

    @property
    def reason(self) -> str:
        """As a Status calls it, e.g. FieldValueInvalid."""
        known = _FIELD_REASONS.get(self.message.partition(":")[0], "FieldValueInvalid")
        return "FieldValueTypeInvalid" if self.type_is_wrong else known


def status(error: StatusError) -> Object:
    """The Status of that error, as JSON."""
    details = error.details if isinstance(error, ApiStatusError) else None
    answer: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    answer["message"] = error.message
    if error.reason:
        answer["reason"] = error.reason
    if details is not None:
        answer["details"] = details
    answer["code"] = error.code
    return answer


def details_of(resource: ResourceType, name: str = "", *, kind: str = "") -> Object:
    """`details` names the resource, or with `kind` the kind, as some refusals do."""
    found: Object = {"name": name} if name else {}
    if resource.group:
        found["group"] = resource.group
    found["kind"] = kind or resource.plural
    return found


def bad_request(message: str) -> ApiStatusError:
    return ApiStatusError(400, "BadRequest", message)


def not_found(resource: ResourceType, name: str) -> ApiStatusError:
    return ApiStatusError(404, "NotFound", f'{resource.name} "{name}" not found', details_of(resource, name))


def already_exists(resource: ResourceType, name: str) -> ApiStatusError:
    text = f'{resource.name} "{name}" already exists'
    return ApiStatusError(409, "AlreadyExists", text, details_of(resource, name))


def conflict(resource: ResourceType, name: str, why: str = "", *, kind: str = "") -> ApiStatusError:
    """A Conflict; by default because the object has been modified."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    text = f'Operation cannot be fulfilled on {kind or resource.name} "{name}": {why}'
    return ApiStatusError(409, "Conflict", text, details_of(resource, name, kind=kind))


def forbidden(resource: ResourceType, name: str, why: str, causes: Sequence[Object] = ()) -> ApiStatusError:
    quoted = f' "{name}"' if name else ""
    details = details_of(resource, name)
    if causes:
        details["causes"] = list(causes)
    return ApiStatusError(403, "Forbidden", f"{resource.name}{quoted} is forbidden: {why}", details)


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> ApiStatusError:
    """An Invalid with all that is wrong; a text that comes twice is said once, as apimachinery's aggregates do."""
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    said = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: Object = {"name": name} if name else {}
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    details["causes"] = [{"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes]
    qualified = f"{kind}.{group}" if group else kind
    return ApiStatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {said}', details)


def invalid_options(kind: str, *causes: Cause) -> ApiStatusError:
    """A query parameter that a request may not have."""
    return invalid("meta.k8s.io", kind, "", causes)


def method_not_allowed() -> ApiStatusError:
    text = "the server does not allow this method on the requested resource"
    return ApiStatusError(405, "MethodNotAllowed", text, {})


def unauthorized() -> ApiStatusError:
    return ApiStatusError(401, "Unauthorized", "Unauthorized")
