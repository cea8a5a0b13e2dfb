"""The preflight: what of a checkout stops a run, and what doesn't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import WorkTreeBusy
from tests.repository.builders import RECORD, Work, clone, init, opened, record


@pytest.fixture
def ledger(work: Work) -> Work:
    repository = opened(work)
    init(repository)
    record(repository)
    return work


def edit(work: Work) -> None:
    work.write(RECORD, "edited")


def stage(work: Work) -> None:
    work.write(RECORD, "edited")
    work.git("add", RECORD)


def stage_and_restore(work: Work) -> None:
    before = (work.top / RECORD).read_bytes()
    stage(work)
    work.write(RECORD, before)


def delete(work: Work) -> None:
    (work.top / RECORD).unlink()


def delete_from_the_index(work: Work) -> None:
    work.git("rm", "-q", "--cached", RECORD)


def untracked(work: Work) -> None:
    work.write("status/mine.yaml", "x")


def symlink(work: Work) -> None:
    (work.top / RECORD).unlink()
    (work.top / RECORD).symlink_to("/etc/passwd")


def linked_folder(work: Work) -> None:
    (work.top / "status").rename(work.top / "elsewhere")
    (work.top / "status").symlink_to("elsewhere")


@pytest.mark.parametrize(
    "change", [edit, stage, stage_and_restore, delete, delete_from_the_index, untracked, symlink, linked_folder],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_dirty_status_stops(ledger: Work, change: Callable[[Work], None]) -> None:
    opened(ledger).preflight()
    change(ledger)
    with pytest.raises(WorkTreeBusy, match=r"status"):
        opened(ledger).preflight()


def test_other_dirt_and_ignored_files_do_not_stop(ledger: Work) -> None:
    ledger.commit("ignore", {".gitignore": "*.swp\n"})
    ledger.write("status/.x.swp", "editor")
    ledger.write("README", "edited")
    ledger.write("restores/new.yaml", "new")
    ledger.git("add", "restores/new.yaml")
    opened(ledger).preflight()


@pytest.mark.case("unfit", "locked index")
def test_locked_index_stops_and_names_the_file(ledger: Work) -> None:
    (ledger.top / ".git/index.lock").touch()
    with pytest.raises(WorkTreeBusy, match=r"index\.lock"):
        opened(ledger).preflight()


def conflicting_branch(work: Work) -> None:
    work.git("checkout", "-q", "-b", "topic")
    work.commit("topic", {"README": "topic"})
    work.git("checkout", "-q", "main")
    work.commit("main", {"README": "main"})


@pytest.mark.parametrize(
    ("command", "what"),
    [("merge topic", "a merge"), ("cherry-pick topic", "a cherry-pick"), ("rebase topic", "a rebase")],
)
def test_conflict_under_way_stops(ledger: Work, command: str, what: str) -> None:
    conflicting_branch(ledger)
    ledger.git(*command.split(), check=False)
    with pytest.raises(WorkTreeBusy, match=what):
        opened(ledger, branch="main").preflight()
    ledger.git(command.split()[0], "--abort")
    opened(ledger).preflight()


def test_merge_in_a_checkout_of_another_branch_does_not_stop(ledger: Work) -> None:
    conflicting_branch(ledger)
    ledger.git("branch", "ledger")
    ledger.git("merge", "topic", check=False)
    opened(ledger, branch="ledger").preflight()
    record(opened(ledger, branch="ledger"), b"x\n", "status/x")


def test_checkout_with_crlf_line_ends_is_clean(ledger: Work, tmp_path: Path) -> None:
    ledger.commit("attributes", {".gitattributes": "* text=auto eol=crlf\n"})
    other = clone(ledger, tmp_path / "crlf")
    assert b"\r\n" in (other.top / RECORD).read_bytes()
    repository = opened(other, local=True)
    repository.preflight()
    record(repository, b"phase: Completed\n")
    repository.preflight()
    assert other.status() == ""


@pytest.mark.case("programs", "filters")
def test_filter_of_the_attributes_is_not_run_on_records(ledger: Work, tmp_path: Path) -> None:
    sign = tmp_path / "ran"
    ledger.git("config", "filter.evil.clean", f"touch {sign}; cat")
    ledger.git("config", "filter.evil.smudge", f"touch {sign}; cat")
    ledger.write(".gitattributes", "status/** filter=evil\n")
    repository = opened(ledger)
    repository.preflight()
    record(repository, b"phase: Completed\n")
    repository.preflight()
    assert not sign.exists()


def test_sparse_checkout_without_status_is_clean_and_is_recorded_in(ledger: Work) -> None:
    ledger.status()  # git looks at our files once, and then knows that they are clean
    ledger.git("sparse-checkout", "set", "restores")
    assert not (ledger.top / RECORD).exists()
    repository = opened(ledger)
    repository.preflight()
    record(repository, b"phase: Completed\n")
    repository.preflight()
    assert ledger.status() == ""


def test_deleted_linked_work_tree_is_passed_over(ledger: Work, tmp_path: Path) -> None:
    ledger.git("branch", "other")
    ledger.git("worktree", "add", "-q", str(tmp_path / "linked"), "other")
    (tmp_path / "linked").rename(tmp_path / "moved away")
    opened(ledger, branch="other").preflight()
    record(opened(ledger, branch="other"), b"x\n", "status/x")


def test_git_directory_elsewhere(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    work = Work(top)
    work.git("init", "-q", f"--separate-git-dir={tmp_path / 'elsewhere'}")
    work.commit("first", {"restores/a.yaml": "a"})
    repository = opened(work)
    init(repository)
    record(repository)
    repository.preflight()
    assert work.status() == ""


def test_submodule_as_the_repository(work: Work, tmp_path: Path) -> None:
    outer = Work(tmp_path / "outer")
    outer.top.mkdir()
    outer.git("init", "-q")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(work.top), "inner")
    inner = Work(outer.top / "inner")
    repository = opened(inner, local=True)
    init(repository)
    record(repository)
    repository.preflight()
    assert inner.status() == ""
    assert (inner.top / RECORD).exists()
