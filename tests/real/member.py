"""One member of the fleet as tests see it: break it, mend it, look into it.

Made by `fleet.py`. What it is built from is in `cluster.py` and `velero.py`; how it is cleaned, in `reset.py`.
"""

import math
import time
from pathlib import Path

from tests.real import cluster, reset
from tests.real.api import Object
from tests.real.build import Binaries
from tests.real.cluster import Cluster
from tests.real.namespaces import remove_namespaces
from tests.real.processes import Process, wait_for
from tests.real.s3 import S3
from tests.real.velero import DEPLOYMENT_PATH, STORAGE_PATH, VELERO_API, Velero


class Member:
    def __init__(self, name: str, directory: Path, kubeconfig: Path, etcd: str, s3: S3, binaries: Binaries) -> None:
        self.name = name
        self.s3 = s3
        self.cluster = Cluster(name, directory, kubeconfig, etcd, binaries)
        self.api = self.cluster.api
        server_kubeconfig = self.cluster.kubeconfig_of(cluster.VELERO)
        self.velero = Velero(name, directory, server_kubeconfig, self.api, s3, binaries)
        self.apiserver_was_away = False  # its clients come back late then, see `reset`

    def start(self, definitions: list[Object]) -> None:
        """From nothing to a cluster whose Velero has its storage Available."""
        self.cluster.start()
        self.velero.install(definitions)
        self.start_velero()
        self.wait_storage("Available")

    @property
    def processes(self) -> tuple[Process, ...]:
        return (self.velero.process, self.cluster.controllers, self.cluster.apiserver)

    # Credentials for the product

    @property
    def kubeconfig(self) -> Path:
        """Cluster-admin by token; context, cluster and user are named as the member."""
        return self.cluster.kubeconfig

    @property
    def kubeconfig_text(self) -> str:
        return self.kubeconfig.read_text()

    # Faults

    def stop_apiserver(self) -> None:
        """Connections are refused from now on: a dead member. (Asked to end, it would linger on for its watchers.)"""
        self.apiserver_was_away = True
        self.cluster.apiserver.kill()

    def start_apiserver(self) -> None:
        """Same port, certificate and data. Velero comes back to it by itself some ten seconds later."""
        self.cluster.start_apiserver()

    def pause_apiserver(self) -> None:
        """Connections are accepted and nobody answers: a hanging member."""
        self.apiserver_was_away = True
        self.cluster.apiserver.pause()

    def resume_apiserver(self) -> None:
        self.cluster.apiserver.resume()

    def stop_velero(self) -> None:
        """Backups and restores stay New; what is InProgress will be Failed after the next start."""
        self.velero.process.stop(grace=3)

    def start_velero(self) -> None:
        """Returns when the server handles requests."""
        self.velero.start()
        self.velero.wait_answers()

    def pause_velero(self) -> None:
        self.velero.process.pause()

    def resume_velero(self) -> None:
        self.velero.process.resume()

    def delete_velero_deployment(self) -> None:
        """A restore of any Pod is PartiallyFailed without it."""
        self.api.delete(DEPLOYMENT_PATH)
        self.api.wait_gone(DEPLOYMENT_PATH)

    def create_velero_deployment(self) -> None:
        self.velero.create_deployment()

    # A look inside

    @property
    def audit_log(self) -> Path:
        """Every write, and all requests of the product's service account, a line of JSON each, metadata only."""
        return self.cluster.audit_log

    def writes(self, *users: str) -> list[Object]:
        """The audit events of the writes of these users; by default of the product."""
        return [event for event in self.requests(*users) if event["verb"] in cluster.WRITES]

    def requests(self, *users: str) -> list[Object]:
        """As `writes`, with the reads of the service account."""
        return self.cluster.audited(*(users or cluster.PRODUCT))

    def backups(self) -> list[Object]:
        return self.api.list(f"{VELERO_API}/backups")

    def restores(self) -> list[Object]:
        return self.api.list(f"{VELERO_API}/restores")

    def backup(self, name: str) -> Object | None:
        return self.api.get(f"{VELERO_API}/backups/{name}")

    def restore(self, name: str) -> Object | None:
        return self.api.get(f"{VELERO_API}/restores/{name}")

    def wait_phase(self, resource: str, name: str, phase: str, timeout: float = 30.0) -> None:
        """Wait until a Velero object, e.g. of `backups`, is in that phase."""

        def reached() -> bool:
            found = self.api.get(f"{VELERO_API}/{resource}/{name}") or {}
            return bool(found.get("status", {}).get("phase") == phase)

        wait_for(reached, timeout, f"{resource}/{name} of {self.name} to be {phase}")

    def storage_phase(self) -> str:
        found = self.api.get(STORAGE_PATH) or {}
        return str(found.get("status", {}).get("phase", ""))

    def wait_storage(self, phase: str, timeout: float = 60) -> None:
        """Wait until the BackupStorageLocation `default` is `Available` or `Unavailable`, and make Velero look now."""

        def reached() -> bool:
            self.velero.process.check()
            if self.storage_phase() == phase:
                return True
            self.velero.validate_storage()
            return False

        wait_for(reached, timeout, f"the backup storage of {self.name} to be {phase}", every=0.5)

    # Cleaning

    def delete_backup(self, name: str, timeout: float = 90) -> None:
        """Ask Velero to delete a backup with its data, and wait until it and its Restores are gone.

        It is asked again after a while: what its sync from the storage puts back in the same moment stays otherwise.
        """
        request = {
            "apiVersion": "velero.io/v1",
            "kind": "DeleteBackupRequest",
            "metadata": {"generateName": f"{name[:50]}-"},
            "spec": {"backupName": name},
        }
        asked_at = -math.inf

        def gone() -> bool:
            nonlocal asked_at
            self.velero.process.check()
            if time.monotonic() - asked_at > 30:
                self.api.create(f"{VELERO_API}/deletebackuprequests", request)
                asked_at = time.monotonic()
            restored_from_it = [restore for restore in self.restores() if restore["spec"].get("backupName") == name]
            return self.backup(name) is None and not restored_from_it

        wait_for(gone, timeout, f"backup {name} and its restores to be gone from {self.name}")

    def remove_namespace(self, name: str) -> None:
        """Remove a namespace with all that is in it, at once (`api.delete` takes five seconds and more).

        The watches of the controllers come back to a server that was away each in its own time. Until the last has,
        they may see that a ReplicaSet is gone and not yet that its Deployment is, and create it again just where
        Velero is about to restore it. So they start anew then.
        """
        controllers = self.cluster.controllers
        with controllers.ended() if self.apiserver_was_away else controllers.paused():
            remove_namespaces(self.api, [name])

    def reset(self) -> None:
        """Back to how it was when the fleet had just started; whatever is stopped or paused runs again."""
        reset.reset(self)
