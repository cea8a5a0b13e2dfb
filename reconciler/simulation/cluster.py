"""What the simulated Velero needs of the cluster that it works on, and what the simulated API server is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """As discovery tells it, e.g. ("velero.io", "v1", "restores", "Restore", True); the core group is ""."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def name(self) -> str:
        """`restores.velero.io`, or `configmaps` of the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """`velero.io/v1`, or `v1` of the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


class StatusError(Exception):
    """What an API server answers with a Status: `code` is the HTTP status, `reason` e.g. AlreadyExists."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message


Change = Callable[[ResourceType, str, Object], None]
"""Told of each change after it: the type, ADDED | MODIFIED | DELETED, a copy of the object."""


class Cluster(Protocol):
    """One member's objects with the API server's rules: copies go in and out; only for the loop's own thread.

    Resources are named as `ResourceType.name`; `namespace` is "" for cluster-scoped ones. Every call may raise
    StatusError.
    """

    name: str

    def types(self) -> tuple[ResourceType, ...]:
        """All that discovery would list, without subresources."""
        ...

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        ...

    def all(self, resource: str, namespace: str | None = None) -> list[Object]:
        """Those of a namespace, or with None of all, ordered by namespace and name."""
        ...

    def create(self, resource: str, namespace: str, obj: Object) -> Object:
        """As POST: uid, resourceVersion, generation and creationTimestamp are set; 409 AlreadyExists."""
        ...

    def update(self, resource: str, obj: Object, *, subresource: str = "") -> Object:
        """As PUT, of the object or of its `status`: 409 unless resourceVersion is absent or current.

        A deleted object without its last finalizer is gone.
        """
        ...

    def delete(self, resource: str, namespace: str, name: str) -> None:
        """As DELETE: with finalizers only a deletionTimestamp is set; 404 where there is none."""
        ...

    def subscribe(self, change: Change) -> None:
        """Has `change` called after each change from now on."""
        ...
