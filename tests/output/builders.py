"""Records as they would be committed, in a few words: `restore(run("m1"), …)`, `nightly(schedule("m1"), …)`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.records import Condition, Items, Phase, Record, Run, Schedule
from reconciler.resources import ClusterId, Identity

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ADA = "Ada Asker <ada@example.org>"
MAX = "Max Merger <max@example.org>"
RESTORE = Identity("Restore", "default", "minimal")
BACKUP = Identity("Backup", "default", "nightly")
DONE = {
    "phase": "Completed",
    "startTimestamp": "2026-11-23T03:00:00Z",
    "completionTimestamp": "2026-11-23T03:01:30Z",
}


def cluster(name: str) -> ClusterId:
    return ClusterId("default", "AttachedCluster", name)


def run(name: str, phase: Phase = Phase.COMPLETED, attempt: int = 1, **fields: Any) -> Run:
    """A run of Restore `minimal`."""
    made = {"object_name": f"{name}-restore-default-minimal", "run_id": f"{name}-{attempt}", "what": "v1:sha256:a"}
    return Run(cluster(name), phase, attempt=attempt, **(made | fields))


def schedule(name: str, phase: Phase = Phase.ENABLED, **fields: Any) -> Schedule:
    """A Schedule of Backup `nightly`."""
    made = {"object_name": f"{name}-backup-default-nightly", "run_id": f"{name}-s"}
    return Schedule(cluster(name), phase, **(made | fields))


def left_as_they_are(name: str, **fields: Any) -> Run:
    """Velero calls it Completed, and one object of three was left as it was."""
    return run(name, reason="NotRestored", message="1 not restored", items=Items(created=2, not_restored=1), **fields)


def restore(*runs: Run, phase: Phase = Phase.COMPLETED, good: bool = True, **fields: Any) -> Record:
    return _record(RESTORE, {"backupName": "before"}, phase, good, runs=runs, **fields)


def nightly(*schedules: Schedule, phase: Phase = Phase.ENABLED, cron: str = "0 3 * * *", **fields: Any) -> Record:
    spec = {"schedule": cron, "destination": {"fleet": "quickstart"}}
    return _record(BACKUP, spec, phase, True, schedules=schedules, **fields)


def condition(kind: str, status: bool = True, reason: str = "", message: str = "") -> Condition:
    return Condition(kind, status, reason or kind, message, "2026-11-23T11:00:00Z")


def _record(identity: Identity, spec: dict[str, Any], phase: Phase, good: bool, **fields: Any) -> Record:
    made: dict[str, Any] = {
        "attempt": max([each.attempt for each in fields.get("runs", ())], default=1),
        "source": f"{identity.kind.lower()}s/{identity.name}.yaml",
        "revision": "6f1c" * 10,
        "requested_by": ADA,
        "recorded_at": "2026-11-23T09:00:00Z",
        "conditions": (condition("Ready", good, str(phase)),),
    }
    return Record(identity=identity, spec=spec, phase=phase, **(made | fields))


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def data(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)
