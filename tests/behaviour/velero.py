"""How the behaviour tests talk to a member's Velero; the member is a real one or a simulated one."""

from __future__ import annotations

import gzip
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from tests.fleets import Fleet, Member
from tests.real.api import Object
from tests.real.processes import wait_for
from tests.real.velero import VELERO_API

ENDED = ("Completed", "PartiallyFailed", "Failed", "FailedValidation")
SPACE = "shop"
PLURALS = {"Backup": "backups", "Restore": "restores"}


def path(kind: str, name: str = "") -> str:
    """Of a Velero object, or of all of its kind."""
    collection = f"{VELERO_API}/{kind.lower()}s"
    return f"{collection}/{name}" if name else collection


def create(member: Member, kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> Object:
    body = {"apiVersion": "velero.io/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}
    return member.api.create(path(kind), body)


def get(member: Member, kind: str, name: str) -> Object | None:
    return member.api.get(path(kind, name))


def until(member: Member, kind: str, name: str, reached: Callable[[Object], Any], what: str) -> Object:
    """The object, once it is as wanted."""

    def look() -> Object | None:
        found = get(member, kind, name)
        return found if found is not None and reached(found) else None

    return wait_for(look, 60, f"{kind} {name} {what}")


def ended(member: Member, kind: str, name: str) -> Object:
    return until(member, kind, name, lambda found: found.get("status", {}).get("phase") in ENDED, "to end")


def processed(member: Member, kind: str, name: str) -> Object:
    return until(member, kind, name, lambda found: found.get("status", {}).get("phase") == "Processed", "to be done")


def run(member: Member, kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> Object:
    """Created, and ended."""
    create(member, kind, name, spec, **metadata)
    return ended(member, kind, name)


def back_up(member: Member, name: str = "first", **spec: Any) -> Object:
    return run(member, "Backup", name, {"includedNamespaces": [SPACE], **spec})


def restore(member: Member, name: str, **spec: Any) -> Object:
    return run(member, "Restore", name, {"backupName": "first", **spec})


def download(member: Member, kind: str, name: str) -> Any:
    """A file of a backup or restore, as clients get it: JSON, or text."""
    request = f"download-{secrets.token_hex(4)}"
    create(member, "DownloadRequest", request, {"target": {"kind": kind, "name": name}})
    url = processed(member, "DownloadRequest", request)["status"]["downloadURL"]
    answer = requests.get(url, timeout=5)
    answer.raise_for_status()
    content = gzip.decompress(answer.content).decode()
    return content if kind.endswith("Log") else json.loads(content)


def held(member: Member, backup: str) -> dict[str, list[str]]:
    """What a backup holds, without Events, which come when they like."""
    listed: dict[str, list[str]] = download(member, "BackupResourceList", backup)
    return {kind: names for kind, names in listed.items() if not kind.endswith("/Event")}


def put(member: Member, kind: str, name: str, namespace: str = SPACE, **fields: Any) -> None:
    """Makes an object of the core group; `labels` go into its metadata."""
    labels = fields.pop("labels", {})
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    collection = "/api/v1/namespaces"
    if kind != "Namespace":
        metadata["namespace"] = namespace
        collection = f"{collection}/{namespace}/{kind.lower()}s"
    member.api.create(collection, {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields})


def stock(member: Member, namespace: str = SPACE) -> None:
    """A namespace with two ConfigMaps, one of them labelled, and a Secret."""
    put(member, "Namespace", namespace, labels={"team": "a"})
    put(member, "ConfigMap", "plain", namespace, data={"colour": "blue"})
    put(member, "ConfigMap", "marked", namespace, data={"colour": "red"}, labels={"keep": "yes"})
    put(member, "Secret", "secret", namespace, stringData={"password": "x"})
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    wait_for(lambda: member.api.get(account), 10, "the service account of a new namespace")


def config_map(member: Member, name: str, namespace: str = SPACE) -> Object | None:
    return member.api.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")


def pass_time(fleet: Fleet, seconds: float) -> None:
    """Waits; a simulated fleet has its clock moved on."""
    advance = getattr(fleet, "advance", None)
    if advance is None:
        time.sleep(seconds)
    else:
        advance(seconds=seconds)
