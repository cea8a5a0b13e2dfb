"""What a restore takes off an object, and changes in it, before it creates it.

Called by `restoring`. Facts: `resetMetadataAndStatus` of `pkg/restore/restore.go`, and its item actions in
`pkg/restore/actions`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from reconciler.simulation.cluster import Object
from reconciler.simulation.velero.words import label_value

BACKUP_LABEL: Final = "velero.io/backup-name"
RESTORE_LABEL: Final = "velero.io/restore-name"
_NOT_OF_THE_OBJECT: Final = (
    "generateName",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
)
_CONTROLLER_LABELS: Final = ("batch.kubernetes.io/controller-uid", "controller-uid")
_BOUND: Final = ("pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller")
_CHOSEN: Final = (
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
)
_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def strip(obj: Object) -> Object:
    """Without its status and the metadata that another object of the name would not have; in place."""
    for name in _NOT_OF_THE_OBJECT:
        obj["metadata"].pop(name, None)
    obj.pop("status", None)
    return obj


def label(obj: Object, restore: str, backup: str) -> None:
    """Says from where it came."""
    labels = obj["metadata"].get("labels") or {}
    obj["metadata"]["labels"] = {
        **labels,
        BACKUP_LABEL: label_value(backup) if backup else "",
        RESTORE_LABEL: label_value(restore) if restore else "",
    }


def is_complete(resource: str, obj: Object) -> bool:
    """Pods and Jobs that have ended are not run again."""
    status = obj.get("status") or {}
    if resource == "pods":
        return status.get("phase") in ("Failed", "Succeeded")
    return resource == "jobs.batch" and bool(status.get("completionTime"))


def adapt(resource: str, obj: Object, restore: Mapping[str, Any], accounts: list[str]) -> bool:
    """Changes the object in place as the actions of its resource do; False where it is not to be restored.

    `restore` is the Restore's spec, `accounts` are the service accounts of a Secret's namespace.
    """
    spec = obj.get("spec") or {}
    mapping = restore.get("namespaceMapping") or {}
    match resource:
        case "pods":
            _pod(spec)
        case "services":
            _service(obj, spec, bool(restore.get("preserveNodePorts")))
        case "jobs.batch":
            _job(spec)
        case "serviceaccounts":
            tokens = f"{obj['metadata']['name']}-token-"
            if obj.get("secrets"):
                obj["secrets"] = [one for one in obj["secrets"] if not one.get("name", "").startswith(tokens)]
        case "secrets":
            return _secret(obj, accounts)
        case "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io":
            for subject in obj.get("subjects") or ():
                if subject.get("namespace") in mapping:
                    subject["namespace"] = mapping[subject["namespace"]]
        case "persistentvolumeclaims":
            _forget_binding(obj)
            for name in _CHOSEN:
                (obj["metadata"].get("annotations") or {}).pop(name, None)
        case "persistentvolumes":
            _volume(obj, spec, mapping)
        case "apiservices.apiregistration.k8s.io":
            return "kube-aggregator.kubernetes.io/automanaged" not in (obj["metadata"].get("labels") or {})
    return True


def _pod(spec: dict[str, Any]) -> None:
    for name in ("nodeName", "priority"):
        spec.pop(name, None)
    prefix = f"{spec.get('serviceAccountName', '')}-token-"
    if spec.get("volumes"):
        spec["volumes"] = [one for one in spec["volumes"] if not one.get("name", "").startswith(prefix)]
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        if container.get("volumeMounts"):
            mounts = [one for one in container["volumeMounts"] if not one.get("name", "").startswith(prefix)]
            container["volumeMounts"] = mounts


def _service(obj: Object, spec: dict[str, Any], preserve: bool) -> None:
    if spec.get("clusterIP") != "None":
        spec.pop("clusterIP", None)
        spec.pop("clusterIPs", None)
    if preserve or spec.get("type") == "ExternalName":
        return
    asked = _asked_ports(obj)
    for port in spec.get("ports") or ():
        if (port.get("name"), port.get("nodePort")) not in asked and (port.get("name"), None) not in asked:
            port.pop("nodePort", None)
    if spec.get("externalTrafficPolicy") == "Local" and spec.get("type") == "LoadBalancer":
        spec.pop("healthCheckNodePort", None)


def _asked_ports(obj: Object) -> set[tuple[str | None, int | None]]:
    """Node ports that a user asked for, by `kubectl apply`: by name, or without one by number."""
    metadata = obj["metadata"]
    applied = (metadata.get("annotations") or {}).get(_APPLIED)
    if applied:
        ports = (json.loads(applied).get("spec") or {}).get("ports") or ()
        asked = [one for one in ports if one.get("nodePort")]
        return {(one["name"], None) if one.get("name") else (None, int(one["nodePort"])) for one in asked}
    keys = set()
    for entry in metadata.get("managedFields") or ():
        fields = ((entry.get("fieldsV1") or {}).get("f:spec") or {}).get("f:ports") or {}
        keys |= {key for key, inner in fields.items() if "f:nodePort" in inner}
    ports = (obj.get("spec") or {}).get("ports") or ()
    return {(one.get("name"), one.get("nodePort")) for one in ports if _port_key(one) in keys}


def _port_key(port: Mapping[str, Any]) -> str:
    return f'k:{{"port":{port.get("port")},"protocol":"{port.get("protocol", "TCP")}"}}'


def _job(spec: dict[str, Any]) -> None:
    for labels in (
        (spec.get("selector") or {}).get("matchLabels") or {},
        ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {},
    ):
        for name in _CONTROLLER_LABELS:
            labels.pop(name, None)


def _secret(obj: Object, accounts: list[str]) -> bool:
    if obj.get("type") != "kubernetes.io/service-account-token":
        return True
    if any(obj["metadata"]["name"].startswith(f"{account}-token-") for account in accounts):
        return False
    (obj["metadata"].get("annotations") or {}).pop("kubernetes.io/service-account.uid", None)
    for key in ("token", "ca.crt"):
        (obj.get("data") or {}).pop(key, None)
    return True


def provisioned_anew(volume: Object) -> bool:
    """One that is deleted with its claim is not restored but made anew: nothing here takes snapshots."""
    return (volume.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Delete"


def _volume(obj: Object, spec: dict[str, Any], mapping: Mapping[str, str]) -> None:
    claim = spec.get("claimRef") or {}
    for name in ("uid", "resourceVersion"):
        claim.pop(name, None)
    if claim.get("namespace") in mapping:
        claim["namespace"] = mapping[claim["namespace"]]
    _forget_binding(obj)


def _forget_binding(obj: Object) -> None:
    for name in _BOUND:
        (obj["metadata"].get("annotations") or {}).pop(name, None)
