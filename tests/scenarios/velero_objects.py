"""Velero's own objects on a member, as the velero CLI, Helm or an operator with kubectl makes and changes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.behaviour.velero import ENDED, create, ended, get, path, until
from tests.fleets import Fleet, Member, Object
from tests.scenarios.objects import NAMESPACE

CONFIG_MAP = f"/api/v1/namespaces/{NAMESPACE}/configmaps/plain"


def schedule_name(member: Member, backup: str = "nightly") -> str:
    """Of the Schedule that is ours there."""
    return f"{member.name}-backup-default-{backup}"


def schedule(member: Member, backup: str = "nightly") -> Object | None:
    """The Schedule of ours, None where there is none."""
    return get(member, "Schedule", schedule_name(member, backup))


def there(member: Member, backup: str = "nightly") -> Object:
    """The Schedule of ours, which is there."""
    found = schedule(member, backup)
    assert found is not None, f"{schedule_name(member, backup)} is not there"
    return found


def change(member: Member, patch: Mapping[str, Any], backup: str = "nightly") -> None:
    """By hand: `kubectl patch`."""
    member.api.patch_merge(path("Schedule", schedule_name(member, backup)), patch)


def run_schedule(member: Member, name: str, of: str = "") -> Object:
    """`velero backup create NAME --from-schedule SCHEDULE --wait`; without `of`, our nightly one."""
    made = get(member, "Schedule", of or schedule_name(member))
    assert made is not None
    meta = made["metadata"]
    labels = {**meta.get("labels", {}), "velero.io/schedule-name": meta["name"]}
    annotations = meta.get("annotations", {})
    create(member, "Backup", name, made["spec"]["template"], labels=labels, annotations=annotations)
    return ended(member, "Backup", name)


def runs(member: Member, of: str = "") -> list[Object]:
    """The ended backups of a Schedule, whoever started them, the oldest first."""
    label = f"velero.io/schedule-name={of or schedule_name(member)}"
    found = [backup for backup in member.api.list(path("Backup"), label) if _phase(backup) in ENDED]
    return sorted(found, key=lambda backup: str(backup["status"].get("startTimestamp")))


def set_status(member: Member, backup: str, **status: Any) -> None:
    """What a Backup's status says from now on; Velero looks at an ended one no more, but for its expiration."""
    member.api.patch_merge(path("Backup", backup), {"status": status})


def set_content(member: Member, text: str) -> None:
    """Somebody's work on the application: what its ConfigMap `plain` holds."""
    member.api.patch_merge(CONFIG_MAP, {"data": {"of": text}})


def enabled(fleet: Fleet, backup: str = "nightly") -> None:
    """Velero has accepted the Schedule on every member."""
    for member in fleet.members:
        name = schedule_name(member, backup)
        until(member, "Schedule", name, lambda found: _phase(found) == "Enabled", "to be Enabled")


def _phase(found: Object) -> str:
    return str(found.get("status", {}).get("phase", ""))
