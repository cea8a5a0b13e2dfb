"""What differs from kind to kind when an object is written: defaults, status, and what is checked beyond its schema.

As little as the members of a demo and of tests need; a real server does far more of this.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import random
import re
from collections.abc import Iterable
from typing import Any

from reconciler.simulation.api import selectors, statuses
from reconciler.simulation.api.metadata import invalid_value
from reconciler.simulation.api.statuses import Cause
from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object

_KEY = "[-._a-zA-Z0-9]+"
_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
    f"  or 'key-name', regex used for validation is '{_KEY}')"
)
_IMMORTAL = ("default", "kube-system", "kube-public")
_WORKLOADS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job")
_RBAC = "rbac.authorization.k8s.io"
_NOT_READY = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_SERVICE_NETWORK = ipaddress.ip_network("10.0.0.0/24")


def prepare(kind: Kind, old: Object | None, new: Object) -> None:
    """Fills in the defaults of the kind; of a new object with a status of its own, the status is the server's."""
    if kind.custom:
        if old is None and kind.has_status:
            new.pop("status", None)
        return
    if old is None and kind.has_status:
        new.pop("status", None)
    if make := _DEFAULTS.get(kind.type.kind):
        make(new, old)


def check(kind: Kind, old: Object | None, new: Object) -> list[Cause]:
    """What is wrong with an object beyond its schema and its metadata."""
    if kind.custom:
        return []
    causes: list[Cause] = []
    name = kind.type.kind
    if name in ("ConfigMap", "Secret"):
        keys = [*(new.get("data") or ()), *(new.get("binaryData") or ())]
        causes += [invalid_value(f"data[{key}]", key, _KEY_TEXT) for key in keys if not re.fullmatch(_KEY, key)]
        causes += _check_immutable(old, new)
    if name == "Secret" and old and new.get("type") != old.get("type"):
        causes.append(invalid_value("type", new.get("type"), "field is immutable"))
    if name in _WORKLOADS:
        causes += _check_selector(old, new)
        causes += _check_pod(new.get("spec", {}).get("template", {}).get("spec", {}), "spec.template.spec")
    if name == "Pod":
        causes += _check_pod(new.get("spec", {}), "spec")
    return causes


def check_removal(kind: Kind, name: str) -> None:
    """403 for the namespaces that stay."""
    if kind.type.name == "namespaces" and name in _IMMORTAL:
        raise statuses.forbidden(kind.type, name, "this namespace may not be deleted")


def wanted_changed(kind: Kind, old: Object, new: Object) -> bool:
    """Whether metadata.generation counts this write: all but metadata and, where it has a subresource, status."""
    if not kind.has_generation:
        return False
    ignored = {"metadata", "status"} if kind.has_status or not kind.custom else {"metadata"}
    return any(old.get(key) != new.get(key) for key in (old.keys() | new.keys()) - ignored)


def _check_immutable(old: Object | None, new: Object) -> list[Cause]:
    if not old or not old.get("immutable"):
        return []
    changed = [field for field in ("data", "binaryData") if old.get(field) != new.get(field)]
    if not new.get("immutable"):
        changed.insert(0, "immutable")
    return [Cause(field, "Forbidden: field is immutable when `immutable` is set") for field in changed]


def _check_selector(old: Object | None, new: Object) -> Iterable[Cause]:
    spec = new.get("spec", {})
    selector, labels = spec.get("selector"), spec.get("template", {}).get("metadata", {}).get("labels") or {}
    if new["kind"] != "Job":
        if not selector:
            yield Cause("spec.selector", "Required value")
        elif not selectors.matches(selector, labels):
            text = f"Invalid value: {_go_json(labels)}: `selector` does not match template `labels`"
            yield Cause("spec.template.metadata.labels", text)
    if old and selector != old["spec"].get("selector"):
        yield Cause("spec.selector", f"Invalid value: {_go_json(selector)}: field is immutable")


def _check_pod(spec: Object, path: str) -> Iterable[Cause]:
    if not spec.get("containers"):
        yield Cause(f"{path}.containers", "Required value")
    for i, container in enumerate(spec.get("containers") or ()):
        for field in ("name", "image"):
            if not container.get(field):
                yield Cause(f"{path}.containers[{i}].{field}", "Required value")


def _go_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


# Defaults


def _fill(target: Object, values: Object) -> None:
    for key, value in values.items():
        target.setdefault(key, value)


def _namespace(new: Object, old: Object | None) -> None:
    new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"].get("name", "")
    if old is None:
        new["spec"] = {**new.get("spec", {}), "finalizers": ["kubernetes"]}
        new["status"] = {"phase": "Active"}


def _secret(new: Object, old: Object | None) -> None:
    plain = new.pop("stringData", None) or {}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    if encoded:
        new["data"] = {**new.get("data", {}), **encoded}
    new.setdefault("type", "Opaque")


def _pod(new: Object, old: Object | None) -> None:
    spec = new.setdefault("spec", {})
    _pod_spec(spec)
    if old is None:
        _fill(spec, {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority", "priority": 0})
        tolerations = spec.setdefault("tolerations", [])
        for key in _NOT_READY:
            if not any(each.get("key") in (key, None) for each in tolerations):
                wait = {"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300}
                tolerations.append(wait)
        limited = any((each.get("resources") or {}) for each in spec.get("containers", ()))
        new["status"] = {"phase": "Pending", "qosClass": "Burstable" if limited else "BestEffort"}


def _pod_spec(spec: Object) -> None:
    for container in [*spec.get("containers", ()), *spec.get("initContainers", ())]:
        image = container.get("image", "")
        newest = image.rpartition(":")[2] == "latest" or ":" not in image.rpartition("/")[2]
        _fill(
            container,
            {
                "imagePullPolicy": "Always" if newest else "IfNotPresent",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            },
        )
        for port in container.get("ports", ()):
            port.setdefault("protocol", "TCP")
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    _fill(
        spec,
        {
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        },
    )


def _workload(new: Object, old: Object | None) -> None:
    spec = new.setdefault("spec", {})
    template = spec.setdefault("template", {})
    _pod_spec(template.setdefault("spec", {}))
    if new["kind"] != "DaemonSet":
        spec.setdefault("replicas", 1)


def _deployment(new: Object, old: Object | None) -> None:
    _workload(new, old)
    _fill(new["spec"], {"progressDeadlineSeconds": 600, "revisionHistoryLimit": 10})
    strategy = new["spec"].setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), {"maxSurge": "25%", "maxUnavailable": "25%"})
    if old is None:
        new["status"] = {}


def _replica_set(new: Object, old: Object | None) -> None:
    _workload(new, old)
    if old is None:
        new["status"] = {"replicas": 0}


def _service(new: Object, old: Object | None) -> None:
    spec = new.setdefault("spec", {})
    for port in spec.get("ports", ()):
        _fill(port, {"protocol": "TCP", "targetPort": port.get("port")})
    _fill(spec, {"sessionAffinity": "None", "type": "ClusterIP"})
    if spec["type"] != "ExternalName":
        address = (old or {}).get("spec", {}).get("clusterIP")
        spec.setdefault("clusterIP", address or str(_SERVICE_NETWORK[random.randrange(2, 250)]))  # noqa: S311
        _fill(spec, {"clusterIPs": [spec["clusterIP"]], "internalTrafficPolicy": "Cluster"})
        _fill(spec, {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"})
    if old is None:
        new["status"] = {"loadBalancer": {}}


def _binding(new: Object, old: Object | None) -> None:
    new["roleRef"] = {"apiGroup": _RBAC, **new.get("roleRef", {})}
    for subject in new.get("subjects", ()):
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", _RBAC)


_DEFAULTS = {
    "Namespace": _namespace,
    "Secret": _secret,
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "Service": _service,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}
