"""The S3 server where the Veleros of all members keep their backups: one bucket, a prefix for each member.

Called by `fleet.py` as `fleet.s3`; a stopped S3 makes every member's storage Unavailable.
"""

import secrets
import shutil
import socket
from pathlib import Path

from tests.real.build import Binaries
from tests.real.cluster import free_port
from tests.real.processes import Process

BUCKET = "velero"


class S3:
    def __init__(self, directory: Path, binaries: Binaries) -> None:
        self._port = free_port()
        self._bucket = directory / "s3" / BUCKET
        self._bucket.mkdir(parents=True, exist_ok=True)
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self.access_key, self.secret_key = secrets.token_hex(8), secrets.token_hex(16)
        credentials = ("--access", self.access_key, "--secret", self.secret_key)
        self.process = Process(
            "versitygw (S3)",
            (binaries.versitygw, "--port", f"127.0.0.1:{self._port}", *credentials, "posix", self._bucket.parent),
            log=directory / "logs" / "versitygw.log",
            directory=directory,
        )

    def start(self) -> None:
        """Start it where it does not run; same port, credentials and data as before."""
        self.process.start()
        self.process.wait_ready(self._listens, 15)

    def stop(self) -> None:
        self.process.stop()

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def folder(self, prefix: str) -> Path:
        """Where the objects under a prefix lie, as files."""
        return self._bucket / prefix

    def empty(self, prefix: str) -> None:
        """Remove every object under a prefix."""
        shutil.rmtree(self.folder(prefix), ignore_errors=True)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0
