"""What the server fills into a new Restore, and what it finds wrong with it.

Called by `restores`. Facts: `validateAndComplete` of `restore_controller.go`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.simulation.cluster import Object
from reconciler.simulation.velero import modifiers
from reconciler.simulation.velero.filters import mistakes
from reconciler.simulation.velero.locations import available
from reconciler.simulation.velero.machine import BACKUPS, Machine
from reconciler.simulation.velero.words import duration

NON_RESTORABLE: Final = (
    "nodes",
    "events",
    "events.events.k8s.io",
    "backups.velero.io",
    "restores.velero.io",
    "resticrepositories.velero.io",
    "csinodes.storage.k8s.io",
    "volumeattachments.storage.k8s.io",
    "backuprepositories.velero.io",
)
_SCHEDULE_LABEL: Final = "velero.io/schedule-name"
_POLICIES: Final = ("none", "update")


class _Wrong(Exception):
    """What is wrong makes it useless to look further."""


@dataclass(slots=True)
class Asked:
    """A Restore that was looked through."""

    wrong: list[str] = field(default_factory=list)
    backup: Object = field(default_factory=dict)
    rules: tuple[dict[str, Any], ...] = ()


def complete(machine: Machine, restore: Object) -> Asked:
    """Changes the object as the server would: InProgress, or FailedValidation."""
    spec, asked = restore.setdefault("spec", {}), Asked()
    excluded = spec.get("excludedResources") or []
    spec["excludedResources"] = [*excluded, *(one for one in NON_RESTORABLE if one not in excluded)]
    try:
        _validate(machine, restore, asked)
    except _Wrong as error:
        asked.wrong.append(str(error))
    if duration(spec.get("itemOperationTimeout")) == 0:
        spec["itemOperationTimeout"] = "4h0m0s"
    status = dict(restore.get("status") or {})
    if asked.wrong:
        restore["status"] = status | {"phase": "FailedValidation", "validationErrors": asked.wrong}
    else:
        restore["status"] = status | {"phase": "InProgress", "startTimestamp": machine.stamp()}
    return asked


def _validate(machine: Machine, restore: Object, asked: Asked) -> None:
    spec, wrong = restore["spec"], asked.wrong
    included = set(spec.get("includedResources") or ())
    wrong += [f"{one} are non-restorable resources" for one in NON_RESTORABLE if one in included]
    for name, fields in (("resource", "Resources"), ("namespace", "Namespaces")):
        found = mistakes(spec.get(f"included{fields}") or (), spec.get(f"excluded{fields}") or ())
        wrong += [f"Invalid included/excluded {name} lists: {text}" for text in found]
    if spec.get("orLabelSelectors") is not None and spec.get("labelSelector") is not None:
        wrong.append("encountered labelSelector as well as orLabelSelectors in restore spec, only one can be specified")
    if bool(spec.get("backupName")) == bool(spec.get("scheduleName")):
        raise _Wrong("Either a backup or schedule must be specified as a source for the restore, but not both")
    wrong += _hooks(spec)
    policy = spec.get("existingResourcePolicy")
    if policy and policy not in _POLICIES:
        wrong.append(f"Invalid ExistingResourcePolicy: {policy}")
    if spec.get("scheduleName"):
        spec["backupName"] = _latest(machine, spec["scheduleName"], wrong)
    _backup(machine, spec, asked)
    _modifier(machine, spec, asked)


def _hooks(spec: Mapping[str, Any]) -> list[str]:
    found = []
    for hook in (spec.get("hooks") or {}).get("resources") or ():
        for post in hook.get("postHooks") or ():
            for container in (post.get("init") or {}).get("initContainers") or ():
                if not all(container.get(part) for part in ("command", "name", "image")):
                    before = f'invalid init container in restore hook "{hook.get("name", "")}"'
                    what = "it doesn't have Command, Name or Image field"
                    found.append(f"{before}: invalid InitContainer in restore hook, {what}")
    return found


def _latest(machine: Machine, schedule: str, wrong: list[str]) -> str:
    labelled = {_SCHEDULE_LABEL: schedule}.items()
    found = [one for one in machine.all(BACKUPS) if labelled <= (one["metadata"].get("labels") or {}).items()]
    if not found:
        wrong.append("No backups found for schedule")
    ended = [one for one in found if (one.get("status") or {}).get("phase") == "Completed"]
    if not ended:
        raise _Wrong("No completed backups found for schedule")
    return str(max(ended, key=lambda one: str(one["status"].get("startTimestamp", "")))["metadata"]["name"])


def _backup(machine: Machine, spec: dict[str, Any], asked: Asked) -> None:
    name = spec["backupName"]
    backup = machine.get(BACKUPS, name)
    if backup is None:
        before = f"Error retrieving backup: can't find backup {machine.namespace}/{name}"
        raise _Wrong(f'{before}: Backup.velero.io "{name}" not found')
    location = machine.location(backup)
    where = (backup.get("spec") or {}).get("storageLocation", "")
    if location is None:
        raise _Wrong(f'Error retrieving backup: BackupStorageLocation.velero.io "{where}" not found')
    if not available(location):
        raise _Wrong(f"The BSL {where} is unavailable, cannot retrieve the backup")
    asked.backup = backup
    schedule = (backup["metadata"].get("labels") or {}).get(_SCHEDULE_LABEL)
    if schedule and not spec.get("scheduleName"):
        spec["scheduleName"] = schedule


def _modifier(machine: Machine, spec: Mapping[str, Any], asked: Asked) -> None:
    wanted = spec.get("resourceModifier")
    if not wanted or str(wanted.get("kind", "")).lower() != "configmap":
        return
    where = f"{machine.namespace}/{wanted.get('name', '')}"
    config = machine.get("configmaps", wanted.get("name", ""))
    if config is None:
        raise _Wrong(f"failed to get resource modifiers configmap {where}")
    try:
        asked.rules = modifiers.read(config, where)
    except modifiers.ModifierError as error:
        raise _Wrong(str(error)) from error
