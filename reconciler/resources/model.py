"""The parts that every kind is made of: identities, the strict model, labels, destinations, what controls a run.

Docstrings of models and of their fields are what `reconciler schema` prints, and editors show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from reconciler.names import Count, Duration, FieldError, Flag, LabelKey, LabelName, LabelValue, ObjectName, Text

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

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True)


class Metadata(Model):
    """What the object is called. Identity is (kind, namespace, name), never the file."""

    name: ObjectName
    namespace: LabelName = "default"
    """All objects of one Backup or Restore lie in one namespace."""
    labels: dict[Text, Text] = Field(default_factory=dict)
    annotations: dict[Text, Text] = Field(default_factory=dict)


class LabelExpression(Model):
    """One condition on the labels of an object."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"operator": {"enum": ["In", "NotIn"]}}},
            "then": {"required": ["values"], "properties": {"values": {"minItems": 1}}},
            "else": {"properties": {"values": {"maxItems": 0}}},
        }
    )

    key: LabelKey
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[LabelValue, ...] = ()
    """For In and NotIn."""

    @model_validator(mode="after")
    def _values_as_the_operator_wants(self) -> Self:
        if self.operator in ("In", "NotIn") and not self.values:
            raise ValueError(f"operator {self.operator} has no values to compare with; list them under `values`")
        if self.operator in ("Exists", "DoesNotExist") and self.values:
            raise FieldError(f"operator {self.operator} takes no values; remove them, or use In or NotIn", "values")
        return self


class LabelSelector(Model):
    """Chooses objects by their labels; all of its conditions must hold."""

    match_labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    match_expressions: tuple[LabelExpression, ...] = ()


ONE_SELECTOR: Final[
    dict[str, JsonValue]
] = {  # for the schema of what has both; `desired.filters` refuses it with words
    "not": {"required": ["labelSelector", "orLabelSelectors"], "properties": {"orLabelSelectors": {"minItems": 1}}}
}


class ClusterReference(Model):
    """A cluster as a Fleet or a destination names it, in the namespace of that object."""

    kind: ClusterKind
    name: ObjectName


class Destination(Model):
    """The clusters that an object is for."""

    fleet: ObjectName
    clusters: tuple[ClusterReference, ...] = ()
    """Empty: all of the fleet; a Restore of a Backup: all of the Backup's."""


class RunControl(Model):
    """Our fields on everything that runs once for each attempt (not Kurator's)."""

    attempt: Annotated[Count, Field(ge=1)] = 1
    """Raise it to run again, on the clusters whose latest run did not complete."""
    rerun: Literal["All"] | None = None
    """All: a raised attempt runs on all clusters of the destination."""
    suspend: Flag = False
    """Start nothing more; of a scheduled Backup, pause its schedules."""
    start_within: Duration = "24h"
    """A run that waited this long is given up instead of coming as a surprise."""


def plain(model: Model) -> dict[str, Any]:
    """What the user set, in YAML's words and order, without defaults: the form that records and digests take."""
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
