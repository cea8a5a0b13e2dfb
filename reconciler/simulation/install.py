"""What a member's cluster holds at first: a bare cluster, and what a Velero server expects to find."""

from __future__ import annotations

import base64

from reconciler.simulation.api import types
from reconciler.simulation.api.store import DEFINITIONS, Store
from reconciler.simulation.cluster import Object
from reconciler.simulation.velero.requests import SERVER_VERSION

NAMESPACE = "velero"
STORAGE = "default"
DEPLOYMENT_PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/velero"
VALIDATION_FREQUENCY = "5s"
_CREDENTIALS = "cloud-credentials"
_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system", NAMESPACE)
_RBAC = "rbac.authorization.k8s.io"


def install(store: Store) -> None:
    """Fills a new store."""
    for definition in types.velero_definitions():
        store.seed(DEFINITIONS, definition)
    for name in _NAMESPACES:
        metadata = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
        status = {"phase": "Active"}
        store.seed("namespaces", {"metadata": metadata, "spec": {"finalizers": ["kubernetes"]}, "status": status})
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    paths = {"verbs": ["*"], "nonResourceURLs": ["*"]}
    store.seed(f"clusterroles.{_RBAC}", {"metadata": {"name": "cluster-admin"}, "rules": [everything, paths]})
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    masters = {"apiGroup": _RBAC, "kind": "Group", "name": "system:masters"}
    binding = {"metadata": {"name": "cluster-admin"}, "roleRef": role, "subjects": [masters]}
    store.seed(f"clusterrolebindings.{_RBAC}", binding)
    secret = {"data": {"cloud": base64.b64encode(b"[default]\n").decode()}, "type": "Opaque"}
    store.seed("secrets", {"metadata": {"name": _CREDENTIALS, "namespace": NAMESPACE}, **secret})
    store.create("deployments.apps", NAMESPACE, deployment())
    store.create("backupstoragelocations.velero.io", NAMESPACE, storage(store.name))


def storage(prefix: str) -> Object:
    """The BackupStorageLocation, each member with a prefix of its own in the one bucket."""
    return {
        "apiVersion": "velero.io/v1",
        "kind": "BackupStorageLocation",
        "metadata": {"name": STORAGE, "namespace": NAMESPACE},
        "spec": {
            "provider": "aws",
            "default": True,
            "accessMode": "ReadWrite",
            "validationFrequency": VALIDATION_FREQUENCY,
            "objectStorage": {"bucket": "velero", "prefix": prefix},
            "config": {"region": "us-east-1", "s3ForcePathStyle": "true", "checksumAlgorithm": ""},
        },
    }


def deployment() -> Object:
    """The Deployment that Velero looks for when it restores a Pod; nothing runs it."""
    labels = {"app": "velero"}
    container = {"name": "velero", "image": f"velero/velero:{SERVER_VERSION}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "velero", "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
