"""A branch with an upstream: the remote is the ledger, pushes are fast-forwards, and refusals are told plainly."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from reconciler.errors import Cause, PushFailed, TipMoved
from reconciler.repository.commit import refusal
from reconciler.repository.git import Result
from tests.repository.builders import LEDGER, Work, clone, init, message, opened, record


def test_upstream_gets_the_commit_and_the_local_branch_follows(cloned: Work, remote: Work) -> None:
    repository = opened(cloned)
    init(repository)
    tip = record(repository)
    assert remote.head("main") == tip.commit
    assert cloned.head() == cloned.head("origin/main") == tip.commit
    assert cloned.status() == ""
    assert repository.confirm(repository.read()) is not None


def test_local_commits_do_not_count_and_are_named(cloned: Work, remote: Work) -> None:
    repository = opened(cloned)
    init(repository)
    mine = cloned.commit("not pushed", {"restores/mine.yaml": "x"})
    snapshot = repository.read()
    assert snapshot.unpushed == (f"{mine[:7]} not pushed",)
    assert [blob.path for blob in snapshot.files] == ["restores/minimal.yaml"]
    tip = record(repository)
    assert remote.head("main") == tip.commit
    assert cloned.head() == mine
    assert cloned.status() == ""


def test_local_ignores_the_upstream(cloned: Work, remote: Work) -> None:
    before = remote.head("main")
    repository = opened(cloned, local=True)
    init(repository)
    assert remote.head("main") == before
    assert cloned.head() != before


def test_upstream_that_is_a_local_branch_is_no_remote(work: Work) -> None:
    work.git("checkout", "-q", "--track", "-b", "topic", "main")
    before = work.head("main")
    init(opened(work))
    assert work.head("main") == before
    assert work.head("topic") != before


def test_upstream_of_another_name_and_without_a_tracking_ref(cloned: Work, remote: Work) -> None:
    remote.git("branch", "prod/main", "main")
    cloned.git("config", "remote.origin.fetch", "+refs/heads/nothing:refs/remotes/origin/nothing")
    cloned.git("config", "branch.main.merge", "refs/heads/prod/main")
    repository = opened(cloned)
    before = remote.head("main")
    init(repository)
    assert remote.head("prod/main") == repository.read().tip.commit
    assert remote.head("main") == before


def test_upstream_given_as_a_url(cloned: Work, remote: Work) -> None:
    cloned.git("config", "branch.main.remote", f"file://{remote.top}")
    repository = opened(cloned)
    tip = init(repository)
    assert remote.head("main") == tip.commit


@pytest.mark.case("two-writers", "fetched, decided and committed again", "never forced")
def test_remote_that_moved_is_tip_moved_and_never_forced(cloned: Work, remote: Work, tmp_path: Path) -> None:
    repository = opened(cloned)
    init(repository)
    snapshot = repository.read()
    other = clone(remote, tmp_path / "other")
    theirs = other.commit("theirs", {"restores/theirs.yaml": "x"})
    other.git("push", "-q")
    with pytest.raises(TipMoved):
        record(repository, snapshot=snapshot)
    assert remote.head("main") == theirs
    assert repository.confirm(snapshot) is None
    repository.preflight()
    record(repository)
    assert remote.head("main^") == theirs


def test_remote_that_was_set_back_or_deleted_is_not_brought_back(cloned: Work, remote: Work) -> None:
    first = remote.head("main")
    repository = opened(cloned)
    init(repository)
    snapshot = repository.read()
    remote.git("update-ref", "refs/heads/main", first)
    with pytest.raises(TipMoved):
        record(repository, snapshot=snapshot)
    assert remote.head("main") == first
    remote.git("update-ref", "-d", "refs/heads/main")
    with pytest.raises(TipMoved):
        record(repository, snapshot=snapshot)
    assert remote.git("for-each-ref") == ""


def test_hook_that_declines_is_push_failed_with_its_own_line(cloned: Work, remote: Work) -> None:
    script = "#!/bin/sh\necho 'error: GH006: Protected branch update failed' >&2\nexit 1\n"
    hook = remote.write("hooks/pre-receive", script)
    hook.chmod(0o755)
    repository = opened(cloned)
    before = remote.head("main")
    with pytest.raises(PushFailed, match=r"protected.*pre-receive hook declined.*GH006") as caught:
        init(repository)
    assert "\n" not in str(caught.value)
    assert remote.head("main") == cloned.head() == before
    assert cloned.status() == ""
    repository.preflight()


def test_push_onto_a_branch_that_is_checked_out_there_is_told_plainly(work: Work, tmp_path: Path) -> None:
    mine = clone(work, tmp_path / "mine")
    with pytest.raises(PushFailed, match="use a bare repository as remote"):
        init(opened(mine))


def test_remote_that_vanished_is_push_failed(cloned: Work, remote: Work, tmp_path: Path) -> None:
    repository = opened(cloned)
    snapshot = repository.read()
    remote.top.rename(tmp_path / "gone")
    with pytest.raises(PushFailed, match="can't be asked whether it arrived"):
        repository.record(snapshot, {"status/ledger.yaml": LEDGER}, message("init"))


def test_push_whose_answer_was_lost_but_landed_is_a_success(cloned: Work, remote: Work) -> None:
    # a hook after the update that kills the connection
    hook = remote.write("hooks/post-receive", "#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    tip = init(opened(cloned))
    assert remote.head("main") == tip.commit


def test_push_without_permission_says_so() -> None:
    """What git prints where the remote's `objects` can't be written (root, as which tests may run, always can)."""
    out = b"To /srv/fleet.git\n!\tHEAD:refs/heads/main\t[remote rejected] (unpacker error)\nDone\n"
    err = "remote: fatal: Unable to create temporary file '/srv/fleet.git/./objects/pack': Permission denied\n"
    cause, told = refusal(Result(1, out, err))
    assert cause is Cause.PERMISSION
    assert told.startswith("no permission to write there: [remote rejected] (unpacker error)")


def test_lock_that_stays_at_the_remote_is_push_failed(cloned: Work, remote: Work) -> None:
    remote.write("refs/heads/main.lock", "")
    with pytest.raises(PushFailed, match="failed to update ref"):
        init(opened(cloned))


@pytest.mark.parametrize("form", ["local", "upstream", "two clones"])
@pytest.mark.case("two-writers", "nothing lost")
def test_many_processes_record_at_once_and_nothing_is_lost(
    form: str, cloned: Work, remote: Work, tmp_path: Path
) -> None:
    local = form == "local"
    works = [cloned, clone(remote, tmp_path / "second")] if form == "two clones" else [cloned]
    init(opened(cloned, local=local))
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                repository = opened(works[number % len(works)], local=local)
                for again in range(5):
                    while True:
                        try:
                            repository.preflight()
                            record(repository, b"x\n", f"status/{number}-{again}.yaml")
                            break
                        except TipMoved:
                            continue
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    snapshot = opened(cloned, local=local).read()
    assert len(snapshot.recorded) == 1 + 20
    assert snapshot.tampered == ()
    assert cloned.git("rev-list", "--count", snapshot.tip.commit) == "22"
    opened(cloned, local=local).preflight()
    assert cloned.status() == ""
