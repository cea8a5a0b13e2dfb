"""Checkouts in which no branch can be told, as CI jobs have them: a commit stands for it, and all is read-only."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import NoSuchBranch, RepositoryError, TooShallow
from reconciler.repository import PAUSED, Repository, Tracked
from tests.repository.apart import NAME, apart
from tests.repository.builders import LEDGER, RECORD, Work, bare_of, by, clone, init, message, new, opened, record


@pytest.fixture
def ledger(work: Work) -> Work:
    """Main with two own commits and a human's, and a topic ahead of it by one file."""
    repository = opened(work)
    init(repository)
    record(repository)
    work.commit("human", {"README": "x"})
    work.git("checkout", "-q", "-b", "topic")
    work.commit("asked for", {"restores/topic.yaml": "t"})
    work.git("checkout", "-q", "main")
    return work


@pytest.fixture
def job(ledger: Work, tmp_path: Path) -> Work:
    """What a CI job has: HEAD detached at the topic, no local branch, those of the remote as they were fetched."""
    job = clone(bare_of(ledger, tmp_path / "remote.git"), tmp_path / "job")
    job.git("checkout", "-q", "--detach", "origin/topic")
    job.git("branch", "-q", "-D", "main")
    job.git("remote", "set-url", "origin", str(tmp_path / "gone"))  # so that any attempt to fetch fails
    return job


def files(work: Work) -> set[Path]:
    """Everything in the git directory, to see that nothing was written."""
    git = work.top / ".git" if (work.top / ".git").is_dir() else work.top
    return {file.relative_to(git) for file in git.rglob("*")}


def paths(repository: Repository) -> list[str]:
    return [blob.path for blob in repository.read().files]


def test_detached_head_stands_for_the_branch_and_nothing_is_written(job: Work) -> None:
    before = files(job)
    repository = opened(job, pinned="HEAD")
    snapshot = repository.read()
    assert (repository.branch, snapshot.tip.commit) == ("", job.head())
    assert snapshot.recorded == {"status/ledger.yaml": LEDGER, RECORD: b"phase: Starting\n"}
    assert snapshot.own_commit == job.head("origin/main^")
    assert (snapshot.tampered, snapshot.unpushed, snapshot.paused) == ((), (), False)
    assert paths(repository) == ["restores/minimal.yaml", "restores/topic.yaml"]
    assert repository.confirm(snapshot) is not None
    assert repository.load_state() is None
    assert repository.arrival(snapshot.tip.commit, "restores/topic.yaml", bool).commit == job.head()
    assert [change.commit for change in repository.changes()] == [snapshot.own_commit, job.head("origin/main~2")]
    assert repository.at("main").commit == job.head("origin/main")
    assert job.head()[:10] in repository.description
    assert files(job) == before


def test_records_are_those_of_the_ledgers_branch_where_the_pinned_commit_lags_behind_it(
    job: Work, ledger: Work, tmp_path: Path
) -> None:
    """By the copy of a remote's, by a branch here, and in a folder; ahead of it, the commit itself stands."""
    record(opened(ledger), b"phase: Completed\n")
    job.git("fetch", "-q", str(ledger.top), "+main:refs/remotes/origin/main")
    for pinned in ("HEAD", "origin/topic"):
        snapshot = opened(job, pinned=pinned).read()
        assert (snapshot.tip.commit, snapshot.recorded[RECORD]) == (ledger.head("main"), b"phase: Completed\n")
    ledger.git("checkout", "-q", "--detach", "topic")
    assert opened(ledger, pinned="HEAD").read().tip.commit == ledger.head("main")
    ahead = ledger.git("merge", "-q", "main") or ledger.head()
    assert opened(ledger, pinned="HEAD").read().tip.commit == ahead
    below = new(tmp_path / "below", files={"ops/restores/x.yaml": "x"})
    init(opened(below, path="ops"))
    below.git("checkout", "-q", "--detach")
    record(opened(below, path="ops", branch="main"))
    for path in ("ops", "./ops/"):
        assert opened(below, path=path, pinned="HEAD").read().tip.commit == below.head("main")


def test_pin_need_not_be_head(job: Work) -> None:
    for pinned in ("origin/main", job.head("origin/main")):
        repository = opened(job, pinned=pinned)
        assert repository.read().tip.commit == job.head("origin/main")
        assert paths(repository) == ["restores/minimal.yaml"]


def test_read_only(job: Work) -> None:
    repository = opened(job, pinned="HEAD")
    snapshot = repository.read()
    for act in (
        repository.preflight,
        lambda: repository.save_state({}),
        lambda: repository.record(snapshot, {RECORD: b"x"}, message("x")),
        lambda: repository.record(snapshot, {}, message("x")),
    ):
        with pytest.raises(RepositoryError, match="read-only"):
            act()
    assert not (job.top / ".git/reconciler").exists()


def test_what_this_machine_remembers_of_a_branch_is_neither_read_nor_changed(ledger: Work) -> None:
    repository = opened(ledger)
    repository.read()
    repository.save_state({"unreleased": 1})
    kept = {file: file.read_bytes() for file in (ledger.top / ".git/reconciler").iterdir()}
    ledger.git("checkout", "-q", "--detach", "main~2")  # init alone: a rewrite, for who guards against one
    ledger.git("branch", "-q", "-m", "main", "elsewhere")
    pinned = opened(ledger, pinned="HEAD")
    assert pinned.read().own_commit == ledger.head()
    assert pinned.load_state() is None
    ledger.git("checkout", "-q", "--detach", "elsewhere~3")
    assert opened(ledger, pinned="HEAD").read().own_commit is None
    assert {file: file.read_bytes() for file in (ledger.top / ".git/reconciler").iterdir()} == kept


def test_what_this_machine_remembers_of_a_branch_that_is_a_copy_alone_now(cloned: Work) -> None:
    repository = opened(cloned)
    init(repository)
    record(repository)
    repository.save_state({"unreleased": 1})
    kept = {file: file.read_bytes() for file in (cloned.top / ".git/reconciler").iterdir()}
    cloned.git("checkout", "-q", "--detach", "main")
    cloned.git("branch", "-q", "-D", "main")
    for back, own in (("main~1", cloned.head("HEAD~1")), ("main~1", None)):  # to init alone, then to before it
        cloned.git("update-ref", "refs/remotes/origin/main", f"refs/remotes/origin/{back}")
        pinned = opened(cloned, branch="main", pinned="HEAD")
        assert pinned.read().own_commit == own
        assert pinned.load_state() is None
    assert {file: file.read_bytes() for file in (cloned.top / ".git/reconciler").iterdir()} == kept


def test_without_a_pin_it_stays_an_error(job: Work) -> None:
    with pytest.raises(NoSuchBranch, match="no branch is checked out"):
        opened(job)
    with pytest.raises(NoSuchBranch, match="but origin has it: git branch --track main origin/main"):
        opened(job, branch="main")


@pytest.mark.parametrize("pinned", ["-x", "HEAD\n", "nothing", "f" * 40, "HEAD:README"])
def test_pin_that_is_no_commit(job: Work, pinned: str) -> None:
    with pytest.raises(RepositoryError, match="revision"):
        opened(job, pinned=pinned)


def test_branch_that_is_there_as_a_copy_of_the_remotes_alone(job: Work) -> None:
    job.git("update-ref", "refs/remotes/backup/main", "origin/topic")  # `origin` goes before other remotes
    repository = opened(job, branch="main", pinned="HEAD")
    snapshot = repository.read()
    assert (repository.branch, snapshot.tip.commit) == ("main", job.head("origin/main"))
    assert paths(repository) == ["restores/minimal.yaml"]
    assert snapshot.recorded[RECORD] == b"phase: Starting\n"
    with pytest.raises(RepositoryError, match="read-only"):
        record(repository)
    with pytest.raises(NoSuchBranch, match=r"no branch nowhere in .*; there is main, topic"):
        opened(job, branch="nowhere", pinned="HEAD")
    with pytest.raises(NoSuchBranch, match=r"no branch m\*"):
        opened(job, branch="m*", pinned="HEAD")


def test_pin_is_ignored_where_the_branch_can_be_told(ledger: Work) -> None:
    for pinned in ("topic", "nothing at all"):
        repository = opened(ledger, pinned=pinned)
        assert repository.branch == "main"
        assert paths(repository) == ["restores/minimal.yaml"]
        repository.preflight()
    record(repository, b"phase: Completed\n")
    ledger.git("checkout", "-q", "--detach", "topic")
    named = opened(ledger, branch="main", pinned="HEAD")
    record(named, b"phase: Failed\n")
    assert ledger.show(RECORD, "main") == "phase: Failed"


def test_pin_is_ignored_where_the_branch_is_here_as_well_as_at_the_remote(cloned: Work, remote: Work) -> None:
    cloned.git("checkout", "-q", "--detach")
    init(opened(cloned, branch="main", pinned="HEAD"))
    assert remote.show("status/ledger.yaml", "main") == LEDGER.decode().rstrip()


def test_pin_is_ignored_for_a_url(ledger: Work, tmp_path: Path) -> None:
    remote = bare_of(ledger, tmp_path / "r.git")
    repository = Repository.open(Tracked(f"file://{remote.top}", cache=tmp_path / "cache", pinned="nothing"))
    record(repository, b"phase: Completed\n")
    assert remote.show(RECORD, "main") == "phase: Completed"


def test_bare_repository_with_a_detached_head(ledger: Work, tmp_path: Path) -> None:
    bare = bare_of(ledger, tmp_path / "bare.git")
    (bare.top / "HEAD").write_text(bare.head("topic") + "\n")
    with pytest.raises(NoSuchBranch):
        opened(bare)
    assert paths(opened(bare, pinned="HEAD")) == ["restores/minimal.yaml", "restores/topic.yaml"]


def test_linked_work_tree_has_a_head_of_its_own(ledger: Work, tmp_path: Path) -> None:
    ledger.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), "topic")
    linked = opened(Work(tmp_path / "linked"), pinned="HEAD")
    assert (linked.branch, linked.read().tip.commit) == ("", ledger.head("topic"))


def test_shallow_job_whose_history_ends_before_our_last_commit(job: Work, ledger: Work, tmp_path: Path) -> None:
    for depth, deep_enough in ((1, False), (3, False), (4, True)):
        shallow = clone(Work(tmp_path / "remote.git"), tmp_path / f"depth{depth}", f"--depth={depth}", "--branch=topic")
        shallow.git("checkout", "-q", "--detach")
        repository = opened(shallow, pinned="HEAD")
        assert repository.shallow
        if deep_enough:
            assert repository.read().own_commit == ledger.head("main^")
        else:
            with pytest.raises(TooShallow, match="fetch-depth: 0"):
                repository.read()


def test_pause_path_and_tampering_are_seen(job: Work) -> None:
    job.commit("pause", {PAUSED: "", RECORD: "edited", "ops/restores/o.yaml": "o"}, by("Ben <b@c>"))
    snapshot = opened(job, pinned="HEAD").read()
    assert (snapshot.paused, snapshot.tampered) == (True, (RECORD,))
    below = opened(job, pinned="HEAD", path="ops").read()
    assert (below.own_commit, [blob.path for blob in below.files]) == (None, ["restores/o.yaml"])


def test_records_on_a_branch_of_their_own(work: Work, tmp_path: Path) -> None:
    init(apart(work))
    record(apart(work))
    job = clone(bare_of(work, tmp_path / "r.git"), tmp_path / "job")
    job.git("checkout", "-q", "--detach")
    for branch, pinned in (("", "HEAD"), ("main", "HEAD")):
        if branch:
            job.git("branch", "-q", "-D", "main")
        repository = opened(job, branch=branch, pinned=pinned, status_branch=NAME)
        snapshot = repository.read()
        assert (snapshot.tip.commit, snapshot.own_commit) == (job.head(), job.head(f"origin/{NAME}"))
        assert snapshot.recorded[RECORD] == b"phase: Starting\n"
        assert len(list(repository.changes())) == 2
        with pytest.raises(RepositoryError, match="read-only"):
            record(repository, snapshot=snapshot)
    job.git("branch", NAME, f"origin/{NAME}~1")
    assert RECORD not in opened(job, pinned="HEAD", status_branch=NAME).read().recorded  # the user's own goes first
    assert opened(job, pinned="HEAD", status_branch="none").read().own_commit is None
