"""Killed between any two steps: whatever is left, the next preflight completes it, and nobody's files are harmed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import TipMoved, WorkTreeBusy
from reconciler.repository import STEPS, Repository
from tests.repository.builders import LEDGER, RECORD, Work, init, message, opened, record


def killed_at(
    work: Work, stop: tuple[str, int], run: Callable[[Repository], object], status_branch: str = ""
) -> list[str]:
    """Run in a child process that dies without a word at the n-th time of a step; the steps that it came by."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        seen: list[str] = []

        def checkpoint(step: str) -> None:
            seen.append(step)
            os.write(write, f"{step}\n".encode())
            if (step, seen.count(step)) == stop:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            run(opened(work, checkpoint=checkpoint, status_branch=status_branch))
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with open(read) as pipe:
        return pipe.read().split()


FILES = {RECORD: b"phase: Completed\n", "status/new.yaml": b"new\n", "status/old.yaml": None}


def several(repository: Repository) -> None:
    repository.record(repository.read(), FILES, message("several at once"))


@pytest.fixture
def ledger(work: Work) -> Work:
    repository = opened(work)
    repository.record(
        repository.read(),
        {"status/ledger.yaml": LEDGER, RECORD: b"phase: Starting\n", "status/old.yaml": b"old\n"},
        message("init"),
    )
    work.write("README", "a human's edit")
    return work


POINTS = [(step, 1) for step in STEPS if step != "pushed"] + [("file-moved", 2), ("file-moved", 3)]


@pytest.mark.parametrize("stop", POINTS, ids=lambda stop: f"{stop[0]}-{stop[1]}")
def test_local_record_killed_at(ledger: Work, stop: tuple[str, int]) -> None:
    before = ledger.head()
    steps = killed_at(ledger, stop, several)
    assert (steps[-1], steps.count(steps[-1])) == stop
    landed = "branch-moved" in steps
    assert (ledger.head() != before) == landed
    repository = opened(ledger)
    repository.preflight()
    assert ledger.status() == "M README" or ledger.status() == " M README"
    assert (ledger.top / "README").read_text() == "a human's edit"
    assert (ledger.top / RECORD).read_bytes() == (FILES[RECORD] if landed else b"phase: Starting\n")
    repository.record(repository.read(), FILES, message("again"))
    repository.preflight()
    assert opened(ledger).read().recorded == {
        "status/ledger.yaml": LEDGER, RECORD: b"phase: Completed\n", "status/new.yaml": b"new\n",
    }  # fmt: skip
    assert ledger.status() == " M README"
    assert "error" not in ledger.git("fsck")


@pytest.mark.parametrize("stop", POINTS, ids=lambda stop: f"{stop[0]}-{stop[1]}")
def test_next_record_completes_it_without_a_preflight(ledger: Work, stop: tuple[str, int]) -> None:
    killed_at(ledger, stop, several)
    record(opened(ledger), b"more\n", "status/more.yaml")
    opened(ledger).preflight()
    assert ledger.status() == " M README"


UPSTREAM = [(step, 1) for step in STEPS]


@pytest.mark.parametrize("stop", UPSTREAM, ids=lambda stop: stop[0])
def test_record_with_an_upstream_killed_at(cloned: Work, remote: Work, stop: tuple[str, int]) -> None:
    repository = opened(cloned)
    init(repository)
    before = remote.head("main")
    steps = killed_at(cloned, stop, record)
    assert steps[-1] == stop[0]
    landed = "pushed" in steps
    assert (remote.head("main") != before) == landed
    again = opened(cloned)
    again.read()
    again.preflight()
    assert cloned.head() == remote.head("main")
    assert cloned.status() == ""
    record(again)
    assert remote.git("rev-list", "--count", "main") == "3"
    assert cloned.head() == remote.head("main")
    assert cloned.status() == ""


def test_killed_before_the_checkout_moved_and_then_a_human_edited_a_record(ledger: Work) -> None:
    killed_at(ledger, ("branch-moved", 1), several)
    ledger.write(RECORD, "a human's")
    with pytest.raises(WorkTreeBusy, match=r"minimal\.yaml.* was changed by hand"):
        opened(ledger).preflight()
    assert (ledger.top / RECORD).read_text() == "a human's"
    ledger.git("checkout", "HEAD", "--", RECORD)
    opened(ledger).preflight()
    assert ledger.status() == " M README"


def test_killed_before_the_checkout_moved_and_then_a_human_committed(ledger: Work) -> None:
    killed_at(ledger, ("branch-moved", 1), several)
    ledger.commit("takes our record back without knowing")
    repository = opened(ledger)
    repository.preflight()
    snapshot = repository.read()
    assert set(snapshot.tampered) == set(FILES)
    assert snapshot.recorded[RECORD] == b"phase: Completed\n"
    repository.record(snapshot, {}, message("put back"))
    assert ledger.show(RECORD) == "phase: Completed"
    assert ledger.status() == " M README"


def test_index_locked_while_the_checkout_moves_is_completed_later(ledger: Work) -> None:
    lock = ledger.top / ".git/index.lock"

    def checkpoint(step: str) -> None:
        if step == "branch-moved":
            lock.touch()

    before = ledger.head()
    tip = record(opened(ledger, checkpoint=checkpoint), b"phase: Completed\n")
    assert ledger.head() == tip.commit != before
    with pytest.raises(WorkTreeBusy, match=r"index.* is locked"):
        opened(ledger).preflight()
    lock.unlink()
    opened(ledger).preflight()
    assert ledger.status() == " M README"


def test_file_that_a_killed_writer_left_is_cleared(ledger: Work) -> None:
    left = ledger.write(f"{RECORD}.reconciler~", "half")
    opened(ledger).preflight()
    assert not left.exists()


def test_killed_at_random_moments_many_times(ledger: Work) -> None:
    choose = random.Random(7)  # noqa: S311  (moments, not secrets)
    for number in range(12):
        child = os.fork()
        if child == 0:
            try:
                repository = opened(ledger)
                for again in range(50):
                    files = {f"status/{number}-{again}.yaml": b"x\n", f"status/{number}-{again - 1}.yaml": None}
                    repository.record(repository.read(), files, message(f"{number} {again}"))
            finally:
                os._exit(0)
        time.sleep(choose.uniform(0.05, 0.4))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for _ in range(3):
            try:
                opened(ledger).preflight()
                record(opened(ledger), b"%d\n" % number, "status/after.yaml")
                break
            except TipMoved:
                continue  # a git of the killed process was still at it
        opened(ledger).preflight()
        assert ledger.status() == " M README"
        assert opened(ledger).read().tampered == ()
    assert "error" not in ledger.git("fsck")


def test_scratch_of_killed_processes_is_cleared(ledger: Work) -> None:
    killed_at(ledger, ("record", 1), several)
    folder = ledger.top / ".git/reconciler"
    old = folder / "tmp-old"
    old.mkdir()
    (old / "0").touch()
    os.utime(old, (0, 0))
    record(opened(ledger), b"x\n", "status/x")
    assert not list(folder.glob("tmp-*"))


def test_state_is_saved_whole_and_kept_apart_by_branch_and_path(work: Work, tmp_path: Path) -> None:
    repository = opened(work)
    assert repository.load_state() is None
    repository.save_state({"release": ["a"]})
    work.git("branch", "other")
    work.git("worktree", "add", "-q", str(tmp_path / "linked"), "other")
    assert opened(Work(tmp_path / "linked"), branch="main").load_state() == {"release": ["a"]}
    assert opened(work, branch="other").load_state() is None
    assert opened(work, path="x").load_state() is None
    file = next((work.top / ".git/reconciler").glob("*.json"))
    for broken in (b"", b"{", b"[]", b"\xff"):
        file.write_bytes(broken)
        assert repository.load_state() is None
    assert work.status() == ""
