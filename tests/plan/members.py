"""A member in memory: the rules of a Kubernetes API server and of Velero that decide whether anything runs twice.

A name is taken once, an object with a finalizer stays until that is off, a Restore is worked on only while it is not
being deleted; a Schedule is changed and deleted by its UID, and takes a backup when it is due and not paused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.plan.actions import Action, Create, Delete, Release, Update
from reconciler.plan.answers import Answer, Failure, Name, Question
from reconciler.plan.runs import needs_texts
from reconciler.records import Texts, timestamp
from reconciler.velero.objects import FINALIZER, RUN_ID, SUSPENDED
from reconciler.velero.status import Seen, SeenSchedule, seen, seen_schedule
from tests.plan import builders as b

TERMINAL = ("Completed", "PartiallyFailed", "Failed", "FailedValidation")
_TAKEN = Failure("NameConflict", "taken")
_CONFLICT = Failure("Conflict", "it is another one, or not as it was")


@dataclass
class Object:
    """One Velero Backup or Restore; `run_id` tells whose, `schedule` which Schedule took it."""

    kind: str
    name: str
    run_id: str
    uid: str
    held: bool
    phase: str = ""
    deleting: bool = False
    errors: int = 0
    schedule: str = ""
    started: str = ""
    source: str = ""
    """The backup that a Restore restores."""


@dataclass
class Timer:
    """One Velero Schedule."""

    name: str
    run_id: str
    uid: str
    spec: dict[str, Any]
    suspended: bool = False
    theirs: bool = False
    """Somebody else paused it."""


class Member:
    """One cluster with its Velero."""

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self.objects: dict[Name, Object] = {}
        self.timers: dict[str, Timer] = {}
        self.created: list[Object] = []
        self.made = 0
        self.reachable = True

    # ------------------------------------------------------------ what we ask of it

    def carry_out(self, action: Action) -> Failure | None:
        if not self.reachable:
            return b.unreachable().failure
        match action:
            case Create():
                if action.cluster_uid != self.uid:
                    return Failure("ClusterChanged", "another cluster")
                return self._create(action.manifest)
            case Update():
                return self._update(action)
            case Delete():
                return self._delete_timer(action)
            case Release():
                self._release(action.name, action.uid)
                return None

    def _create(self, manifest: Mapping[str, Any]) -> Failure | None:
        metadata = manifest["metadata"]
        name, run_id = (manifest["kind"], metadata["name"]), metadata["annotations"][RUN_ID]
        there: Object | Timer | None = self.objects.get(name)
        if manifest["kind"] == "Schedule":
            there = self.timers.get(name[1])
        if there:
            return None if there.run_id == run_id else _TAKEN
        if manifest["kind"] == "Schedule":
            spec, suspended = dict(manifest["spec"]), SUSPENDED in metadata["annotations"]
            self.timers[name[1]] = Timer(name[1], run_id, self._uid(), spec, suspended)
        else:
            made = Object(*name, run_id, self._uid(), FINALIZER in metadata.get("finalizers", ()))
            made.source = manifest["spec"].get("backupName", "")
            self.objects[name] = made
            self.created.append(made)
        return None

    def _update(self, action: Update) -> Failure | None:
        there = self.timers.get(action.name)
        if there is None or (there.uid, there.run_id) != (action.uid, action.run_id):
            return _CONFLICT
        if action.paused is False and not there.suspended:
            return _CONFLICT
        there.spec |= {field: action.manifest["spec"][field] for field in ("schedule", "template")}
        if action.paused is not None:
            assert action.paused or not there.theirs, "somebody else's pause was lifted"
            there.spec["paused"] = there.suspended = action.paused
        return None

    def _delete_timer(self, action: Delete) -> Failure | None:
        there = self.timers.get(action.name)
        if there and there.uid != action.uid:
            return _CONFLICT
        self.timers.pop(action.name, None)
        return None

    def _release(self, name: str, uid: str) -> None:
        there = self.objects.get(("Restore", name))
        if there and there.uid == uid:
            there.held = False
            if there.deleting:
                del self.objects["Restore", name]

    # ------------------------------------------------------------ what others do

    def delete(self, name: Name) -> None:
        self.objects[name].deleting = True
        if not self.objects[name].held:
            del self.objects[name]

    def someone_makes_a_schedule(self, name: str) -> None:
        if name not in self.timers:
            self.timers[name] = Timer(name, "f" * 32, self._uid(), {"schedule": "0 0 * * *", "template": {}})

    def someone_pauses(self, name: str, paused: bool) -> None:
        there = self.timers[name]
        there.spec["paused"] = paused
        there.theirs = paused and not there.suspended

    def work(self, name: Name, phase: str, errors: int) -> None:
        """Velero takes the object one step on."""
        there = self.objects[name]
        if there.phase in TERMINAL or (there.phase == "" and there.deleting):
            return
        there.phase = "InProgress" if there.phase == "" else phase
        there.errors = errors if there.phase in TERMINAL else 0

    def take_backups(self, now: datetime) -> None:
        """Every Schedule that is not paused is due."""
        for timer in self.timers.values():
            if not timer.spec.get("paused"):
                uid = self._uid()
                made = Object("Backup", f"{timer.name}-{uid}", "", uid, held=False, schedule=timer.name)
                made.started = timestamp(now)
                self.objects["Backup", made.name] = made

    # ------------------------------------------------------------ what it tells

    def look(self, name: Name) -> Seen | None:
        there = self.objects.get(name)
        if there is None:
            return None
        metadata: dict[str, Any] = {"name": there.name, "uid": there.uid, "annotations": {RUN_ID: there.run_id}}
        metadata |= {"deletionTimestamp": "2025-06-01T12:00:00Z"} if there.deleting else {}
        metadata |= {"finalizers": [FINALIZER]} if there.held else {}
        status: dict[str, Any] = {"phase": there.phase, "errors": there.errors} if there.phase else {}
        status |= {"startTimestamp": there.started} if there.started else {}
        return seen(there.kind, {"metadata": metadata, "spec": {}, "status": status})

    def look_at_schedule(self, name: str) -> SeenSchedule | None:
        there = self.timers.get(name)
        if there is None:
            return None
        annotations = {RUN_ID: there.run_id} | ({SUSPENDED: "true"} if there.suspended else {})
        metadata = {"name": there.name, "uid": there.uid, "annotations": annotations}
        return seen_schedule({"metadata": metadata, "spec": there.spec, "status": {"phase": "Enabled"}})

    def answer(self, question: Question) -> Answer:
        if not self.reachable:
            return b.unreachable()
        tried = {name for name in question.dry_runs if name[0] != "Schedule"}
        timers = question.schedules | {name for kind, name in question.dry_runs if kind == "Schedule"}
        found = {name: self.look(name) for name in question.objects | tried}
        ended = {name for name, one in found.items() if one and name in question.texts and needs_texts(one)}
        restores = [one for name in self.objects if name[0] == "Restore" and (one := self.look(name))]
        return Answer(
            cluster_uid=self.uid,
            locations=b.STORAGE,
            seen=found,
            dry_runs={n: None for n in question.dry_runs if n not in self.objects and n[1] not in self.timers},
            texts={name: Texts((("velero", "an error"),), ()) for name in ended},
            leftovers=tuple(restores) if question.leftovers else None,
            running=question.running,
            schedules={name: self.look_at_schedule(name) for name in timers},
            backups_of={name: self._backups_of(name) for name in question.backups_of},
        )

    def _backups_of(self, schedule: str) -> tuple[Seen, ...]:
        names = [name for name, there in self.objects.items() if there.schedule == schedule]
        return tuple(one for name in names if (one := self.look(name)))

    def _uid(self) -> str:
        self.made += 1
        return f"{self.uid}-{self.made}"
