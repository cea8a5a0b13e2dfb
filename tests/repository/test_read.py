"""Snapshots: which files of a commit are read and which refused, and what counts as recorded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import FetchFailed, NoSuchBranch, NotARepository, RepositoryError
from reconciler.repository import Blob, Repository, Tracked, worktree_files
from tests.repository.builders import LEDGER, RECORD, Work, clone, init, new, opened, record


def problems(blobs: tuple[Blob, ...]) -> dict[str, str]:
    assert all(bool(blob.problem) == (blob.content is None) for blob in blobs)
    return {blob.path: blob.problem for blob in blobs if blob.problem}


def test_yaml_of_the_four_folders_at_the_tip_and_nothing_else(work: Work) -> None:
    work.commit("more", {
        "fleets/a/b/c.yml": "c", "backups/x.YAML": "no", "migrations/.hidden.yaml": "h", "restores/.gitkeep": "",
        "other/x.yaml": "no", "restoresx/x.yaml": "no", "restores/notes.md": "no",
    })  # fmt: skip
    work.write("restores/dirty.yaml", "not committed")
    snapshot = opened(work).read()
    assert [(blob.path, blob.content) for blob in snapshot.files] == [
        ("fleets/a/b/c.yml", b"c"),
        ("migrations/.hidden.yaml", b"h"),
        ("restores/minimal.yaml", b"kind: Restore\n"),
    ]
    assert (snapshot.recorded, snapshot.own_commit, snapshot.tampered) == ({}, None, ())


def link(work: Work, path: str, target: str) -> None:
    (work.top / path).parent.mkdir(parents=True, exist_ok=True)
    (work.top / path).symlink_to(target)
    work.git("add", path)


@pytest.mark.case("links")
def test_every_kind_of_symlink_is_refused_and_its_content_never_read(work: Work, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("password: hunter2")
    link(work, "restores/dangling.yaml", "nowhere.yaml")
    link(work, "restores/absolute.yaml", str(tmp_path / "secret.yaml"))
    link(work, "restores/up.yaml", "../../secret.yaml")
    link(work, "restores/inside.yaml", "minimal.yaml")
    link(work, "restores/chained.yaml", "inside.yaml")
    link(work, "restores/folder", "../backups")
    link(work, "fleets", "restores")
    work.commit("links")
    at_tip, on_disk = opened(work).read().files, worktree_files(work.top)
    for files in (at_tip, on_disk):
        refused = problems(files)
        assert set(refused) == {
            "fleets", "restores/dangling.yaml", "restores/absolute.yaml", "restores/up.yaml", "restores/inside.yaml",
            "restores/chained.yaml", "restores/folder",
        }  # fmt: skip
        assert all("symlink" in problem for problem in refused.values())
        assert "hunter2" not in repr(files)
        assert str(tmp_path) not in repr(files)


@pytest.mark.case("programs", "submodules")
def test_submodules_are_refused(work: Work, tmp_path: Path) -> None:
    inner = new(tmp_path / "inner")
    work.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.top), "restores/sub")
    work.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.top), "backups")
    work.commit("submodules")
    for files in (opened(work).read().files, worktree_files(work.top)):
        assert set(problems(files)) == {"restores/sub", "backups"}
        assert all("submodule" in problem for problem in problems(files).values())


def test_large_files_odd_names_and_a_file_for_a_folder_are_refused(work: Work) -> None:
    work.commit("odd", {
        "restores/large.yaml": b"x" * ((1 << 20) + 1), "restores/just.yaml": b"x" * (1 << 20),
        "restores/new\nline.yaml": "x", "backups": "a file",
    })  # fmt: skip
    for files in (opened(work).read().files, worktree_files(work.top)):
        refused = problems(files)
        assert set(refused) == {"restores/large.yaml", "restores/new\\nline.yaml", "backups"}
        assert "1 MiB" in refused["restores/large.yaml"]
        assert [blob.path for blob in files if not blob.problem] == ["restores/just.yaml", "restores/minimal.yaml"]


def test_name_that_is_not_utf8_is_refused(work: Work) -> None:
    with open(os.fsencode(work.top / "restores") + b"/\xff.yaml", "wb") as file:
        file.write(b"x")
    work.git("add", ".")
    work.commit("latin")
    for files in (opened(work).read().files, worktree_files(work.top)):
        assert set(problems(files)) == {"restores/\\udcff.yaml"}


def test_work_tree_with_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "restores").mkdir()
    os.mkfifo(tmp_path / "restores/pipe.yaml")
    assert problems(worktree_files(tmp_path)) == {"restores/pipe.yaml": "neither a file nor a folder"}
    with pytest.raises(NotARepository):
        worktree_files(tmp_path / "nowhere")


def test_unchanged_tree_is_read_once(work: Work) -> None:
    repository = opened(work)
    first = repository.read()
    again = repository.read()
    work.commit("unrelated", {"README": "changed"})
    other = repository.read()
    assert first.files is again.files is other.files
    assert other.tip.commit != first.tip.commit
    work.commit("related", {"restores/new.yaml": "n"})
    assert len(repository.read().files) == 2


def test_path_that_is_a_symlink_or_file_is_an_error_not_an_empty_repository(work: Work) -> None:
    link(work, "ops/dr", "..")
    work.commit("link")
    for path in ("ops/dr", "README", "ops/dr/deeper"):
        with pytest.raises(RepositoryError, match="is no folder"):
            opened(work, path=path).read()
    assert opened(work, path="ops/new").read().files == ()


@pytest.mark.parametrize("path", ["../x", "a/../b", "/abs", ".git", "a/.GIT/b", "-x", "a\nb"])
def test_path_that_leaves_the_repository_is_refused(work: Work, path: str) -> None:
    with pytest.raises(RepositoryError, match="--path"):
        opened(work, path=path)


def test_edited_deleted_added_and_reverted_records_are_tampered_and_put_back(work: Work) -> None:
    repository = opened(work)
    init(repository)
    record(repository, b"a\n", "status/a.yaml")
    ours = record(repository, b"b\n", "status/b.yaml")
    work.commit("human", {"status/a.yaml": "edited", "status/b.yaml": None, "status/c.yaml": "added"})
    link(work, "status/link", "/etc/passwd")
    work.commit("and a symlink")
    snapshot = repository.read()
    assert snapshot.tampered == ("status/a.yaml", "status/b.yaml", "status/c.yaml", "status/link")
    assert snapshot.own_commit == ours.commit
    assert snapshot.recorded == {"status/ledger.yaml": LEDGER, "status/a.yaml": b"a\n", "status/b.yaml": b"b\n"}
    record(repository, b"d\n", "status/d.yaml")
    assert repository.read().tampered == ()
    assert work.git("ls-tree", "-r", "--name-only", "HEAD", "status").split() == [
        "status/a.yaml", "status/b.yaml", "status/d.yaml", "status/ledger.yaml",
    ]  # fmt: skip
    assert work.show("status/a.yaml") == "a"
    assert work.status() == ""


def test_status_replaced_by_a_symlink_or_removed_is_put_back(work: Work) -> None:
    repository = opened(work)
    init(repository)
    record(repository)
    work.git("rm", "-rq", "status")
    link(work, "status", "/etc")
    work.commit("link")
    assert "status" in repository.read().tampered
    with pytest.raises(ValueError, match="status"):
        record(repository, b"x", "status")
    record(repository, b"x\n", "status/x")
    assert work.show(RECORD) == "phase: Starting"
    assert not (work.top / "status").is_symlink()
    assert (work.top / RECORD).read_text() == "phase: Starting\n"
    assert work.status() == ""


def test_git_revert_of_our_commit_is_put_back(work: Work) -> None:
    repository = opened(work)
    init(repository)
    record(repository)
    work.git("revert", "--no-edit", "HEAD")
    snapshot = repository.read()
    assert snapshot.tampered == (RECORD,)
    assert snapshot.recorded[RECORD] == b"phase: Starting\n"
    repository.record(snapshot, {}, "put back\n\nReconciler-Ledger: " + _ledger())
    assert work.show(RECORD) == "phase: Starting"


def _ledger() -> str:
    return LEDGER.decode().split("id: ")[1].split("\n")[0]


def test_mode_change_of_a_record_is_put_back(work: Work) -> None:
    repository = opened(work)
    init(repository)
    record(repository)
    work.git("update-index", "--chmod=+x", RECORD)
    work.commit("mode")
    (work.top / RECORD).chmod(0o755)
    assert repository.read().tampered == ()  # the content is what counts
    record(repository, b"x\n", "status/x")
    assert work.git("ls-tree", "-r", "HEAD", RECORD).startswith("100644")


@pytest.mark.case("outage", "a failed fetch does nothing")
def test_fetch_that_fails_is_not_an_empty_repository(cloned: Work, remote: Work, tmp_path: Path) -> None:
    repository = opened(cloned)
    snapshot = repository.read()
    remote.top.rename(tmp_path / "away")
    for call in (repository.read, lambda: repository.confirm(snapshot)):
        with pytest.raises(FetchFailed):
            call()


@pytest.mark.case("history", "deleted branch")
def test_branch_deleted_at_the_remote(cloned: Work, remote: Work) -> None:
    repository = opened(cloned)
    repository.read()
    remote.git("update-ref", "-d", "refs/heads/main")
    with pytest.raises(NoSuchBranch, match="no branch main"):
        repository.read()


def test_confirm_tells_whether_the_branch_still_stands_there(work: Work) -> None:
    repository = opened(work)
    snapshot = repository.read()
    confirmed = repository.confirm(snapshot)
    assert confirmed is not None
    assert confirmed.commit == snapshot.tip.commit
    assert confirmed.fetched_at > snapshot.tip.fetched_at
    work.commit("moved")
    assert repository.confirm(snapshot) is None


def test_no_such_branch_names_the_nearest(work: Work) -> None:
    work.git("branch", "production")
    with pytest.raises(NoSuchBranch, match="there is production"):
        opened(work, branch="prodution")
    for branch in ("main~0", "main^{tree}", "refs/heads/main", "-x", "a..b"):
        with pytest.raises(RepositoryError):
            opened(work, branch=branch)


def test_branch_that_only_the_remote_has(cloned: Work, remote: Work, tmp_path: Path) -> None:
    remote.git("branch", "dr", "main")
    fresh = clone(remote, tmp_path / "fresh")
    with pytest.raises(NoSuchBranch, match="git branch --track dr origin/dr"):
        opened(fresh, branch="dr")


def test_empty_repository_says_to_make_a_first_commit(tmp_path: Path) -> None:
    empty = new(tmp_path / "empty", bare=True)
    for location in (str(empty.top), f"file://{empty.top}"):
        with pytest.raises(NoSuchBranch, match="make a first commit"):
            Repository.open(Tracked(location, cache=tmp_path / "cache"))


def test_detached_head_asks_for_a_branch(work: Work) -> None:
    work.git("checkout", "-q", "--detach")
    with pytest.raises(NoSuchBranch, match="--branch"):
        opened(work)
    init(opened(work, branch="main"))
    assert work.status() == ""


def test_not_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for location in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NotARepository, match="not a git repository"):
            Repository.open(Tracked(str(location)))


def test_sha256_repository(tmp_path: Path) -> None:
    top = tmp_path / "sha256"
    top.mkdir()
    work = Work(top)
    work.git("init", "-q", "--object-format=sha256")
    work.commit("first", {"restores/a.yaml": "a"})
    repository = opened(work)
    init(repository)
    record(repository)
    repository.preflight()
    assert len(repository.read().tip.commit) == 64
    assert work.status() == ""
    assert opened(work).read().recorded[RECORD] == b"phase: Starting\n"
