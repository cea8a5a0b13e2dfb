"""A request to an API server and its answer, free of any HTTP library; and what a path means to Kubernetes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.simulation.cluster import Object

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
PLAIN = "text/plain; charset=utf-8"
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "HEAD": "get"}
WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means: of a resource with `plural`, else of a path alone. As Kubernetes' RequestInfo."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    plural: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def resource(self) -> str:
        """As `ResourceType.name`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def object_namespace(self) -> str:
        """Where the object is; for authorisation alone is a Namespace in itself."""
        return "" if self.plural == "namespaces" else self.namespace


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is decoded and begins with `/`, header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    uri: str = ""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", JSON).partition(";")[0].strip() or JSON

    def flag(self, name: str) -> bool:
        """A boolean of the query."""
        return self.query.get(name, "").lower() in ("true", "1")


@dataclass(frozen=True, slots=True)
class Answer:
    """Either `body`, or `stream` of a watch."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    warnings: tuple[str, ...] = ()
    stream: AsyncIterator[bytes] | None = None

    @classmethod
    def of(cls, status: int, obj: Any, warnings: tuple[str, ...] = ()) -> Answer:
        return cls(status, json.dumps(obj, separators=(",", ":")).encode() + b"\n", warnings=warnings)


def target_of(method: str, path: str, query: Mapping[str, str]) -> Target:
    """What a request is about. Collections are listed, watched or deleted; objects are got or deleted."""
    verb = _VERBS.get(method, method.lower())
    steps = [step for step in path.split("/") if step]
    lengths = {"api": 2, "apis": 3}
    start = lengths.get(steps[0] if steps else "")
    if start is None or len(steps) <= start:
        return Target(verb, path)
    group, version = ("", steps[1]) if steps[0] == "api" else (steps[1], steps[2])
    rest, namespace = steps[start:], ""
    if rest[0] == "namespaces" and len(rest) >= 2:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in ("status", "finalize"):
            rest = rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    if method == "HEAD":
        verb = "head"
    elif verb in ("get", "list") and query.get("watch", "").lower() in ("true", "1"):
        verb = "watch"
    return Target(verb, path, group, version, namespace, plural, name, "/".join((subresource, *rest[3:])))


def audit_event(request: Request, target: Target, user: str, code: int) -> Object:
    """A write as a real server's audit log has it, metadata only."""
    reference: Object = {"resource": target.plural, "namespace": target.namespace, "name": target.name}
    reference |= {"apiGroup": target.group, "apiVersion": target.version, "subresource": target.subresource}
    if target.verb == "create" and not target.name:
        try:
            reference["name"] = json.loads(request.body)["metadata"].get("name", "")
        except (ValueError, KeyError, TypeError, AttributeError):
            reference["name"] = ""
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "stage": "ResponseComplete",
        "requestURI": request.uri or request.path,
        "verb": target.verb,
        "user": {"username": user},
        "objectRef": {key: value for key, value in reference.items() if value},
        "responseStatus": {"metadata": {}, "code": code},
    }
