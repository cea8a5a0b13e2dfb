"""A member: the simulation's API server and its objects, Velero's work done step by step, and the faults of the way.

Requests come from the product's own `Members` by way of `DirectClient`, without sockets: what the product makes of an
answer, of an error and of silence is its own code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from reconciler.desired import Member as Declared
from reconciler.errors import Unclear, Unreachable
from reconciler.members import Members
from reconciler.members.client import READ_SECONDS, WRITE_SECONDS, Client
from reconciler.members.connection import Connection
from reconciler.members.velero import Velero
from reconciler.plan.actions import Action, Outcome
from reconciler.settings import MemberSettings
from reconciler.simulation.api.rbac import MASTERS, User
from reconciler.simulation.api.requests import Answer, Request, target_of
from reconciler.simulation.api.rest import ApiServer
from reconciler.simulation.api.store import Store
from reconciler.simulation.cluster import Object
from reconciler.simulation.install import NAMESPACE, STORAGE, install
from reconciler.velero.objects import FINALIZER, RUN_ID
from tests.soak.clock import Clock
from tests.soak.process import Process, gate

TERMINAL: Final = ("Completed", "PartiallyFailed", "Failed", "FailedValidation")
FAULTS: Final = ("unreachable", "forbidden", "broken", "silent")
_FIELDS = {"Backup": "backups.velero.io", "Restore": "restores.velero.io"}
_LOCATIONS = "backupstoragelocations.velero.io"
_TOKEN = "soak"


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


Watcher = Callable[["Cluster", str, str, Object], None]
"""Told of each write of ours that took effect: the verb, the plural, the object as it was answered."""


class Cluster:
    """`fault` hits every request of ours; so many of the next writes (`lost`) take effect without an answer."""

    def __init__(self, name: str, clock: Clock, watcher: Watcher) -> None:
        self.name = name
        self.store = Store(name, clock)  # type: ignore[arg-type] # it asks a clock for `now` alone
        install(self.store)
        system = self.store.peek("namespaces", "", "kube-system")
        assert system is not None
        system["metadata"]["uid"] = f"uid-of-{name}"  # the same in each schedule: it is recorded
        self.api = ApiServer(self.store)
        self.api.access.add(_TOKEN, User("reconciler", MASTERS))
        self.made: list[Made] = []
        self.fault = ""
        self.lost = 0
        self.requests = 0
        self._watcher = watcher
        location = self.store.find(_LOCATIONS, NAMESPACE, STORAGE)
        assert location is not None
        self.store.update(_LOCATIONS, {**location, "status": {"phase": "Available"}})

    # ------------------------------------------------------------ what is asked of it

    def serve(self, request: Request) -> Answer:
        """Answers as its API server does."""
        target = target_of(request.method, request.path, request.query)
        writes = request.method != "GET" and not request.query.get("dryRun")
        answer = self.api.answer(request)
        if not writes or answer.status >= 300:
            return answer
        told = json.loads(answer.body)
        if target.verb == "create" and target.plural in ("backups", "restores"):
            self._note(told)
        if target.verb == "create" and target.plural == "downloadrequests":
            # its storage tells nothing: the texts of a run are another test's
            self.store.update("downloadrequests.velero.io", {**told, "status": {"downloadURL": "none://"}})
        self._watcher(self, target.verb, target.plural, told)
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

    def work(self, obj: Object, phase: str) -> None:
        """One step: it is taken up, then it is in `phase`. What is deleted while it is new is never taken up."""
        now = obj.get("status", {}).get("phase", "")
        new = now in ("", "New")
        if now in TERMINAL or (new and obj["metadata"].get("deletionTimestamp")):
            return
        status = {**obj.get("status", {}), "phase": "InProgress" if new else phase}
        status |= {"startTimestamp": self.store.now()} if new else {}
        if status["phase"] in TERMINAL:
            status["completionTimestamp"] = self.store.now()
        self._update(obj, {**obj, "status": status})

    def finish(self, phase: str = "Completed") -> None:
        """All that is under way ends."""
        for kind in _FIELDS:
            for _ in range(2):
                for obj in self.objects(kind):
                    self.work(obj, phase)

    def restart_velero(self) -> None:
        """What was InProgress is Failed (Velero's `markInProgressCRsFailed`)."""
        for kind in _FIELDS:
            for obj in self.objects(kind):
                if obj.get("status", {}).get("phase") == "InProgress":
                    self._update(obj, {**obj, "status": {**obj["status"], "phase": "Failed"}})

    def delete(self, kind: str, name: str) -> None:
        """By hand; what a finalizer holds stays for the time being."""
        self.store.delete(_FIELDS[kind], NAMESPACE, name)
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

    def someone_makes(self, name: str) -> None:
        """A Restore that is not ours, under a name that would be."""
        if self.store.peek(_FIELDS["Restore"], NAMESPACE, name) is None:
            meta = {"name": name, "namespace": NAMESPACE}
            self.store.create(_FIELDS["Restore"], NAMESPACE, {"metadata": meta, "spec": {"backupName": "theirs"}})

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


class DirectClient(Client):
    """Requests of one process to one member. Who sleeps longer than a request may take gets no answer."""

    def __init__(self, cluster: Cluster, process: Process) -> None:
        configuration = SimpleNamespace(api_key={"BearerToken": f"Bearer {_TOKEN}"})
        connectionless: Any = SimpleNamespace(configuration=configuration)  # only errors ask for it
        super().__init__(cluster.name, connectionless)
        self._cluster, self._process = cluster, process

    async def close(self) -> None:
        """Nothing is open."""

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        cluster, query = self._cluster, dict(query or {})
        what = f"{'DRY' if query.get('dryRun') else method} {target_of(method, path, query).plural}"
        started = self._process.monotonic()
        gate(f"before {what}")
        self._check(method, started)
        cluster.requests += 1
        self._break()
        headers = {"authorization": f"Bearer {_TOKEN}", "content-type": content_type, "accept": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        if cluster.fault == "forbidden":
            headers["authorization"] = "Bearer of a token that ran out"
        answer = cluster.serve(Request(method, path, query, headers, sent, path))
        gate(f"after {what}")
        self._check(method, started)
        if method != "GET" and cluster.lost:
            cluster.lost -= 1
            raise Unclear("Unreachable", f"cluster {cluster.name} gave no answer: timed out")
        return self._answer(path, answer.status, answer.body)

    def _break(self) -> None:
        match self._cluster.fault:
            case "unreachable":
                raise Unreachable("Unreachable", f"cluster {self._cluster.name} can't be reached: connection refused")
            case "silent":
                raise Unclear("Unreachable", f"cluster {self._cluster.name} gave no answer: timed out")
            case "broken":
                self._answer("/api/v1", 500, b"<html>")

    def _check(self, method: str, started: float) -> None:
        if self._process.monotonic() - started > (READ_SECONDS if method == "GET" else WRITE_SECONDS):
            raise Unclear("Unreachable", f"cluster {self._cluster.name} gave no answer: timed out")


class DirectConnection(Connection):
    """To one member; opened anew where the credentials were not taken."""

    def __init__(self, cluster: Cluster, process: Process) -> None:
        super().__init__(cluster.name)
        self._open: Callable[[], Client] = lambda: DirectClient(cluster, process)

    def there(self) -> Client:
        if self._client is None:
            self._client = self._open()
        return self._client


class DirectMembers(Members):
    """The product's `Members` over these clusters; each action is a gate before it is begun."""

    def __init__(self, clusters: Mapping[str, Cluster], process: Process) -> None:
        super().__init__(MemberSettings())
        self._direct = {name: DirectConnection(cluster, process) for name, cluster in clusters.items()}

    async def _velero(self, member: Declared) -> Velero:
        connection = self._direct[member.id.name]
        self._connections[member.id] = connection
        return Velero(connection.there(), self._settings.velero_namespace)

    async def _carry_out(self, action: Action, fetched_at: float) -> Outcome:
        gate(f"act {type(action).__name__}")
        return await super()._carry_out(action, fetched_at)
