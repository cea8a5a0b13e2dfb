"""A member's Velero: the objects it needs, and its server as a plain process outside the cluster.

Called by `member.py`.
"""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from tests.real.api import Api, Object
from tests.real.build import VELERO_VERSION, Binaries
from tests.real.cluster import write_secret
from tests.real.processes import Process, WaitTimeout, wait_for
from tests.real.s3 import BUCKET, S3

NAMESPACE = "velero"
STORAGE = "default"
CREDENTIALS = "cloud-credentials"
VELERO_API = f"/apis/velero.io/v1/namespaces/{NAMESPACE}"
STORAGE_PATH = f"{VELERO_API}/backupstoragelocations/{STORAGE}"
VALIDATION_FREQUENCY = "5s"
DEPLOYMENT_PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/velero"


class Velero:
    """The Velero of one member; `stop` and `start` as often as wanted."""

    def __init__(self, name: str, directory: Path, kubeconfig: Path, api: Api, s3: S3, binaries: Binaries) -> None:
        self.name = name
        self._api = api
        self._s3 = s3
        self._home = directory / "velero"
        # Temporary files hold credentials and plugin sockets: both are out of the way in a folder of its own, and a
        # relative name keeps the sockets' paths below the system's limit of 107 characters.
        (self._home / "tmp").mkdir(parents=True, exist_ok=True)
        # As `velero install` mounts it. Named in the storage location, the Secret would be written to a file anew for
        # each use of the storage, emptied first (Velero's internal/credentials/file_store.go): two uses at once, and
        # one of them reads no keys and fails its restore.
        credentials = self._home / "cloud"
        write_secret(credentials, self._credentials_text())
        self.process = Process(
            f"velero of {name}",
            (
                binaries.velero,
                "server",
                f"--kubeconfig={kubeconfig}",
                f"--namespace={NAMESPACE}",
                f"--plugin-dir={binaries.velero_plugin.parent}",
                "--metrics-address=127.0.0.1:0",
                "--profiler-address=",
                f"--default-backup-storage-location={STORAGE}",
                f"--store-validation-frequency={VALIDATION_FREQUENCY}",
                "--item-operation-sync-frequency=2s",
                "--disable-controllers=backup-repo",
            ),
            log=directory / "logs" / "velero.log",
            directory=self._home,
            environment={
                "HOME": str(self._home),
                "TMPDIR": "tmp",
                "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
                "AWS_EC2_METADATA_DISABLED": "true",  # keys that can't be read are an error at once
            },
        )

    def install(self, definitions: list[Object]) -> None:
        """Make the cluster what a Velero server expects to find."""
        for obj in (namespace(), self._credentials()):
            self._api.apply(obj)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._api.apply, definitions))
        self.create_deployment()
        paths = [collection_path(definition) for definition in definitions]
        wait_for(lambda: self._serves(paths), 30, f"Velero's definitions to be served by {self.name}")
        self.put_storage()

    def start(self) -> None:
        self.process.start()

    def answers(self) -> bool:
        """True when the server handles a request made now (Velero's own way of asking for a sign of life)."""
        path = f"{VELERO_API}/serverstatusrequests"
        request = {"apiVersion": "velero.io/v1", "kind": "ServerStatusRequest", "metadata": {"generateName": "rig-"}}
        name = self._api.create(path, {**request, "spec": {}})["metadata"]["name"]

        def processed() -> bool:
            self.process.check()
            found = self._api.get(f"{path}/{name}")
            return found is not None and found.get("status", {}).get("phase") == "Processed"

        try:
            wait_for(processed, 5, f"velero of {self.name} to answer")
        except WaitTimeout:
            return False
        finally:
            self._api.delete(f"{path}/{name}")
        return True

    def wait_answers(self, timeout: float = 60) -> None:
        wait_for(self.answers, timeout, f"velero of {self.name} to answer")

    def create_deployment(self) -> None:
        """The Deployment that Velero looks for when it restores a Pod; no node runs it."""
        self._api.apply(deployment())

    def put_storage(self) -> None:
        """Make the BackupStorageLocation what it was, without what a test has added to it."""
        wanted = self._storage()
        found = self._api.get(STORAGE_PATH)
        if found is None:
            self._api.create(f"{VELERO_API}/backupstoragelocations", wanted)
        elif found["spec"] != wanted["spec"]:
            self._api.request("PUT", STORAGE_PATH, {**found, "spec": wanted["spec"]})

    def validate_storage(self) -> None:
        """Have Velero look at its storage now (as it does on any change of it) and not within ten seconds."""
        spec = (self._api.get(STORAGE_PATH) or {}).get("spec", {})
        changed = "6s" if spec.get("validationFrequency") == VALIDATION_FREQUENCY else VALIDATION_FREQUENCY
        self._api.patch_merge(STORAGE_PATH, {"spec": {"validationFrequency": changed}})

    def _serves(self, paths: list[str]) -> bool:
        return all(self._api.get(path) is not None for path in paths)

    def _credentials(self) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": CREDENTIALS, "namespace": NAMESPACE},
            "stringData": {"cloud": self._credentials_text()},
        }

    def _credentials_text(self) -> str:
        keys = f"aws_access_key_id={self._s3.access_key}\naws_secret_access_key={self._s3.secret_key}"
        return f"[default]\n{keys}\n"

    def _storage(self) -> Object:
        return {
            "apiVersion": "velero.io/v1",
            "kind": "BackupStorageLocation",
            "metadata": {"name": STORAGE, "namespace": NAMESPACE},
            "spec": {
                "provider": "aws",
                "default": True,
                "accessMode": "ReadWrite",
                "validationFrequency": VALIDATION_FREQUENCY,
                "objectStorage": {"bucket": BUCKET, "prefix": self.name},
                "config": {
                    "region": "us-east-1",
                    "s3Url": self._s3.endpoint,
                    "publicUrl": self._s3.endpoint,
                    "s3ForcePathStyle": "true",
                    "checksumAlgorithm": "",
                },
            },
        }


def namespace() -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def deployment() -> Object:
    labels = {"app": "velero"}
    container = {"name": "velero", "image": f"velero/velero:{VELERO_VERSION}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "velero", "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def collection_path(definition: Object) -> str:
    spec = definition["spec"]
    return f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"


def custom_resource_definitions(binaries: Binaries, directory: Path) -> list[Object]:
    """Velero's own definitions, as its `install` would apply them."""
    home = directory / "install"
    home.mkdir(parents=True, exist_ok=True)
    answer = subprocess.run(
        [binaries.velero, "install", "--crds-only", "--dry-run", "-o", "yaml"],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    shutil.rmtree(home)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = [document for document in yaml.load_all(answer.stdout, Loader=loader) if document]
    objects: list[Object] = []
    for document in documents:
        objects.extend(document.get("items", [document]))
    return objects
