"""Bodies and queries of requests: the object that was sent, what of it is refused or warned of, and the options."""

from __future__ import annotations

import json
from typing import Any

import yaml

from reconciler.simulation.api import protobuf, statuses
from reconciler.simulation.api.fields import Repeated, cannot_be_handled, conform, parse, strict_errors
from reconciler.simulation.api.requests import JSON, PROTOBUF, YAML, Request
from reconciler.simulation.api.statuses import ApiStatusError, Cause, bad_request
from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object, StatusError

_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_POLICIES = ("Foreground", "Background", "Orphan")
_GO_TYPES = {list: "array", str: "string", int: "number", float: "number", bool: "bool"}
_FORMATS = (
    "the body of the request was in an unknown format - accepted media types include: application/json,"
    " application/yaml, application/vnd.kubernetes.protobuf"
)


def unsupported_media_type(text: str) -> ApiStatusError:
    return ApiStatusError(415, "UnsupportedMediaType", text)


def check_options(request: Request, verb: str) -> bool:
    """Whether it is a dry run. 422 for values that the query may not have."""
    kind = _OPTIONS.get(verb, "DeleteOptions")
    dry_run = request.query.get("dryRun", "")
    if dry_run not in ("", "All"):
        text = f'Unsupported value: ["{dry_run}"]: supported values: "All"'
        raise statuses.invalid_options(kind, Cause("dryRun", text))
    validation = request.query.get("fieldValidation", "")
    if validation not in _VALIDATIONS:
        allowed = ", ".join(json.dumps(each) for each in _VALIDATIONS)
        text = f"Unsupported value: {json.dumps(validation)}: supported values: {allowed}"
        raise statuses.invalid_options(kind, Cause("fieldValidation", text))
    return dry_run == "All"


def body_of(request: Request, message: str = "") -> Any:
    """JSON, YAML or protobuf (of that `message`, if it has no kind), as it is said to be. 415 for anything else."""
    if request.content_type == YAML:
        return read_yaml(request.body)
    if request.content_type == PROTOBUF:
        return protobuf.decode(request.body, message)
    if request.content_type not in (JSON, "*/*"):
        raise unsupported_media_type(_FORMATS)
    return parse(request.body)


def patch_of(request: Request) -> Any:
    """A whole object, or a merge patch of one."""
    return parse(request.body) if "patch" in request.content_type else body_of(request)


def read_yaml(body: bytes) -> Any:
    """YAML, as JSON knows it: times stay text."""
    return json.loads(json.dumps(yaml.load(body, Loader=_Loader)))  # noqa: S506 - a safe loader


class _Loader(yaml.SafeLoader):
    """A SafeLoader that leaves times alone, as sigs.k8s.io/yaml does."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as its base class has it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def decode(kind: Kind, request: Request) -> tuple[Object, tuple[str, ...]]:
    """The object that was sent, of that kind, and what to warn of. 400 for what is no such object."""
    of = kind.type
    try:
        found = body_of(request)
    except (ValueError, yaml.YAMLError) as error:
        why = "unexpected end of JSON input" if "Expecting" in str(error) else str(error)
        raise _unrecognized(kind, f"couldn't get version/kind; json parse error: {why}", request.body) from error
    if not isinstance(found, dict):
        wrong = _GO_TYPES.get(type(found), "null")
        go = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        why = f"json: cannot unmarshal {wrong} into Go value of type {go}"
        raise _unrecognized(kind, f"couldn't get version/kind; json parse error: {why}", request.body)
    version, name = found.get("apiVersion"), found.get("kind")
    if kind.custom:
        for field, value in (("Kind", name), ("apiVersion", version)):
            if not value:
                why = f"Object '{field}' is missing in '{request.body.decode(errors='replace')}'"
                raise _unrecognized(kind, why, request.body)
        if version != of.api_version:
            text = f"the API version in the data ({version}) does not match the expected API version ({of.api_version})"
            raise bad_request(text)
        if name != of.kind:
            wrong_kind = Cause("kind", f'Invalid value: "{name}": must be {of.kind}')
            sent = str((found.get("metadata") or {}).get("name", ""))
            raise statuses.invalid(of.group, str(name), sent, [wrong_kind])
    elif version not in (None, "", of.api_version) or name not in (None, "", of.kind):
        raise _other_kind(kind, str(version or of.api_version), str(name or of.kind))
    return found, check_fields(kind, found, request)


def check_fields(kind: Kind, obj: Object, request: Request) -> tuple[str, ...]:
    """As `fieldValidation` asks for it: 400, or the warnings."""
    validation = request.query.get("fieldValidation") or "Warn"
    if validation == "Ignore":
        return ()
    typed = {**obj, "apiVersion": kind.type.api_version, "kind": kind.type.kind}
    errors = strict_errors(kind, typed if not isinstance(obj, Repeated) else obj)
    if errors and validation == "Strict":
        raise bad_request(cannot_be_handled(kind, f"strict decoding error: {', '.join(errors)}"))
    return tuple(errors)


def check_patched(kind: Kind, obj: Object, request: Request) -> tuple[str, ...]:
    """As `check_fields` for the outcome of a patch, which a server refuses with 422 and the whole object."""
    try:
        if not isinstance(obj.get("metadata"), dict):
            raise bad_request("json: cannot unmarshal null into Go struct field ObjectMeta.metadata")
        warnings = check_fields(kind, obj, request)
        if not kind.custom:
            conform(kind, obj)
        return warnings
    except StatusError as error:
        if error.code != 400:
            raise
        why = error.message.partition(" cannot be handled as a ")[2].partition(": ")[2] or error.message
        sent = json.dumps(json.dumps(obj, separators=(",", ":")))
        raise statuses.invalid("", "", "", [Cause("patch", f"Invalid value: {sent}: {why}")]) from error


def removal_options(request: Request) -> Object:
    """The DeleteOptions of body and query: propagationPolicy, uid, dryRun."""
    found: Any = body_of(request, "meta/v1.DeleteOptions") if request.body.strip() else {}
    options: Object = found if isinstance(found, dict) else {}
    policy = request.query.get("propagationPolicy") or options.get("propagationPolicy") or ""
    if options.get("orphanDependents") or request.flag("orphanDependents"):
        policy = "Orphan"
    if policy and policy not in _POLICIES:
        allowed = ", ".join(f'"{each}"' for each in (*_POLICIES, "nil"))
        text = f'Unsupported value: "{policy}": supported values: {allowed}'
        raise statuses.invalid_options("DeleteOptions", Cause("propagationPolicy", text))
    dry_run = check_options(request, "delete") or options.get("dryRun") == ["All"]
    return {"policy": policy, "uid": (options.get("preconditions") or {}).get("uid") or "", "dry_run": dry_run}


def _unrecognized(kind: Kind, why: str, body: bytes) -> ApiStatusError:
    sent = body.decode(errors="replace") if body[:1] in (b"{", b"") else body.hex()
    shown = sent if len(sent) <= 30 else f"{sent[:30]} ..."
    return bad_request(f"the object provided is unrecognized (must be of type {kind.type.kind}): {why} ({shown})")


def _other_kind(kind: Kind, version: str, name: str) -> ApiStatusError:
    number = version.rpartition("/")[2]
    prefix = f'{name} in version "{number}" cannot be handled as a {kind.type.kind}: '
    if name == kind.type.kind:
        why = f'no kind "{name}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
    else:
        why = f"converting ({number}.{name}) to (core.{kind.type.kind}): unknown conversion"
    return bad_request(prefix + why)
