"""Many writers on one branch of a real server: humans who rebase and push, and ours who record.

`writers` is called by the tests with few seconds, and by the bench with a minute.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from reconciler.errors import TipMoved
from reconciler.repository import Access, Repository, Tracked
from tests.repository.builders import LEDGER, Work, bare_of, by, message, new

SECONDS = 5.0
"""As long as the tests have writers at work; the bench takes a minute."""
LAST = 120.0
"""Seconds that what was begun may take after that."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What came of it: commits that were told to have landed, of humans and ours; seconds that each of ours took from
    its first try to its landing; and the most tries that one took.
    """

    humans: tuple[str, ...]
    own: tuple[str, ...]
    took: tuple[float, ...]
    tries: int

    @property
    def median(self) -> float:
        return statistics.median(self.took)

    @property
    def maximum(self) -> float:
        return max(self.took)

    def __str__(self) -> str:
        return (
            f"{len(self.humans)} commits of humans and {len(self.own)} records landed;"
            f" a record took {self.median:.2f} s (median), {self.maximum:.2f} s (longest), {self.tries} tries at most"
        )


def writers(
    url: str, access: Access, human: Mapping[str, str], folder: Path, seconds: float = SECONDS, each: int = 6
) -> Landed:
    """`each` humans and as many of ours write to branch main of `url`, which has a ledger, for so many seconds.

    `human`: variables of git by which humans get in. Raises AssertionError where one of them can't go on.
    """
    humans: list[str] = []
    own: list[str] = []
    took: list[float] = []
    tries = [0]
    start = threading.Barrier(2 * each)
    end = time.monotonic() + 3600

    def begin() -> float:
        start.wait(LAST)  # clones and mirrors take their time
        return time.monotonic() + seconds

    def write(number: int) -> None:
        work = _clone(url, human, folder / f"human-{number}")
        until, count = begin(), 0
        while time.monotonic() < min(until, end):
            count += 1
            work.commit(f"human {number}: {count}", {f"restores/human-{number}.yaml": f"{count}\n"}, env=human)
            _push(work, human, until + LAST)
            humans.append(work.head())

    def record(number: int) -> None:
        tracked = Tracked(url, branch="main", cache=folder / f"cache-{number}", access=access)
        repository = Repository.open(tracked)
        until, count = begin(), 0
        while time.monotonic() < min(until, end):
            count, first = count + 1, time.monotonic()
            for again in range(1, 1000):
                assert time.monotonic() < until + LAST, "a record did not land in time"
                try:
                    files = {f"status/restores/default/w{number}.yaml": f"phase: {count}\n".encode()}
                    tip = repository.record(repository.read(), files, message(f"writer {number}: {count}"))
                except TipMoved:
                    _breathe(again)
                    continue
                own.append(tip.commit)
                took.append(time.monotonic() - first)
                tries[0] = max(tries[0], again)
                break

    with ThreadPoolExecutor(2 * each) as pool:
        tasks = [pool.submit(what, number) for number in range(each) for what in (write, record)]
        for task in tasks:
            task.result()
    return Landed(tuple(humans), tuple(own), tuple(took), tries[0])


def verify(landed: Landed, bare: Work) -> None:
    """See in the server's repository that nothing was lost and nothing forced.

    Raises AssertionError. The repository must keep a reflog of its branches.
    """
    line = bare.git("rev-list", "--first-parent", "main").splitlines()
    lost = {*landed.humans, *landed.own} - {*line}
    assert not lost, f"{len(lost)} commits that landed are not in main any more"
    place = {commit: number for number, commit in enumerate(reversed(line))}
    moves = [entry.split()[:2] for entry in (bare.top / "logs/refs/heads/main").read_text().splitlines()]
    assert moves, "no reflog"
    for before, after in moves:
        assert set(before) == {"0"} or place[before] < place[after], f"main went back from {before} to {after}"
    assert all(one[1] == other[0] for one, other in pairwise(moves)), "main was moved beside the reflog"


def _clone(url: str, human: Mapping[str, str], top: Path) -> Work:
    subprocess.run(
        ["git", "clone", "-q", "-b", "main", url, str(top)], env={**os.environ, **human}, check=True, timeout=LAST
    )
    work = Work(top)
    for key, value in (("user.name", f"Human {top.name}"), ("user.email", f"{top.name}@example.org")):
        work.git("config", key, value)
    return work


def _push(work: Work, human: Mapping[str, str], until: float) -> None:
    for again in range(1, 1000):
        assert time.monotonic() < until, "a human could not push in time"
        done = subprocess.run(
            ["git", "push", "-q", "origin", "HEAD:main"], cwd=work.top, env={**os.environ, **human}, capture_output=True
        )
        if done.returncode == 0:
            return
        _breathe(again)
        work.git("pull", "-q", "--rebase", "origin", "main", env=human)


def _breathe(again: int) -> None:
    """A short pause, longer each time, so that twelve who met once don't meet for ever."""
    time.sleep(random.uniform(0, min(0.05 * 2**again, 1.0)))  # noqa: S311 - jitter


def served(folder: Path, name: str = "fleet.git") -> Work:
    """A bare repository with a first commit and a ledger, to be served: it takes no force, and keeps a reflog."""
    seed = new(folder / ".seed", files={"restores/minimal.yaml": "kind: Restore\n"})
    seed.commit(message("init"), {"status/ledger.yaml": LEDGER}, env=by("R <r@example.org>"))
    bare = bare_of(seed, folder / name)
    for key in ("receive.denyNonFastForwards", "receive.denyDeletes", "core.logAllRefUpdates", "http.receivepack"):
        bare.git("config", key, "true")
    return bare
