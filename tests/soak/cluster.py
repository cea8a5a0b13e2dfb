"""A member: the simulation's API server and its objects, and what Velero and people do there step by step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.simulation.api.rbac import MASTERS, Refusal, User
from reconciler.simulation.api.requests import Answer, Request, target_of
from reconciler.simulation.api.rest import ApiServer
from reconciler.simulation.api.store import Store
from reconciler.simulation.cluster import Object
from reconciler.simulation.install import NAMESPACE, STORAGE, install
from reconciler.velero.objects import FINALIZER, RUN_ID
from tests.soak.clock import Clock

TERMINAL: Final = ("Completed", "PartiallyFailed", "Failed", "FailedValidation")
FAULTS: Final = ("unreachable", "forbidden", "broken", "silent", "slow", "elsewhere")
TOKEN: Final = "soak"
GOING: Final = "Deleting"
_FIELDS = {"Backup": "backups.velero.io", "Restore": "restores.velero.io", "Schedule": "schedules.velero.io"}
_RUNS = ("Backup", "Restore")
_LOCATIONS = "backupstoragelocations.velero.io"
_OURS = ("backups", "restores", "schedules")


@dataclass(slots=True)
class Made:
    """A Velero Backup or Restore that a request of ours created.

    `phase` is Velero's last word; `gone`: it is not there any more; `freed`: somebody took our finalizer off by hand.
    """

    kind: str
    name: str
    member: str
    run_id: str
    uid: str
    spec: Mapping[str, Any]
    held: bool
    phase: str = ""
    gone: bool = False
    freed: bool = False


Watcher = Callable[["Cluster", str, str, Object, Object | None], None]
"""Told of each write of ours that took effect: the verb, the plural, what was answered, and the object before it."""


class Cluster:
    """`fault` hits every request of ours; so many of the next writes (`lost`) take effect without an answer.

    `bad`: the Backups that nothing can be restored from any more, since when (the clock's `next`). `taken`: names under
    which somebody else made something.
    """

    def __init__(self, name: str, clock: Clock, watcher: Watcher) -> None:
        self.name = name
        self.store = Store(name, clock)  # type: ignore[arg-type] # it asks a clock for `now` alone
        install(self.store)
        system = self.store.peek("namespaces", "", "kube-system")
        assert system is not None
        system["metadata"]["uid"] = f"uid-of-{name}"  # the same in each schedule: it is recorded
        self.api = ApiServer(self.store)
        self.api.access.add(TOKEN, User("reconciler", MASTERS))
        self.made: list[Made] = []
        self.fault = ""
        self.refuses = False
        self.lost = 0
        self.requests = 0
        self.bad: dict[str, int] = {}
        self.taken: set[str] = set()
        self._watcher, self._clock = watcher, clock
        self.store_up(True)

    # ------------------------------------------------------------ what is asked of it

    def serve(self, request: Request) -> Answer:
        """Answers as its API server does."""
        target = target_of(request.method, request.path, request.query)
        writes = request.method != "GET" and not request.query.get("dryRun")
        before = self.store.peek(target.resource, NAMESPACE, target.name) if writes and target.name else None
        answer = self.api.answer(request)
        if not writes or answer.status >= 300:
            return answer
        told = json.loads(answer.body)
        if target.verb == "create" and target.plural in ("backups", "restores"):
            self._note(told)
        if target.verb == "create" and target.plural == "downloadrequests":
            # its storage tells nothing: the texts of a run are another test's
            self.store.update("downloadrequests.velero.io", {**told, "status": {"downloadURL": "none://"}})
        self._watcher(self, target.verb, target.plural, told, before)
        self._look()
        return answer

    def _note(self, obj: Object) -> None:
        meta = obj["metadata"]
        held = FINALIZER in meta.get("finalizers", ())
        run_id = meta["annotations"].get(RUN_ID, "")
        self.made.append(Made(obj["kind"], meta["name"], self.name, run_id, meta["uid"], obj["spec"], held))

    def _look(self) -> None:
        """What became of what we made."""
        for made in self.made:
            found = self.store.peek(_FIELDS[made.kind], NAMESPACE, made.name)
            made.gone = found is None or found["metadata"]["uid"] != made.uid
            if found is not None and not made.gone:
                made.phase = found.get("status", {}).get("phase", "")
                made.held = FINALIZER in found["metadata"].get("finalizers", ())

    # ------------------------------------------------------------ what Velero and people do

    def objects(self, kind: str) -> list[Object]:
        return self.store.all(_FIELDS[kind], NAMESPACE)

    def find(self, kind: str, name: str) -> Object | None:
        return self.store.peek(_FIELDS[kind], NAMESPACE, name)

    def foreign(self, kind: str, name: str) -> bool:
        """Whether what has that name is not ours."""
        found = self.find(kind, name)
        return found is not None and RUN_ID not in found["metadata"].get("annotations", {})

    def store_up(self, available: bool) -> None:
        """Its object storage is there, or not."""
        location = self.store.find(_LOCATIONS, NAMESPACE, STORAGE)
        assert location is not None
        self.available = available
        phase = "Available" if available else "Unavailable"
        self.store.update(_LOCATIONS, {**location, "status": {"phase": phase}})

    def refuse(self, refusing: bool) -> None:
        """Who may look may not create."""
        self.refuses = refusing
        self.api.access.refusals = tuple(Refusal("create", plural) for plural in _OURS if refusing)

    def work(self, obj: Object, phase: str) -> None:
        """One step: it is taken up, then it is in `phase`. What is deleted while it is new is never taken up."""
        now = obj.get("status", {}).get("phase", "")
        new = now in ("", "New")
        if now in (GOING, *TERMINAL) or (new and obj["metadata"].get("deletionTimestamp")):
            return
        status = {**obj.get("status", {}), "phase": "InProgress" if new else phase}
        status |= {"startTimestamp": self.store.now()} if new else {}
        if status["phase"] in TERMINAL:
            status["completionTimestamp"] = self.store.now()
        self._update(obj, {**obj, "status": status})

    def finish(self, phase: str = "Completed") -> None:
        """All that is under way ends."""
        for kind in _RUNS:
            for _ in range(2):
                for obj in self.objects(kind):
                    self.work(obj, phase)

    def restart_velero(self) -> None:
        """What was InProgress is Failed (Velero's `markInProgressCRsFailed`)."""
        for kind in _RUNS:
            for obj in self.objects(kind):
                if obj.get("status", {}).get("phase") == "InProgress":
                    self._update(obj, {**obj, "status": {**obj["status"], "phase": "Failed"}})

    def delete(self, kind: str, name: str) -> None:
        """By hand; what a finalizer holds stays for the time being."""
        self.store.delete(_FIELDS[kind], NAMESPACE, name)
        if kind == "Backup":
            self.bad.setdefault(name, self._clock.next())
        self._look()

    def free(self, name: str) -> None:
        """By hand: what our finalizer holds is let go, and deleted."""
        for made in self.made:
            if made.name == name and not made.gone:
                made.freed = True
        found = self.store.find(_FIELDS["Restore"], NAMESPACE, name)
        assert found is not None
        self.store.update(_FIELDS["Restore"], {**found, "metadata": {**found["metadata"], "finalizers": []}})
        if self.store.peek(_FIELDS["Restore"], NAMESPACE, name) is not None:
            self.store.delete(_FIELDS["Restore"], NAMESPACE, name)
        self._look()

    def someone_makes(self, kind: str, name: str) -> None:
        """A Restore or a Schedule that is not ours, under a name that would be."""
        if self.find(kind, name) is None:
            meta = {"name": name, "namespace": NAMESPACE}
            spec = {"backupName": "theirs"} if kind == "Restore" else {"schedule": "1 1 1 1 *", "template": {}}
            self.store.create(_FIELDS[kind], NAMESPACE, {"metadata": meta, "spec": spec})
            self.taken.add(name)

    def clear_names(self) -> None:
        """The Schedules that are not ours go."""
        for name in self.taken:
            if self.foreign("Schedule", name):
                self.delete("Schedule", name)

    def go_bad(self, name: str, how: str) -> None:
        """A Backup that is whole expires, or is about to be deleted, and is there yet."""
        found = self.store.find(_FIELDS["Backup"], NAMESPACE, name)
        if found is None or found.get("status", {}).get("phase") != "Completed":
            return
        change = {"phase": GOING} if how == "deleting" else {"expiration": self.store.now()}
        self._update(found, {**found, "status": {**found["status"], **change}})
        self.bad.setdefault(name, self._clock.next())

    def expire(self, backup: str) -> None:
        """Velero deletes an expired Backup with all its Restores."""
        for restore in self.objects("Restore"):
            if restore["spec"].get("backupName") == backup:
                self.delete("Restore", restore["metadata"]["name"])
        self.delete("Backup", backup)

    def take_backups(self) -> None:
        """Every Schedule that is not paused is due."""
        for timer in self.store.all("schedules.velero.io", NAMESPACE):
            if not timer["spec"].get("paused"):
                labels = {**timer["metadata"].get("labels", {}), "velero.io/schedule-name": timer["metadata"]["name"]}
                meta = {"generateName": f"{timer['metadata']['name']}-", "namespace": NAMESPACE, "labels": labels}
                self.store.create(_FIELDS["Backup"], NAMESPACE, {"metadata": meta, "spec": {}})

    def held(self) -> list[str]:
        """The Restores that carry our finalizer."""
        return [
            obj["metadata"]["name"]
            for obj in self.objects("Restore")
            if FINALIZER in obj["metadata"].get("finalizers", ())
        ]

    def _update(self, old: Object, new: Object) -> None:
        self.store.update(_FIELDS[old["kind"]], new)
        self._look()
