"""The kinds that a cluster serves: the built-in ones as a real server's discovery lists them, and those of CRDs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.simulation.cluster import Object, ResourceType

_FOLDER = Path(__file__).with_name("definitions")
_CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
# Whose metadata.generation a real server keeps; custom resources always have it.
_WITH_GENERATION = frozenset(
    [
        "CronJob",
        "CustomResourceDefinition",
        "DaemonSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "IngressClass",
        "Job",
        "NetworkPolicy",
        "Pod",
        "PodDisruptionBudget",
        "ReplicaSet",
        "StatefulSet",
    ]
)
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A served kind: what discovery says of it, and the schema of its objects."""

    type: ResourceType
    singular: str
    schema: Object
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = _CUSTOM_VERBS
    subresources: dict[str, Object] = field(default_factory=dict)
    custom: bool = False
    list_kind: str = ""
    columns: tuple[Object, ...] = ()

    @property
    def has_generation(self) -> bool:
        """Whether metadata.generation counts the changes of what is wanted."""
        return self.custom or self.type.kind in _WITH_GENERATION

    @property
    def has_status(self) -> bool:
        """Whether status is written by its subresource alone."""
        return "status" in self.subresources


@cache
def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / name).read_text("utf-8"))
    return found


def version() -> Object:
    """What /version answers."""
    return _read("kubernetes.json")["version"]  # type: ignore[no-any-return] # JSON


def schemas() -> dict[str, Object]:
    """The named schemas of the built-in kinds."""
    return _read("kubernetes.json")["schemas"]  # type: ignore[no-any-return] # JSON


def messages() -> dict[str, dict[str, list[str]]]:
    """The protobuf messages of built-in kinds: for each field its name in JSON and its type."""
    return _read("protobuf.json")["messages"]  # type: ignore[no-any-return] # JSON


def velero_definitions() -> list[Object]:
    """Velero's CustomResourceDefinitions: metadata.name and spec. Shared by all members: not to be changed."""
    return _read("velero.json")["definitions"]  # type: ignore[no-any-return] # JSON


@cache
def built_in() -> dict[str, Kind]:
    """The built-in kinds by `ResourceType.name`."""
    entries = _read("kubernetes.json")["resources"]
    found: dict[str, Kind] = {}
    for entry in (entry for entry in entries if "/" not in entry["name"]):
        group, _, number = entry["groupVersion"].rpartition("/")
        made = ResourceType(group, number, entry["name"], entry["kind"], entry["namespaced"])
        found[made.name] = Kind(
            made,
            entry["singularName"],
            {"$ref": f"#/components/schemas/{entry['schema']}"},
            tuple(entry.get("shortNames", ())),
            tuple(entry.get("categories", ())),
            tuple(entry["verbs"]),
            {
                other["name"].partition("/")[2]: other
                for other in entries
                if other["groupVersion"] == entry["groupVersion"] and other["name"].startswith(f"{entry['name']}/")
            },
            list_kind=f"{entry['kind']}List",
        )
    return found


def custom(definition: Object) -> Kind:
    """The kind that a CustomResourceDefinition defines, in the version that it stores."""
    spec = definition["spec"]
    names, stored = spec["names"], next(each for each in spec["versions"] if each.get("storage"))
    made = ResourceType(
        spec["group"], stored["name"], names["plural"], names["kind"], spec.get("scope") == "Namespaced"
    )
    subresources: dict[str, Object] = {}
    if "status" in stored.get("subresources", {}):
        entry = {"name": f"{made.plural}/status", "singularName": "", "namespaced": made.namespaced}
        subresources["status"] = {**entry, "kind": made.kind, "verbs": ["get", "patch", "update"]}
    return Kind(
        made,
        names.get("singular") or made.kind.lower(),
        (stored.get("schema") or {}).get("openAPIV3Schema", {"x-kubernetes-preserve-unknown-fields": True}),
        tuple(names.get("shortNames", ())),
        tuple(names.get("categories", ())),
        subresources=subresources,
        custom=True,
        list_kind=names.get("listKind") or f"{made.kind}List",
        columns=tuple(stored.get("additionalPrinterColumns", ())),
    )


@cache
def _velero_kinds() -> dict[str, tuple[Object, Kind]]:
    """The spec of each of Velero's definitions, and what it defines, made once for all members."""
    return {each["metadata"]["name"]: (each["spec"], custom(each)) for each in velero_definitions()}


def defined_by(definition: Object) -> Kind:
    """As `custom`, without any work for the definitions that all members share."""
    spec, kind = _velero_kinds().get(definition["metadata"]["name"], (None, None))
    return kind if kind is not None and spec is definition["spec"] else custom(definition)


def resolve(node: Object) -> Object:
    """The schema that a node is, or refers to."""
    reference = node.get("$ref")
    return schemas()[reference.rpartition("/")[2]] if reference else node
