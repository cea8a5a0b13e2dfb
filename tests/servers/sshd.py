"""A git server over ssh: Debian's sshd on loopback, for the user who runs the tests, root or not.

The machine's own sshd serves; where there is none, the package is fetched by apt and unpacked into the cache. As root
sshd wants a user of its own, which a machine without the package lacks: `libnss-wrapper` then tells it of one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.repository import Access
from tests.real.build import cache_folder

PACKAGES = ("openssh-server", "libnss-wrapper", "libwrap0")
DOES = "the tests of ssh need it: install openssh-server, or make apt-get download work"


class NoSshd(Exception):
    """There is no sshd, and none can be had; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Ssh:
    """One server; `key`: the private key that it takes, `known_hosts`: the file with its host key."""

    folder: Path
    port: int
    key: Path
    known_hosts: Path

    def url(self, repository: str = "fleet.git") -> str:
        return f"ssh://{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1:{self.port}{self.folder}/{repository}"

    def access(self, folder: Path) -> Access:
        """Our way in; nothing has to be made in `folder`."""
        return Access(ssh_key_file=self.key, ssh_known_hosts=self.known_hosts)

    def human(self) -> dict[str, str]:
        """Variables by which a human's git gets in."""
        options = ["-F", "none", "-i", str(self.key), "-o", f"UserKnownHostsFile={self.known_hosts}"]
        return {"GIT_SSH_COMMAND": shlex.join(["ssh", *options])}


def keypair(file: Path) -> Path:
    """A new ed25519 key without a passphrase; the public one lies beside it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(file)], check=True)
    return file


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[Ssh]:
    """Serve the repositories in `folder` until the end of the block. Raises NoSshd."""
    program, environment = _program()
    own = folder / ".ssh-server"
    host, key = keypair(own / "host"), keypair(own / "key")
    shutil.copy(f"{key}.pub", own / "authorized")
    port = _free_port()
    known = f"[127.0.0.1]:{port} {Path(f'{host}.pub').read_text()}"
    (own / "known_hosts").write_text(known)
    (own / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile none\nAuthorizedKeysFile {own}/authorized\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100:30:200\nLogLevel VERBOSE\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own folder, which its service makes elsewhere
        if not _has_user():
            environment |= _user(own)
    with (own / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(program), "-D", "-e", "-f", str(own / "config")], env=environment, stderr=log, stdout=log
        )
    try:
        _wait(process, port, own / "log")
        yield Ssh(folder, port, key, own / "known_hosts")
    finally:
        process.terminate()
        process.wait(10)


def stranger(ssh: Ssh, folder: Path) -> Ssh:
    """The same server, with the host key of another in the file."""
    other = keypair(folder / "other")
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{ssh.port} {Path(f'{other}.pub').read_text()}")
    return replace(ssh, known_hosts=folder / "known_hosts")


def _program() -> tuple[Path, dict[str, str]]:
    """Where sshd is, and the environment that it needs. Sessions get none of it."""
    environment = {"PATH": os.environ["PATH"]}
    installed = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if installed:
        return Path(installed), environment
    unpacked = _unpacked()
    environment["LD_LIBRARY_PATH"] = ":".join(sorted({str(file.parent) for file in unpacked.rglob("*.so*")}))
    return unpacked / "usr/sbin/sshd", environment


def _unpacked() -> Path:
    """The packages, fetched and unpacked once; no rights are needed for that. Raises NoSshd."""
    target = cache_folder() / "sshd"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "sshd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return target
        with tempfile.TemporaryDirectory(prefix="building-sshd-", dir=cache_folder()) as name:
            folder = Path(name)
            try:
                _run(["apt-get", "download", *PACKAGES], folder)
                for package in folder.glob("*.deb"):
                    _run(["dpkg", "-x", str(package), "unpacked"], folder)
            except FileNotFoundError as error:
                raise NoSshd(f"no sshd on this machine, and no {error.filename}; {DOES}") from error
            if not (folder / "unpacked/usr/sbin/sshd").exists():
                raise NoSshd(f"no sshd in what apt-get downloaded; {DOES}")
            (folder / "unpacked").rename(target)
    return target


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise NoSshd(f"{command[0]} failed: {done.stderr.strip()[-500:]}; {DOES}")


def _has_user() -> bool:
    try:
        return bool(pwd.getpwnam("sshd"))
    except KeyError:
        return False


def _user(folder: Path) -> dict[str, str]:
    """Variables that tell sshd of a user `sshd` beside those of the machine."""
    wrapper = next(iter(_unpacked().rglob("libnss_wrapper.so*")), None)
    if wrapper is None:
        raise NoSshd(f"no user sshd on this machine, and no libnss-wrapper; {DOES}")
    (folder / "passwd").write_text(
        Path("/etc/passwd").read_text() + "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    )
    shutil.copy("/etc/group", folder / "group")
    return {
        "LD_PRELOAD": str(wrapper),
        "NSS_WRAPPER_PASSWD": str(folder / "passwd"),
        "NSS_WRAPPER_GROUP": str(folder / "group"),
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as there:
            if there.recv(4) == b"SSH-":
                return
        time.sleep(0.05)
    process.kill()
    raise NoSshd(f"sshd did not start: {log.read_text()[-1000:]}")
