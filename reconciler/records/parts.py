"""What a record says of each cluster, and its conditions, as plain data and back: Kurator's fields first, then ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from reconciler.records.model import Condition, Items, Phase, Run, Schedule
from reconciler.resources import ClusterId

_ITEMS: Final = {
    "created": "created",
    "updated": "updated",
    "equal": "equal",
    "not_restored": "notRestored",
    "not_compared": "notCompared",
    "failed": "failed",
}


def dump_condition(condition: Condition) -> dict[str, Any]:
    """As Kubernetes writes conditions."""
    return {
        "type": condition.type,
        "status": str(condition.status),
        "reason": condition.reason,
        "message": condition.message,
        "lastTransitionTime": condition.since,
    }


def parse_condition(item: Mapping[str, Any]) -> Condition:
    """The condition from that. Raises KeyError, TypeError."""
    return Condition(
        item["type"], item["status"] == "True", item["reason"], item["message"], item["lastTransitionTime"]
    )


def dump_run(prefix: str, run: Run) -> dict[str, Any]:
    """An entry of `backupDetails` or `restoreDetails`; what is empty is left out."""
    kurators = {
        "clusterName": run.cluster.name,
        "clusterKind": run.cluster.kind,
        f"{prefix}NameInCluster": run.object_name,
        f"{prefix}StatusInCluster": dict(run.status),
    }
    ours = {
        "phase": str(run.phase),
        "reason": run.reason,
        "message": run.message,
        "attempt": run.attempt,
        "runID": run.run_id,
        "what": run.what,
        "clusterUID": run.cluster_uid,
        "backupNameInCluster": run.backup_name,
        "backupStartTimestamp": run.backup_started,
        "backupCompletionTimestamp": run.backup_completed,
        "errors": run.errors,
        "warnings": run.warnings,
        "items": _dump_items(run.items),
    }
    ours = {name: value for name, value in ours.items() if name not in kurators}
    return {name: value for name, value in (kurators | ours).items() if value or (name == "items" and run.items)}


def parse_run(prefix: str, namespace: str, item: Mapping[str, Any]) -> Run:
    """The run from that. Raises KeyError, TypeError, ValueError."""
    return Run(
        cluster=ClusterId(namespace, item["clusterKind"], item["clusterName"]),
        phase=Phase(item["phase"]),
        object_name=item[f"{prefix}NameInCluster"],
        run_id=item["runID"],
        what=item["what"],
        attempt=item["attempt"],
        reason=item.get("reason", ""),
        message=item.get("message", ""),
        cluster_uid=item.get("clusterUID", ""),
        backup_name="" if prefix == "backup" else item.get("backupNameInCluster", ""),
        backup_started=item.get("backupStartTimestamp", ""),
        backup_completed=item.get("backupCompletionTimestamp", ""),
        status=item.get(f"{prefix}StatusInCluster", {}),
        errors=item.get("errors", 0),
        warnings=item.get("warnings", 0),
        items=_parse_items(item.get("items")),
    )


def dump_schedule(schedule: Schedule) -> dict[str, Any]:
    """An entry of `backupDetails` of a Backup with a schedule: the latest backup, then the Schedule."""
    data = {
        "clusterName": schedule.cluster.name,
        "clusterKind": schedule.cluster.kind,
        "backupNameInCluster": schedule.backup_name,
        "backupStatusInCluster": dict(schedule.status),
        "scheduleNameInCluster": schedule.object_name,
        "phase": str(schedule.phase),
        "reason": schedule.reason,
        "message": schedule.message,
        "runID": schedule.run_id,
        "what": schedule.what,
        "clusterUID": schedule.cluster_uid,
        "refreshedTimestamp": schedule.refreshed,
    }
    return {name: value for name, value in data.items() if value}


def parse_schedule(namespace: str, item: Mapping[str, Any]) -> Schedule:
    """The Schedule from that. Raises KeyError, TypeError, ValueError."""
    return Schedule(
        cluster=ClusterId(namespace, item["clusterKind"], item["clusterName"]),
        phase=Phase(item["phase"]),
        object_name=item["scheduleNameInCluster"],
        run_id=item["runID"],
        what=item.get("what", ""),
        reason=item.get("reason", ""),
        message=item.get("message", ""),
        cluster_uid=item.get("clusterUID", ""),
        backup_name=item.get("backupNameInCluster", ""),
        status=item.get("backupStatusInCluster", {}),
        refreshed=item.get("refreshedTimestamp", ""),
    )


def _dump_items(items: Items | None) -> dict[str, int]:
    return {_ITEMS[name]: count for name, count in asdict(items).items() if count} if items else {}


def _parse_items(data: Mapping[str, int] | None) -> Items | None:
    return None if data is None else Items(**{name: data.get(word, 0) for name, word in _ITEMS.items()})
