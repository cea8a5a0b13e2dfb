"""What the server fills into a new Backup, and what it finds wrong with it.

Called by `backups`. Facts: `prepareBackupRequest` of `backup_controller.go`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from reconciler.simulation.cluster import Object
from reconciler.simulation.velero.collecting import EXCLUDE_LABEL, old_filters
from reconciler.simulation.velero.filters import mistakes, namespace_mistakes, scoped_mistakes
from reconciler.simulation.velero.locations import available
from reconciler.simulation.velero.machine import LOCATIONS, Machine
from reconciler.simulation.velero.words import duration, label_value, stamp

KUBERNETES: Final = ("v1.36.3", "1", "36")
_DEFAULT_LOCATION: Final = "default"
_TTL: Final = "720h0m0s"
_DEFAULTS: Final = {"ttl": _TTL, "csiSnapshotTimeout": "10m0s", "itemOperationTimeout": "4h0m0s"}
_NO_VOLUMES: Final = {"defaultVolumesToFsBackup": False, "snapshotMoveData": False}
_NEVER_INSIDE: Final = ("volumesnapshots.snapshot.storage.k8s.io",)
_NEVER_OUTSIDE: Final = ("volumesnapshotcontents.snapshot.storage.k8s.io",)
_MIXED: Final = (
    "include-resources, exclude-resources and include-cluster-resources are old filter parameters.\n"
    "include-cluster-scoped-resources, exclude-cluster-scoped-resources, include-namespace-scoped-resources and "
    "exclude-namespace-scoped-resources are new filter parameters.\nThey cannot be used together"
)
_ADVICE: Final = "Please address this issue (see `velero backup-location -h` for options) and create a new backup."


def prepare(machine: Machine, backup: Object) -> list[str]:
    """Changes the object as the server would; what comes back is wrong with it."""
    metadata, spec = backup["metadata"], backup.setdefault("spec", {})
    for name, value in _DEFAULTS.items():
        if duration(spec.get(name)) == 0:
            spec[name] = value
    for name, switch in _NO_VOLUMES.items():
        spec.setdefault(name, switch)
    spec.setdefault("volumeGroupSnapshotLabelKey", "velero.io/volume-group")
    expires = machine.clock.now() + timedelta(seconds=duration(spec["ttl"]))
    backup["status"] = {
        **(backup.get("status") or {}),
        "version": 1,
        "formatVersion": "1.1.0",
        "expiration": stamp(expires),
    }
    found = _storage(machine, spec)
    metadata.setdefault("labels", {})["velero.io/storage-location"] = label_value(spec["storageLocation"])
    found += _volume_locations(machine, spec)
    git, major, minor = KUBERNETES
    metadata.setdefault("annotations", {}).update(
        {
            "velero.io/source-cluster-k8s-gitversion": git,
            "velero.io/source-cluster-k8s-major-version": major,
            "velero.io/source-cluster-k8s-minor-version": minor,
            "velero.io/resource-timeout": "10m0s",
        }
    )
    hidden = [one for one in machine.cluster.all("namespaces") if _labels(one).get(EXCLUDE_LABEL) == "true"]
    if hidden:
        spec["excludedNamespaces"] = [
            *(spec.get("excludedNamespaces") or ()),
            *(one["metadata"]["name"] for one in hidden),
        ]
    return found + _choices(machine, spec)


def _labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _storage(machine: Machine, spec: dict[str, Any]) -> list[str]:
    asked = bool(spec.get("storageLocation"))
    if not asked:
        defaults = [one["metadata"]["name"] for one in machine.all(LOCATIONS) if (one.get("spec") or {}).get("default")]
        spec["storageLocation"] = defaults[0] if defaults else _DEFAULT_LOCATION
    name = spec["storageLocation"]
    location = machine.get(LOCATIONS, name)
    if location is None:
        missing = f"the default {name} was not found." if asked else f"the server default {name} does not exist."
        before = f"an existing backup storage location was not specified at backup creation time and {missing}"
        return [f'{before} {_ADVICE} Error: BackupStorageLocation.velero.io "{name}" not found']
    found = []
    if (location.get("spec") or {}).get("accessMode") == "ReadOnly":
        found.append(f"backup can't be created because backup storage location {name} is currently in read-only mode")
    if not available(location):
        found.append(f"backup can't be created because BackupStorageLocation {name} is in Unavailable status.")
    return found


def _volume_locations(machine: Machine, spec: dict[str, Any]) -> list[str]:
    resource = "volumesnapshotlocations.velero.io"
    return [
        f"a VolumeSnapshotLocation CRD for the location {name} with the name specified in the backup spec needs to be "
        f'created before this snapshot can be executed. Error: VolumeSnapshotLocation.velero.io "{name}" not found'
        for name in spec.get("volumeSnapshotLocations") or ()
        if machine.get(resource, name) is None
    ]


def _choices(machine: Machine, spec: dict[str, Any]) -> list[str]:
    scoped = ("NamespaceScopedResources", "ClusterScopedResources")
    both = any(spec.get(f"{word}{scope}") for word in ("included", "excluded") for scope in scoped)
    found = [_MIXED] if both and old_filters(spec) else []
    if old_filters(spec):
        wrong = mistakes(spec.get("includedResources") or (), spec.get("excludedResources") or ())
        found += [f"Invalid included/excluded resource lists: {text}" for text in wrong]
        if not wrong:
            _exclude(spec, "Resources", (*_NEVER_INSIDE, *_NEVER_OUTSIDE))
    else:
        found += _scoped(spec, "Cluster", _NEVER_OUTSIDE) + _scoped(spec, "Namespace", _NEVER_INSIDE)
    spec["includedNamespaces"] = spec.get("includedNamespaces") or ["*"]
    wrong = namespace_mistakes(spec["includedNamespaces"], spec.get("excludedNamespaces") or ())
    found += [f"Invalid included/excluded namespace lists: {text}" for text in wrong]
    if spec.get("orLabelSelectors") is not None and spec.get("labelSelector") is not None:
        found.append("encountered labelSelector as well as orLabelSelectors in backup spec, only one can be specified")
    return found + _policies(machine, spec)


def _scoped(spec: dict[str, Any], scope: str, never: tuple[str, ...]) -> list[str]:
    fields = f"{scope}ScopedResources"
    wrong = scoped_mistakes(spec.get(f"included{fields}") or (), spec.get(f"excluded{fields}") or ())
    if not wrong:
        _exclude(spec, fields, never)
    return [f"Invalid {scope.lower()}-scoped included/excluded resource lists: {text}" for text in wrong]


def _exclude(spec: dict[str, Any], fields: str, never: tuple[str, ...]) -> None:
    excluded = list(spec.get(f"excluded{fields}") or ())
    spec[f"excluded{fields}"] = excluded = [*excluded, *(one for one in never if one not in excluded)]
    if spec.get(f"included{fields}"):
        spec[f"included{fields}"] = [one for one in spec[f"included{fields}"] if one not in excluded]


def _policies(machine: Machine, spec: dict[str, Any]) -> list[str]:
    policy = spec.get("resourcePolicy")
    if not policy or str(policy.get("kind", "")).lower() != "configmap":
        return []
    name = policy.get("name", "")
    if machine.get("configmaps", name):
        return []
    before = f"fail to get ResourcePolicies {machine.namespace}/{name} ConfigMap"
    return [f'invalid resource policies: {before}: ConfigMap "{name}" not found']
