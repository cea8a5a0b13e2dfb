"""A member that answers wrongly in every way: it waits with a reason, the other finishes, and time is bounded."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reconciler.simulation.faults import Faults
from reconciler.simulation.fleet import SimulatedFleet
from tests.scenarios import objects
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")
BOUND_SECONDS = 40.0
"""Of a `sync --once` with its second look; a `plan` of its own goes before it."""

pytestmark = pytest.mark.parametrize("fleet", ["simulated"], indirect=True)  # faults of single answers


def finishes_without(workspace: Workspace, fleet: SimulatedFleet, *reasons: str) -> None:
    """The first member waits for such a reason; the second one is restored."""
    began = time.monotonic()
    done = workspace.sync()
    assert time.monotonic() - began < BOUND_SECONDS
    assert done.code == 3, done.text
    runs = workspace.runs("restores", "copy")
    broken, well = (runs[member.name] for member in fleet.members)
    assert well["phase"] == "Completed"
    assert (broken["phase"], broken["reason"]) in {("Pending", reason) for reason in reasons}, broken
    assert broken["message"]
    assert fleet.members[0].restores() == []


@pytest.mark.case("bad-member", "slow", "never", "half", "garbage", "429", "500", "401", "403")
@pytest.mark.case("bad-member", "waits with a reason", "the others finish", "bounded time")
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(lambda faults: faults.slow(30), "Unreachable", id="slow"),
        pytest.param(lambda faults: faults.hang(), "Unreachable", id="never"),
        pytest.param(lambda faults: faults.half(), "Unreachable", id="half"),
        pytest.param(lambda faults: faults.garbage(), "ServerError", id="garbage"),
        pytest.param(lambda faults: faults.status(429), "ServerError", id="429"),
        pytest.param(lambda faults: faults.status(500), "ServerError", id="500"),
        pytest.param(lambda faults: faults.status(401), "Unauthorized", id="401"),
        pytest.param(lambda faults: faults.status(403), "Forbidden", id="403"),
    ],
)
def test_what_it_answers(
    simulated_fleet: SimulatedFleet, backed_up: Workspace, fault: Callable[[Faults], object], reason: str
) -> None:
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    fault(simulated_fleet.members[0].faults)
    finishes_without(backed_up, simulated_fleet, reason)
    simulated_fleet.members[0].faults.clear()
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert [len(member.restores()) for member in simulated_fleet.members] == [1, 1]


def test_a_member_that_is_lost_while_a_run_goes_on_is_named(
    simulated_fleet: SimulatedFleet, backed_up: Workspace
) -> None:
    simulated_fleet.members[0].pause_velero()
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    assert backed_up.sync("--timeout", "2s").code == 3
    simulated_fleet.members[0].faults.status(500)
    done = backed_up.sync()
    assert done.code == 3, done.text
    assert "kurator-member1: ServerError: cluster kurator-member1: " in done.out


@pytest.mark.case("bad-member", "redirect", "waits with a reason", "the others finish", "bounded time")
def test_where_it_sends_its_client(simulated_fleet: SimulatedFleet, backed_up: Workspace) -> None:
    """Nobody is asked there, who would get the credentials."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
        simulated_fleet.members[0].faults.redirect(f"https://127.0.0.1:{elsewhere.getsockname()[1]}/api")
        finishes_without(backed_up, simulated_fleet, "Unreachable")
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


@pytest.mark.case("bad-member", "expired certificate", "waits with a reason", "the others finish", "bounded time")
def test_how_it_proves_who_it_is(simulated_fleet: SimulatedFleet, backed_up: Workspace, tmp_path: Path) -> None:
    """A certificate that the kubeconfig's authority made, and that has expired."""
    made = expired(tmp_path / "expired.pem")
    with served(made) as (url, heard):
        config = yaml.safe_load(backed_up.kubeconfig.read_text())
        (first,) = (each for each in config["clusters"] if each["name"] == simulated_fleet.members[0].name)
        first["cluster"] = {"server": url, "certificate-authority": str(made)}
        backed_up.kubeconfig = tmp_path / "kubeconfig"
        backed_up.kubeconfig.write_text(yaml.safe_dump(config))
        backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
        finishes_without(backed_up, simulated_fleet, "Unreachable")
    told = backed_up.runs("restores", "copy")[simulated_fleet.members[0].name]["message"]
    assert "its certificate is not trusted" in told
    assert "expired" in told
    assert heard == [], "no request, and no credentials, before the certificate holds"


def expired(path: Path) -> Path:
    """A certificate of yesterday for 127.0.0.1, which is its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "expired")])
    today = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=30))
        .not_valid_after(today - dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(certificate.public_bytes(pem) + secret)
    return path


@contextlib.contextmanager
def served(certificate: Path) -> Iterator[tuple[str, list[bytes]]]:
    """The URL of a server with that certificate, and what clients that trusted it sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []

    def answer(door: socket.socket) -> None:
        while True:
            try:
                raw, _ = door.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), raw, context.wrap_socket(raw, server_side=True) as client:
                client.settimeout(5)
                if said := client.recv(1 << 16):
                    heard.append(said)

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=answer, args=(door,), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{door.getsockname()[1]}", heard
        door.shutdown(socket.SHUT_RDWR)
    thread.join(10)
