"""Controllers that every cluster has: of namespaces, of definitions, and the garbage collector.

Each function looks at one object, which it does not change, and does what is due; called by `controllers`.
"""

from __future__ import annotations

from collections import Counter

from reconciler.simulation.api.store import DEFINITIONS, Store
from reconciler.simulation.cluster import Object

_BY_NAME = {"orphan", "foregroundDeletion"}


def collect(store: Store, obj: Object) -> None:
    """The garbage collector: what has owners of which none is left goes; a deleted owner's policy is carried out."""
    meta = obj["metadata"]
    resource = store.uids[meta["uid"]][0]
    owners = meta.get("ownerReferences", ())
    if not meta.get("deletionTimestamp"):
        if owners and not any(each["uid"] in store.uids for each in owners):
            store.remove(resource, meta.get("namespace", ""), meta["name"])
        return
    dependents = sorted(store.owned.get(meta["uid"], ()))
    for policy in _BY_NAME.intersection(meta.get("finalizers", ())):
        for place in dependents:
            _let_go(store, place, meta["uid"]) if policy == "orphan" else _remove_too(store, place)
        if not store.owned.get(meta["uid"]):
            left = [each for each in meta["finalizers"] if each != policy]
            store.update(resource, {**obj, "metadata": {**meta, "finalizers": left}})


def _let_go(store: Store, place: tuple[str, str, str], owner: str) -> None:
    found = store.find(*place)
    if found is not None:
        meta = found["metadata"]
        meta["ownerReferences"] = [each for each in meta["ownerReferences"] if each["uid"] != owner]
        store.update(place[0], found)


def _remove_too(store: Store, place: tuple[str, str, str]) -> None:
    found = store.peek(*place)
    if found is not None and not found["metadata"].get("deletionTimestamp"):
        store.remove(*place, policy="Foreground")


def look_after_namespace(store: Store, namespace: Object) -> None:
    """A namespace has its ServiceAccount `default`; one that ends is emptied, and goes when nothing is left in it."""
    meta = namespace["metadata"]
    if meta.get("deletionTimestamp"):
        _empty(store, namespace)
    elif store.peek("serviceaccounts", meta["name"], "default") is None:
        store.create("serviceaccounts", meta["name"], {"metadata": {"name": "default"}})


def _empty(store: Store, namespace: Object) -> None:
    name, kinds, finalizers = namespace["metadata"]["name"], Counter[str](), Counter[str]()
    for kind, obj in store.stored():
        meta = obj["metadata"]
        if meta.get("namespace") != name:
            continue
        if meta.get("deletionTimestamp") or not store.remove(kind.type.name, name, meta["name"]).gone:
            kinds[f"{kind.type.plural}.{kind.type.group}"] += 1
            finalizers.update(meta.get("finalizers", ()))
    if kinds:
        conditions = _remaining(kinds, finalizers, store.now())
        had = namespace["status"].get("conditions", ())
        if [each["message"] for each in had] != [each["message"] for each in conditions]:
            status = {**namespace["status"], "conditions": conditions}
            store.update("namespaces", {**namespace, "status": status}, subresource="status")
    elif namespace["spec"].get("finalizers"):
        store.update("namespaces", {**namespace, "spec": {"finalizers": []}}, subresource="finalize")


def _remaining(kinds: Counter[str], finalizers: Counter[str], now: str) -> list[Object]:
    """The conditions by which a namespace says why it stays."""
    left = ", ".join(f"{kind} has {count} resource instances" for kind, count in sorted(kinds.items()))
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
    deleted = "All content successfully deleted, may be waiting on finalization"
    holding = f"Some content in the namespace has finalizers remaining: {held}"
    return [
        _condition("DiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered", now),
        _condition(
            "GroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed", now
        ),
        _condition("ContentFailure", "ContentDeleted", deleted, now),
        {
            **_condition("", "SomeResourcesRemain", f"Some resources are remaining: {left}", now, "True"),
            "type": "NamespaceContentRemaining",
        },
        {
            **_condition("", "SomeFinalizersRemain", holding, now, "True" if held else "False"),
            "type": "NamespaceFinalizersRemaining",
        },
    ]


def _condition(name: str, reason: str, message: str, now: str, status: str = "False") -> Object:
    condition = {"type": f"NamespaceDeletion{name}", "status": status, "reason": reason, "message": message}
    return {**condition, "lastTransitionTime": now}


def establish(store: Store, definition: Object) -> None:
    """A CustomResourceDefinition is served at once, and says so."""
    if definition.get("status", {}).get("conditions"):
        return
    spec, now = definition["spec"], store.now()
    told = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    status = {
        "acceptedNames": spec["names"],
        "conditions": [
            {"type": name, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
            for name, reason, message in told
        ],
        "storedVersions": [each["name"] for each in spec["versions"] if each.get("storage")],
    }
    store.update(DEFINITIONS, {**definition, "status": status}, subresource="status")
