"""One simulated member as tests and the demo see it: break it, mend it, look into it.

Made by `fleet`, with the interface that the tests' real members have. What it starts with is in `install`, how it is
cleaned in `reset`. Its cluster is built when it is first needed, so that a thousand members cost little.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler.simulation import reset
from reconciler.simulation.api.changes import Event
from reconciler.simulation.api.controllers import Controllers
from reconciler.simulation.api.rbac import MASTERS, Refusal, User
from reconciler.simulation.api.requests import WRITES, Answer, Request
from reconciler.simulation.api.rest import ApiServer
from reconciler.simulation.api.store import Store
from reconciler.simulation.client import Api, wait_for
from reconciler.simulation.clock import Clock
from reconciler.simulation.cluster import Object
from reconciler.simulation.faults import RIG, Faults
from reconciler.simulation.install import DEPLOYMENT_PATH, NAMESPACE, STORAGE, deployment, install
from reconciler.simulation.server import SimulatedServer
from reconciler.simulation.velero import Bucket, SimulatedVelero

ADMIN = "admin"
SERVICE_ACCOUNT = f"system:serviceaccount:{NAMESPACE}:reconciler"
PRODUCT = (ADMIN, SERVICE_ACCOUNT)
"""As whom the product comes: by `kubeconfig`, or with the rights of deploy/member.yaml."""
_LOCATIONS = "backupstoragelocations.velero.io"
_VELERO_API = f"/apis/velero.io/v1/namespaces/{NAMESPACE}"
_PREPARING_SECONDS = 5.0
ApiOf = Callable[["SimulatedMember"], Any]


class SimulatedMember:
    """A cluster with its Velero. Methods are for the threads of tests; what says so is for the server's loop."""

    def __init__(
        self,
        name: str,
        kubeconfig: Path,
        server: SimulatedServer,
        bucket: Bucket,
        clock: Clock,
        api: ApiOf | None = None,
    ) -> None:
        self.name = name
        self.kubeconfig = kubeconfig
        self.faults = Faults()
        self.tokens = {user: secrets.token_hex(16) for user in (ADMIN, RIG)}
        self.dead = self.hanging = False
        self.going = asyncio.Event()
        self.going.set()
        self._looked_at = asyncio.Event()
        self.server, self.bucket = server, bucket
        self._clock = clock
        self._api_of = api
        self._built: tuple[ApiServer, SimulatedVelero] | None = None

    # For the server's loop

    @property
    def api_server(self) -> ApiServer:
        return self._parts()[0]

    @property
    def store(self) -> Store:
        """Its objects, without any rights or faults between."""
        return self.api_server.store

    async def prepared(self) -> ApiServer:
        """Its API server, once Velero has looked at its storage for the first time."""
        api = self.api_server
        with suppress(TimeoutError):
            await asyncio.wait_for(self._looked_at.wait(), _PREPARING_SECONDS)
        return api

    def _parts(self) -> tuple[ApiServer, SimulatedVelero]:
        if self._built is None:
            store = Store(self.name, self._clock)
            install(store)
            api = ApiServer(store, (SERVICE_ACCOUNT,))
            for user, token in self.tokens.items():
                api.access.add(token, User(user, MASTERS))
            Controllers(store)
            velero = SimulatedVelero(store, self.bucket, self.name, self._clock)
            self._built = api, velero
            store.listen(self._look)
            velero.start()
        return self._built

    def _look(self, event: Event) -> None:
        if event.kind.type.name == _LOCATIONS and event.obj.get("status", {}).get("phase"):
            self._looked_at.set()

    def _storage_phase(self) -> str:
        found = self.store.peek(_LOCATIONS, NAMESPACE, STORAGE) or {}
        return str(found.get("status", {}).get("phase", ""))

    # For tests

    def call(self, function: Callable[[], Any]) -> Any:
        """Runs a function in the server's loop, e.g. one that looks into `store`."""
        return self.server.call(function)

    @property
    def velero(self) -> SimulatedVelero:
        """To hold phases, fail items and so on; its methods by `call`."""
        return self.server.call(lambda: self._parts()[1])

    @property
    def api(self) -> Any:
        """A client that no fault of `faults` hits."""
        return self._api_of(self) if self._api_of else self.rig

    @property
    def rig(self) -> Api:
        """The simulation's own client, which needs no HTTP."""
        return Api(self.tokens[RIG], self._send)

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    @property
    def kubeconfig_text(self) -> str:
        return self.kubeconfig.read_text()

    def start(self) -> None:
        """Builds it now, and waits until its storage is Available."""
        self.server.wait(self.prepared())
        self.wait_storage("Available")

    # Faults; those of single requests are in `faults`

    def stop_apiserver(self) -> None:
        """Connections are refused from now on: a dead member. Its Velero waits for it."""
        self._set(dead=True, hanging=self.hanging)

    def start_apiserver(self) -> None:
        self._set(dead=False, hanging=self.hanging)

    def pause_apiserver(self) -> None:
        """Connections are accepted and nobody answers: a hanging member."""
        self._set(dead=self.dead, hanging=True)

    def resume_apiserver(self) -> None:
        self._set(dead=self.dead, hanging=False)

    def stop_velero(self) -> None:
        """Backups and restores stay New; what is InProgress will be Failed after the next start."""
        self.call(lambda: self._parts()[1].stop())

    def start_velero(self) -> None:
        self.call(lambda: self._parts()[1].start())

    def pause_velero(self) -> None:
        self.call(lambda: self._parts()[1].pause())

    def resume_velero(self) -> None:
        self.call(lambda: self._parts()[1].resume())

    def delete_velero_deployment(self) -> None:
        """A restore of any Pod is PartiallyFailed without it."""
        self.rig.delete(DEPLOYMENT_PATH)

    def create_velero_deployment(self) -> None:
        self.rig.apply(deployment())

    def forbid(self, verb: str = "", resource: str = "", user: str = "") -> None:
        """RBAC refuses this to a user, or to all but the rig; empty means any."""
        refused = Refusal(verb, resource, user or ADMIN)
        self.call(lambda: self._refuse((*self.api_server.access.refusals, refused)))

    def allow_all(self) -> None:
        """Ends what `forbid` began."""
        self.call(lambda: self._refuse(()))

    # A look inside

    def writes(self, *users: str) -> list[Object]:
        """The audit events of the writes of these users; by default of the product."""
        return [event for event in self.requests(*users) if event["verb"] in WRITES]

    def requests(self, *users: str) -> list[Object]:
        """As `writes`, with the reads of the service account."""
        of = users or PRODUCT
        return self.call(lambda: [each for each in self.api_server.audit if each["user"]["username"] in of])  # type: ignore[no-any-return] # JSON

    def backups(self) -> list[Object]:
        return self.rig.list(f"{_VELERO_API}/backups")

    def restores(self) -> list[Object]:
        return self.rig.list(f"{_VELERO_API}/restores")

    def backup(self, name: str) -> Object | None:
        return self.rig.get(f"{_VELERO_API}/backups/{name}")

    def restore(self, name: str) -> Object | None:
        return self.rig.get(f"{_VELERO_API}/restores/{name}")

    def wait_phase(self, resource: str, name: str, phase: str, timeout: float = 30.0) -> None:
        """Until an object of Velero's is in that phase."""

        def reached() -> bool:
            found = self.rig.get(f"{_VELERO_API}/{resource}/{name}") or {}
            return bool(found.get("status", {}).get("phase") == phase)

        wait_for(reached, timeout, f"{resource} {name} of {self.name} to be {phase}")

    def storage_phase(self) -> str:
        return str(self.call(self._storage_phase))

    def wait_storage(self, phase: str, timeout: float = 60) -> None:
        """Wait until the BackupStorageLocation `default` is `Available` or `Unavailable`, and make Velero look now."""

        def reached() -> bool:
            if self.storage_phase() == phase:
                return True
            self.call(lambda: reset.look_at_storage(self.store))
            return False

        wait_for(reached, timeout, f"the backup storage of {self.name} to be {phase}")

    # Cleaning

    def delete_backup(self, name: str, timeout: float = 90) -> None:
        """Ask Velero to delete a backup with its data, and wait until it and its Restores are gone."""
        request = {
            "apiVersion": "velero.io/v1",
            "kind": "DeleteBackupRequest",
            "metadata": {"generateName": f"{name[:50]}-"},
            "spec": {"backupName": name},
        }
        self.rig.create(f"{_VELERO_API}/deletebackuprequests", request)

        def gone() -> bool:
            return self.backup(name) is None and not any(
                restore["spec"].get("backupName") == name for restore in self.restores()
            )

        wait_for(gone, timeout, f"backup {name} and its restores to be gone from {self.name}")

    def remove_namespace(self, name: str) -> None:
        """Remove a namespace with all that is in it, finalizers or not."""
        self.call(lambda: reset.remove_namespace(self.store, name))
        self.rig.wait_gone(f"/api/v1/namespaces/{name}")

    def reset(self) -> None:
        """Back to how it was when the fleet had just started; whatever is stopped or paused runs again."""
        self.faults.clear()
        self._set(dead=False, hanging=False)
        self.call(lambda: reset.reset(self))
        self.wait_storage("Available")

    # Inside

    def _send(self, request: Request) -> Answer:
        if self.dead:
            raise ConnectionError(f"{self.name} is stopped")
        if self.hanging:
            raise TimeoutError(f"{self.name} is paused")
        return self.server.call(lambda: self.api_server.answer(request))

    def _refuse(self, refusals: tuple[Refusal, ...]) -> None:
        self.api_server.access.refusals = refusals

    def _set(self, *, dead: bool, hanging: bool) -> None:
        self.hanging = hanging
        self.server.wait(self.server.set_going(self, dead=dead, hanging=hanging))
        velero = self.velero
        self.call(velero.disconnect if dead or hanging else velero.reconnect)
