"""Clusters and fleets of them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.names import SecretKey, SecretName, Text, Unread
from reconciler.resources.model import ClusterReference, Metadata, Model


class SecretReference(Model):
    """The Secret with the kubeconfig, in the namespace of the cluster."""

    name: SecretName
    key: SecretKey = "value"
    """The key of the Secret that holds it."""


class AttachedClusterSpec(Model):
    """How to reach the cluster."""

    kubeconfig: SecretReference


class AttachedCluster(Model):
    """A cluster that is there already, and whose kubeconfig lies in a Secret."""

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
    """Where the object storage is."""

    bucket: Text
    provider: Literal["aws", "huaweicloud", "gcp", "azure"]
    endpoint: Text = ""
    region: Text = ""
    config: dict[Text, Text] = Field(default_factory=dict)


class BackupStorage(Model):
    """The object storage that the fleet backs up to."""

    location: StorageLocation
    secret_name: SecretName
    """A Secret with the keys `access-key` and `secret-key`."""


class Chart(Model):
    """Which Helm chart Kurator installs Velero from."""

    repository: Text = ""
    name: Text = ""
    version: Text = ""
    values: Unread = None


class BackupPlugin(Model):
    """How Kurator sets up backups on the fleet."""

    chart: Chart | None = None
    storage: BackupStorage
    extra_args: Unread = None


class Plugins(BaseModel):
    """Of a fleet's plugins only `backup` is read, strictly; the others may stand beside it and are not kept."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    backup: BackupPlugin | None = None


class FleetSpec(Model):
    """Which clusters belong together."""

    clusters: tuple[ClusterReference, ...] = ()
    plugin: Plugins | None = None


class Fleet(Model):
    """Clusters that are backed up and restored together."""

    api_version: Literal["fleet.kurator.dev/v1alpha1"]
    kind: Literal["Fleet"]
    metadata: Metadata
    spec: FleetSpec
