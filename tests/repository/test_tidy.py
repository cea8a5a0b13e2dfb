"""Mirrors don't grow for ever, and nobody's own clone is touched."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from reconciler.repository import Repository, Tracked
from tests.repository.builders import Work, init, opened, record

RECORDS = 25
"""Each makes some seven loose objects, so a thousand of them a day would make 7,000."""
DAY = 86400


def loose(mirror: Path) -> int:
    return len(list(mirror.glob("objects/??/*")))


def aged(mirror: Path) -> None:
    """As if a day had gone by since the mirror was made or tidied."""
    for name in ("reconciler-ready", "reconciler-tidied"):
        if (mirror / name).exists():
            then = time.time() - DAY - 1
            os.utime(mirror / name, (then, then))


def by_url(remote: Work, tmp_path: Path) -> tuple[Repository, Path]:
    repository = Repository.open(Tracked(f"file://{remote.top}", cache=tmp_path / "cache"))
    return repository, next((tmp_path / "cache").glob("*.git"))


def test_loose_objects_are_bounded_however_many_records_are_made(remote: Work, tmp_path: Path) -> None:
    repository, mirror = by_url(remote, tmp_path)
    init(repository)
    for number in range(RECORDS):
        record(repository, f"phase: {number}\n".encode())
    grown = loose(mirror)
    assert grown >= 4 * RECORDS
    aged(mirror)
    assert repository.tidy()
    assert loose(mirror) <= 10
    for number in range(RECORDS):
        record(repository, f"again: {number}\n".encode())
    assert not repository.tidy()  # once a day
    aged(mirror)
    assert repository.tidy()
    assert loose(mirror) <= 10
    assert repository.read().own_commit == remote.head("main")


def test_mirror_is_not_tidied_on_its_first_day(remote: Work, tmp_path: Path) -> None:
    repository, _ = by_url(remote, tmp_path)
    assert not repository.tidy()


def test_commit_that_is_being_made_survives(remote: Work, tmp_path: Path) -> None:
    repository, mirror = by_url(remote, tmp_path)
    init(repository)

    def tidied(step: str) -> None:
        if step == "commit-built":
            aged(mirror)
            assert by_url(remote, tmp_path)[0].tidy()

    other = Repository.open(Tracked(f"file://{remote.top}", cache=tmp_path / "cache"), tidied)
    assert record(other).commit == remote.head("main")


def test_tidying_beside_others_who_record(remote: Work, tmp_path: Path) -> None:
    repository, mirror = by_url(remote, tmp_path)
    init(repository)
    failed: list[BaseException] = []
    done = threading.Event()

    def tidier() -> None:
        try:
            mine = by_url(remote, tmp_path)[0]
            while not done.is_set():
                aged(mirror)
                mine.tidy()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=tidier)
    thread.start()
    try:
        for number in range(8):
            record(repository, f"phase: {number}\n".encode())
    finally:
        done.set()
        thread.join()
    assert failed == []
    assert remote.git("rev-list", "--count", "main") == "10"
    assert remote.git("fsck", "--strict") == ""


def test_only_one_tidies_at_a_time(remote: Work, tmp_path: Path) -> None:
    from reconciler.repository.localstate import locked

    repository, mirror = by_url(remote, tmp_path)
    aged(mirror)
    with locked(mirror / "reconciler-tidied.lock", 0.0):
        assert not repository.tidy()
    assert repository.tidy()


def test_clone_of_a_user_is_never_tidied(cloned: Work) -> None:
    repository = opened(cloned)
    init(repository)
    (cloned.top / ".git/reconciler-ready").touch()
    aged(cloned.top / ".git")
    before = loose(cloned.top / ".git")
    assert not repository.tidy()
    assert loose(cloned.top / ".git") == before
