"""A status branch without a remote, by URL, and checked out: who follows, what stops, and kills between steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import TipMoved, WorkTreeBusy
from reconciler.repository import STEPS, Repository, Tracked
from tests.repository.apart import NAME, REF, apart, branches, merge, names
from tests.repository.builders import LEDGER, RECORD, Work, init, message, opened, record
from tests.repository.test_crash import FILES, killed_at, several


def test_without_a_remote_the_local_branch_is_made_and_main_stays(work: Work) -> None:
    main = work.head()
    repository = apart(work)
    repository.preflight()
    first = init(repository)
    assert work.git("rev-list", "--parents", NAME) == first.commit
    tip = record(repository)
    assert (work.head(f"{NAME}^"), work.head(NAME)) == (first.commit, tip.commit)
    assert names(work, NAME) == ["status/ledger.yaml", RECORD]
    assert (work.head(), work.status(), (work.top / "status").exists()) == (main, "", False)
    assert apart(work).read().own_commit == tip.commit


def test_local_does_not_push(cloned: Work, protected: Work) -> None:
    tip = init(apart(cloned, local=True))
    assert cloned.head(NAME) == tip.commit
    assert branches(protected) == ["main"]


def test_local_branch_that_another_made_meanwhile_is_tip_moved(work: Work) -> None:
    repository = apart(work)
    snapshot = repository.read()
    work.git("branch", NAME)
    with pytest.raises(TipMoved, match=NAME):
        repository.record(snapshot, {"status/ledger.yaml": LEDGER}, message("init"))
    assert work.head(NAME) == work.head()


def test_first_record_under_way_is_not_taken_for_one_that_was_given_up(work: Work) -> None:
    noted: list[bool] = []

    def checkpoint(step: str) -> None:
        if step == "move-noted":
            apart(work).preflight()  # another process, which must leave alone what this one has begun
            noted.append(bool(list((work.top / ".git/reconciler").glob("*.move-*"))))

    init(apart(work, checkpoint=checkpoint))
    assert noted == [True]


def test_bare_repository(remote: Work) -> None:
    repository = apart(remote)
    init(repository)
    tip = record(repository)
    assert remote.head(REF) == tip.commit
    assert repository.confirm(repository.read()) is not None


def test_sha256_repository(tmp_path: Path) -> None:
    top = tmp_path / "sha256"
    top.mkdir()
    work = Work(top)
    work.git("init", "-q", "--object-format=sha256")
    work.commit("first", {"restores/a.yaml": "a"})
    work.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    Work(tmp_path / "linked").git("checkout", "-q", "--orphan", NAME)
    init(apart(work))
    assert len(record(apart(work)).commit) == 64
    assert (tmp_path / "linked" / RECORD).exists()
    assert apart(work).read().recorded[RECORD] == b"phase: Starting\n"


def test_url_is_recorded_by_a_mirror(protected: Work, tmp_path: Path) -> None:
    def by_url() -> Repository:
        return Repository.open(Tracked(f"file://{protected.top}", cache=tmp_path / "cache", status_branch=NAME))

    repository = by_url()
    assert repository.read().ledger_tip == ""
    init(repository)
    main = merge(protected, tmp_path)
    tip = record(repository)
    snapshot = by_url().read()
    assert (snapshot.tip.commit, snapshot.ledger_tip, snapshot.own_commit) == (main, tip.commit, tip.commit)
    assert len(snapshot.files) == 2
    assert repository.confirm(snapshot) is not None
    assert by_url().description == f"branch main of file://{protected.top}, records on branch {NAME}"
    mirror = Work(next((tmp_path / "cache").glob("*.git")))
    assert mirror.head(f"refs/remotes/origin/{NAME}") == tip.commit
    merge(protected, tmp_path, "restores/again.yaml")
    with pytest.raises(TipMoved, match="main moved"):
        record(repository, b"phase: Completed\n", snapshot=snapshot)


@pytest.fixture(params=["upstream", "local"])
def linked(request: pytest.FixtureRequest, work: Work, cloned: Work, protected: Work, tmp_path: Path) -> Work:
    """A linked work tree that has the status branch checked out, beside the one with main."""
    main = work if request.param == "local" else cloned
    init(apart(main))
    if request.param == "upstream":
        main.git("fetch", "-q")
    main.git("worktree", "add", "-q", str(tmp_path / "linked"), NAME)
    return Work(tmp_path / "linked")


def main_of(linked: Work) -> Work:
    return Work(Path(linked.git("rev-parse", "--path-format=absolute", "--git-common-dir")).parent)


def test_checkout_of_the_status_branch_follows_and_that_of_main_is_left_alone(linked: Work) -> None:
    main = main_of(linked)
    linked.write("mine.txt", "untracked")
    repository = apart(main)
    tip = record(repository)
    repository.preflight()
    assert linked.head() == tip.commit
    assert (linked.top / RECORD).read_text() == "phase: Starting\n"
    assert (linked.status(), main.status()) == ("?? mine.txt", "")
    assert not (main.top / "status").exists()
    assert opened(linked, branch="main", status_branch=NAME).read().own_commit == tip.commit


def test_only_the_checkout_of_the_status_branch_is_guarded(linked: Work) -> None:
    main = main_of(linked)
    repository = apart(main)
    main.write("status/mine.yaml", "mine")
    (main.top / ".git/index.lock").touch()
    (main.top / ".git/MERGE_HEAD").write_text(main.head() + "\n")
    repository.preflight()
    record(repository)
    edited = linked.write("status/ledger.yaml", "edited")
    with pytest.raises(WorkTreeBusy, match=r"status/ledger\.yaml in .*linked"):
        repository.preflight()
    edited.write_bytes(LEDGER)
    repository.preflight()
    (main.top / ".git/worktrees/linked/index.lock").touch()
    with pytest.raises(WorkTreeBusy, match="locked"):
        repository.preflight()
    assert (main.top / "status/mine.yaml").read_text() == "mine"


def test_branch_that_is_checked_out_before_it_is_there_gets_the_first_commit(work: Work, tmp_path: Path) -> None:
    work.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = Work(tmp_path / "linked")
    linked.git("checkout", "-q", "--orphan", NAME)
    linked.git("rm", "-rqf", ".")
    tip = init(apart(work))
    assert linked.head() == tip.commit
    assert linked.status() == ""
    assert (linked.top / "status/ledger.yaml").read_bytes() == LEDGER
    apart(work).preflight()


def first(repository: Repository) -> None:
    files = {path: content for path, content in FILES.items() if content is not None}
    repository.record(repository.read(), {"status/ledger.yaml": LEDGER, **files}, message("first"))


FIRST = {
    "local": [step for step in STEPS if step != "pushed"],
    "upstream": ["record", "commit-built", "pushed", "recorded"],  # no local branch is made, so none moves
}


@pytest.mark.parametrize(("form", "step"), [(form, step) for form, steps in FIRST.items() for step in steps])
def test_first_record_killed_at(
    form: str, step: str, work: Work, cloned: Work, protected: Work, tmp_path: Path
) -> None:
    here, ledger = (work, work) if form == "local" else (cloned, protected)
    here.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = Work(tmp_path / "linked")
    linked.git("checkout", "-q", "--orphan", NAME)
    linked.git("rm", "-rqf", ".")
    steps = killed_at(here, (step, 1), first, NAME)
    assert steps[-1] == step
    landed = "branch-moved" in steps or "pushed" in steps
    assert (NAME in branches(ledger)) == landed
    again = apart(here)
    again.preflight()
    assert (again.read().own_commit is not None) == landed
    first(again)
    again.preflight()
    snapshot = apart(here).read()
    assert snapshot.recorded == {"status/ledger.yaml": LEDGER, RECORD: FILES[RECORD], "status/new.yaml": b"new\n"}
    assert ledger.git("rev-list", "--count", REF) == "1"
    if form == "local":
        assert linked.status() == ""
        assert (linked.top / RECORD).exists()
    assert here.status() == ""
    assert "error" not in here.git("fsck")


def starting(repository: Repository) -> None:
    repository.record(repository.read(), {RECORD: b"phase: Starting\n", "status/old.yaml": b"old\n"}, message("more"))


@pytest.mark.parametrize("step", STEPS)
def test_record_killed_where_the_status_branch_is_checked_out(linked: Work, protected: Work, step: str) -> None:
    main = main_of(linked)
    upstream = main.git("remote") != ""
    if step == "pushed" and not upstream:
        pytest.skip("nothing is pushed")
    starting(apart(main))
    before = linked.head()
    steps = killed_at(main, (step, 1), several, NAME)
    assert steps[-1] == step
    landed = ("pushed" if upstream else "branch-moved") in steps
    ledger = protected if upstream else main
    assert (ledger.head(REF) != before) == landed
    again = apart(main)
    again.read()
    again.preflight()
    assert linked.head() == ledger.head(REF)
    assert linked.status() == ""
    several(again)
    again.preflight()
    assert linked.head() == ledger.head(REF)
    assert (linked.top / RECORD).read_bytes() == FILES[RECORD]
    assert (linked.status(), main.status()) == ("", "")
    assert linked.git("rev-list", "--count", REF) == "3"
