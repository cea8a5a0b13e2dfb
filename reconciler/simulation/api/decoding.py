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
    """A patch in JSON; or, where it is a PUT, the whole object. 400 for what can't be read."""
    if "patch" not in request.content_type:
        return body_of(request)
    try:
        return parse(request.body)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {_why(error)}") from error


def applied(kind: Kind, request: Request) -> Object:
    """The configuration of a server-side apply, which may have no unknown field."""
    config, of = read_yaml(request.body), kind.type
    if not isinstance(config, dict):
        wrong = f"json: cannot unmarshal {go_type(config)} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {wrong}")
    version, name = config.get("apiVersion") or "", config.get("kind") or ""
    if (version, name) != (of.api_version, of.kind):
        group, _, number = str(version).rpartition("/")
        raise bad_request(f"invalid object type: {group}/{number}, Kind={name}")
    for error in strict_errors(kind, config):
        meta = config.get("metadata") or {}
        which = f"{meta.get('namespace', '')}/{meta.get('name', '')}; {of.group}/{of.version}"
        path = error.removeprefix('unknown field "').rstrip('"')
        text = f"failed to create typed patch object ({which}, Kind={of.kind}): .{path}: field not declared in schema"
        raise StatusError(500, "", text)
    return config


def go_type(value: Any) -> str:
    """As `encoding/json` calls it."""
    return _GO_TYPES.get(type(value), "null")


def _why(error: Exception) -> str:
    return "unexpected end of JSON input" if "Expecting" in str(error) else str(error)


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
        why = f"couldn't get version/kind; json parse error: {_why(error)}"
        raise _unrecognized(kind, why, request.body) from error
    if not isinstance(found, dict):
        raise _unrecognized(kind, _no_object(found), request.body)
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


def _no_object(found: Any) -> str:
    go = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
    why = f"json: cannot unmarshal {go_type(found)} into Go value of type {go}"
    return f"couldn't get version/kind; json parse error: {why}"


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
        if (obj.get("apiVersion"), obj.get("kind")) != (kind.type.api_version, kind.type.kind):
            raise _other_kind(kind, str(obj.get("apiVersion")), str(obj.get("kind")))
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
    if not isinstance(found, dict):
        raise bad_request(_no_object(found))
    options: Object = found
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
