"""Objects that belong to another one: a backup takes them along, and a restore puts them back before it.

Called by `collecting` and `restoring`. Facts: `pkg/util/actionhelpers`, `pkg/restore/actions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.simulation.cluster import Cluster, Object
from reconciler.simulation.velero.discovery import Discovery

Place = tuple[str, str, str]
"""Resource, namespace, name."""

_BINDINGS: Final = "clusterrolebindings.rbac.authorization.k8s.io"
_ROLES: Final = "clusterroles.rbac.authorization.k8s.io"


def related(resource: str, obj: Object) -> Iterator[Place]:
    """What a Pod or a bound claim can't do without."""
    namespace, spec = obj["metadata"].get("namespace", ""), obj.get("spec") or {}
    if resource == "pods":
        if spec.get("priorityClassName"):
            yield "priorityclasses.scheduling.k8s.io", "", spec["priorityClassName"]
        for volume in spec.get("volumes") or ():
            if claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
                yield "persistentvolumeclaims", namespace, claim
    bound = (obj.get("status") or {}).get("phase") == "Bound"
    if resource == "persistentvolumeclaims" and bound and spec.get("volumeName"):
        yield "persistentvolumes", "", spec["volumeName"]


def rights(cluster: Cluster, discovery: Discovery, account: Object) -> Iterator[Place]:
    """The bindings that name a service account, and their roles."""
    metadata = account["metadata"]
    named = ("ServiceAccount", metadata.get("namespace"), metadata["name"])
    for binding in cluster.all(_BINDINGS) if discovery.resolve(_BINDINGS) else ():
        subjects = binding.get("subjects") or ()
        if any((one.get("kind"), one.get("namespace"), one.get("name")) == named for one in subjects):
            yield _BINDINGS, "", binding["metadata"]["name"]
            yield _ROLES, "", binding["roleRef"]["name"]
