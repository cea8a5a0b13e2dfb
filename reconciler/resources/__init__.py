"""What users write: Kurator's API (`v1alpha1`, unchanged) and the few fields of ours beside it, frozen and strict.

Source of the fields: Kurator's `pkg/apis/{backups,fleet,cluster}/v1alpha1`. `manifests` makes these from YAML;
everything behind it reads them and never a raw dict.
"""

from __future__ import annotations

from typing import Final

from reconciler.names import duration
from reconciler.resources.backups import Backup, BackupPolicy, BackupSpec, ResourceFilter
from reconciler.resources.fleets import AttachedCluster, Cluster, Fleet
from reconciler.resources.model import (
    ClusterId,
    ClusterKind,
    Destination,
    Identity,
    Metadata,
    Model,
    RunControl,
    plain,
)
from reconciler.resources.restores import Restore, RestoreFilter, RestorePolicy, RestoreSpec, Source

__all__ = [
    "BACKUP_GROUP",
    "CLUSTER_GROUP",
    "FLEET_GROUP",
    "KINDS",
    "VERSION",
    "AttachedCluster",
    "Backup",
    "BackupPolicy",
    "BackupSpec",
    "Cluster",
    "ClusterId",
    "ClusterKind",
    "Destination",
    "Fleet",
    "Identity",
    "Metadata",
    "Model",
    "Resource",
    "ResourceFilter",
    "Restore",
    "RestoreFilter",
    "RestorePolicy",
    "RestoreSpec",
    "RunControl",
    "Source",
    "duration",
    "identity",
    "plain",
]

BACKUP_GROUP: Final = "backup.kurator.dev"
FLEET_GROUP: Final = "fleet.kurator.dev"
CLUSTER_GROUP: Final = "cluster.kurator.dev"
VERSION: Final = "v1alpha1"

Resource = AttachedCluster | Cluster | Fleet | Backup | Restore

KINDS: Final[dict[tuple[str, str], type[Resource]]] = {
    (CLUSTER_GROUP, "AttachedCluster"): AttachedCluster,
    (CLUSTER_GROUP, "Cluster"): Cluster,
    (FLEET_GROUP, "Fleet"): Fleet,
    (BACKUP_GROUP, "Backup"): Backup,
    (BACKUP_GROUP, "Restore"): Restore,
}


def identity(resource: Resource) -> Identity:
    """The identity of a resource that was read."""
    return Identity(resource.kind, resource.metadata.namespace, resource.metadata.name)
