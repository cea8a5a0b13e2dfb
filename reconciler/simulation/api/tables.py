"""Lists as `kubectl get` prints them: a Table with the columns of the kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object

Cell = Callable[[Object], Any]


def _count(*path: str) -> Cell:
    return lambda obj: len(_at(obj, path) or ())


def _value(*path: str, missing: Any = "") -> Cell:
    def cell(obj: Object) -> Any:
        found = _at(obj, path)
        return missing if found is None else found

    return cell


def _ready(obj: Object) -> str:
    return f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 1)}"


def _ports(obj: Object) -> str:
    ports = obj["spec"].get("ports", ())
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or "<none>"


# Between Name and Age, as a real server has them.
_COLUMNS: dict[str, tuple[tuple[str, Cell], ...]] = {
    "ConfigMap": (("Data", _count("data")),),
    "Secret": (("Type", _value("type")), ("Data", _count("data"))),
    "Namespace": (("Status", _value("status", "phase")),),
    "Pod": (
        ("Ready", lambda obj: f"0/{len(obj['spec']['containers'])}"),
        ("Status", _value("status", "phase")),
        ("Restarts", lambda obj: "0"),
    ),
    "Deployment": (
        ("Ready", _ready),
        ("Up-to-date", _value("status", "updatedReplicas", missing=0)),
        ("Available", _value("status", "availableReplicas", missing=0)),
    ),
    "StatefulSet": (("Ready", _ready),),
    "ReplicaSet": (
        ("Desired", _value("spec", "replicas")),
        ("Current", _value("status", "replicas", missing=0)),
        ("Ready", _value("status", "readyReplicas", missing=0)),
    ),
    "Service": (
        ("Type", _value("spec", "type")),
        ("Cluster-IP", _value("spec", "clusterIP", missing="<none>")),
        ("External-IP", lambda obj: "<none>"),
        ("Port(s)", _ports),
    ),
    "Lease": (("Holder", _value("spec", "holderIdentity")),),
    "RoleBinding": (("Role", lambda obj: f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"),),
    "ClusterRoleBinding": (("Role", lambda obj: f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"),),
}
_CREATED_AT = ("Role", "ClusterRole", "CustomResourceDefinition")


def table(kind: Kind, objects: Iterable[Object], version: str, now: datetime, include: str) -> Object:
    """A Table of these objects; `include` is the query's includeObject."""
    columns = _columns(kind, now)
    definitions = [
        {
            "name": name,
            "type": sort,
            "format": "name" if name == "Name" else "",
            "description": "",
            "priority": priority,
        }
        for name, sort, priority, _ in columns
    ]
    rows = []
    for obj in objects:
        row: Object = {"cells": [cell(obj) for *_, cell in columns]}
        if include != "None":
            partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
            row["object"] = obj if include == "Object" else partial
        rows.append(row)
    typed = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version}}
    return {**typed, "columnDefinitions": definitions, "rows": rows}


def _columns(kind: Kind, now: datetime) -> list[tuple[str, str, int, Cell]]:
    def age(*path: str) -> Cell:
        return lambda obj: _age(_at(obj, path), now)

    found: list[tuple[str, str, int, Cell]] = [("Name", "string", 0, _value("metadata", "name"))]
    created: tuple[str, str, int, Cell] = ("Age", "string", 0, age("metadata", "creationTimestamp"))
    if kind.columns:
        for column in kind.columns:
            path = tuple(column["jsonPath"].strip(".").split("."))
            cell = age(*path) if column["type"] == "date" else _value(*path)
            found.append((column["name"], column["type"], column.get("priority", 0), cell))
    elif kind.type.kind in _CREATED_AT:
        found.append(("Created At", "string", 0, _value("metadata", "creationTimestamp")))
    else:
        found += [(name, "string", 0, cell) for name, cell in _COLUMNS.get(kind.type.kind, ())]
        found.append(created)
    return found


def _at(obj: Any, path: Iterable[str]) -> Any:
    for step in path:
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj


def _age(time: Any, now: datetime) -> str:
    """`5m30s`, `3h`, `2d`: as kubectl shortens a time that has gone by."""
    if not time:
        return "<unknown>"
    seconds = max(0, int((now - datetime.fromisoformat(str(time)).astimezone(UTC)).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    return f"{days}d{hours % 24}h" if days < 8 and hours % 24 else f"{days}d"
