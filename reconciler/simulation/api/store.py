"""All objects of one simulated cluster, under the rules of an API server: the `Cluster` that Velero works on.

Objects inside are never changed, only replaced, so that watchers and history may hold them; copies go in and out of the
calls of the protocol. Not safe for threads: everything happens in the loop of the server. What controllers add (emptied
namespaces, collected dependents, ReplicaSets and Pods) is in `controllers`, told of changes like any other watcher.
"""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import Callable, Iterable

from reconciler.simulation.api import metadata, statuses, strategies, types
from reconciler.simulation.api.changes import Event, Removed, copy
from reconciler.simulation.api.fields import conform
from reconciler.simulation.api.types import Kind
from reconciler.simulation.clock import Clock
from reconciler.simulation.cluster import Change, Object, ResourceType, StatusError

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
_REMEMBERED_EVENTS = 2000
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_SERVER_SETS = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)
_KEPT_ON_UPDATE = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
Key = tuple[str, str]


class Store:
    """One cluster; `name` is the member's. The methods up to `subscribe` are those of `Cluster`."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.kinds: dict[str, Kind] = dict(types.built_in())
        self.history: deque[Event] = deque(maxlen=_REMEMBERED_EVENTS)
        self.owned: dict[str, set[tuple[str, str, str]]] = {}
        self.uids: dict[str, tuple[str, str, str]] = {}
        self.version = 1
        self._objects: dict[str, dict[Key, Object]] = {}
        self._listeners: list[Callable[[Event], None]] = []

    def types(self) -> tuple[ResourceType, ...]:
        return tuple(kind.type for kind in self.kinds.values())

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        found = self.peek(resource, namespace, name)
        return None if found is None else copy(found)

    def all(self, resource: str, namespace: str | None = None) -> list[Object]:
        return [copy(obj) for obj in self.listed(resource, namespace)]

    def create(self, resource: str, namespace: str, obj: Object, *, dry_run: bool = False) -> Object:
        kind = self.kind(resource)
        new = self._conformed(kind, obj)
        meta = new["metadata"]
        self._place(kind, namespace, meta)
        self._admit(kind, namespace, meta.get("name", ""))
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"][:58] + "".join(random.choices(_SUFFIX, k=5))  # noqa: S311 - no secret
        strategies.prepare(kind, None, new)
        self._check(kind, None, new)
        if str(meta.get("resourceVersion") or "0") != "0":
            raise StatusError(500, "", "resourceVersion should not be set on objects to be created")
        if self.peek(resource, namespace, meta["name"]) is not None:
            raise statuses.already_exists(kind.type, meta["name"])
        for field in _SERVER_SETS:
            meta.pop(field, None)
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = self.now()
        if kind.has_generation:
            meta["generation"] = 1
        return copy(new if dry_run else self._put(kind, None, new))

    def update(self, resource: str, obj: Object, *, dry_run: bool = False, subresource: str = "") -> Object:
        """As PUT of the object, or of its `status` or, of a Namespace, its `finalize`."""
        kind = self.kind(resource)
        meta = obj.get("metadata") or {}
        namespace, name = str(meta.get("namespace") or ""), str(meta.get("name") or "")
        old = self.peek(resource, namespace if kind.type.namespaced else "", name)
        if old is None:
            raise statuses.not_found(kind.type, name)
        if str(meta.get("resourceVersion") or "0") not in ("0", old["metadata"]["resourceVersion"]):
            raise statuses.conflict(kind.type, name)
        new = self._conformed(kind, obj)
        if changed := metadata.check_change(old["metadata"], new["metadata"]):
            raise statuses.invalid(kind.type.group, kind.type.kind, name, changed)
        self._keep(kind, old, new, subresource)
        strategies.prepare(kind, old, new)
        self._check(kind, old, new)
        if strategies.wanted_changed(kind, old, new):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        gone = _may_go(kind, new)
        if dry_run or (old == new and not gone):
            return copy(new)
        if gone:
            return copy(self._drop(kind, old, new))
        return copy(self._put(kind, old, new))

    def delete(self, resource: str, namespace: str, name: str) -> None:
        self.remove(resource, namespace, name)

    def subscribe(self, change: Change) -> None:
        self.listen(lambda event: change(event.kind.type, event.type, copy(event.obj)))

    # For the rest of the API server: objects are not copied

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """As `subscribe`, without copies; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def kind(self, resource: str) -> Kind:
        """The served kind of that name. 404 where there is none."""
        found = self.kinds.get(resource)
        if found is None:
            raise statuses.ApiStatusError(404, "NotFound", "the server could not find the requested resource", {})
        return found

    def peek(self, resource: str, namespace: str, name: str) -> Object | None:
        return self._objects.get(resource, {}).get((namespace, name))

    def listed(self, resource: str, namespace: str | None = None) -> list[Object]:
        objects = self._objects.get(resource, {})
        return [objects[key] for key in sorted(objects) if namespace is None or key[0] == namespace]

    def stored(self) -> Iterable[tuple[Kind, Object]]:
        """Everything, by kind."""
        for resource, objects in list(self._objects.items()):
            for obj in list(objects.values()):
                yield self.kinds[resource], obj

    def now(self) -> str:
        """The simulated time as objects have it."""
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def seed(self, resource: str, obj: Object) -> None:
        """Puts a correct object there without any checks, for a cluster's first objects."""
        kind = self.kind(resource)
        meta: Object = {**obj["metadata"], "uid": str(uuid.uuid4()), "creationTimestamp": self.now()}
        if kind.has_generation:
            meta["generation"] = 1
        self._put(kind, None, {"apiVersion": kind.type.api_version, "kind": kind.type.kind, **obj, "metadata": meta})

    def remove(
        self, resource: str, namespace: str, name: str, *, uid: str = "", policy: str = "", dry_run: bool = False
    ) -> Removed:
        """As DELETE, with a precondition and a propagation policy."""
        kind = self.kind(resource)
        old = self.peek(resource, namespace, name)
        if old is None:
            raise statuses.not_found(kind.type, name)
        if uid and uid != old["metadata"]["uid"]:
            why = f"the UID in the precondition ({uid}) does not match the UID in record ({old['metadata']['uid']})."
            why += " The object might have been deleted and then recreated"
            raise statuses.conflict(kind.type, name, why, kind=kind.type.kind)
        strategies.check_removal(kind, name)
        meta = dict(old["metadata"])
        holding = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}.get(policy)
        if holding and holding not in meta.get("finalizers", ()):
            meta["finalizers"] = [*meta.get("finalizers", ()), holding]
        new = {**old, "metadata": meta}
        if kind.type.name == "namespaces":
            new["status"] = {**old.get("status", {}), "phase": "Terminating"}
        elif not meta.get("finalizers"):
            if kind.type.kind == "Pod":  # which no node keeps: its time to end is over at once
                meta |= {"deletionTimestamp": self.now(), "deletionGracePeriodSeconds": 0}
                meta["generation"] = meta.get("generation", 0) + 1
            return Removed(copy(new if dry_run else self._drop(kind, old, new)), gone=True)
        else:
            meta.setdefault("deletionGracePeriodSeconds", 0)
        meta.setdefault("deletionTimestamp", self.now())
        if meta.get("generation") and not old["metadata"].get("deletionTimestamp"):
            meta["generation"] += 1
        if dry_run or old == new:
            return Removed(copy(new), gone=False)
        return Removed(copy(self._put(kind, old, new)), gone=False)

    # Inside

    def _conformed(self, kind: Kind, obj: Object) -> Object:
        typed = {"apiVersion": kind.type.api_version, "kind": kind.type.kind}
        found = conform(kind, {**obj, **typed, "metadata": obj.get("metadata") or {}})
        return {**typed, "metadata": found.pop("metadata", {}), **found}

    def _place(self, kind: Kind, namespace: str, meta: Object) -> None:
        if not kind.type.namespaced:
            meta.pop("namespace", None)
        elif meta.setdefault("namespace", namespace) != namespace:
            text = "the namespace of the provided object does not match the namespace sent on the request"
            raise statuses.bad_request(text)

    def _admit(self, kind: Kind, namespace: str, name: str) -> None:
        """As the admission plugin NamespaceLifecycle."""
        if not kind.type.namespaced:
            return
        found = self.peek("namespaces", "", namespace)
        if found is None:
            raise statuses.not_found(self.kinds["namespaces"].type, namespace)
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated"}
            raise statuses.forbidden(kind.type, name, why, [{**cause, "field": "metadata.namespace"}])

    def _check(self, kind: Kind, old: Object | None, new: Object) -> None:
        causes = metadata.check(kind, new["metadata"]) + strategies.check(kind, old, new)
        if causes:
            name = new["metadata"].get("name") or ""
            raise statuses.invalid(kind.type.group, kind.type.kind, name, causes)

    def _keep(self, kind: Kind, old: Object, new: Object, subresource: str) -> None:
        """What a client can't change stays as it was."""
        meta = new["metadata"]
        for field in _KEPT_ON_UPDATE:
            meta.pop(field, None)
            if field in old["metadata"]:
                meta[field] = old["metadata"][field]
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        if not meta.get("managedFields") and "managedFields" in old["metadata"]:
            meta["managedFields"] = old["metadata"]["managedFields"]
        if subresource == "status":
            status = new.get("status")
            new.clear()
            new.update({**old, "metadata": {**old["metadata"]}})
            new["status"] = status or {}
        elif kind.has_status:
            new.pop("status", None)
            if "status" in old:
                new["status"] = old["status"]
        if kind.type.name == "namespaces" and subresource != "finalize":
            new["spec"] = {**new.get("spec", {}), "finalizers": old["spec"].get("finalizers", [])}

    def _put(self, kind: Kind, old: Object | None, new: Object) -> Object:
        """Stores it under a new resourceVersion, and tells all who listen."""
        self.version += 1
        new["metadata"]["resourceVersion"] = str(self.version)
        meta, resource = new["metadata"], kind.type.name
        key = (meta.get("namespace", ""), meta["name"])
        self._objects.setdefault(resource, {})[key] = new
        self._index(resource, key, old, new)
        if resource == DEFINITIONS:
            self.kinds[meta["name"]] = types.defined_by(new)
        self._tell(Event(self.version, kind, "MODIFIED" if old else "ADDED", new, old))
        return new

    def _drop(self, kind: Kind, old: Object, last: Object) -> Object:
        self.version += 1
        meta, resource = last["metadata"], kind.type.name
        last = {**last, "metadata": {**meta, "resourceVersion": str(self.version)}}
        key = (meta.get("namespace", ""), meta["name"])
        del self._objects[resource][key]
        self._index(resource, key, old, None)
        self._tell(Event(self.version, kind, "DELETED", last, old))
        if resource == DEFINITIONS:
            self.kinds.pop(meta["name"], None)
            self._objects.pop(meta["name"], None)
        return last

    def _index(self, resource: str, key: Key, old: Object | None, new: Object | None) -> None:
        """Who owns what, and where each uid is."""
        place = (resource, *key)
        for owner in (old or {}).get("metadata", {}).get("ownerReferences", ()):
            self.owned.get(owner["uid"], set()).discard(place)
        if new is None:
            self.uids.pop((old or {})["metadata"]["uid"], None)
            return
        self.uids[new["metadata"]["uid"]] = place
        for owner in new["metadata"].get("ownerReferences", ()):
            self.owned.setdefault(owner["uid"], set()).add(place)

    def _tell(self, event: Event) -> None:
        self.history.append(event)
        for listener in tuple(self._listeners):
            listener(event)


def _may_go(kind: Kind, obj: Object) -> bool:
    meta = obj["metadata"]
    held = kind.type.name == "namespaces" and obj.get("spec", {}).get("finalizers")
    return bool(meta.get("deletionTimestamp")) and not meta.get("finalizers") and not held
