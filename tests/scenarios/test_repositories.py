"""The same job with the ledger in a bare repository, on an upstream, behind a URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")


@pytest.fixture
def upstream(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A bare repository with a ledger, the fleet's files and a Backup that has not run."""
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    workspace.git("clone", "-q", "--bare", ".", str(tmp_path / "upstream.git"))
    return workspace.at(tmp_path / "upstream.git")


def completed(where: Workspace) -> bool:
    return {run["phase"] for run in where.runs("backups", "before").values()} == {"Completed"}


def test_a_bare_repository(upstream: Workspace) -> None:
    assert upstream.sync().code == 0
    assert completed(upstream)


def test_a_url(upstream: Workspace, tmp_path: Path) -> None:
    elsewhere = upstream.at(tmp_path)
    done = elsewhere.sync("--repo", upstream.root.as_uri())
    assert done.code == 0, done.text
    assert completed(upstream)
    listed = elsewhere.run("get", "backups", "--repo", upstream.root.as_uri())
    assert "2/2" in listed.out


def test_a_clone_works_on_its_upstream(upstream: Workspace, tmp_path: Path) -> None:
    """Local commits that the upstream lacks do not count, and are named."""
    clone = upstream.clone(tmp_path / "clone")
    assert clone.sync().code == 0
    assert completed(upstream)
    assert clone.head() == upstream.head()
    assert clone.git("status", "--porcelain") == ""

    local = clone.commit({"restores/mine.yaml": objects.restore("mine", "before", policy=COPY)}, "Not pushed")
    head = upstream.head()
    done = clone.sync()
    assert done.code == 0, done.text
    assert f"local commit {local[:7]} Not pushed is not on the upstream" in done.err
    assert (clone.head(), upstream.head()) == (local, head)

    ignoring = clone.sync("--local")
    assert ignoring.code == 0, ignoring.text
    assert {run["phase"] for run in clone.runs("restores", "mine").values()} == {"Completed"}
    assert upstream.head() == head


def test_a_clone_that_is_behind_runs_what_the_upstream_asks_for(
    fleet: Fleet, upstream: Workspace, tmp_path: Path
) -> None:
    behind, other = upstream.clone(tmp_path / "behind"), upstream.clone(tmp_path / "other")
    other.commit({"restores/back.yaml": objects.restore("back", "before", policy=COPY)}, "Merged on the server")
    other.git("push", "-q")
    old = behind.head()
    assert behind.sync().code == 0
    assert {run["phase"] for run in upstream.runs("restores", "back").values()} == {"Completed"}
    assert behind.head() == old, "a branch that is behind is the user's to move"
    behind.git("pull", "-q", "--ff-only")
    assert behind.sync().code == 0
    assert [len(member.restores()) for member in fleet.members] == [1, 1]


def test_a_dirty_tree_is_neither_read_nor_touched(fleet: Fleet, workspace: Workspace) -> None:
    workspace.commit({"backups/before.yaml": objects.backup("before")}, "Back up")
    dirty = {
        "backups/before.yaml": "neither YAML: [nor committed",
        "restores/mine.yaml": objects.restore("mine", "before"),
        "README.md": "changed and staged\n",
    }
    for name, content in dirty.items():
        (workspace.root / name).parent.mkdir(exist_ok=True)
        (workspace.root / name).write_text(content)
    workspace.git("add", "README.md")
    status = workspace.git("status", "--porcelain")

    assert workspace.sync().code == 0

    assert workspace.git("status", "--porcelain") == status
    assert {name: (workspace.root / name).read_text() for name in dirty} == dirty
    assert completed(workspace)
    assert [member.restores() for member in fleet.members] == [[], []]
