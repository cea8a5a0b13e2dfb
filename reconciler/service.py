"""`reconciler sync` as a process that runs for months: signals, election, HTTP and notifications around the daemon."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, TypeVar

from reconciler.daemon import BEAT_SECONDS, Daemon
from reconciler.errors import FetchFailed, SettingsError
from reconciler.hub import Events, Hub, Leadership, identity, instance, regarding
from reconciler.members import Members
from reconciler.plan.news import News
from reconciler.plan.pace import pause_after_failure
from reconciler.plan.shards import lease_name
from reconciler.reconcile import Reconciler
from reconciler.repository import Repository
from reconciler.settings import DaemonSettings, MemberSettings, SyncSettings, service_account
from reconciler.telemetry.health import Health
from reconciler.telemetry.hook import Hook
from reconciler.telemetry.logs import logger
from reconciler.telemetry.metrics import Metrics
from reconciler.telemetry.notifier import Notifier
from reconciler.telemetry.server import Server
from reconciler.wake import Reason, Wake, jittered
from reconciler.witness import Witness

END_SECONDS: Final = 9.5
"""From the signal to the end of the process, whatever still hangs: all that it does may be cut off at any moment."""
NOTIFY_SECONDS: Final = 1.0
"""How long notifications that wait are given at the end."""
LOOK_SECONDS: Final = 1.0
"""How late whoever stands by tells whether it sees a leader."""
T = TypeVar("T")
log = logger("reconciler")

Open = Callable[[Callable[[str, float, str], None]], Repository]


@dataclass(frozen=True, slots=True)
class Service:
    """All that `sync` was told. `open` finds the repository, and is given who is told how long git took."""

    open: Open
    members: MemberSettings
    passes: SyncSettings
    settings: DaemonSettings

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises ReconcilerError where it can't begin."""
        wake, metrics, health = Wake(), Metrics(self.passes.shard), Health()
        stopping = asyncio.Event()
        _end_by_signal(stopping, wake)
        async with AsyncExitStack() as around:
            hook = await self._serve(around, wake, metrics, health)
            repository = await _unless(stopping, self._open(metrics, health))
            if repository is not None:
                if hook:
                    hook.heed(repository.pushed_to)
                every = self.settings.interval_seconds
                log.info("watching", what=repository.description, interval_seconds=every, one_run="sync --once")
                notify = await self._notifications(around, metrics)
                hub = await self._hub(around)
                post, leadership = await self._on_hub(around, hub)
                witness = Witness(metrics, health, notify, post)
                work = _Work(self, repository, wake, witness)
                await _lead(work, leadership, stopping, metrics, health)
        log.info("ended")

    async def _serve(self, around: AsyncExitStack, wake: Wake, metrics: Metrics, health: Health) -> Hook | None:
        """Metrics, health and the webhook, where an address was given."""
        settings = self.settings
        if not settings.listen:
            return None
        secret = settings.webhook_secret_file
        hook = Hook(secret, lambda: wake.stir(Reason.REPOSITORY)) if secret else None
        server = await around.enter_async_context(Server(settings.listen, metrics, health, hook))
        log.info("serving", address=server.address, webhook=hook is not None)
        return hook

    async def _open(self, metrics: Metrics, health: Health) -> Repository:
        """The repository; a remote that can't be reached may come back, anything else is for the user to mend."""
        times, trouble = 0, ""
        while True:
            try:
                return await asyncio.to_thread(self.open, metrics.git)
            except FetchFailed as error:
                times += 1
                again_in = jittered(pause_after_failure(times))
                health.ready(False, str(error))
                if str(error) != trouble:  # one line a trouble, not a line a try
                    cause, seconds = str(error.cause), round(again_in, 1)
                    log.error("repository not opened", cause=cause, error=str(error), again_in_seconds=seconds)
                trouble = str(error)
                await _asleep(again_in, health)

    async def _notifications(self, around: AsyncExitStack, metrics: Metrics) -> Callable[[News], None]:
        if not self.settings.notify_file:
            return lambda news: None
        notifier = Notifier(self.settings.notify_file, metrics)
        around.callback(notifier.close, NOTIFY_SECONDS)
        return notifier.announce

    async def _hub(self, around: AsyncExitStack) -> Hub | None:
        if not (self.settings.leader_elect or self.settings.events):
            return None
        place = self.members.hub or service_account(os.environ)
        if place is None:
            raise SettingsError("--leader-elect and --events need a hub: give --hub-kubeconfig, or run in a pod")
        hub = Hub(place)
        around.push_async_callback(hub.close)
        return hub

    async def _on_hub(self, around: AsyncExitStack, hub: Hub | None) -> tuple[Events | None, Leadership | None]:
        """Events and the Lease, each where asked for."""
        if hub is None:
            return None, None
        namespace = self.settings.lease_namespace or await hub.namespace()
        lease, events, leadership = lease_name(self.passes.shard), None, None
        if self.settings.events:
            about = regarding(os.environ, namespace, lease)
            events = await around.enter_async_context(Events(hub, about, instance(os.environ), _of_events))
        if self.settings.leader_elect:
            leadership = Leadership(hub, namespace, lease, identity(os.environ), told=_of_lease)
            await around.enter_async_context(leadership)
        return events, leadership


@dataclass(frozen=True, slots=True)
class _Work:
    """What a leader does, each time with members of its own."""

    service: Service
    repository: Repository
    wake: Wake
    witness: Witness

    async def until(self, *ends: Awaitable[object]) -> None:
        """Passes, until one of these ends."""
        members = Members(self.service.members)
        following = members.following(lambda: self.wake.stir(Reason.MEMBERS))
        reconciler = Reconciler(self.repository, members, self.service.passes)
        interval = self.service.settings.interval_seconds
        daemon = Daemon(self.repository, reconciler, following, self.wake, interval, self.witness)
        work = asyncio.create_task(daemon.run())
        over = [asyncio.ensure_future(end) for end in ends]
        try:
            await asyncio.wait([work, *over], return_when=asyncio.FIRST_COMPLETED)
            daemon.stop()
            await work
        finally:
            for task in (work, *over):
                task.cancel()
            await asyncio.gather(work, *over, return_exceptions=True)
            await members.close()


async def _lead(
    work: _Work, leadership: Leadership | None, stopping: asyncio.Event, metrics: Metrics, health: Health
) -> None:
    """Works while it leads, where there is an election, else at once."""
    if leadership is None:
        await work.until(stopping.wait())
        return
    while not stopping.is_set():
        metrics.leading(False)
        log.info("standing by", holder=leadership.holder)
        if await _unless(stopping, _led(leadership, health)) is None:
            return
        metrics.leading(True)
        log.info("leading")
        await work.until(stopping.wait(), leadership.lost.wait())


async def _led(leadership: Leadership, health: Health) -> bool:
    """True once we lead. Meanwhile it lives, and is ready unless it can't see who leads either."""
    lead = asyncio.create_task(leadership.lead())
    try:
        while not lead.done():
            trouble = leadership.trouble
            health.beat()
            health.ready(not trouble, f"the Lease can't be held or seen: {trouble}" if trouble else "standing by")
            await asyncio.wait({lead}, timeout=LOOK_SECONDS)
        await lead
        return True
    finally:
        lead.cancel()


def _of_lease(trouble: str) -> None:
    """What the hub says to it, once a change."""
    if trouble:
        log.warning("Lease not held or seen", why=trouble)
    else:
        log.info("Lease seen again")


def _of_events(trouble: str) -> None:
    if trouble:
        log.warning("Events dropped", why=trouble)
    else:
        log.info("Events taken again")


async def _asleep(seconds: float, health: Health) -> None:
    """So long; it lives meanwhile."""
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0:
        health.beat()
        await asyncio.sleep(min(left, BEAT_SECONDS))


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What comes of it; None where the end was asked for before."""
    task, stop = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        stop.cancel()
        await asyncio.gather(task, stop, return_exceptions=True)


def _end_by_signal(stopping: asyncio.Event, wake: Wake) -> None:
    """SIGTERM and SIGINT end it in order, and within its time even where something hangs."""

    def end() -> None:
        if not stopping.is_set():
            log.info("ending", within_seconds=END_SECONDS)
            timer = threading.Timer(END_SECONDS, os._exit, (0,))
            timer.daemon = True
            timer.start()
        stopping.set()
        wake.stir(Reason.STOP)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
