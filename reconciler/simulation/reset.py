"""Brings a simulated member back to its pristine state between two tests. For the server's loop; called by `member`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.simulation.api.store import Store
from reconciler.simulation.cluster import Object
from reconciler.simulation.install import NAMESPACE, STORAGE, VALIDATION_FREQUENCY, deployment, storage

if TYPE_CHECKING:
    from reconciler.simulation.member import SimulatedMember

_LOCATIONS = "backupstoragelocations.velero.io"
_KEPT_NAMESPACES = ("default", "kube-", NAMESPACE)
# What a Backup owns before it, so that nothing is in its way.
_CLEANED = (
    "schedules",
    "deletebackuprequests",
    "downloadrequests",
    "serverstatusrequests",
    "restores",
    "podvolumerestores",
    "podvolumebackups",
    "backups",
    "backuprepositories",
    "volumesnapshotlocations",
)


def reset(member: SimulatedMember) -> None:
    """Everything runs, and nothing is left that was not there in the beginning."""
    store, velero = member.store, member.velero
    member.api_server.access.refusals = ()
    member.bucket.available = True
    velero.stop()
    velero.release()
    velero.mend_items()
    velero.reconnect()
    for plural in _CLEANED:
        for obj in store.listed(f"{plural}.velero.io"):
            remove(store, f"{plural}.velero.io", obj)
    member.bucket.empty(member.name)
    for obj in store.listed("configmaps", NAMESPACE):
        remove(store, "configmaps", obj)
    for namespace in store.listed("namespaces"):
        name = namespace["metadata"]["name"]
        if not name.startswith(_KEPT_NAMESPACES):
            remove_namespace(store, name)
    put_storage_back(store)
    if store.peek("deployments.apps", NAMESPACE, "velero") is None:
        store.create("deployments.apps", NAMESPACE, deployment())
    velero.start()


def remove(store: Store, resource: str, obj: Object) -> None:
    """Deletes an object whatever its finalizers say."""
    meta = obj["metadata"]
    namespace, name = meta.get("namespace", ""), meta["name"]
    if meta.get("finalizers"):
        bare = {key: value for key, value in meta.items() if key != "finalizers"}
        store.update(resource, {**obj, "metadata": bare})
    if store.peek(resource, namespace, name) is not None:
        store.remove(resource, namespace, name)


def remove_namespace(store: Store, name: str) -> None:
    """A namespace, and all that is in it, as soon as the controllers have looked."""
    if store.peek("namespaces", "", name) is None:
        return
    for kind, obj in store.stored():
        if obj["metadata"].get("namespace") == name and obj["metadata"].get("finalizers"):
            remove(store, kind.type.name, obj)
    store.remove("namespaces", "", name)


def put_storage_back(store: Store) -> None:
    """The BackupStorageLocation as it was, without what a test has added to it."""
    for obj in store.listed(_LOCATIONS):
        if obj["metadata"]["name"] != STORAGE or obj["metadata"].get("deletionTimestamp"):
            remove(store, _LOCATIONS, obj)
    found = store.find(_LOCATIONS, NAMESPACE, STORAGE)
    wanted = storage(store.name)
    if found is None:
        store.create(_LOCATIONS, NAMESPACE, wanted)
    else:
        store.update(_LOCATIONS, {**found, "spec": wanted["spec"]})


def look_at_storage(store: Store) -> None:
    """Has Velero look at its storage now, as it does on any change of it."""
    found = store.find(_LOCATIONS, NAMESPACE, STORAGE)
    if found is not None:
        other = "6s" if found["spec"].get("validationFrequency") == VALIDATION_FREQUENCY else VALIDATION_FREQUENCY
        found["spec"]["validationFrequency"] = other
        store.update(_LOCATIONS, found)
