"""One of several replicas leads, by a Lease on the hub, so that the others keep still until it is gone.

For calm, never for safety: whoever believes to lead when it does not meets the ledger, which lets nothing run twice.

Why not the election of the kubernetes client (37, `kubernetes.aio.leaderelection`): it lets go of nothing when it ends,
so a rollout waits for the lease to expire; it reads the wall clock, local and marked as UTC; no time limit is on its
requests, so that a hub that hangs is led for ever; and an error of the connection, which is none of its ApiException,
ends it. The rules here are client-go's (tools/leaderelection/leaderelection.go).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Protocol

from reconciler.errors import AlreadyExists, MemberError, Refused
from reconciler.velero.plainly import count, mapping, text

LEASE_SECONDS: Final = 9
"""A leader that is killed is followed after this and at most one retry (1.5 s): within 15 s on a slow hub, too."""
_RENEW_SHARE: Final = 2 / 3
"""Of the lease: so long after its last renewal the leader still leads. The rest is for clocks that run apart."""
_CALL_SHARE: Final = 1 / 3
_RETRY_SHARE: Final = 1 / 6
_RELEASE_SECONDS: Final = 3.0
_API: Final = "coordination.k8s.io/v1"


class Requests(Protocol):
    """What is needed of the hub; raises MemberError."""

    def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Awaitable[dict[str, Any]]: ...


class Leadership:
    """A candidate while one is within it, who lets go of the Lease at the end.

    Who holds the Lease is believed to lead until `lease_seconds` after the last change that *we* saw in it: no other
    machine's clock is trusted. A leader gives up earlier than that, whatever happens to its requests or to itself.
    """

    def __init__(
        self,
        hub: Requests,
        namespace: str,
        name: str,
        identity: str,
        lease_seconds: int = LEASE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        told: Callable[[str], None] = lambda trouble: None,
    ) -> None:
        self.lost = asyncio.Event()
        """Set while we led once, and lead no more."""
        self.holder = ""
        """Who holds the Lease, as far as we know."""
        self.trouble = ""
        """Why the Lease could not be read or written the last time; empty when it could. `told` is called with each
        other one."""
        self._told = told
        self._hub, self._identity, self._clock = hub, identity, clock
        self._namespace, self._name = namespace, name
        self._path = f"/apis/{_API}/namespaces/{namespace}/leases"
        self._seconds = lease_seconds
        self._retry = lease_seconds * _RETRY_SHARE
        self._held_until = 0.0
        self._led = asyncio.Event()
        self._lease: dict[str, Any] | None = None
        self._seen: tuple[float, Mapping[str, Any]] = (0.0, {})
        self._task: asyncio.Task[None] | None = None

    @property
    def leading(self) -> bool:
        """True at this very moment, by the clock: a process that was stopped for a while knows when it goes on."""
        return self._clock() < self._held_until

    async def lead(self) -> None:
        """Returns when we lead, at once where we do already."""
        assert self._task is not None, "only within the context"
        while not self.leading:
            led = asyncio.ensure_future(self._led.wait())
            try:
                await asyncio.wait({led, self._task}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                led.cancel()
            if self._task.done():
                self._task.result()
            if not self.leading:
                await asyncio.sleep(self._retry / 10)  # we led, and do no more; the task is about to say so

    async def __aenter__(self) -> Leadership:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self.holder == self._identity:
            with contextlib.suppress(MemberError, TimeoutError):  # it expires by itself
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._release()

    async def _run(self) -> None:
        """Tries again and again, for as long as we are a candidate."""
        try:
            while True:
                await self._turn()
                self._tell()
                await asyncio.sleep(self._pause())
                self._tell()
        finally:
            self._held_until = 0.0
            self._tell()

    async def _turn(self) -> None:
        """One try, and what follows from it."""
        began = self._clock()
        left, limit = self._held_until - began, self._seconds * _CALL_SHARE
        try:
            async with asyncio.timeout(min(left, limit) if left > 0 else limit):
                held = await self._try()
        except (MemberError, TimeoutError) as error:
            self._lease = None
            self._say(str(error) or "the hub gives no answer")
        else:
            self._say("")
            self._held_until = began + self._seconds * _RENEW_SHARE if held else 0.0

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._told(trouble)

    def _tell(self) -> None:
        if self.leading:
            self._led.set()
            self.lost.clear()
        elif self._led.is_set():
            self._led.clear()
            self.lost.set()

    def _pause(self) -> float:
        """Until the next try: sooner where our own time, or another's, is up before."""
        at, spec = self._seen
        others = at + _seconds(spec, self._seconds) - self._clock() if self.holder != self._identity else self._retry
        mine = self._held_until - self._clock()
        return min([self._retry, *(left for left in (others, mine) if left > 0)])

    async def _try(self) -> bool:
        """One try to hold the Lease; whether we do. What is not known of it is read before."""
        if self._lease is None:
            try:
                self._lease = await self._hub.request("GET", f"{self._path}/{self._name}")
            except Refused as error:
                if error.code != 404:
                    raise
                return await self._create()
        spec = mapping(self._lease.get("spec"))
        self._observe(spec)
        if self.holder not in ("", self._identity) and self._clock() < self._seen[0] + _seconds(spec, self._seconds):
            self._lease = None  # another's: looked at anew the next time
            return False
        now = _now()
        transitions = count(spec.get("leaseTransitions")) + 1
        taken = {} if self.holder == self._identity else {"acquireTime": now, "leaseTransitions": transitions}
        await self._put({**spec, **taken, **self._mine(now)})
        return True

    async def _create(self) -> bool:
        now = _now()
        spec = {"acquireTime": now, "leaseTransitions": 0, **self._mine(now)}
        metadata = {"name": self._name, "namespace": self._namespace}
        body = {"apiVersion": _API, "kind": "Lease", "metadata": metadata, "spec": spec}
        try:
            self._lease = await self._hub.request("POST", self._path, {"fieldManager": "reconciler"}, body)
        except AlreadyExists:
            return False  # another was faster, and is looked at the next time
        self._observe(spec)
        return True

    async def _put(self, spec: Mapping[str, Any]) -> None:
        """With the resourceVersion that was read, so that it fails where anybody wrote meanwhile."""
        assert self._lease is not None
        body = {**self._lease, "spec": dict(spec)}
        self._lease = await self._hub.request("PUT", f"{self._path}/{self._name}", {"fieldManager": "reconciler"}, body)
        self._observe(spec)

    async def _release(self) -> None:
        """An empty holder may be followed at once. Read anew, since a renewal may have been cut off."""
        self._lease = await self._hub.request("GET", f"{self._path}/{self._name}")
        spec = mapping(self._lease.get("spec"))
        if spec.get("holderIdentity") == self._identity:
            await self._put({**spec, "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()})

    def _mine(self, now: str) -> dict[str, Any]:
        return {"holderIdentity": self._identity, "leaseDurationSeconds": self._seconds, "renewTime": now}

    def _observe(self, spec: Mapping[str, Any]) -> None:
        """Remembers when the Lease was last seen to change."""
        self.holder = text(spec.get("holderIdentity"))
        if spec != self._seen[1]:
            self._seen = (self._clock(), dict(spec))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _seconds(spec: Mapping[str, Any], default: int) -> int:
    return count(spec.get("leaseDurationSeconds")) or default
