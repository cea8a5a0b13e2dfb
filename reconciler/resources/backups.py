"""A Backup: one now, or with `schedule` a Velero Schedule on each cluster."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from reconciler import cron
from reconciler.names import Duration, FieldError, Flag, Text
from reconciler.resources.model import ONE_SELECTOR, Destination, LabelSelector, Metadata, Model, RunControl

Expression = Annotated[
    Text, AfterValidator(cron.agreed), WithJsonSchema({"type": "string", "pattern": cron.PATTERN, "maxLength": 1024})
]


class ResourceFilter(Model):
    """What is backed up; without any, all. Items may be `*` alone, and namespaces patterns as in `prod-*`."""

    model_config = ConfigDict(json_schema_extra=ONE_SELECTOR)

    included_namespaces: tuple[Text, ...] = ()
    excluded_namespaces: tuple[Text, ...] = ()
    included_resources: tuple[Text, ...] = ()
    """As in `configmaps` or `deployments.apps`; not together with the …ScopedResources fields."""
    excluded_resources: tuple[Text, ...] = ()
    """Not together with the …ScopedResources fields."""
    include_cluster_resources: Flag | None = None
    """Left out: those that what is backed up needs. Not together with the …ScopedResources fields."""
    included_cluster_scoped_resources: tuple[Text, ...] = ()
    excluded_cluster_scoped_resources: tuple[Text, ...] = ()
    included_namespace_scoped_resources: tuple[Text, ...] = ()
    excluded_namespace_scoped_resources: tuple[Text, ...] = ()
    label_selector: LabelSelector | None = None
    or_label_selectors: tuple[LabelSelector, ...] = ()
    """Objects that any of these selects; not together with `labelSelector`."""


class BackupPolicy(Model):
    """What is backed up, and how long it is kept."""

    resource_filter: ResourceFilter | None = None
    ttl: Duration | None = None
    """Velero deletes the backup after this (30 days if left out), and its restores with it."""
    ordered_resources: dict[Text, Text] = Field(default_factory=dict)
    """By resource, which objects come first: `pods: ns1/pod1,ns1/pod2`."""


class BackupSpec(RunControl):
    """What to back up, on which clusters, once or by a schedule."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["schedule"], "properties": {"schedule": {"minLength": 1}}},
            "then": {"not": {"required": ["rerun"]}, "properties": {"attempt": {"maximum": 1}}},
        }
    )

    schedule: Expression = ""
    """Cron: minute, hour, day of month, month, day of week; or `@daily`, `@every 24h`. In UTC, unless `TZ=` names a
    zone. Left out: one backup, now."""
    destination: Destination
    policy: BackupPolicy | None = None

    @model_validator(mode="after")
    def _a_schedule_runs_by_itself(self) -> Self:
        why = "means nothing beside `schedule`, which runs by itself"
        if self.schedule and self.attempt > 1:
            raise FieldError(f"{why}; remove it, or add a Backup without a schedule to back up now", "attempt")
        if self.schedule and self.rerun is not None:
            raise FieldError(f"{why}; remove it, or add a Backup without a schedule to back up now", "rerun")
        return self


class Backup(Model):
    """Backs up each cluster of its destination: once for each attempt, or by a schedule."""

    api_version: Literal["backup.kurator.dev/v1alpha1"]
    kind: Literal["Backup"]
    metadata: Metadata
    spec: BackupSpec
