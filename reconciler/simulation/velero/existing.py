"""What a restore does where an object is there already: nothing, a warning, or a patch.

Called by `restoring`. Facts: the second half of `restoreItem` in `pkg/restore/restore.go`, `merge_service_account.go`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.simulation.cluster import Cluster, Object
from reconciler.simulation.velero import patches
from reconciler.simulation.velero.preparing import label, strip
from reconciler.simulation.velero.results import Texts

# The item actions of these kinds write the object anew as a typed one, which has an empty status; the one in the
# cluster has none by then, so that the two are never equal.
_NEVER_EQUAL: Final = ("pods", "services", "persistentvolumeclaims", "jobs.batch")
_DIFFERS: Final = "already exists. Warning: the in-cluster version is different than the backed-up version"


class Existing:
    """Compares and patches for one restore."""

    def __init__(
        self, cluster: Cluster, name: str, spec: Mapping[str, Any], warnings: Texts, stamp: Callable[[], str]
    ) -> None:
        self._cluster, self._name, self._spec = cluster, name, spec
        self._warnings, self._stamp = warnings, stamp

    def meet(self, resource: str, obj: Object, there: Object) -> str:
        """`updated`, or nothing; a difference that stays is a warning."""
        live, policy = copy.deepcopy(there), self._spec.get("existingResourcePolicy")
        strip(there)
        label(there, self._name, self._spec["backupName"])
        if there == obj and resource not in _NEVER_EQUAL:
            if policy == "update":
                label(there, "", "")
                self._patch(resource, live, there, obj)
            return ""
        if resource == "serviceaccounts":
            wanted = _merged_account(there, obj)
            return "updated" if wanted != there and self._patch(resource, live, there, wanted) else ""
        if policy == "update":
            label(there, "", "")
            return "updated" if self._patch(resource, live, there, obj) else ""
        kind, name = obj.get("kind"), obj["metadata"]["name"]
        named = f'{kind} "{name}"' if policy else f"{kind}:{name}"
        self._warnings.add(obj["metadata"].get("namespace", ""), f"could not restore, {named} {_DIFFERS}")
        return ""

    def _patch(self, resource: str, live: Object, before: Object, after: Object) -> bool:
        """Sends the difference; it meets the object as it is in the cluster, status and all."""
        patch = patches.merge_patch(before, after)
        if patch:
            changed = patches.merged(live, patch)
            # By this the next restore finds that it differs: managed fields are compared too.
            entry = {"manager": "velero-server", "operation": "Update", "apiVersion": live.get("apiVersion")}
            fields = {"fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {}}}, "time": self._stamp()}
            managed = changed["metadata"].get("managedFields") or ()
            changed["metadata"]["managedFields"] = [*managed, entry | fields]
            self._cluster.update(resource, changed)
        return bool(patch)


def _merged_account(there: Object, obj: Object) -> Object:
    """A service account in the cluster gets what the backed-up one had in addition."""
    found = copy.deepcopy(there)
    for part in ("secrets", "imagePullSecrets"):
        names = {one.get("name") for one in found.get(part) or ()}
        more = [one for one in obj.get(part) or () if one.get("name") not in names]
        if more:
            found[part] = [*(found.get(part) or ()), *more]
    for part in ("labels", "annotations"):
        both = {**(obj["metadata"].get(part) or {}), **(found["metadata"].get(part) or {})}
        if both:
            found["metadata"][part] = both
    return found
