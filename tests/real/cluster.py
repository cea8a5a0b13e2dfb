"""One cluster without nodes: its API server and controller manager, their keys, tokens and kubeconfigs.

Called by `member.py`. Each kind of client has a user of its own, so that the audit log tells the product's writes
(`admin`, the user of the kubeconfig that is handed out) from Velero's, the controllers' and the rig's.
"""

import base64
import json
import os
import random
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.real.api import Api, Object
from tests.real.build import Binaries
from tests.real.processes import Process, wait_for

ADMIN = "admin"
CONTROLLERS = "controller-manager"
VELERO = "velero"
RIG = "rig"
USERS = (ADMIN, CONTROLLERS, VELERO, RIG)
SERVICE_ACCOUNT = "system:serviceaccount:velero:reconciler"
PRODUCT = (ADMIN, SERVICE_ACCOUNT)  # by the kubeconfig that is handed out, or with the rights of deploy/member.yaml
WRITES = ("create", "update", "patch", "delete", "deletecollection")
SECRET_MODE = 0o600

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "verbs": list(WRITES)},
        {"level": "Metadata", "users": [SERVICE_ACCOUNT]},
        {"level": "None"},
    ],
}
# Without the first two a deleted namespace never goes away; the last one fills the Secret of a member's credentials;
# the others are what a small application needs.
CONTROLLER_NAMES = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "deployment-controller",
    "replicaset-controller",
    "serviceaccount-token-controller",
)


class Cluster:
    """The API server and the controllers of one member; `directory` holds all that they write but etcd's data."""

    def __init__(self, name: str, directory: Path, kubeconfig: Path, etcd: str, binaries: Binaries) -> None:
        self.name = name
        self.kubeconfig = kubeconfig
        self.audit_log = directory / "audit.log"
        self._directory = directory
        self._certificate = directory / "certs" / "apiserver.crt"
        self._port = free_port()
        self._tokens = {user: secrets.token_hex(16) for user in USERS}
        self.server = f"https://127.0.0.1:{self._port}"
        self.api = self.client(RIG)
        key = directory / "service-account.key"
        tokens = directory / "tokens.csv"
        policy = directory / "audit-policy.yaml"
        write_secret(key, private_key())
        write_secret(tokens, "".join(f"{token},{user},{user},system:masters\n" for user, token in self._tokens.items()))
        write_secret(policy, yaml.safe_dump(AUDIT_POLICY))
        self.apiserver = Process(
            f"kube-apiserver of {name}",
            (
                binaries.kube_apiserver,
                f"--etcd-servers={etcd}",
                f"--etcd-prefix=/{name}",
                f"--secure-port={self._port}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                f"--cert-dir={self._certificate.parent}",
                f"--token-auth-file={tokens}",
                "--authorization-mode=RBAC",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--disable-admission-plugins=ServiceAccount",
                "--endpoint-reconciler-type=none",
                f"--audit-policy-file={policy}",
                f"--audit-log-path={self.audit_log}",
            ),
            log=directory / "logs" / "kube-apiserver.log",
        )
        self.controllers = Process(
            f"kube-controller-manager of {name}",
            (
                binaries.kube_controller_manager,
                f"--kubeconfig={self.kubeconfig_of(CONTROLLERS)}",
                f"--controllers={','.join(CONTROLLER_NAMES)}",
                "--leader-elect=false",
                "--secure-port=0",
                f"--service-account-private-key-file={key}",
                f"--root-ca-file={self._certificate}",
            ),
            log=directory / "logs" / "kube-controller-manager.log",
        )

    def start(self) -> None:
        self.start_apiserver()
        for user in (CONTROLLERS, VELERO):
            write_secret(self.kubeconfig_of(user), self._kubeconfig_text(user))
        write_secret(self.kubeconfig, self._kubeconfig_text(ADMIN))
        self.controllers.start()

    def start_apiserver(self) -> None:
        self.apiserver.start()
        self.apiserver.wait_ready(lambda: self._certificate.exists() and self.api.ready(), 60)

    def client(self, user: str) -> Api:
        """A client that appears in the audit log as this user."""
        return Api(self.server, self._tokens[user], self._certificate)

    def kubeconfig_of(self, user: str) -> Path:
        return self._directory / "kubeconfigs" / user

    def audited(self, *users: str) -> list[Object]:
        """The audit events of these users, oldest first; dry runs have `dryRun=All` in their requestURI."""
        if not self.audit_log.exists():
            return []
        lines = self.audit_log.read_text().splitlines(keepends=True)
        theirs = [line for line in lines if line.endswith("\n") and any(user in line for user in users)]
        events: Iterable[Object] = map(json.loads, theirs)
        return [event for event in events if event["user"]["username"] in users]

    def _kubeconfig_text(self, user: str) -> str:
        certificate = base64.b64encode(self._certificate.read_bytes()).decode()
        cluster = {"server": self.server, "certificate-authority-data": certificate}
        config: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self.name, "cluster": cluster}],
            "users": [{"name": self.name, "user": {"token": self._tokens[user]}}],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": self.name}}],
            "current-context": self.name,
        }
        return yaml.safe_dump(config, sort_keys=False)


def merged_kubeconfig(kubeconfigs: Iterable[Path]) -> str:
    """One kubeconfig with the contexts of all; the first one's is the current one."""
    configs = [yaml.safe_load(path.read_text()) for path in kubeconfigs]
    merged = dict(configs[0])
    for section in ("clusters", "users", "contexts"):
        merged[section] = [entry for config in configs for entry in config[section]]
    return yaml.safe_dump(merged, sort_keys=False)


def write_secret(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET_MODE), "w") as file:
        file.write(text)


def private_key() -> str:
    """A new P-256 key as PEM, written by hand (RFC 5915, public half left out) so as to need no crypto library."""
    scalar = b"\x00" + secrets.token_bytes(31)  # below the order of the curve
    der = bytes.fromhex("3031020101 0420") + scalar + bytes.fromhex("a00a0608 2a8648ce3d030107")
    return f"-----BEGIN EC PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n-----END EC PRIVATE KEY-----\n"


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses, below those the system hands out by itself: it must survive restarts."""
    first_handed_out = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    def candidate() -> int | None:
        port = random.randrange(15000, first_handed_out) if first_handed_out > 20000 else 0  # noqa: S311 # no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return None
            return int(probe.getsockname()[1])

    return wait_for(candidate, 10, "a free port on 127.0.0.1", every=0)
