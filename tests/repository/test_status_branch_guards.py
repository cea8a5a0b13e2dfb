"""A status branch that was deleted, set back, tampered with, merged or cut short: as on any branch of records."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import HistoryRewritten, NoSuchBranch, RepositoryError, TipMoved, TooShallow
from reconciler.repository import Repository
from tests.repository.apart import NAME, REF, apart, names
from tests.repository.builders import LEDGER, RECORD, Work, clone, init, message, opened, record


@pytest.fixture
def ledger(cloned: Work, protected: Work) -> Repository:
    """A ledger with one record, on a branch of its own."""
    repository = apart(cloned)
    init(repository)
    record(repository)
    return repository


@pytest.fixture
def human(ledger: Repository, protected: Work, tmp_path: Path) -> Work:
    """A human who has the status branch checked out, and may push to it."""
    human = clone(protected, tmp_path / "human")
    human.git("checkout", "-q", NAME)
    return human


def gone(remote: Work) -> None:
    remote.git("update-ref", "-d", REF)


def set_back(remote: Work) -> None:
    remote.git("update-ref", REF, f"{REF}^")


def replaced(remote: Work) -> None:
    remote.git("update-ref", REF, "refs/heads/main")


@pytest.mark.parametrize("change", [gone, set_back, replaced], ids=lambda change: change.__name__)
def test_history_that_lacks_our_last_commit_stops_until_accepted(
    ledger: Repository, cloned: Work, protected: Work, change: object
) -> None:
    assert callable(change)
    lost = protected.head(REF)
    change(protected)
    for each in (ledger, apart(cloned)):
        with pytest.raises(HistoryRewritten, match=f"branch {NAME} .*{lost[:10]}.*--accept-rewrite"):
            each.read()
    accepting = apart(cloned, accept_rewrite=True)
    snapshot = accepting.read()
    assert lost not in (snapshot.own_commit, snapshot.ledger_tip)
    assert (snapshot.own_commit is not None) == (change is set_back)
    assert RECORD not in snapshot.recorded
    assert snapshot.ledger_tip == protected.git("for-each-ref", "--format=%(objectname)", REF)
    init(accepting)
    assert apart(cloned).read().own_commit == protected.head(REF)


def test_branch_that_comes_back_is_as_before(ledger: Repository, protected: Work) -> None:
    lost = protected.head(REF)
    gone(protected)
    with pytest.raises(HistoryRewritten):
        ledger.read()
    protected.git("update-ref", REF, lost)
    assert ledger.read().own_commit == lost


def test_another_machine_takes_a_deleted_branch_for_one_to_be_made(
    ledger: Repository, protected: Work, tmp_path: Path
) -> None:
    gone(protected)
    repository = apart(clone(protected, tmp_path / "other"))
    assert repository.read().own_commit is None
    init(repository)


@pytest.mark.parametrize("change", [gone, set_back], ids=lambda change: change.__name__)
def test_branch_that_was_deleted_or_set_back_is_not_brought_back_by_a_record(
    ledger: Repository, protected: Work, change: object
) -> None:
    assert callable(change)
    snapshot = ledger.read()
    change(protected)
    left = protected.git("for-each-ref", REF)
    assert ledger.confirm(snapshot) is None
    with pytest.raises(TipMoved, match=NAME):
        record(ledger, b"phase: Completed\n", snapshot=snapshot)
    assert protected.git("for-each-ref", REF) == left


def test_local_status_branch_that_is_deleted_or_set_back_stops(work: Work) -> None:
    repository = apart(work)
    init(repository)
    record(repository)
    lost = work.head(NAME)
    for command in (["branch", "-qD", NAME], ["branch", "-qf", NAME, f"{lost}^"]):
        work.git(*command)
        with pytest.raises(HistoryRewritten, match=lost[:10]):
            apart(work).read()


def test_main_deleted_at_the_remote_is_no_missing_status_branch(ledger: Repository, protected: Work) -> None:
    protected.git("update-ref", "-d", "refs/heads/main")
    with pytest.raises(NoSuchBranch, match="no branch main"):
        ledger.read()
    gone(protected)
    with pytest.raises(NoSuchBranch, match="no branch main"):
        ledger.read()


def test_edited_deleted_and_added_records_are_tampered_and_put_back(
    ledger: Repository, human: Work, protected: Work
) -> None:
    ours = record(ledger, b"b\n", "status/b.yaml")
    human.git("pull", "-q")
    human.commit("by hand", {RECORD: "edited", "status/b.yaml": None, "status/c.yaml": "added", "README": "mine"})
    human.git("push", "-q")
    snapshot = ledger.read()
    assert snapshot.tampered == ("status/b.yaml", "status/c.yaml", RECORD)
    assert snapshot.own_commit == ours.commit
    assert snapshot.ledger_tip == human.head()
    assert snapshot.recorded == {"status/ledger.yaml": LEDGER, RECORD: b"phase: Starting\n", "status/b.yaml": b"b\n"}
    ledger.record(snapshot, {}, message("put back"))
    assert ledger.read().tampered == ()
    assert names(protected, REF) == ["README", "status/b.yaml", "status/ledger.yaml", RECORD]
    assert protected.show(RECORD, REF) == "phase: Starting"


def test_status_on_main_is_neither_read_nor_written_nor_tampering(
    ledger: Repository, cloned: Work, protected: Work
) -> None:
    cloned.commit("a copy on main", {RECORD: "phase: Failed\n", "status/ledger.yaml": LEDGER, "status/x": "x"})
    protected.git("fetch", "-q", f"file://{cloned.top}", "main:main")
    snapshot = ledger.read()
    assert snapshot.tampered == ()
    assert snapshot.recorded == {"status/ledger.yaml": LEDGER, RECORD: b"phase: Starting\n"}
    assert snapshot.tip.commit == cloned.head()
    record(ledger, b"phase: Completed\n")
    assert names(protected, REF) == ["status/ledger.yaml", RECORD]
    assert cloned.show(RECORD) == "phase: Failed"


def test_merge_of_main_into_the_status_branch_changes_nothing(ledger: Repository, human: Work, protected: Work) -> None:
    ours = ledger.read().own_commit
    human.git("merge", "-q", "--allow-unrelated-histories", "-m", "why not", "origin/main")
    human.git("push", "-q")
    snapshot = ledger.read()
    assert (snapshot.own_commit, snapshot.ledger_tip, snapshot.tampered) == (ours, human.head(), ())
    assert snapshot.tip.commit == protected.head("main")
    tip = record(ledger, b"phase: Completed\n")
    assert protected.head(f"{REF}^") == human.head()
    assert names(protected, REF) == ["README", "restores/minimal.yaml", "status/ledger.yaml", RECORD]
    human.git("checkout", "-q", "main")
    human.commit("main goes on", {"restores/more.yaml": "m"})
    protected.git("fetch", "-q", f"file://{human.top}", "main:main")
    snapshot = ledger.read()
    assert snapshot.own_commit == tip.commit
    assert [blob.path for blob in snapshot.files] == ["restores/minimal.yaml", "restores/more.yaml"]


def test_merge_of_the_status_branch_into_main_changes_nothing(ledger: Repository, human: Work, protected: Work) -> None:
    human.git("checkout", "-q", "main")
    human.git("merge", "-q", "--allow-unrelated-histories", "-m", "why not", NAME)
    protected.git("fetch", "-q", f"file://{human.top}", "main:main")
    before = ledger.read()
    assert (before.tip.commit, before.ledger_tip, before.tampered) == (human.head(), protected.head(REF), ())
    tip = record(ledger, b"phase: Completed\n")
    assert ledger.read().own_commit == tip.commit
    assert [blob.path for blob in ledger.read().files] == ["restores/minimal.yaml"]


def test_squash_on_the_status_branch_that_copies_the_trailer_is_not_ours(ledger: Repository, human: Work) -> None:
    ours = ledger.read().own_commit
    human.commit(message("squashed, with files of humans"), {"restores/x.yaml": "x", RECORD: "phase: Completed\n"})
    human.git("push", "-q")
    snapshot = ledger.read()
    assert (snapshot.own_commit, snapshot.tampered) == (ours, (RECORD,))


def test_two_ledgers_merged_on_the_status_branch_stop_everything(
    ledger: Repository, human: Work, tmp_path: Path
) -> None:
    elsewhere = clone(human, tmp_path / "elsewhere")
    mine = record(ledger, b"mine\n", "status/mine")
    theirs = record(opened(elsewhere, local=True), b"theirs\n", "status/theirs")
    human.git("pull", "-q")
    human.git("pull", "-q", "--no-rebase", "--no-edit", str(elsewhere.top), NAME)
    human.git("push", "-q")
    with pytest.raises(RepositoryError, match="two ledgers were merged") as caught:
        ledger.read()
    assert mine.commit[:10] in str(caught.value)
    assert theirs.commit[:10] in str(caught.value)


def test_clone_whose_main_is_shallow_has_the_whole_status_branch(
    ledger: Repository, protected: Work, tmp_path: Path
) -> None:
    tip = record(ledger, b"phase: Completed\n")
    shallow = apart(clone(protected, tmp_path / "shallow", "--depth=1"))
    snapshot = shallow.read()
    assert (snapshot.own_commit, snapshot.recorded[RECORD]) == (tip.commit, b"phase: Completed\n")
    record(shallow, b"x\n", "status/x")
    assert ledger.read().recorded["status/x"] == b"x\n"


def test_status_branch_that_is_cut_short_before_our_commit_says_how_to_deepen(
    ledger: Repository, human: Work, protected: Work, tmp_path: Path
) -> None:
    human.commit("a human's", {"README": "x"})
    human.git("push", "-q")
    shallow = clone(protected, tmp_path / "shallow", "--depth=1", "--no-single-branch")
    with pytest.raises(TooShallow, match="--unshallow"):
        apart(shallow).read()
    shallow.git("fetch", "-q", "--unshallow")
    assert apart(shallow).read().own_commit == human.head(f"{NAME}^")
