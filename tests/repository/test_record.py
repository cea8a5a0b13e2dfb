"""Commits: what they hold, whose they are, what they leave alone, and what happens when two write at once."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from reconciler.errors import RepositoryError, TipMoved, WorkTreeBusy
from reconciler.repository import Repository, Tracked
from tests.repository.builders import LEDGER, RECORD, Work, bare_of, init, message, new, opened, record


def test_init_commits_ledger_and_gitkeep_and_leaves_the_checkout_clean(work: Work) -> None:
    repository = opened(work)
    tip = init(repository)
    assert work.head() == tip.commit
    assert work.status() == ""
    assert (work.top / "fleets/.gitkeep").exists()
    assert work.git("show", "--name-only", "--format=", "HEAD").split() == [
        "fleets/.gitkeep",
        "restores/.gitkeep",
        "status/ledger.yaml",
    ]


def test_record_is_a_fast_forward_with_the_users_identity_and_plain_mode(work: Work) -> None:
    repository = opened(work)
    before = init(repository)
    tip = record(repository)
    assert work.head("HEAD^") == before.commit
    assert work.head() == tip.commit
    assert work.show(RECORD) == "phase: Starting"
    assert work.git("log", "-1", "--format=%an <%ae> %cn") == "Ada <ada@example.org> Ada"
    assert work.git("log", "-1", "--format=%B").startswith("restore default/minimal: Starting\n\na line")
    assert work.git("ls-tree", "-r", "HEAD", "status").split()[0] == "100644"
    assert stat.S_IMODE((work.top / RECORD).stat().st_mode) == 0o666 & ~_umask()
    assert repository.read().recorded == {"status/ledger.yaml": LEDGER, RECORD: b"phase: Starting\n"}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.case("no-identity")
def test_no_identity_configured_is_the_reconciler(work: Work, tmp_path: Path) -> None:
    (tmp_path / "home/.gitconfig").write_text("")
    init(opened(work))
    assert work.git("log", "-1", "--format=%an <%ae>") == "reconciler <reconciler@localhost>"


def test_identity_from_the_environment(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Pod")
    init(opened(work))
    assert work.git("log", "-1", "--format=%an <%ae>") == "Pod <ada@example.org>"


@pytest.mark.case("repeated-commits")
def test_nothing_new_makes_no_commit(work: Work) -> None:
    repository = opened(work)
    init(repository)
    tip = record(repository)
    for _ in range(3):
        assert record(repository).commit == tip.commit
    assert work.head() == tip.commit


def test_what_the_record_made_is_read_back_by_another_process(work: Work) -> None:
    repository = opened(work)
    init(repository)
    record(repository)
    ours, fresh = repository.read(), opened(work).read()
    assert (ours.tip.commit, ours.files, dict(ours.recorded), ours.own_commit, ours.tampered) == (
        fresh.tip.commit, fresh.files, dict(fresh.recorded), fresh.own_commit, fresh.tampered,
    )  # fmt: skip


@pytest.mark.case("users-files")
@pytest.mark.case("not-ours")
def test_users_staged_dirty_and_untracked_files_are_untouched(work: Work) -> None:
    work.commit("more", {"a.txt": "a\n", "b.txt": "b\n"})
    repository = opened(work)
    init(repository)
    work.write("a.txt", "staged\n")
    work.git("add", "a.txt")
    work.write("a.txt", "staged and edited\n")
    work.write("b.txt", "dirty\r\n")
    work.write("new.txt", b"\x00\xff")
    times = {name: (work.top / name).stat().st_mtime_ns for name in ("a.txt", "b.txt", "new.txt")}
    before, staged = work.status(), work.git("show", ":a.txt")
    record(repository)
    assert work.status() == before
    assert work.git("show", ":a.txt") == staged
    assert (work.top / "b.txt").read_bytes() == b"dirty\r\n"
    assert {name: (work.top / name).stat().st_mtime_ns for name in times} == times
    assert work.git("diff", "--name-only", "HEAD", "--", "status") == ""


def test_delete_of_the_last_record_and_file_folder_conflicts(work: Work) -> None:
    repository = opened(work)
    init(repository)
    record(repository, b"one\n", "status/a")
    record(repository, None, "status/a")
    assert not (work.top / "status/a").exists()
    record(repository, b"file\n", "status/x/y.yaml")
    repository.record(repository.read(), {"status/x/y.yaml": None, "status/x": b"now a file\n"}, message("swap"))
    assert (work.top / "status/x").read_text() == "now a file\n"
    assert work.status() == ""
    repository.record(repository.read(), {"status/x": None, "status/x/z/y.yaml": b"folder\n"}, message("swap back"))
    assert (work.top / "status/x/z/y.yaml").read_text() == "folder\n"
    assert work.status() == ""
    repository.preflight()


@pytest.mark.case("not-ours")
def test_extra_is_only_gitkeep_and_paths_stay_under_status(work: Work) -> None:
    repository = opened(work)
    snapshot = repository.read()
    for path in (
        "README",
        "backups/x.yaml",
        "status",
        "status/../x",
        "status//x",
        "status/.git/x",
        "/status/x",
        "status/a\nb",
    ):
        with pytest.raises(ValueError, match="status"):
            repository.record(snapshot, {"status/ledger.yaml": LEDGER, path: b""}, message("x"))
    with pytest.raises(ValueError, match="gitkeep"):
        repository.record(snapshot, {"status/ledger.yaml": LEDGER}, message("x"), {"README": b""})
    with pytest.raises(ValueError, match="trailer"):
        repository.record(snapshot, {"status/ledger.yaml": LEDGER}, "no trailer")


def test_init_does_not_replace_a_file_that_has_a_folders_name(tmp_path: Path) -> None:
    work = new(tmp_path / "odd", files={"fleets": "a file"})
    with pytest.raises(RepositoryError, match="fleets is in the way"):
        init(opened(work))
    assert work.show("fleets") == "a file"


def test_branch_moved_between_read_and_record_is_tip_moved(work: Work) -> None:
    repository = opened(work)
    init(repository)
    snapshot = repository.read()
    human = work.commit("human", {"restores/other.yaml": "x"})
    with pytest.raises(TipMoved):
        record(repository, snapshot=snapshot)
    assert work.head() == human
    assert work.status() == ""
    repository.preflight()
    record(repository)
    assert work.head("HEAD^") == human


def test_of_two_that_record_on_one_tip_one_gets_tip_moved(work: Work) -> None:
    init(opened(work))
    both = [opened(work), opened(work)]
    snapshots = [each.read() for each in both]
    outcomes: list[str] = []

    def run(number: int) -> None:
        try:
            record(both[number], b"%d\n" % number, snapshot=snapshots[number])
            outcomes.append("landed")
        except TipMoved:
            outcomes.append("moved")

    threads = [threading.Thread(target=run, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["landed", "moved"]
    assert work.status() == ""
    opened(work).preflight()


def test_deleted_branch_is_tip_moved(work: Work) -> None:
    work.git("branch", "other")
    repository = opened(work, branch="other")
    snapshot = repository.read()
    work.git("branch", "-D", "other")
    with pytest.raises(TipMoved):
        repository.record(snapshot, {"status/ledger.yaml": LEDGER}, message("init"))


def test_bare_repository(remote: Work) -> None:
    repository = opened(remote)
    init(repository)
    repository.preflight()
    tip = record(repository)
    assert remote.head("main") == tip.commit
    assert repository.confirm(repository.read()) is not None


def test_branch_that_is_not_checked_out(work: Work) -> None:
    work.git("branch", "ledger")
    repository = opened(work, branch="ledger")
    init(repository)
    tip = record(repository)
    assert work.head("ledger") == tip.commit
    assert not (work.top / "status").exists()
    assert work.status() == ""


def test_branch_checked_out_in_a_linked_work_tree_moves_there(work: Work, tmp_path: Path) -> None:
    work.git("branch", "ledger")
    work.git("worktree", "add", "-q", str(tmp_path / "linked"), "ledger")
    linked = Work(tmp_path / "linked")
    init(opened(work, branch="ledger"))
    tip = record(opened(linked))
    assert linked.head() == tip.commit
    assert linked.status() == ""
    assert (linked.top / RECORD).read_text() == "phase: Starting\n"
    assert work.status() == ""


def test_repository_opened_by_a_subfolder(work: Work) -> None:
    repository = Repository.open(Tracked(str(work.top / "restores")))
    init(repository)
    assert work.status() == ""
    assert [blob.path for blob in repository.read().files] == ["restores/minimal.yaml"]


def test_path_in_the_repository(work: Work) -> None:
    work.commit("more", {"ops/dr/restores/a.yaml": "a", "status/mine.txt": "mine"})
    repository = opened(work, path="/ops/dr/".strip("/"))
    init(repository)
    tip = record(repository)
    assert work.show(f"ops/dr/{RECORD}", tip.commit) == "phase: Starting"
    assert (work.top / "status/mine.txt").read_text() == "mine"
    snapshot = repository.read()
    assert [blob.path for blob in snapshot.files] == ["restores/a.yaml"]
    assert set(snapshot.recorded) == {"status/ledger.yaml", RECORD}
    assert work.status() == ""


def test_tip_moves_on_by_our_own_commits_without_any_file_read_again(work: Work) -> None:
    repository = opened(work)
    init(repository)
    before = repository.read()
    record(repository)
    after = repository.read()
    assert after.files is before.files
    assert after.tip.fetched_at > before.tip.fetched_at
    assert opened(bare_of(work, work.top.parent / "b.git")).read().own_commit == after.own_commit


def test_merge_under_way_stops_a_record(work: Work) -> None:
    repository = opened(work)
    init(repository)
    snapshot = repository.read()
    (work.top / ".git/MERGE_HEAD").write_text(work.head() + "\n")
    with pytest.raises(WorkTreeBusy, match="a merge is under way"):
        record(repository, snapshot=snapshot)
    assert work.head() == snapshot.tip.commit


def test_many_and_large_and_empty_records_in_one_commit(work: Work) -> None:
    repository = opened(work)
    init(repository)
    files: dict[str, bytes | None] = {
        f"status/{size}.yaml": b"x" * size for size in (0, 1, 15, 16, 17, 2047, 2048, 2049)
    }
    for _ in range(2):
        repository.record(repository.read(), files, message("some"))
        files |= {f"status/many/{number}.yaml": b"%d" % number for number in range(300)} | {
            "status/big": b"y" * 5_000_000
        }
    assert repository.read().recorded == {"status/ledger.yaml": LEDGER, **files}
    assert dict(opened(work).read().recorded) == {"status/ledger.yaml": LEDGER, **files}
    assert work.status() == ""
    assert work.git("fsck", "--strict") == ""
