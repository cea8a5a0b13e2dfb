"""A git server that is away, emptied or broken: nothing is done, and nothing that is recorded counts as removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios import velero_objects as velero
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")


def gone(upstream: Workspace) -> None:
    upstream.root.rename(upstream.root.with_suffix(".away"))


def emptied(upstream: Workspace) -> None:
    """As after a disk was lost and somebody made the repository anew."""
    gone(upstream)
    upstream.root.mkdir()
    upstream.git("init", "-q", "--bare", "-b", "main")


def branch_gone(upstream: Workspace) -> None:
    upstream.git("update-ref", "-d", "refs/heads/main")


def partial(upstream: Workspace) -> None:
    """The branch has moved on, and an object of its tip can't be sent."""
    other = upstream.clone(upstream.root.parent / "other")
    other.commit({"restores/late.yaml": objects.restore("late", "before", policy=COPY)}, "Late")
    other.git("push", "-q")
    lost = upstream.git("rev-parse", "main:restores/late.yaml")
    (upstream.root / "objects" / lost[:2] / lost[2:]).unlink()


def garbled(upstream: Workspace) -> None:
    """What is there is no repository any more."""
    shutil.rmtree(upstream.root / "refs")
    (upstream.root / "HEAD").write_text("<html>502 Bad Gateway</html>\n")


@pytest.fixture
def cloned(fleet: Fleet, backed_up: Workspace, tmp_path: Path) -> Workspace:
    """A clone whose upstream asks for a schedule, which is in place, and for a Restore that waits for a member."""
    backed_up.git("clone", "-q", "--bare", ".", str(tmp_path / "upstream.git"))
    clone = backed_up.at(tmp_path / "upstream.git").clone(tmp_path / "clone")
    clone.commit({"backups/nightly.yaml": objects.scheduled("nightly")}, "Every night")
    clone.git("push", "-q")
    assert clone.sync().code == 0
    fleet.members[0].stop_apiserver()
    clone.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    clone.git("push", "-q")
    assert clone.sync().code == 3
    fleet.members[0].start_apiserver()
    return clone


@pytest.mark.case("outage", "a failed fetch does nothing", "a partial fetch does nothing", "nothing is deleted")
@pytest.mark.parametrize("fails", [gone, emptied, branch_gone, partial, garbled])
def test_nothing_is_done_and_nothing_counts_as_removed(
    fleet: Fleet, cloned: Workspace, tmp_path: Path, fails: Callable[[Workspace], None]
) -> None:
    """argo-cd #3473: an outage was taken for an empty repository, and all was pruned."""
    fails(cloned.at(tmp_path / "upstream.git"))
    head, records = cloned.head(), cloned.recorded()
    writes = [len(member.writes()) for member in fleet.members]

    for _ in range(2):
        done = cloned.sync()
        assert done.code == 2, done.text
        assert len(done.err.strip().splitlines()) <= 4, done.err

    assert (cloned.head(), cloned.recorded()) == (head, records)
    assert cloned.git("status", "--porcelain") == ""
    assert cloned.runs("restores", "copy")["kurator-member1"]["phase"] == "Pending"
    assert [len(member.writes()) for member in fleet.members] == writes
    assert all(velero.schedule(member) for member in fleet.members)
    assert fleet.members[0].restores() == []
