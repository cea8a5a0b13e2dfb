"""A Restore: from which backup, to which clusters, and what becomes of objects that are there already."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from reconciler.names import Duration, FieldError, Flag, LabelName, ObjectName, Text, Time, VeleroName
from reconciler.resources.model import ONE_SELECTOR, Destination, LabelSelector, Metadata, Model, RunControl


class RestoreFilter(Model):
    """What is restored; without any, all that the backup holds. Velero's Restore has no `*ScopedResources`."""

    model_config = ConfigDict(json_schema_extra=ONE_SELECTOR)

    included_namespaces: tuple[Text, ...] = ()
    excluded_namespaces: tuple[Text, ...] = ()
    included_resources: tuple[Text, ...] = ()
    """As in `configmaps` or `deployments.apps`; empty or `*`: all."""
    excluded_resources: tuple[Text, ...] = ()
    include_cluster_resources: Flag | None = None
    """Left out: those that what is restored needs."""
    label_selector: LabelSelector | None = None
    or_label_selectors: tuple[LabelSelector, ...] = ()
    """Objects that any of these selects; not together with `labelSelector`."""


class PreserveStatus(Model):
    """Whose `status` is restored, too."""

    included_resources: tuple[Text, ...] = ()
    """Empty: of all resources."""
    excluded_resources: tuple[Text, ...] = ()


class RestorePolicy(Model):
    """How objects are restored."""

    resource_filter: RestoreFilter | None = None
    namespace_mapping: dict[LabelName, LabelName] = Field(default_factory=dict)
    """From the namespace in the backup to the one to restore into."""
    preserve_status: PreserveStatus | None = None
    preserve_node_ports: Flag | None = None
    existing_resource_policy: Literal["none", "update"] | None = None
    """Velero's, not Kurator's: `update` repairs objects that are there and differ; otherwise they stay as they are."""


class Source(Model):
    """Velero's own objects, whoever made them, in place of a Backup of ours (not Kurator's)."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["backup"]}, {"required": ["schedule"]}]},
    )

    backup: VeleroName | None = None
    """The name of a Velero Backup."""
    schedule: ObjectName | None = None
    """The name of a Velero Schedule: the newest of its backups that fits."""

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if self.backup is None and self.schedule is None:
            raise ValueError("neither `backup` nor `schedule` stands here; name a Velero Backup or a Schedule")
        if self.backup is not None and self.schedule is not None:
            raise FieldError("stands beside `backup`; keep one of the two", "schedule")
        return self


class RestoreSpec(RunControl):
    """What to restore, to which clusters. Kurator's are `backupName`, `destination` and `policy`; the rest is ours.

    From several backups the newest that fits is taken, by when it was started.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["backupName"], "not": {"required": ["source"]}},
                {"required": ["source", "destination"], "not": {"required": ["backupName"]}},
            ]
        }
    )

    backup_name: ObjectName | None = None
    """A Backup of the same namespace."""
    source: Source | None = None
    """In place of `backupName`: Velero's own objects."""
    destination: Destination | None = None
    """Left out: the clusters of the Backup."""
    policy: RestorePolicy | None = None
    before: Time | None = None
    """Take a backup that was started at this time or earlier, as in "2026-11-23T03:00:00Z", in quotes."""
    max_backup_age: Duration | None = None
    """Refuse backups that are older than this (at `before`, else now)."""
    max_skew: Duration | None = None
    """Refuse backups of the clusters that lie further apart than this."""
    allow_partially_failed: Flag = False
    """Take a backup that ended PartiallyFailed."""
    allow_skipped: Flag = False
    """Take it for restored although objects that were there already were left as they are, or nobody could tell."""

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if self.backup_name is None and self.source is None:
            raise ValueError("neither `backupName` nor `source` stands here; say in one of them what to restore")
        if self.backup_name is not None and self.source is not None:
            raise FieldError("stands beside `backupName`; keep one of the two", "source")
        if self.source is not None and self.destination is None:
            raise FieldError("needs a `destination`, since no Backup says where; add one with its fleet", "source")
        return self


class Restore(Model):
    """Brings a backup back, once for each attempt, on each cluster of its destination."""

    api_version: Literal["backup.kurator.dev/v1alpha1"]
    kind: Literal["Restore"]
    metadata: Metadata
    spec: RestoreSpec
