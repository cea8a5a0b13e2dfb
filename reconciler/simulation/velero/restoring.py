"""Puts a backup's objects back, as one Restore asks.

Called by `restores`. Facts: `pkg/restore/restore.go`; what is not simulated: volumes' data, hooks.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.simulation.cluster import Object, StatusError
from reconciler.simulation.velero import modifiers
from reconciler.simulation.velero.archive import Contents
from reconciler.simulation.velero.discovery import Discovery
from reconciler.simulation.velero.existing import Existing
from reconciler.simulation.velero.filters import Filter, any_selected, selected
from reconciler.simulation.velero.machine import Machine
from reconciler.simulation.velero.preparing import adapt, is_complete, label, provisioned_anew, strip
from reconciler.simulation.velero.related import related
from reconciler.simulation.velero.results import Results

_FIRST: Final = (
    "customresourcedefinitions",
    "namespaces",
    "storageclasses",
    "persistentvolumes",
    "persistentvolumeclaims",
    "clusterroles",
    "roles",
    "serviceaccounts",
    "clusterrolebindings",
    "rolebindings",
    "secrets",
    "configmaps",
    "limitranges",
    "priorityclasses",
    "pods",
    "replicasets.apps",
    "endpoints",
    "services",
)
_STATUS_ANNOTATION: Final = "velero.io/restore-status"
_TERMINATING_SECONDS: Final = 600
Key = tuple[str, str, str]
"""`apps/v1/Deployment`, namespace, name: as the list of restored resources names it."""


class Restoring:
    """One run. `done` tells what became of each object: created, updated, skipped or failed."""

    def __init__(
        self, machine: Machine, restore: Object, contents: Contents, rules: tuple[dict[str, Any], ...], results: Results
    ) -> None:
        self._machine, self._contents, self._rules, self._results = machine, contents, rules, results
        self._name = restore["metadata"]["name"]
        self._spec: Mapping[str, Any] = restore["spec"]
        self._mapping: Mapping[str, str] = self._spec.get("namespaceMapping") or {}
        self._cluster = machine.cluster
        self._ready: set[str] = set()
        self._stuck: set[str] = set()
        self._existing = Existing(self._cluster, self._name, self._spec, results.warnings, machine.stamp)
        self._provisioned: set[str] = set()
        self.done: dict[Key, str] = {}
        spec = self._spec
        self._namespaces = Filter(
            tuple(spec.get("includedNamespaces") or ()), tuple(spec.get("excludedNamespaces") or ())
        )
        self._discover()

    def _discover(self) -> None:
        self._discovery = Discovery(self._cluster.types())
        spec, status = self._spec, self._spec.get("restoreStatus")
        self._resources = self._discovery.filter(
            spec.get("includedResources") or (), spec.get("excludedResources") or ()
        )
        self._statuses = status and self._discovery.filter(
            status.get("includedResources") or (), status.get("excludedResources") or ()
        )

    async def run(self) -> None:
        for resource in self._order():
            for namespace, names in self._contents[resource].items():
                if self._chosen(resource, namespace):
                    for obj in [one for _, one in sorted(names.items()) if self._labels_match(one)]:
                        await self._machine.going.wait()
                        await self._put(resource, namespace, copy.deepcopy(obj))

    def listed(self) -> dict[str, list[str]]:
        """What became of what, as `RestoreResourceList` has it."""
        found: dict[str, list[str]] = {}
        for (kind, namespace, name), action in self.done.items():
            found.setdefault(kind, []).append(f"{namespace}/{name}({action})" if namespace else f"{name}({action})")
        return {kind: sorted(names) for kind, names in sorted(found.items())}

    # What, and in which order

    def _order(self) -> Iterator[str]:
        first = [self._discovery.name(one) for one in _FIRST]
        for resource in (*first, *sorted(set(self._contents) - set(first))):
            if resource in self._contents and resource in self._resources:
                yield resource
                if resource.startswith("customresourcedefinitions."):
                    self._discover()

    def _chosen(self, resource: str, namespace: str) -> bool:
        if namespace:
            return namespace in self._namespaces
        wanted = self._spec.get("includeClusterResources")
        return bool(wanted) or (wanted is None and self._namespaces.everything)

    def _labels_match(self, obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return selected(labels, self._spec.get("labelSelector")) and any_selected(
            labels, self._spec.get("orLabelSelectors") or ()
        )

    # Namespaces

    async def _namespace(self, original: str, target: str) -> bool:
        """Makes sure that it is there, with the labels and annotations it had; waits for one that goes away."""
        if target in self._ready:
            return True
        for _ in range(_TERMINATING_SECONDS):
            there = self._cluster.find("namespaces", "", target)
            if there is None or not there["metadata"].get("deletionTimestamp") or target in self._stuck:
                break
            await self._machine.step(1.0)
        if there is not None and there["metadata"].get("deletionTimestamp"):
            self._stuck.add(target)
            text = f"timed out waiting for terminating namespace {target} to disappear before restoring"
            self._results.errors.velero.append(f"{text}: context deadline exceeded")
            return False
        if there is None:
            backed_up = self._contents.get("namespaces", {}).get("", {}).get(original) or {}
            metadata: dict[str, Any] = {"name": target}
            for part in ("labels", "annotations"):
                if found := (backed_up.get("metadata") or {}).get(part):
                    metadata[part] = dict(found)
            if original != target:
                (metadata.get("labels") or {}).pop("kubernetes.io/metadata.name", None)
            made = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            try:
                self._cluster.create("namespaces", "", made)
            except StatusError as error:
                self._results.errors.velero.append(f"error creating namespace {target}: {error.message}")
                return False
            self.done["v1/Namespace", "", target] = "created"
            await self._machine.step()  # its own ServiceAccount is there before a backed-up one comes
        self._ready.add(target)
        return True

    # One object

    async def _put(self, resource: str, original: str, obj: Object) -> None:
        metadata = obj["metadata"]
        if resource == "namespaces":
            name = metadata["name"]
            await self._namespace(name, self._mapping.get(name, name))
            return
        namespace = self._mapping.get(original, original)
        if namespace and not await self._namespace(original, namespace):
            return
        key = (f"{obj.get('apiVersion')}/{obj.get('kind')}", namespace, metadata["name"])
        if is_complete(resource, obj) or key in self.done:
            return
        before = len(self._results.errors) + len(self._results.warnings)
        self.done[key] = ""
        action = await self._restore(resource, namespace, obj)
        silent = len(self._results.errors) + len(self._results.warnings) == before
        self.done[key] = action or ("skipped" if silent else "failed")

    async def _restore(self, resource: str, namespace: str, obj: Object) -> str:
        """Created or updated; nothing where it was neither."""
        metadata, status = obj["metadata"], obj.get("status")
        if resource == "pods" and "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
            return ""
        if resource == "persistentvolumes" and provisioned_anew(obj):
            self._provisioned.add(metadata["name"])
            return ""
        belonging = [*related(resource, obj)]
        strip(obj)
        if not adapt(resource, obj, self._spec, self._accounts(resource, namespace)):
            return ""
        for place in belonging:
            await self._put_related(*place)
        if resource == "persistentvolumeclaims" and obj["spec"].get("volumeName") in self._provisioned:
            del obj["spec"]["volumeName"]
        obj, wrong = modifiers.apply(self._rules, obj, resource)
        for text in wrong:
            self._results.errors.add(namespace, text)
        if namespace:
            obj["metadata"]["namespace"] = namespace
        label(obj, self._name, self._spec["backupName"])
        return self._create(resource, namespace, obj, status)

    async def _put_related(self, resource: str, namespace: str, name: str) -> None:
        """Whatever the labels and lists of namespaces say, but not a kind that is left out."""
        found = self._contents.get(resource, {}).get(namespace, {}).get(name)
        if found is None:
            place = f"namespaces/{namespace}/{name}" if namespace else f"cluster/{name}"
            text = f"stat /tmp/0/resources/{resource}/{place}.json: no such file or directory"
            self._results.warnings.add(namespace, text)
            return
        wanted = namespace in self._namespaces if namespace else self._spec.get("includeClusterResources") is not False
        if resource in self._resources and wanted:
            await self._put(resource, namespace, copy.deepcopy(found))

    def _create(self, resource: str, namespace: str, obj: Object, status: Any) -> str:
        name, errors = obj["metadata"]["name"], self._results.errors
        identity = f"{resource}/{namespace}/{name}" if namespace else f"{resource}/{name}"
        if failure := self._machine.failures.get((obj.get("kind", ""), namespace, name)):
            errors.add(namespace, f"error restoring {identity}: {failure}")
            return ""
        there = self._cluster.find(resource, namespace, name) if self._discovery.resolve(resource) else None
        if there is not None:
            try:
                return self._existing.meet(resource, obj, there)
            except StatusError as error:
                self._results.warnings.add(namespace, error.message)
                return ""
        try:
            made = self._cluster.create(resource, namespace, obj)
        except StatusError as error:
            errors.add(namespace, f"error restoring {identity}: {error.message}")
            return ""
        if status is not None and self._with_status(resource, obj):
            self._cluster.update(resource, {**made, "status": status}, subresource="status")
        return "created"

    def _accounts(self, resource: str, namespace: str) -> list[str]:
        if resource != "secrets":
            return []
        return [one["metadata"]["name"] for one in self._cluster.all("serviceaccounts", namespace)]

    def _with_status(self, resource: str, obj: Object) -> bool:
        wanted = self._statuses is not None and resource in self._statuses
        asked = str((obj["metadata"].get("annotations") or {}).get(_STATUS_ANNOTATION, "")).strip().lower()
        return {"true": True, "false": False}.get(asked, wanted)
