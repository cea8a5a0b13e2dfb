"""How much of a repository is read at most, of a commit and of a folder on the disk alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.repository import worktree_files
from tests.repository.builders import Work, opened
from tests.repository.test_read import problems


@pytest.mark.case("bombs", "repository of 64 MiB")
def test_no_more_than_64_mib_together(work: Work) -> None:
    for number in range(66):
        work.write(f"restores/{number:02}.yaml", b"x" * (1 << 20))
    work.git("add", ".")
    work.commit("much")
    for files in (opened(work).read().files, worktree_files(work.top)):
        assert {path: text for path, text in problems(files).items() if "64 MiB" in text}.keys() >= {"restores/64.yaml"}
        assert sum(len(blob.content or b"") for blob in files) <= 64 << 20


@pytest.mark.case("bombs", "50,000 files", "the other files go on")
def test_no_more_than_50000_files_and_what_is_no_yaml_does_not_count(work: Work, tmp_path: Path) -> None:
    blob = work.git("hash-object", "-w", "--stdin", stdin="kind: Restore\n")
    names = [f"{number:05}.yaml" for number in range(50_001)]
    lines = [f"100644 blob {blob}\t{name}\n" for name in ["0-notes.md", *names]]
    folder = work.git("mktree", stdin="".join(lines))
    tree = work.git("mktree", stdin=f"040000 tree {folder}\trestores\n")
    work.git("update-ref", "refs/heads/main", work.git("commit-tree", tree, "-p", "main", "-m", "many"))
    (tmp_path / "disk/restores").mkdir(parents=True)
    for name in names:
        (tmp_path / "disk/restores" / name).touch()
    for files in (opened(work).read().files, worktree_files(tmp_path / "disk")):
        ((path, problem),) = problems(files).items()
        assert path == "restores/50000.yaml"
        assert "more than 50000 files" in problem
        assert len(files) == 50_001
    shutil.rmtree(tmp_path / "disk")  # pytest would keep them all
