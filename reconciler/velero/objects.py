"""Ours → Velero's: the names, labels and manifests of what is created on members.

Names and labels are Kurator's (`pkg/fleet-manager/restore_controller.go` and its siblings), the run id and the
finalizer are ours. Fields: Velero's `pkg/apis/velero/v1/{backup,restore}_types.go`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from reconciler.resources import (
    BackupSpec,
    ClusterId,
    Identity,
    ResourceFilter,
    RestoreFilter,
    RestoreSpec,
    duration,
    plain,
)

PREFIX: Final = "reconciler"
RUN_ID: Final = f"{PREFIX}/run-id"
SOURCE: Final = f"{PREFIX}/source"
REVISION: Final = f"{PREFIX}/revision"
OBJECT: Final = f"{PREFIX}/object"
FINALIZER: Final = f"{PREFIX}/recorded"
SUSPENDED: Final = f"{PREFIX}/suspended"
SCHEDULE_NAME: Final = "velero.io/schedule-name"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "reconciler"
API_VERSION: Final = "velero.io/v1"

_NOT_RESTORED: Final = ("destination", "attempt", "rerun", "suspend", "startWithin", "allowSkipped")


def object_name(identity: Identity, cluster: ClusterId, attempt: int, run_id: str) -> str:
    """Kurator's name for attempt 1; after it the attempt and the run's first 6 digits, so that no name comes twice."""
    name = f"{cluster.name}-{identity.kind.lower()}-{identity.namespace}-{identity.name}"
    return name if attempt == 1 else f"{name}-{attempt}-{run_id[:6]}"


def what(spec: BackupSpec | RestoreSpec) -> str:
    """Digest of what is backed up or restored, whatever its destination and attempt: `v1:sha256:<64 hex>`."""
    return _digest({name: value for name, value in plain(spec).items() if name not in _NOT_RESTORED})


def metadata(
    identity: Identity, name: str, namespace: str, fleet: str, run_id: str, source: str, revision: str
) -> dict[str, Any]:
    """Names, labels and annotations of an object of ours on a member; the finalizer on Restores alone.

    Never on Backups: backup sync would carry it to other clusters.
    """
    kind = identity.kind.lower()
    made: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "labels": {
            f"kurator.dev/{kind}-name": identity.name,
            "fleet.kurator.dev/fleet-name": fleet,
            "fleet.kurator.dev/plugin": "backup",
            MANAGED_BY: MANAGER,
        },
        "annotations": {RUN_ID: run_id, OBJECT: str(identity), SOURCE: source, REVISION: revision},
    }
    return made | ({"finalizers": [FINALIZER]} if identity.kind == "Restore" else {})


def backup(meta: Mapping[str, Any], spec: BackupSpec) -> dict[str, Any]:
    """A Velero Backup."""
    return {"apiVersion": API_VERSION, "kind": "Backup", "metadata": dict(meta), "spec": _backup_spec(spec)}


def schedule(meta: Mapping[str, Any], spec: BackupSpec) -> dict[str, Any]:
    """A Velero Schedule. One that is paused by us says so, so that nobody else's pause is ever lifted."""
    fields: dict[str, Any] = {"schedule": spec.schedule, "template": _backup_spec(spec)}
    marked = dict(meta)
    if spec.suspend:
        fields["paused"] = True
        marked["annotations"] = {**marked["annotations"], SUSPENDED: "true"}
    return {"apiVersion": API_VERSION, "kind": "Schedule", "metadata": marked, "spec": fields}


def fingerprint(spec: Mapping[str, Any]) -> str:
    """Of what a Schedule does, whoever wrote it: its expression and template, without what is empty.

    A server that wrote the object may have put `720h0m0s` for `720h`.
    """
    template = _full(spec.get("template"))
    with contextlib.suppress(ValueError, KeyError, TypeError):
        template["ttl"] = duration(template["ttl"]).total_seconds()
    return _digest({"schedule": spec.get("schedule"), "template": template})


def restore(meta: Mapping[str, Any], spec: RestoreSpec, backup_name: str) -> dict[str, Any]:
    """A Velero Restore of that Backup object."""
    policy = spec.policy
    fields: dict[str, Any] = {"backupName": backup_name}
    if policy:
        fields |= _filter(policy.resource_filter)
        fields |= {"namespaceMapping": dict(policy.namespace_mapping)} if policy.namespace_mapping else {}
        fields |= {"restoreStatus": plain(policy.preserve_status)} if policy.preserve_status else {}
        if policy.preserve_node_ports is not None:
            fields["preserveNodePorts"] = policy.preserve_node_ports
        if policy.existing_resource_policy:
            fields["existingResourcePolicy"] = policy.existing_resource_policy
    return {"apiVersion": API_VERSION, "kind": "Restore", "metadata": dict(meta), "spec": fields}


def _backup_spec(spec: BackupSpec) -> dict[str, Any]:
    policy = spec.policy
    fields: dict[str, Any] = {}
    if policy:
        fields = _filter(policy.resource_filter)
        fields |= {"ttl": policy.ttl} if policy.ttl else {}
        fields |= {"orderedResources": dict(policy.ordered_resources)} if policy.ordered_resources else {}
    return fields


def _digest(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"v1:sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _full(value: Any) -> Any:
    """Without what is empty, at any depth."""
    if isinstance(value, Mapping):
        parts = {name: _full(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in (None, {}, [], "")}
    return [_full(part) for part in value] if isinstance(value, list) else value


def _filter(chosen: ResourceFilter | RestoreFilter | None) -> dict[str, Any]:
    """Velero's field names are Kurator's."""
    return plain(chosen) if chosen else {}
