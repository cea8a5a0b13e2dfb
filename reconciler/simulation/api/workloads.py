"""The controllers of Deployments and ReplicaSets, so far that a small application looks as on a cluster without nodes.

Pods are made and adopted and stay Pending; nothing runs them. So a Deployment whose template has changed gets a new
ReplicaSet, and rolls out as far as it can with Pods that never become ready. Called by `controllers`.
"""

from __future__ import annotations

import hashlib
import json
import math
import random

from reconciler.simulation.api.changes import copy
from reconciler.simulation.api.selectors import matches
from reconciler.simulation.api.store import Store
from reconciler.simulation.cluster import Object

_REPLICA_SETS = "replicasets.apps"
_DEPLOYMENTS = "deployments.apps"
_HASH_LABEL = "pod-template-hash"
_ANNOTATION = "deployment.kubernetes.io"
_REVISION = f"{_ANNOTATION}/revision"
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def look_after_deployment(store: Store, deployment: Object) -> None:
    """One ReplicaSet for its template, scaled as it says; its status."""
    meta, spec = deployment["metadata"], deployment["spec"]
    if meta.get("deletionTimestamp"):
        return
    owned = _owned(store, _REPLICA_SETS, deployment)
    current = next((each for each in owned if _bare(each["spec"]["template"]) == _bare(spec["template"])), None)
    olds = [each for each in owned if each is not current]
    if current is None:
        current = _make_replica_set(store, deployment)
    revision = max(_revision(current), *(_revision(each) + 1 for each in olds), 1)
    annotations = _annotations(deployment, revision)
    new, left = _shares(spec, sum(each["spec"]["replicas"] for each in olds), current["spec"]["replicas"])
    _write(store, _REPLICA_SETS, current, annotations, new)
    for old in sorted(olds, key=lambda each: str(each["metadata"]["creationTimestamp"]), reverse=True):
        kept = min(left, old["spec"]["replicas"])
        _write(store, _REPLICA_SETS, old, {}, kept)
        left -= kept
    if meta.get("annotations", {}).get(_REVISION) != annotations[_REVISION]:
        store.update(_DEPLOYMENTS, _annotated(deployment, {_REVISION: annotations[_REVISION]}))
        return  # which has it looked at again
    every = [store.peek(_REPLICA_SETS, meta["namespace"], each["metadata"]["name"]) for each in (*owned, current)]
    live = {each["metadata"]["uid"]: each.get("status", {}).get("replicas", 0) for each in every if each}
    status = _deployment_status(deployment, current, sum(live.values()), live.get(current["metadata"]["uid"], 0))
    _write_status(store, _DEPLOYMENTS, deployment, status)


def _shares(spec: Object, old: int, new: int) -> tuple[int, int]:
    """The replicas of the new ReplicaSet and of all old ones, when no Pod is ever ready (deployment/rolling.go)."""
    wanted, strategy = spec["replicas"], spec["strategy"]
    if strategy["type"] == "Recreate" or not old:
        return wanted, 0
    surge = math.ceil(_of(wanted, strategy["rollingUpdate"]["maxSurge"]))
    unavailable = math.floor(_of(wanted, strategy["rollingUpdate"]["maxUnavailable"]))
    enough = wanted - (unavailable or (0 if surge else 1))
    while True:
        grown = min(wanted, new + max(0, wanted + surge - new - old))
        shrunk = min(old, max(0, enough))
        if (grown, shrunk) == (new, old):
            return new, old
        new, old = grown, shrunk


def _of(wanted: int, share: int | str) -> float:
    """`25%`, or a number."""
    return wanted * int(share[:-1]) / 100 if isinstance(share, str) else share


def _make_replica_set(store: Store, deployment: Object) -> Object:
    meta, template = deployment["metadata"], deployment["spec"]["template"]
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    mark = "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:10])
    labels = {**template.get("metadata", {}).get("labels", {}), _HASH_LABEL: mark}
    selector = copy(deployment["spec"]["selector"])
    selector["matchLabels"] = {**selector.get("matchLabels", {}), _HASH_LABEL: mark}
    made = {
        "metadata": {
            "name": f"{meta['name']}-{mark}",
            "labels": labels,
            "ownerReferences": [_owner(deployment)],
        },
        "spec": {
            "replicas": 0,
            "selector": selector,
            "template": {**template, "metadata": {**template.get("metadata", {}), "labels": labels}},
        },
    }
    return store.create(_REPLICA_SETS, meta["namespace"], made)


def _revision(replica_set: Object) -> int:
    return int(replica_set["metadata"].get("annotations", {}).get(_REVISION, 0))


def _annotations(deployment: Object, revision: int) -> Object:
    replicas, strategy = deployment["spec"]["replicas"], deployment["spec"]["strategy"]
    surge = math.ceil(_of(replicas, strategy["rollingUpdate"]["maxSurge"])) if "rollingUpdate" in strategy else 0
    return {
        f"{_ANNOTATION}/desired-replicas": str(replicas),
        f"{_ANNOTATION}/max-replicas": str(replicas + surge),
        _REVISION: str(revision),
    }


def _deployment_status(deployment: Object, current: Object, replicas: int, updated: int) -> Object:
    wanted = deployment["spec"]["replicas"]
    name = current["metadata"]["name"]
    available, text = ("False", "does not have") if wanted else ("True", "has")
    reason = f"MinimumReplicas{'Unavailable' if wanted else 'Available'}"
    progress = (
        ("ReplicaSetUpdated", "is progressing") if wanted else ("NewReplicaSetAvailable", "has successfully progressed")
    )
    conditions = [
        {
            "type": "Available",
            "status": available,
            "reason": reason,
            "message": f"Deployment {text} minimum availability.",
        },
        {
            "type": "Progressing",
            "status": "True",
            "reason": progress[0],
            "message": f'ReplicaSet "{name}" {progress[1]}.',
        },
    ]
    counts = {"replicas": replicas, "updatedReplicas": updated, "unavailableReplicas": max(replicas, wanted)}
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        "terminatingReplicas": 0,
        **{key: count for key, count in counts.items() if count},
        "conditions": conditions,
    }


def look_after_replica_set(store: Store, replica_set: Object) -> None:
    """As many Pods as it says; its status."""
    meta, spec = replica_set["metadata"], replica_set["spec"]
    if meta.get("deletionTimestamp"):
        return
    pods = [pod for pod in _owned(store, "pods", replica_set) if not pod["metadata"].get("deletionTimestamp")]
    missing = spec["replicas"] - len(pods)
    for _ in range(missing):
        template = spec["template"]
        name = f"{meta['name']}-{''.join(random.choices(_SAFE, k=5))}"  # noqa: S311 - no secret
        made = {"name": name, "generateName": f"{meta['name']}-", "ownerReferences": [_owner(replica_set)]}
        pod = {"metadata": {**template.get("metadata", {}), **made}, "spec": template["spec"]}
        store.create("pods", meta["namespace"], pod)
    for pod in pods[spec["replicas"] :]:
        store.remove("pods", meta["namespace"], pod["metadata"]["name"])
    count = spec["replicas"]
    status = {"replicas": count, "observedGeneration": meta["generation"], "terminatingReplicas": 0}
    if count:
        status["fullyLabeledReplicas"] = count
    _write_status(store, _REPLICA_SETS, replica_set, status)


def _owned(store: Store, resource: str, owner: Object) -> list[Object]:
    """Those it controls, and those without a controller that its selector matches: they are adopted."""
    found, meta = [], owner["metadata"]
    for obj in store.listed(resource, meta["namespace"]):
        controller = next((each for each in obj["metadata"].get("ownerReferences", ()) if each.get("controller")), None)
        if controller is not None and controller["uid"] == meta["uid"]:
            found.append(obj)
        elif controller is None and matches(owner["spec"]["selector"], obj["metadata"].get("labels", {})):
            adopted = copy(obj)
            adopted["metadata"].setdefault("ownerReferences", []).append(_owner(owner))
            found.append(store.update(resource, adopted))
    return found


def _owner(obj: Object) -> Object:
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _bare(template: Object) -> Object:
    labels = dict(template.get("metadata", {}).get("labels", {}))
    labels.pop(_HASH_LABEL, None)
    return {**template, "metadata": {**template.get("metadata", {}), "labels": labels}}


def _annotated(obj: Object, annotations: Object) -> Object:
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, "annotations": {**meta.get("annotations", {}), **annotations}}}


def _write(store: Store, resource: str, obj: Object, annotations: Object, replicas: int) -> None:
    latest = store.peek(resource, obj["metadata"]["namespace"], obj["metadata"]["name"]) or obj
    changed = _annotated(latest, annotations) if annotations else latest
    store.update(resource, {**changed, "spec": {**changed["spec"], "replicas": replicas}})


def _write_status(store: Store, resource: str, obj: Object, status: Object) -> None:
    """Conditions keep their times while they stay the same."""
    had = {each["type"]: each for each in obj.get("status", {}).get("conditions", ())}
    for condition in status.get("conditions", ()):
        old = had.get(condition["type"], {})
        same = all(old.get(key) == value for key, value in condition.items())
        transition = old["lastTransitionTime"] if old.get("status") == condition["status"] else store.now()
        condition["lastTransitionTime"] = transition
        condition["lastUpdateTime"] = old["lastUpdateTime"] if same else store.now()
    latest = store.peek(resource, obj["metadata"]["namespace"], obj["metadata"]["name"])
    if latest is not None:
        store.update(resource, {**latest, "status": status}, subresource="status")
