"""A repository that can't be written: exit 2 and a plain word, nothing in it is harmed, and mended it goes on."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios import objects
from tests.scenarios.workspace import RECONCILER, Result, Workspace

LIMIT = 100
"""Bytes that a file may have: no object of git's is smaller than its first write."""
ROOM = (0, 4, 8, 16)
"""KiB left on a disk that is full. They end the run at other places: our own state, an index, an object."""
OF_OUR_OWN = ("unshare", "--user", "--map-root-user", "--mount")
"""In a namespace where anybody may mount, if the system has such."""
ON_A_FULL_DISK = """
set -e
mount -t tmpfs -o size=4m none "$1"
cp -a "$2" "$1/repo"
dd if=/dev/zero of="$1/filler" bs=4096 2>"$3/dd" || true
truncate -s "-${4}K" "$1/filler"
cd "$1/repo"; from=$1; to=$2; shift 4
code=0; "$@" || code=$?
rm "$from/filler"
find "$to" -mindepth 1 -delete
cp -a . "$to"
exit $code
"""
AS_OTHERS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""Without the rights of root, to which nothing is read-only."""


@pytest.fixture
def asks(tmp_path: Path) -> Workspace:
    """A repository that asks for a Backup, so that there is something to record, and no member anywhere."""
    made = Workspace.create(tmp_path / "repo", tmp_path / "no-kubeconfig", tmp_path / "home")
    assert made.run("init").code == 0
    files = {"fleets/quickstart.yaml": objects.fleet(), "backups/b.yaml": objects.backup("b")}
    made.commit(files, "Ask")
    return made


@pytest.fixture
def unharmed(asks: Workspace) -> Iterator[Workspace]:
    """Afterwards all is as it was, and the next sync records what this one could not."""
    head, files = asks.head(), asks.git("ls-files", "-s")
    yield asks
    assert (asks.head(), asks.git("ls-files", "-s")) == (head, files)
    assert asks.git("status", "--porcelain") == ""
    asks.git("fsck", "--strict", "--no-dangling")
    done = asks.sync()
    assert done.code == 3, done.text
    assert asks.runs("backups", "b")["kurator-member1"]["phase"] == "Pending"
    assert asks.git("status", "--porcelain") == ""


def run(workspace: Workspace, *before: str, limit: int | None = None) -> Result:
    """`sync --once` in a process of its own; `limit`: bytes that a file which it or its git writes may have."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [*before, str(RECONCILER), "sync", "--once", "--timeout", "30s"],
        cwd=workspace.root,
        env=workspace.environment | {"PYTHONDONTWRITEBYTECODE": "1"},  # or our own would be cut off, and stay so
        text=True,
        capture_output=True,
        timeout=60,
        preexec_fn=limited,
    )
    assert "Traceback" not in done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.case("unfit", "read-only", "told with exit 2", "unharmed")
def test_a_read_only_checkout(unharmed: Workspace) -> None:
    folders = [path for path in (unharmed.root, *unharmed.root.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        done = run(unharmed, *(AS_OTHERS if os.geteuid() == 0 else ()))
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.code == 2, done.text
    assert "can't write" in done.err or "no permission" in done.err
    assert str(unharmed.root) in done.err
    assert len(done.err.strip().splitlines()) <= 4, done.err


@pytest.mark.case("unfit", "full disk", "told with exit 2", "unharmed")
@pytest.mark.skipif(
    subprocess.run([*OF_OUR_OWN, "true"], capture_output=True).returncode != 0,
    reason="the system lets nobody mount a disk of his own; the next test fills none, and runs everywhere",
)
@pytest.mark.parametrize("room", ROOM)
def test_a_full_disk(unharmed: Workspace, tmp_path: Path, room: int) -> None:
    """A disk of 4 MiB with the repository and nothing else, in which what is left of it is copied back."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = ("sh", "-c", ON_A_FULL_DISK, "sh", str(disk), str(unharmed.root), str(tmp_path), str(room))
    done = run(unharmed, *OF_OUR_OWN, *script)
    assert done.code == 2, done.text
    assert "the disk is full" in done.err or "No space left on device" in done.err
    assert len(done.err.strip().splitlines()) <= 4, done.err


@pytest.mark.case("unfit", "full disk", "told with exit 2", "unharmed")
@pytest.mark.parametrize(
    ("limit", "told"),
    [(1, "can't write into {}/.git/reconciler: File too large"), (LIMIT, "ended it (file size limit")],
)
def test_a_file_that_takes_no_more(unharmed: Workspace, limit: int, told: str) -> None:
    """As a limit of the process has it; our own file first, then one of git's."""
    done = run(unharmed, limit=limit)
    assert done.code == 2, done.text
    assert told.format(unharmed.root) in done.err
    assert len(done.err.strip().splitlines()) <= 4, done.err


@pytest.mark.case("unfit", "locked index", "told with exit 2", "unharmed")
def test_a_locked_index(unharmed: Workspace) -> None:
    lock = unharmed.root / ".git/index.lock"
    lock.touch()
    done = run(unharmed)
    lock.unlink()
    assert done.code == 2, done.text
    assert "index.lock" in done.err
