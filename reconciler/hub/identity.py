"""Who we are on the hub: as the holder of a Lease, and as what an Event is about."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping
from typing import Any

from reconciler.names import LABEL


def identity(environment: Mapping[str, str]) -> str:
    """The pod's or the machine's name, and eight random digits: two processes never have the same."""
    return f"{instance(environment)}_{secrets.token_hex(4)}"


def instance(environment: Mapping[str, str]) -> str:
    """The pod's or the machine's name, at most 128 characters, as Events want it."""
    return (environment.get("POD_NAME") or socket.gethostname() or "reconciler")[:128]


def regarding(environment: Mapping[str, str], namespace: str, lease: str) -> dict[str, Any]:
    """What our Events are about: the pod, where POD_NAME and POD_NAMESPACE tell it, else the Lease."""
    pod, where = environment.get("POD_NAME", ""), environment.get("POD_NAMESPACE", "")
    if pod and LABEL.fullmatch(where):
        return {"apiVersion": "v1", "kind": "Pod", "namespace": where, "name": pod}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "namespace": namespace, "name": lease}
