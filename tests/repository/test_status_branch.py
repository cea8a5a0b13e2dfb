"""`status/` on a branch of its own, as main takes no pushes: what goes where, and which names it may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import PushFailed, RepositoryError
from reconciler.repository import Repository, Tracked
from tests.repository.apart import NAME, REF, apart, branches, merge, names
from tests.repository.builders import LEDGER, RECORD, Work, bare_of, clone, init, message, opened, record


def test_protected_main_takes_no_record_of_ours(cloned: Work, protected: Work) -> None:
    with pytest.raises(PushFailed, match="protected"):
        init(opened(cloned))


def test_first_record_makes_the_branch_which_holds_records_and_nothing_else(cloned: Work, protected: Work) -> None:
    main = protected.head("main")
    repository = apart(cloned)
    before = repository.read()
    assert (before.tip.commit, before.ledger_tip, before.own_commit, before.recorded) == (main, "", None, {})
    tip = init(repository)
    assert protected.head(REF) == tip.commit
    assert protected.git("rev-list", "--parents", "-1", REF) == tip.commit
    assert names(protected, REF) == ["status/ledger.yaml"]
    assert protected.head("main") == main


def test_files_come_from_main_and_records_from_their_branch(cloned: Work, protected: Work, tmp_path: Path) -> None:
    repository = apart(cloned)
    first = init(repository)
    main = merge(protected, tmp_path)
    tip = record(repository)
    assert protected.head(f"{REF}^") == first.commit
    assert names(protected, REF) == ["status/ledger.yaml", RECORD]
    ours, fresh = repository.read(), apart(clone(protected, tmp_path / "fresh")).read()
    for snapshot in (ours, fresh):
        assert (snapshot.tip.commit, snapshot.ledger_tip, snapshot.own_commit) == (main, tip.commit, tip.commit)
        assert [blob.path for blob in snapshot.files] == ["restores/minimal.yaml", "restores/more.yaml"]
        assert snapshot.recorded == {"status/ledger.yaml": LEDGER, RECORD: b"phase: Starting\n"}
        assert snapshot.tampered == ()
    assert protected.head("main") == main


def test_without_a_status_branch_the_ledger_stands_at_the_tip(work: Work) -> None:
    repository = opened(work)
    assert repository.read().ledger_tip == work.head()
    tip = init(repository)
    snapshot = repository.read()
    assert snapshot.ledger_tip == snapshot.tip.commit == tip.commit


def test_nothing_new_makes_no_commit_and_gives_the_last_one(cloned: Work, protected: Work, tmp_path: Path) -> None:
    repository = apart(cloned)
    init(repository)
    tip = record(repository)
    merge(protected, tmp_path)
    for again in (repository, apart(cloned)):
        assert record(again).commit == protected.head(REF) == tip.commit


def test_files_that_a_human_has_on_the_status_branch_stay(cloned: Work, protected: Work) -> None:
    cloned.git("checkout", "-q", "--orphan", NAME)
    cloned.git("rm", "-rqf", ".")
    theirs = cloned.commit("what this branch is for", {"README": "no hands", "restores/not-read.yaml": "x"})
    cloned.git("push", "-q", "origin", NAME)
    cloned.git("checkout", "-q", "main")
    repository = apart(cloned)
    assert repository.read().ledger_tip == theirs
    init(repository)
    assert protected.head(f"{REF}^") == theirs
    assert names(protected, REF) == ["README", "restores/not-read.yaml", "status/ledger.yaml"]
    assert [blob.path for blob in repository.read().files] == ["restores/minimal.yaml"]


def test_local_branch_is_not_made_but_our_copy_lies_where_the_users_fetch_has_it(cloned: Work, protected: Work) -> None:
    repository = apart(cloned)
    tip = init(repository)
    repository.read()
    assert branches(cloned) == ["main"]
    assert cloned.head(f"origin/{NAME}") == tip.commit
    assert cloned.git("for-each-ref", "refs/reconciler") == ""


def test_local_branch_at_the_parent_follows_and_another_does_not(cloned: Work, protected: Work) -> None:
    repository = apart(cloned)
    init(repository)
    cloned.git("fetch", "-q")
    cloned.git("branch", "-q", NAME, f"origin/{NAME}")
    second = record(repository)
    assert cloned.head(NAME) == second.commit
    cloned.git("branch", "-qf", NAME, f"{NAME}^")
    aside = cloned.head(NAME)
    third = record(repository, b"phase: Completed\n")
    assert (cloned.head(NAME), protected.head(REF)) == (aside, third.commit)


def test_both_branches_are_asked_for_in_one_connection(cloned: Work, protected: Work, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    script = tmp_path / "upload-pack"
    script.write_text(f'#!/bin/sh\necho call >> {calls}\nexec git upload-pack "$@"\n')
    script.chmod(0o755)
    cloned.git("config", "remote.origin.uploadpack", str(script))
    repository = apart(cloned)
    init(repository)
    calls.write_text("")
    snapshot = repository.read()
    assert calls.read_text() == "call\n"
    assert repository.confirm(snapshot) is not None
    assert calls.read_text() == "call\ncall\n"


@pytest.mark.parametrize("how", ["single branch", "by URL", "another name"])
def test_upstreams_whose_status_branch_the_users_fetch_does_not_have(
    cloned: Work, protected: Work, tmp_path: Path, how: str
) -> None:
    if how == "single branch":
        cloned = clone(protected, tmp_path / "single", "--single-branch")
    if how == "by URL":
        cloned.git("config", "branch.main.remote", f"file://{protected.top}")
    if how == "another name":
        protected.git("branch", "live/main", "main")
        cloned.git("config", "branch.main.merge", "refs/heads/live/main")
    repository = apart(cloned)
    init(repository)
    tip = record(repository)
    snapshot = apart(cloned).read()
    assert snapshot.ledger_tip == protected.head(REF) == tip.commit
    assert len(snapshot.recorded) == 2


def test_folder_in_the_repository(cloned: Work, protected: Work) -> None:
    repository = opened(cloned, path="ops/dr", status_branch=NAME)
    init(repository)
    tip = record(repository)
    assert names(protected, REF) == ["ops/dr/status/ledger.yaml", f"ops/dr/{RECORD}"]
    assert repository.read().own_commit == tip.commit
    assert apart(cloned).read().own_commit is None


def test_file_where_the_folder_belongs_is_told_on_either_branch(cloned: Work, protected: Work) -> None:
    init(apart(cloned))
    cloned.git("fetch", "-q")
    cloned.git("checkout", "-q", NAME)
    cloned.commit("in the way", {"ops": "a file"})
    cloned.git("push", "-q", "origin", NAME)
    cloned.git("checkout", "-q", "main")
    for path in ("README", "ops"):
        with pytest.raises(RepositoryError, match=f"{path} is no folder"):
            opened(cloned, path=path, status_branch=NAME).read()


def test_what_init_puts_beside_the_ledger_is_left_out(cloned: Work, protected: Work) -> None:
    repository = apart(cloned)
    repository.record(repository.read(), {"status/ledger.yaml": LEDGER}, message("init"), {"restores/.gitkeep": b""})
    assert names(protected, REF) == ["status/ledger.yaml"]


def test_description_names_both_branches(cloned: Work, work: Work) -> None:
    assert apart(cloned).description.startswith("branch main of file://")
    assert apart(cloned).description.endswith(f", records on branch {NAME}")
    assert apart(work).description == f"branch main of {work.top} (local), records on branch {NAME}"
    assert NAME not in opened(cloned).description
    assert apart(work).branch == "main"


def test_state_of_this_machine_is_that_of_the_ledger(work: Work) -> None:
    opened(work).save_state({"of": "main"})
    assert apart(work).load_state() is None
    apart(work).save_state({"of": NAME})
    assert (apart(work).load_state(), opened(work).load_state()) == ({"of": NAME}, {"of": "main"})


@pytest.mark.parametrize("form", ["upstream", "local"])
def test_ledger_on_main_is_told_and_can_be_moved_as_told(form: str, work: Work, tmp_path: Path) -> None:
    repository = opened(work)
    init(repository)
    ours = record(repository)
    if form == "upstream":
        work = clone(bare_of(work, tmp_path / "moved.git"), tmp_path / "moved")
    with pytest.raises(RepositoryError, match=r"ledger is on branch main, .* without --status-branch") as caught:
        apart(work).read()
    command = str(caught.value).split("`")[1].split()
    assert command[:2] == (["git", "push"] if form == "upstream" else ["git", "branch"])
    work.git(*command[1:])
    repository = apart(work)
    moved = repository.read()
    assert (moved.own_commit, moved.ledger_tip, moved.recorded[RECORD]) == (
        ours.commit, ours.commit, b"phase: Starting\n",
    )  # fmt: skip
    tip = record(repository, b"phase: Completed\n")
    after = repository.read()
    assert (after.tip.commit, after.ledger_tip) == (ours.commit, tip.commit)
    assert after.recorded[RECORD] == b"phase: Completed\n"


@pytest.mark.parametrize(
    "name",
    [
        "-x", "a..b", "a b", "@{-1}", "HEAD", "x.lock", "a\nb", "a~1", "/x", "x/", "refs/heads/status", "--all", ".x",
        "a\u202eb",
    ],
)  # fmt: skip
def test_name_that_no_branch_can_have_is_refused(cloned: Work, name: str, tmp_path: Path) -> None:
    cloned.git("checkout", "-q", "-b", "topic")
    cloned.git("checkout", "-q", "main")  # so that git could make something of @{-1}
    with pytest.raises(RepositoryError, match="--status-branch"):
        opened(cloned, status_branch=name)


def test_tracked_branch_itself_is_refused_by_either_of_its_names(cloned: Work, remote: Work) -> None:
    remote.git("branch", "live", "main")
    cloned.git("config", "branch.main.merge", "refs/heads/live")
    for name in ("main", "live"):
        with pytest.raises(RepositoryError, match=f"--status-branch {name} is the tracked branch"):
            opened(cloned, status_branch=name)
    with pytest.raises(RepositoryError, match="is the tracked branch"):
        Repository.open(Tracked(f"file://{remote.top}", status_branch="main", cache=cloned.top / "cache"))


@pytest.mark.parametrize(("branch", "name"), [("main", "main/status"), ("ops/main", "ops")])
def test_name_that_git_can_not_hold_beside_the_tracked_branch_is_refused(work: Work, branch: str, name: str) -> None:
    if branch != "main":
        work.git("branch", branch)
    with pytest.raises(RepositoryError, match=f"beside branch {branch}"):
        opened(work, branch=branch, status_branch=name)
