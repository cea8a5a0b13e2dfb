"""One simulated Velero server: its process, which can be stopped and paused, and what tests can do to it.

Called by the simulated fleet, for each member. Held to a real Velero by the behaviour suite.
"""

from __future__ import annotations

import asyncio
from typing import Final

from reconciler.simulation.clock import Clock
from reconciler.simulation.cluster import Cluster, Object, ResourceType
from reconciler.simulation.velero.backups import BackupFinalizer, BackupQueue, Backups, phase_of
from reconciler.simulation.velero.bucket import Bucket
from reconciler.simulation.velero.deletions import Deletions, GarbageCollection
from reconciler.simulation.velero.locations import Sync, Validation
from reconciler.simulation.velero.machine import BACKUPS, RESTORES, Controller, Machine
from reconciler.simulation.velero.requests import Downloads, StatusRequests
from reconciler.simulation.velero.restores import RestoreFinalizer, Restores
from reconciler.simulation.velero.schedules import Schedules

_CONTROLLERS: Final = (
    Validation,
    Sync,
    BackupQueue,
    Backups,
    BackupFinalizer,
    Restores,
    RestoreFinalizer,
    Deletions,
    GarbageCollection,
    Schedules,
    Downloads,
    StatusRequests,
)


class SimulatedVelero:
    """Works on a cluster as Velero does, in simulated time. For the thread of the loop in which it was started.

    `prefix` is where its backups lie in the bucket, unless the BackupStorageLocation itself names a prefix.
    """

    def __init__(self, cluster: Cluster, bucket: Bucket, prefix: str, clock: Clock, namespace: str = "velero") -> None:
        self._machine = Machine(cluster, bucket, prefix, clock, namespace)
        self._controllers: tuple[Controller, ...] = tuple(kind(self._machine) for kind in _CONTROLLERS)
        self._ticker: asyncio.Task[None] | None = None
        self._paused = self._cut = False
        cluster.subscribe(self._changed)

    # The process

    @property
    def running(self) -> bool:
        """Started and not stopped; also while it is paused."""
        return self._ticker is not None

    def start(self) -> None:
        """What was InProgress when the last process ended is Failed now; the rest goes on."""
        if self.running:
            return
        self._machine.loop = asyncio.get_running_loop()
        self._paused = False
        self._set_going()
        self._fail_what_was_in_progress()
        for controller in self._controllers:
            for obj in self._machine.all(controller.resource):
                if controller.wants("ADDED", obj):
                    controller.queue.add(obj["metadata"]["name"])
        self._ticker = self._machine.loop.create_task(self._tick())

    def stop(self) -> None:
        """Ends it at once, whatever it is doing."""
        if self._ticker is None:
            return
        self._ticker.cancel()
        self._ticker = self._machine.loop = None
        for controller in self._controllers:
            controller.queue.close()
        self._machine.under_way.clear()

    def pause(self) -> None:
        """As by SIGSTOP: it goes on from there with `resume`."""
        self._paused = True
        self._set_going()

    def resume(self) -> None:
        self._paused = False
        self._set_going()

    def disconnect(self) -> None:
        """Its API server is away: it does nothing, and catches up after `reconnect`."""
        self._cut = True
        self._set_going()

    def reconnect(self) -> None:
        self._cut = False
        self._set_going()

    # What tests do to it

    @property
    def step_seconds(self) -> float:
        """How long each phase takes, in simulated time."""
        return self._machine.step_seconds

    @step_seconds.setter
    def step_seconds(self, seconds: float) -> None:
        self._machine.step_seconds = seconds

    def hold_at(self, phase: str) -> None:
        """Backups and restores that come to that phase stay there until `release`.

        The phases of plugin operations, which are left out otherwise, are gone through while they are held.
        """
        self._machine.hold(phase)

    def release(self, phase: str | None = None) -> None:
        """Ends one hold, or all."""
        self._machine.release(phase)

    def fail_item(self, kind: str, namespace: str, name: str, text: str) -> None:
        """A restore can't create that object (`namespace`: where it is restored to), for that reason."""
        self._machine.failures[kind, namespace, name] = text

    def mend_items(self) -> None:
        """Nothing fails any more."""
        self._machine.failures.clear()

    # Inside

    def _set_going(self) -> None:
        if self._paused or self._cut:
            self._machine.going.clear()
        else:
            self._machine.going.set()

    def _changed(self, resource: ResourceType, event: str, obj: Object) -> None:
        if not self.running or resource.group != "velero.io":
            return
        if obj["metadata"].get("namespace") != self._machine.namespace:
            return
        for controller in self._controllers:
            if controller.resource != resource.name:
                continue
            if event == "DELETED":
                controller.removed(obj)
            elif controller.wants(event, obj):
                controller.queue.add(obj["metadata"]["name"])

    def _fail_what_was_in_progress(self) -> None:
        for resource, word in ((BACKUPS, "backup"), (RESTORES, "restore")):
            for obj in self._machine.all(resource):
                if phase_of(obj) == "InProgress":
                    reason = f'found a {word} with status "InProgress" during the server starting, mark it as "Failed"'
                    name, now = obj["metadata"]["name"], self._machine.stamp()
                    self._machine.set_status(
                        resource, name, phase="Failed", failureReason=reason, completionTimestamp=now
                    )

    async def _tick(self) -> None:
        """Looks at everything once when it starts, and again after each controller's period."""
        periodic = [controller for controller in self._controllers if controller.period]
        due = dict.fromkeys(periodic, self._machine.clock.now().timestamp())
        while True:
            await self._machine.going.wait()
            now = self._machine.clock.now().timestamp()
            for controller in periodic:
                if due[controller] <= now:
                    due[controller] = now + controller.period
                    for obj in self._machine.all(controller.resource):
                        if controller.due(obj):
                            controller.queue.add(obj["metadata"]["name"])
            await self._machine.clock.sleep(max(0.0, min(due.values()) - now))
