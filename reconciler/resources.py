"""What users write: Kurator's API (`v1alpha1`, unchanged) and the few fields of ours beside it, frozen and strict.

Source of the fields: Kurator's `pkg/apis/{backups,fleet,cluster}/v1alpha1`. `manifests` makes these from YAML;
everything behind it reads them and never a raw dict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from reconciler.names import Count, Duration, Flag, LabelName, ObjectName, SecretKey, SecretName, Text, Unread
from reconciler.names import duration as duration

BACKUP_GROUP: Final = "backup.kurator.dev"
FLEET_GROUP: Final = "fleet.kurator.dev"
CLUSTER_GROUP: Final = "cluster.kurator.dev"
VERSION: Final = "v1alpha1"

ClusterKind = Literal["AttachedCluster", "Cluster"]


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What an object is, wherever its file lies: (kind, namespace, name)."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class ClusterId:
    """A member cluster: `kind` is AttachedCluster or Cluster, `namespace` that of its object (and so of its fleets)."""

    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Model(BaseModel):
    """Frozen, camelCase in YAML, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Metadata(Model):
    name: ObjectName
    namespace: LabelName = "default"
    labels: dict[Text, Text] = Field(default_factory=dict)
    annotations: dict[Text, Text] = Field(default_factory=dict)


class LabelExpression(Model):
    key: Text
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _values_as_the_operator_wants(self) -> Self:
        if self.operator in ("In", "NotIn") and not self.values:
            raise ValueError(f"operator {self.operator} has no values to compare with; list them under `values`")
        if self.operator in ("Exists", "DoesNotExist") and self.values:
            raise ValueError(f"operator {self.operator} takes no values; remove `values`, or use In or NotIn")
        return self


class LabelSelector(Model):
    match_labels: dict[Text, Text] = Field(default_factory=dict)
    match_expressions: tuple[LabelExpression, ...] = ()


class ResourceFilter(Model):
    included_namespaces: tuple[Text, ...] = ()
    excluded_namespaces: tuple[Text, ...] = ()
    included_resources: tuple[Text, ...] = ()
    excluded_resources: tuple[Text, ...] = ()
    include_cluster_resources: Flag | None = None
    included_cluster_scoped_resources: tuple[Text, ...] = ()
    excluded_cluster_scoped_resources: tuple[Text, ...] = ()
    included_namespace_scoped_resources: tuple[Text, ...] = ()
    excluded_namespace_scoped_resources: tuple[Text, ...] = ()
    label_selector: LabelSelector | None = None
    or_label_selectors: tuple[LabelSelector, ...] = ()


class ClusterReference(Model):
    """A cluster as a Fleet or a destination names it."""

    kind: ClusterKind
    name: ObjectName


class Destination(Model):
    """Empty `clusters` means all of the fleet."""

    fleet: ObjectName
    clusters: tuple[ClusterReference, ...] = ()


# ---------------------------------------------------------------- clusters and fleets


class SecretReference(Model):
    name: SecretName
    key: SecretKey = "value"


class AttachedClusterSpec(Model):
    kubeconfig: SecretReference


class AttachedCluster(Model):
    api_version: Literal["cluster.kurator.dev/v1alpha1"]
    kind: Literal["AttachedCluster"]
    metadata: Metadata
    spec: AttachedClusterSpec


class Cluster(Model):
    """A cluster that Kurator provisions: only its identity matters, its spec is none of our business."""

    api_version: Literal["cluster.kurator.dev/v1alpha1"]
    kind: Literal["Cluster"]
    metadata: Metadata
    spec: Unread = None


class StorageLocation(Model):
    bucket: Text
    provider: Literal["aws", "huaweicloud", "gcp", "azure"]
    endpoint: Text = ""
    region: Text = ""
    config: dict[Text, Text] = Field(default_factory=dict)


class BackupStorage(Model):
    location: StorageLocation
    secret_name: SecretName


class Chart(Model):
    repository: Text = ""
    name: Text = ""
    version: Text = ""
    values: Unread = None


class BackupPlugin(Model):
    chart: Chart | None = None
    storage: BackupStorage
    extra_args: Unread = None


class Plugins(BaseModel):
    """Of a fleet's plugins only `backup` is read, strictly; the others may stand beside it and are not kept."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    backup: BackupPlugin | None = None


class FleetSpec(Model):
    clusters: tuple[ClusterReference, ...] = ()
    plugin: Plugins | None = None


class Fleet(Model):
    api_version: Literal["fleet.kurator.dev/v1alpha1"]
    kind: Literal["Fleet"]
    metadata: Metadata
    spec: FleetSpec


# ---------------------------------------------------------------- backups and restores


class BackupPolicy(Model):
    resource_filter: ResourceFilter | None = None
    ttl: Duration | None = None
    ordered_resources: dict[Text, Text] = Field(default_factory=dict)


class RunControl(Model):
    """Our fields on everything that runs once for each attempt (not Kurator's)."""

    attempt: Annotated[Count, Field(ge=1)] = 1
    rerun: Literal["All"] | None = None
    suspend: Flag = False
    start_within: Duration = "24h"


class BackupSpec(RunControl):
    schedule: Text = ""
    destination: Destination
    policy: BackupPolicy | None = None


class Backup(Model):
    api_version: Literal["backup.kurator.dev/v1alpha1"]
    kind: Literal["Backup"]
    metadata: Metadata
    spec: BackupSpec


class RestoreFilter(Model):
    """A Restore's resourceFilter: Velero's Restore has no `*ScopedResources`."""

    included_namespaces: tuple[Text, ...] = ()
    excluded_namespaces: tuple[Text, ...] = ()
    included_resources: tuple[Text, ...] = ()
    excluded_resources: tuple[Text, ...] = ()
    include_cluster_resources: Flag | None = None
    label_selector: LabelSelector | None = None
    or_label_selectors: tuple[LabelSelector, ...] = ()


class PreserveStatus(Model):
    included_resources: tuple[Text, ...] = ()
    excluded_resources: tuple[Text, ...] = ()


class RestorePolicy(Model):
    resource_filter: RestoreFilter | None = None
    namespace_mapping: dict[Text, Text] = Field(default_factory=dict)
    preserve_status: PreserveStatus | None = None
    preserve_node_ports: Flag | None = None


class RestoreSpec(RunControl):
    backup_name: ObjectName
    destination: Destination | None = None
    policy: RestorePolicy | None = None
    allow_partially_failed: Flag = False


class Restore(Model):
    api_version: Literal["backup.kurator.dev/v1alpha1"]
    kind: Literal["Restore"]
    metadata: Metadata
    spec: RestoreSpec


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


def plain(model: Model) -> dict[str, Any]:
    """What the user set, in YAML's words and order, without defaults: the form that records and digests take."""
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
