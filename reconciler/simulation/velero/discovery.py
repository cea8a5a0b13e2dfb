"""What Velero finds out about the kinds that a cluster serves: order, and the names under which users ask for them.

Called by `collecting` and `restoring`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.simulation.cluster import ResourceType
from reconciler.simulation.velero.filters import Filter

_SHORT: Final = {
    "cm": "configmaps",
    "ep": "endpoints",
    "ev": "events",
    "limits": "limitranges",
    "ns": "namespaces",
    "no": "nodes",
    "pvc": "persistentvolumeclaims",
    "pv": "persistentvolumes",
    "po": "pods",
    "rc": "replicationcontrollers",
    "quota": "resourcequotas",
    "sa": "serviceaccounts",
    "svc": "services",
    "crd": "customresourcedefinitions",
    "crds": "customresourcedefinitions",
    "deploy": "deployments",
    "ds": "daemonsets",
    "rs": "replicasets",
    "sts": "statefulsets",
    "hpa": "horizontalpodautoscalers",
    "cj": "cronjobs",
    "csr": "certificatesigningrequests",
    "ing": "ingresses",
    "netpol": "networkpolicies",
    "pdb": "poddisruptionbudgets",
    "sc": "storageclasses",
    "pc": "priorityclasses",
    "bsl": "backupstoragelocations",
    "vsl": "volumesnapshotlocations",
    "ssr": "serverstatusrequests",
}
# Served, but without the verbs list, create, get and delete.
_NOT_STORED: Final = ("bindings", "componentstatuses")
_CORE_FIRST: Final = ("pods", "persistentvolumeclaims", "persistentvolumes")


class Discovery:
    """The preferred version of each kind that can be listed and created."""

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self._by_name: dict[str, ResourceType] = {}
        for one in types:
            if one.plural not in _NOT_STORED and not one.plural.endswith("reviews"):
                self._by_name.setdefault(one.name, one)
        self.types = tuple(sorted(self._by_name.values(), key=_place))

    def resolve(self, asked: str) -> ResourceType | None:
        """The kind that a user means: plural, singular or short, with or without (the beginning of) its group."""
        plural, _, group = asked.lower().partition(".")
        plural = _SHORT.get(plural, plural)
        found = [one for one in self.types if plural in (one.plural, one.kind.lower())]
        if group:
            exact = [one for one in found if one.group == group]
            found = exact or [one for one in found if one.group.startswith(group)]
        return found[0] if found else None

    def name(self, asked: str) -> str:
        """`resolve` as a name; what isn't known stays as it was, so that it excludes and includes nothing else."""
        found = self.resolve(asked)
        return found.name if found else asked

    def filter(self, includes: Sequence[str], excludes: Sequence[str]) -> Filter:
        """Lists as users write them, by the names of the kinds."""
        chosen = tuple(one if one == "*" else self.name(one) for one in includes)
        return Filter(chosen, tuple(self.name(one) for one in excludes if one != "*"))

    def scoped(self, includes: Sequence[str], excludes: Sequence[str], namespaced: bool) -> Filter:
        """The same for the kinds of one scope; those of the other are dropped."""
        return Filter(self._of_scope(includes, namespaced), self._of_scope(excludes, namespaced))

    def _of_scope(self, asked: Sequence[str], namespaced: bool) -> tuple[str, ...]:
        kinds = {one: self.resolve(one) for one in asked}
        return tuple(
            found.name if found else one for one, found in kinds.items() if not found or found.namespaced == namespaced
        )


def _place(one: ResourceType) -> tuple[int, int]:
    """The core group first, in it pods and their volumes; `sorted` keeps the server's order else."""
    if one.group:
        return (1, 0)
    return (0, _CORE_FIRST.index(one.plural) if one.plural in _CORE_FIRST else len(_CORE_FIRST))
