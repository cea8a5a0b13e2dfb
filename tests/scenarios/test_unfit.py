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
"""Bytes that a file may have where the disk is full: no object of git's is smaller than its first write."""
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
        env=workspace.environment,
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
def test_a_disk_that_takes_no_more(unharmed: Workspace) -> None:
    """Every file ends after some bytes, as on a disk that fills up while it is written."""
    done = run(unharmed, limit=LIMIT)
    assert done.code == 2, done.text
    assert "git" in done.err or "can't write" in done.err
    assert len(done.err.strip().splitlines()) <= 4, done.err


@pytest.mark.case("unfit", "locked index", "told with exit 2", "unharmed")
def test_a_locked_index(unharmed: Workspace) -> None:
    lock = unharmed.root / ".git/index.lock"
    lock.touch()
    done = run(unharmed)
    lock.unlink()
    assert done.code == 2, done.text
    assert "index.lock" in done.err
