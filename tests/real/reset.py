"""Brings a member back to its pristine state between two tests, in about the time of its requests.

Called by `member.py`. It does not ask Velero to clean up, which takes its time and needs a Velero that works:
objects lose their finalizers and are deleted, the member's part of the bucket is emptied, and a Velero that is at
work is restarted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.real.api import Api, Object
from tests.real.namespaces import remove_namespaces, strip_finalizers
from tests.real.velero import NAMESPACE, STORAGE, VELERO_API

if TYPE_CHECKING:
    from tests.real.member import Member

KEPT_NAMESPACES = ("default", "kube-", "velero")
# Schedules first, so that none makes another backup; what a Backup owns before it.
CLEANED = (
    "schedules",
    "downloadrequests",
    "serverstatusrequests",
    "deletebackuprequests",
    "restores",
    "podvolumerestores",
    "podvolumebackups",
    "backups",
    "backuprepositories",
    "volumesnapshotlocations",
)
AT_WORK = ("restores", "backups", "deletebackuprequests")
AT_REST = ("Completed", "PartiallyFailed", "Failed", "FailedValidation", "Processed")


def reset(member: Member) -> None:
    run_everything(member)
    if member.apiserver_was_away:
        restart_clients(member)
    found = velero_objects(member.api)
    if any(at_work(obj) for kind in AT_WORK for obj in found[kind]):
        member.velero.process.kill()  # or it would go on with what is being taken from under it
    while any(found.values()):  # again, where a backup sync under way brought something back
        member.s3.empty(member.name)
        remove(member.api, found)
        found = velero_objects(member.api)
    member.s3.empty(member.name)
    remove_configmaps(member.api)
    with member.cluster.controllers.paused():
        remove_test_namespaces(member.api)
    put_storage_back(member)
    member.create_velero_deployment()
    member.start_velero()
    member.wait_storage("Available")


def run_everything(member: Member) -> None:
    """Start what is stopped, resume what is paused; something that died by itself is an error here, once."""
    for process in (member.s3.process, *member.processes):
        process.resume()
        process.check()
    member.s3.start()
    member.cluster.start_apiserver()
    member.cluster.controllers.start()


def restart_clients(member: Member) -> None:
    """Clients of a server that was away wait longer and longer between attempts; new ones start at once."""
    member.velero.process.kill()
    member.cluster.controllers.kill()
    member.cluster.controllers.start()
    member.apiserver_was_away = False


def velero_objects(api: Api) -> dict[str, list[Object]]:
    return {kind: api.list(f"{VELERO_API}/{kind}") for kind in CLEANED}


def at_work(obj: Object) -> bool:
    deleted = "deletionTimestamp" in obj["metadata"]
    return deleted or obj.get("status", {}).get("phase", "") not in AT_REST


def remove(api: Api, found: dict[str, list[Object]]) -> None:
    for kind, objects in found.items():
        for obj in objects:
            path = f"{VELERO_API}/{kind}/{obj['metadata']['name']}"
            if obj["metadata"].get("finalizers"):
                strip_finalizers(api, path)
            api.delete(path)


def remove_configmaps(api: Api) -> None:
    """Resource modifiers and the like, which tests put beside Velero."""
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
    for configmap in api.list(path):
        if configmap["metadata"]["name"] != "kube-root-ca.crt":
            api.delete(f"{path}/{configmap['metadata']['name']}")


def remove_test_namespaces(api: Api) -> None:
    names = [namespace["metadata"]["name"] for namespace in api.list("/api/v1/namespaces")]
    remove_namespaces(api, [name for name in names if not name.startswith(KEPT_NAMESPACES)])


def put_storage_back(member: Member) -> None:
    path = f"{VELERO_API}/backupstoragelocations"
    for location in member.api.list(path):
        if location["metadata"]["name"] != STORAGE:
            member.api.delete(f"{path}/{location['metadata']['name']}")
    member.velero.put_storage()
