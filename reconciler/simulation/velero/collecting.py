"""Which objects of a cluster a backup holds.

Called by `backups`. Facts: `pkg/backup/item_collector.go`, `pkg/backup/item_backupper.go`; what is taken
along, in `related`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.simulation.cluster import Cluster, Object, ResourceType, StatusError
from reconciler.simulation.velero.discovery import Discovery
from reconciler.simulation.velero.filters import Filter, any_selected, expanded, matches, selected
from reconciler.simulation.velero.related import related, rights
from reconciler.simulation.velero.results import Results

EXCLUDE_LABEL: Final = "velero.io/exclude-from-backup"
# Served twice, under an old group and a new one; the first one seen counts.
_SERVED_TWICE: Final = {
    "deployments": ("extensions", "apps"),
    "daemonsets": ("extensions", "apps"),
    "replicasets": ("extensions", "apps"),
    "networkpolicies": ("extensions", "networking.k8s.io"),
    "events": ("", "events.k8s.io"),
}
_DEFINITIONS: Final = "customresourcedefinitions.apiextensions.k8s.io"


@dataclass(slots=True)
class Collection:
    """What a backup holds: resource name and object, in the order in which they were taken."""

    items: dict[tuple[str, str, str], Object] = field(default_factory=dict)

    def listed(self) -> dict[str, list[str]]:
        """`apps/v1/Deployment` → `namespace/name`."""
        found: dict[str, list[str]] = {}
        for (_, namespace, name), obj in self.items.items():
            kind = f"{obj.get('apiVersion')}/{obj.get('kind')}"
            found.setdefault(kind, []).append(f"{namespace}/{name}" if namespace else name)
        return {kind: sorted(names) for kind, names in sorted(found.items())}

    def packed(self) -> Iterator[tuple[str, Object]]:
        return ((resource, obj) for (resource, _, _), obj in self.items.items())


def old_filters(spec: Mapping[str, Any]) -> bool:
    """Whether the older of the two families of fields chooses the resources."""
    used = spec.get("includeClusterResources") is not None
    return used or bool(spec.get("includedResources") or spec.get("excludedResources"))


class Collector:
    """Chooses by one backup's spec. Mistakes go into `results`, as errors of a backup that goes on."""

    def __init__(self, cluster: Cluster, spec: Mapping[str, Any], results: Results) -> None:
        self._cluster, self._spec, self._results = cluster, spec, results
        self._discovery = Discovery(cluster.types())
        self._all_namespaces = cluster.all("namespaces")
        existing = [one["metadata"]["name"] for one in self._all_namespaces]
        self._namespaces = expanded(
            spec.get("includedNamespaces") or (), spec.get("excludedNamespaces") or (), existing
        )
        self._should_include, self._should_exclude = self._old() if old_filters(spec) else self._scoped()
        self._selectors: Sequence[Mapping[str, Any]] = spec.get("orLabelSelectors") or ()
        self._tracked: set[str] = set()
        self._found = Collection()

    def collect(self) -> Collection:
        seen: set[str] = set()
        chosen: list[tuple[ResourceType, Object]] = []
        for kind in self._discovery.types:
            if not self._should_include(kind):
                continue
            if kind.group in _SERVED_TWICE.get(kind.plural, ()):
                if kind.plural in seen:
                    continue
                seen.add(kind.plural)
            chosen += ((kind, obj) for obj in self._of_kind(kind))
        for kind, obj in chosen:
            if kind.name != "namespaces" or obj["metadata"]["name"] in self._tracked:
                self._take(kind, obj)
        self._take_definitions()
        return self._found

    def _of_kind(self, kind: ResourceType) -> list[Object]:
        if kind.name == "namespaces":
            return self._choose_namespaces()
        if not kind.namespaced:
            found = self._list(kind, None)
        elif "*" in self._namespaces:
            found = [one for one in self._list(kind, None) if one["metadata"]["namespace"] in self._namespaces]
        else:
            included = [one for one in self._namespaces.includes if one in self._namespaces]
            found = [obj for namespace in included for obj in self._list(kind, namespace)]
        self._tracked |= {obj["metadata"]["namespace"] for obj in found if kind.namespaced}
        return self._ordered(kind, found)

    def _list(self, kind: ResourceType, namespace: str | None) -> list[Object]:
        try:
            found = self._cluster.all(kind.name, namespace)
        except StatusError:
            return []
        return [obj for obj in found if self._labels_match(obj)]

    def _labels_match(self, obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        if self._selectors:
            return any_selected(labels, self._selectors)
        return selected(labels, self._spec.get("labelSelector"))

    def _ordered(self, kind: ResourceType, found: list[Object]) -> list[Object]:
        wanted = ((self._spec.get("orderedResources") or {}).get(kind.plural) or "").split(",")
        if wanted == [""]:
            return found
        by_name = {_full_name(obj): obj for obj in found}
        for name in wanted:
            if name not in by_name:
                self._results.warnings.velero.append(f" message: /Cannot find resource '{name}'.")
        first = [name for name in wanted if name in by_name]
        return [by_name[name] for name in (*first, *(name for name in by_name if name not in first))]

    def _choose_namespaces(self) -> list[Object]:
        existing = {one["metadata"]["name"] for one in self._all_namespaces}
        for name in self._namespaces.includes:
            if name != "*" and name not in existing:
                text = f"fail to get the namespace {name} specified in backup.Spec.IncludedNamespaces"
                self._results.errors.velero.append(f" resource: /namespaces message: /{text}")
        by_label = bool(self._spec.get("labelSelector") or self._selectors)
        for one in self._all_namespaces:
            if (one.get("status") or {}).get("phase", "Active") != "Active":
                continue
            name = one["metadata"]["name"]
            if by_label and (self._labels_match(one) or self._namespaces.everything):
                self._tracked |= {name} if self._labels_match(one) else set()
            elif name in self._namespaces:
                self._tracked.add(name)
        return self._all_namespaces

    # One object, and what belongs to it

    def _take(self, kind: ResourceType, obj: Object) -> None:
        metadata = obj["metadata"]
        namespace = metadata.get("namespace", "")
        key = (kind.name, namespace, metadata["name"])
        if key in self._found.items or metadata.get("deletionTimestamp"):
            return
        if (metadata.get("labels") or {}).get(EXCLUDE_LABEL) == "true":
            return
        if namespace and (namespace not in self._namespaces or not self._should_include(kind)):
            return
        if not namespace and kind.name != "namespaces" and self._should_exclude(kind):
            return
        self._found.items[key] = obj
        places = [*related(kind.name, obj)]
        if kind.name == "serviceaccounts":
            places += rights(self._cluster, self._discovery, obj)
        for resource, where, name in places:
            related_kind = self._discovery.resolve(resource)
            found = self._cluster.find(related_kind.name, where, name) if related_kind else None
            if related_kind and found:
                self._take(related_kind, found)

    def _take_definitions(self) -> None:
        """The definition of each custom resource, unless the spec itself decides on definitions."""
        kind = self._discovery.resolve(_DEFINITIONS)
        if kind is None or self._should_exclude(kind) or self._should_include(kind):
            return
        for resource in {resource for resource, _, _ in self._found.items}:
            definition = self._cluster.find(kind.name, "", resource)
            if definition:
                self._take(kind, definition)

    # The two families of fields

    def _old(self) -> tuple[Callable[[ResourceType], bool], Callable[[ResourceType], bool]]:
        spec, cluster_wide = self._spec, self._spec.get("includeClusterResources")
        chosen = self._discovery.filter(spec.get("includedResources") or (), spec.get("excludedResources") or ())

        def include(kind: ResourceType) -> bool:
            if not kind.namespaced and cluster_wide is False:
                return False
            by_namespace = not kind.namespaced and cluster_wide is None and not self._namespaces.everything
            return kind.name in chosen and (kind.name == "namespaces" or not by_namespace)

        def exclude(kind: ResourceType) -> bool:
            if matches(chosen.excludes, kind.name):
                return True
            unasked = cluster_wide is None and kind.name not in chosen
            return not kind.namespaced and (cluster_wide is False or unasked)

        return include, exclude

    def _scoped(self) -> tuple[Callable[[ResourceType], bool], Callable[[ResourceType], bool]]:
        spec = self._spec

        def filter_of(scope: str, namespaced: bool) -> Filter:
            fields = f"{scope}ScopedResources"
            return self._discovery.scoped(
                spec.get(f"included{fields}") or (), spec.get(f"excluded{fields}") or (), namespaced
            )

        inside, outside = filter_of("Namespace", True), filter_of("Cluster", False)

        def include(kind: ResourceType) -> bool:
            if kind.namespaced:
                return kind.name in inside
            if matches(outside.excludes, kind.name):
                return False
            if outside.everything and not outside.includes and self._namespaces.everything and inside.everything:
                return True
            return kind.name == "namespaces" or matches(outside.includes, kind.name)

        def exclude(kind: ResourceType) -> bool:
            return matches((inside if kind.namespaced else outside).excludes, kind.name)

        return include, exclude


def _full_name(obj: Object) -> str:
    namespace = obj["metadata"].get("namespace")
    return f"{namespace}/{obj['metadata']['name']}" if namespace else str(obj["metadata"]["name"])
