"""`validate` reads the work tree wherever in it somebody stands, and never calls valid what it has not read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.scenarios import objects
from tests.scenarios.workspace import RECONCILER, Result, Workspace

WRONG = objects.restore("wrong", "never-was")


@pytest.fixture
def alone(tmp_path: Path) -> Workspace:
    """A repository without a ledger, and no member anywhere."""
    return Workspace.create(tmp_path / "repo", tmp_path / "no-kubeconfig", tmp_path / "home")


def write(workspace: Workspace, *names: str, content: str = WRONG) -> None:
    """Files that nobody commits."""
    for name in names:
        (workspace.root / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / name).write_text(content)


def problems(done: Result) -> list[str]:
    """`file:line` of each, the command having found something."""
    assert done.code == 1, done.text
    return [line.partition(": ")[0] for line in done.out.splitlines()[:-1]]


def test_all_problems_of_all_files(alone: Workspace) -> None:
    write(alone, "restores/x.yaml")
    write(alone, "restores/y.yaml", content="kind: {")
    assert problems(alone.run("validate")) == ["restores/x.yaml:5", "restores/y.yaml:1"]
    for name in ("x", "y"):
        (alone.root / f"restores/{name}.yaml").unlink()
    assert alone.run("validate").code == 0, "an empty folder asks for nothing"
    assert alone.run("validate", "nowhere").code == 2


@pytest.mark.parametrize("inside", ["restores", "restores/deep", "docs"])
def test_from_within_the_repository_all_of_it_is_read(alone: Workspace, inside: str) -> None:
    write(alone, "restores/deep/x.yaml", "docs/x.md")
    shown = os.path.relpath(alone.root / "restores/deep/x.yaml", alone.root / inside)
    assert problems(alone.at(alone.root / inside).run("validate")) == [f"{shown}:5"]
    done = alone.run("validate", inside)
    assert problems(done) == ["restores/deep/x.yaml:5"]
    assert done.err == f"note: all of . is checked, which {inside} is a part of\n"


def test_out_of_a_repository_too(tmp_path: Path, alone: Workspace) -> None:
    elsewhere = alone.at(tmp_path / "unpacked")
    write(elsewhere, "restores/backups/x.yaml")
    assert problems(elsewhere.run("validate", "restores/backups")) == ["restores/backups/x.yaml:5"]
    assert elsewhere.at(tmp_path).run("validate").code == 2, "what is around it is none of its business"


def test_where_nothing_is_to_be_read_it_says_what_to_name(alone: Workspace) -> None:
    write(alone, "ops/dr/restores/x.yaml", "ops/dr/fleets/x.yaml")
    for where, named in ((alone, ()), (alone, ("ops",)), (alone.at(alone.root / "ops"), ())):
        done = where.run("validate", *named)
        assert done.code == 2, done.text
        assert "holds none of fleets/, backups/, restores/, migrations/" in done.err
        assert "--path (there is ops/dr)" in done.err


def test_the_folder_that_path_names(alone: Workspace) -> None:
    write(alone, "ops/dr/restores/x.yaml", "other/restores/y.yaml")
    for where in (alone, alone.at(alone.root / "ops/dr/restores")):
        shown = os.path.relpath(alone.root / "ops/dr/restores/x.yaml", where.root)
        assert problems(where.run("validate", "--path", "ops/dr")) == [f"{shown}:5"]
    assert problems(alone.run("validate", ".", "--path", "ops/dr")) == ["ops/dr/restores/x.yaml:5"]
    assert problems(alone.run("validate", "other", "--path", "ops/dr")) == ["other/restores/y.yaml:5"], "said here"
    assert alone.run("validate", "--path", "opps").code == 2
    assert "refused" in alone.run("validate", "--path", "../other").err


def test_several_are_told_apart_and_each_is_read_once(alone: Workspace, tmp_path: Path) -> None:
    write(alone, "one/restores/x.yaml", "two/restores/x.yaml")
    done = alone.run("validate", "one", "two", "one/restores", str(alone.root / "two"))
    found = [line.partition(": ")[0] for line in done.out.splitlines() if ".yaml:" in line]
    assert found == ["one/restores/x.yaml:5", "two/restores/x.yaml:5"]
    assert all((alone.root / each.partition(":")[0]).is_file() for each in found)


def test_the_variable_is_heeded(alone: Workspace) -> None:
    import subprocess

    write(alone, "ops/dr/restores/x.yaml")
    environment = alone.environment | {"RECONCILER_PATH": "ops/dr"}
    done = subprocess.run([RECONCILER, "validate"], cwd=alone.root, env=environment, capture_output=True, text=True)
    assert problems(Result(done.returncode, done.stdout, done.stderr)) == ["ops/dr/restores/x.yaml:5"]


def test_what_velero_would_refuse_is_told_beside_whatever_else_is_wrong(alone: Workspace) -> None:
    """Of the fields that are there; what is missing may only be misspelt."""
    file = objects.backup("b", policy="ttl: 30", more="scheduel: '@daily'")
    write(alone, "fleets/q.yaml", content=objects.fleet())
    write(alone, "backups/b.yaml", content=file.replace("]}", "], includedResources: [pods, '*']}"))
    done = alone.run("validate")
    lines = [line for line in done.out.splitlines() if line.startswith("backups/")]
    assert [line.partition(": ")[2].partition(";")[0] for line in lines] == [
        "unknown field `scheduel` in spec",
        "`resourceFilter.includedResources`: `*` stands beside other items",
        "`spec.policy.ttl` must be text, not the number 30",
    ]
