"""A cluster's controllers: a queue of objects to look at, and for each kind who looks (`housekeeping`, `workloads`).

Level-triggered: a change only says where to look. They look as soon as the loop is free, a few milliseconds after the
request, where real ones take up to some seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from reconciler.simulation.api.changes import Event
from reconciler.simulation.api.housekeeping import collect, establish, look_after_namespace
from reconciler.simulation.api.store import DEFINITIONS, Store
from reconciler.simulation.api.workloads import look_after_deployment, look_after_replica_set
from reconciler.simulation.cluster import Object, StatusError

_LOOK_AFTER: dict[str, Callable[[Store, Object], None]] = {
    "namespaces": look_after_namespace,
    DEFINITIONS: establish,
    "deployments.apps": look_after_deployment,
    "replicasets.apps": look_after_replica_set,
}
# A change of the one is looked at by the others of its namespace, since they may adopt it.
_ADOPTERS = {"pods": "replicasets.apps", "replicasets.apps": "deployments.apps"}
Place = tuple[str, str, str]


class Controllers:
    """The controllers of one cluster, at work from when they are made; for the loop's own thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._todo: dict[Place, None] = {}
        self._scheduled = False
        for kind, obj in store.stored():
            self._enqueue(place_of(kind.type.name, obj))
        store.listen(self._look)

    def _look(self, event: Event) -> None:
        resource, meta = event.kind.type.name, event.obj["metadata"]
        namespace = meta.get("namespace", "")
        self._enqueue(place_of(resource, event.obj))
        if event.type == "DELETED":
            self._enqueue(("namespaces", "", namespace), *self._store.owned.get(meta["uid"], ()))
        uids = self._store.uids
        self._enqueue(*(uids[each["uid"]] for each in meta.get("ownerReferences", ()) if each["uid"] in uids))
        if adopter := _ADOPTERS.get(resource):
            self._enqueue(*(place_of(adopter, each) for each in self._store.listed(adopter, namespace)))

    def _enqueue(self, *places: Place) -> None:
        self._todo.update(dict.fromkeys(places))
        if self._todo and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        """All that is due now; what that changes is for the next turn of the loop."""
        self._scheduled = False
        todo, self._todo = self._todo, {}
        for place in todo:
            for control in (collect, _LOOK_AFTER.get(place[0])):
                obj = self._store.peek(*place)
                if obj is not None and control is not None:
                    with suppress(StatusError):  # e.g. a namespace that ends; the next change has them look again
                        control(self._store, obj)


def place_of(resource: str, obj: Object) -> Place:
    return (resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
