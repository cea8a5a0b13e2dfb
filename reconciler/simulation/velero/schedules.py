"""Schedules: looked at once a minute, and when their spec changes; what is due becomes a Backup.

Called by `server`. Facts: `schedule_controller.go`, `FromSchedule` of `backup_builder.go`.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from reconciler.cron import Cron, CronError
from reconciler.simulation.cluster import Object, StatusError
from reconciler.simulation.velero.backups import phase_of
from reconciler.simulation.velero.locations import SpecChanges
from reconciler.simulation.velero.machine import BACKUPS, SCHEDULES, Again
from reconciler.simulation.velero.words import moment, typed_spec

_LABEL: Final = "velero.io/schedule-name"


class Schedules(SpecChanges):
    """Enabled or FailedValidation; nothing where paused."""

    resource = SCHEDULES
    period = 60.0

    def wants(self, event: str, obj: Object) -> bool:
        return super().wants(event, obj) and self.due(obj)

    def due(self, obj: Object) -> bool:
        return not (obj.get("spec") or {}).get("paused")

    async def reconcile(self, name: str) -> None:
        schedule = self.machine.get(SCHEDULES, name)
        if schedule is None:
            return
        skip = bool(schedule["spec"].get("skipImmediately"))
        cron, wrong = _read(schedule["spec"].get("schedule", ""))

        def judge(found: Object) -> None:
            found["spec"]["skipImmediately"] = False
            status = {**(found.get("status") or {})}
            status.pop("validationErrors", None)
            found["status"] = status | {"phase": "FailedValidation" if wrong else "Enabled"}
            found["status"] |= {"validationErrors": wrong} if wrong else {}
            found["status"] |= {"lastSkipped": self.machine.stamp()} if skip else {}

        schedule = self.machine.change(SCHEDULES, name, judge)
        if schedule and cron and self._is_due(schedule, cron) and not self._runs(name):
            self._submit(schedule)

    def _is_due(self, schedule: Object, cron: Cron) -> bool:
        """Whether a time of it has come since the last backup, or since it was made or skipped."""
        status = schedule["status"]
        last = moment(status.get("lastBackup")) or moment(schedule["metadata"].get("creationTimestamp"))
        skipped = moment(status.get("lastSkipped"))
        if last is None or (skipped and skipped > last):
            last = skipped
        now = self.machine.clock.now()
        following = cron.after(last or now)
        return following is None or now > following

    def _runs(self, name: str) -> bool:
        return any(
            phase_of(backup) in ("New", "InProgress")
            for backup in self.machine.all(BACKUPS)
            if (backup["metadata"].get("labels") or {}).get(_LABEL) == name
        )

    def _submit(self, schedule: Object) -> None:
        name, template = schedule["metadata"]["name"], copy.deepcopy(schedule["spec"].get("template") or {})
        now = self.machine.clock.now()
        labels = (template.get("metadata") or {}).get("labels")
        if labels is not None:
            labels[_LABEL] = name  # the map is shared, so the spec shows it too
        labels = (schedule["metadata"].get("labels") or {}) if labels is None else labels
        metadata: dict[str, Any] = {
            "name": f"{name}-{now:%Y%m%d%H%M%S}",
            "namespace": self.machine.namespace,
            "labels": {**labels, _LABEL: name},
        }
        if annotations := schedule["metadata"].get("annotations"):
            metadata["annotations"] = dict(annotations)
        if schedule["spec"].get("useOwnerReferencesInBackup"):
            owner = {"apiVersion": "velero.io/v1", "kind": "Schedule", "name": name, "controller": True}
            metadata["ownerReferences"] = [owner | {"uid": schedule["metadata"].get("uid", "")}]
        backup = {"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": metadata, "spec": typed_spec(template)}
        try:
            self.machine.cluster.create(BACKUPS, self.machine.namespace, backup)
        except StatusError as error:
            raise Again(error.message) from error
        self.machine.set_status(SCHEDULES, name, lastBackup=self.machine.stamp())


def _read(expression: str) -> tuple[Cron | None, list[str]]:
    """The schedule, or what Velero writes into validationErrors."""
    if not expression:
        return None, ["Schedule must be a non-empty valid Cron expression"]
    try:
        return Cron(expression), []
    except CronError as error:
        return None, [f"invalid schedule: {error}"]
