"""Writers at once on the branch of records, and main that moves meanwhile: nothing is lost or sent too late."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from reconciler.errors import FetchFailed, PushFailed, TipMoved
from tests.repository.apart import NAME, REF, apart, land, merge
from tests.repository.builders import RECORD, Work, clone, init, record


@pytest.fixture
def second(protected: Work, tmp_path: Path) -> Work:
    """Another clone of the same remote, on another machine."""
    return clone(protected, tmp_path / "second")


def test_of_two_that_make_the_branch_one_gets_tip_moved(cloned: Work, second: Work, protected: Work) -> None:
    late = apart(second)
    snapshot = late.read()
    first = init(apart(cloned))
    with pytest.raises(TipMoved, match=NAME):
        late.record(snapshot, {"status/ledger.yaml": b"id: 1\n"}, "mine\n\nReconciler-Ledger: 1")
    assert protected.head(REF) == first.commit
    assert late.read().own_commit == first.commit


def test_of_two_that_record_one_gets_tip_moved_and_neither_record_is_lost(
    cloned: Work, second: Work, protected: Work
) -> None:
    init(apart(cloned))
    late = apart(second)
    snapshot = late.read()
    record(apart(cloned), b"theirs\n", "status/theirs")
    with pytest.raises(TipMoved, match=NAME):
        record(late, b"mine\n", "status/mine", snapshot=snapshot)
    assert late.confirm(snapshot) is None
    tip = record(late, b"mine\n", "status/mine")
    assert protected.head(REF) == tip.commit
    assert set(late.read().recorded) == {"status/ledger.yaml", "status/mine", "status/theirs"}


@pytest.mark.parametrize("form", ["two clones", "local"])
def test_many_processes_record_at_once_and_nothing_is_lost(
    form: str, cloned: Work, second: Work, tmp_path: Path
) -> None:
    local = form == "local"
    works = [cloned] if local else [cloned, second]
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                repository = apart(works[number % len(works)], local=local)
                for again in range(4):
                    while True:
                        try:
                            repository.preflight()
                            if repository.read().own_commit is None:
                                init(repository)
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
    snapshot = apart(cloned, local=local).read()
    assert len(snapshot.recorded) == 1 + 16
    assert cloned.git("rev-list", "--count", snapshot.ledger_tip) == "17"


@pytest.mark.parametrize("first", [True, False])
def test_main_that_moved_before_the_record_is_told_although_the_record_is_pushed(
    cloned: Work, protected: Work, tmp_path: Path, first: bool
) -> None:
    repository = apart(cloned)
    if not first:
        init(repository)
    snapshot = repository.read()
    main = merge(protected, tmp_path)
    with pytest.raises(TipMoved, match=f"main moved .* what was recorded is on {NAME}"):
        repository.record(snapshot, {"status/ledger.yaml": b"id: 1\n"}, "mine\n\nReconciler-Ledger: 1")
    after = repository.read()
    assert after.own_commit == after.ledger_tip == protected.head(REF)
    assert after.recorded == {"status/ledger.yaml": b"id: 1\n"}
    assert after.tip.commit == main
    assert repository.confirm(after) is not None


def test_main_that_moves_while_the_record_is_pushed_is_told(cloned: Work, protected: Work, tmp_path: Path) -> None:
    def checkpoint(step: str) -> None:
        if step == "pushed":
            merge(protected, tmp_path)

    with pytest.raises(TipMoved, match="main moved"):
        init(apart(cloned, checkpoint=checkpoint))
    assert apart(cloned).read().own_commit == protected.head(REF)


def test_local_main_that_moved_is_told_too(work: Work) -> None:
    repository = apart(work)
    init(repository)
    snapshot = repository.read()
    work.commit("a change of a human", {"restores/more.yaml": "m"})
    with pytest.raises(TipMoved, match="main moved"):
        record(repository, snapshot=snapshot)
    assert repository.read().recorded[RECORD] == b"phase: Starting\n"


def test_main_that_can_not_be_asked_after_the_push_is_no_success(cloned: Work, protected: Work, tmp_path: Path) -> None:
    repository = apart(cloned)
    init(repository)
    snapshot = repository.read()
    script = tmp_path / "upload-pack"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    cloned.git("config", "remote.origin.uploadpack", str(script))
    with pytest.raises(FetchFailed):
        record(repository, snapshot=snapshot)
    cloned.git("config", "--unset", "remote.origin.uploadpack")
    assert repository.read().recorded[RECORD] == b"phase: Starting\n"


def test_tip_of_a_record_is_our_commit_and_counts_from_before_the_push(cloned: Work, protected: Work) -> None:
    repository = apart(cloned)
    snapshot = repository.read()
    tip = init(repository)
    assert tip.commit == protected.head(REF)
    confirmed = repository.confirm(repository.read())
    assert confirmed is not None
    assert snapshot.tip.fetched_at < tip.fetched_at < confirmed.fetched_at


@pytest.mark.parametrize("form", ["upstream", "local"])
def test_confirm_wants_both_branches_where_the_snapshot_has_them(
    form: str, cloned: Work, second: Work, protected: Work, work: Work, tmp_path: Path
) -> None:
    here, there = (work, work) if form == "local" else (cloned, second)
    repository = apart(here)
    init(repository)
    snapshot = repository.read()
    confirmed = repository.confirm(snapshot)
    assert confirmed is not None
    assert confirmed.commit == snapshot.tip.commit
    assert confirmed.fetched_at > snapshot.tip.fetched_at
    record(repository, snapshot=snapshot)
    assert repository.confirm(snapshot) is not None, "our own record is no move"
    record(apart(there), b"theirs\n", "status/theirs")
    assert repository.confirm(snapshot) is None
    snapshot = repository.read()
    assert repository.confirm(snapshot) is not None
    if form == "local":
        work.commit("moved")
    else:
        merge(protected, tmp_path)
    assert repository.confirm(snapshot) is None


def test_confirm_before_there_is_a_status_branch(cloned: Work, second: Work, protected: Work) -> None:
    repository = apart(cloned)
    snapshot = repository.read()
    assert repository.confirm(snapshot) is not None
    init(apart(second))
    assert repository.confirm(snapshot) is None


def test_status_branch_that_takes_no_push_is_push_failed_and_harms_nothing(cloned: Work, protected: Work) -> None:
    protected.write("hooks/pre-receive", "#!/bin/sh\nexit 1\n").chmod(0o755)
    repository = apart(cloned)
    with pytest.raises(PushFailed, match=f"did not take our commit on {NAME}"):
        init(repository)
    assert repository.read().ledger_tip == ""
    (protected.top / "hooks/pre-receive").unlink()
    init(repository)


def test_main_that_was_force_pushed_changes_files_and_no_record(cloned: Work, protected: Work, second: Work) -> None:
    repository = apart(cloned)
    init(repository)
    tip = record(repository)
    second.git("checkout", "-q", "--orphan", "again")
    second.git("rm", "-rqf", ".")
    second.commit("all anew", {"restores/anew.yaml": "anew"})
    second.git("branch", "-qM", "again", "main")
    main = land(protected, second)
    snapshot = repository.read()
    assert (snapshot.tip.commit, snapshot.own_commit, snapshot.tampered) == (main, tip.commit, ())
    assert [blob.path for blob in snapshot.files] == ["restores/anew.yaml"]
    assert snapshot.recorded[RECORD] == b"phase: Starting\n"
    record(repository, b"phase: Completed\n")
