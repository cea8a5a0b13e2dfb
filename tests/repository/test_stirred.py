"""What a daemon asks between passes: did the branch move, what to watch; and what it is told of git's doings."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import FetchFailed, PushFailed, TipMoved
from reconciler.repository import Repository, Tracked
from tests.repository.apart import NAME, apart, merge
from tests.repository.builders import Work, clone, init, opened, record

Told = list[tuple[str, str]]


def listening(location: str, told: Told, cache: Path | None = None) -> Repository:
    def timed(operation: str, seconds: float, cause: str) -> None:
        assert seconds >= 0
        told.append((operation, cause))

    return Repository.open(Tracked(location, cache=cache), timed=timed)


@pytest.mark.case("own-commit")
@pytest.mark.parametrize("form", ["local", "upstream", "url"])
def test_stirred_by_others_and_not_by_ourselves(form: str, cloned: Work, remote: Work, tmp_path: Path) -> None:
    if form == "url":
        repository = Repository.open(Tracked(f"file://{remote.top}", cache=tmp_path / "cache"))
    else:
        repository = opened(cloned, local=form == "local")
    assert repository.stirred()
    repository.read()
    assert not repository.stirred()
    init(repository)
    assert not repository.stirred()
    record(repository)
    assert not repository.stirred()
    human = cloned if form == "local" else clone(remote, tmp_path / "human")
    human.commit("theirs", {"restores/theirs.yaml": "x"})
    if form != "local":
        human.git("push", "-q")
    assert repository.stirred()
    assert repository.stirred()
    repository.read()
    assert not repository.stirred()
    place = cloned if form == "local" else remote
    place.git("update-ref", "refs/heads/main", "main~1")
    assert repository.stirred()


def test_dirty_files_stir_nothing(work: Work) -> None:
    repository = opened(work)
    repository.read()
    work.write("restores/new.yaml", "x")
    work.git("add", "-A")
    assert not repository.stirred()


def test_stirred_by_either_branch_of_two(cloned: Work, remote: Work) -> None:
    repository = apart(cloned)
    init(repository)
    assert not repository.stirred()
    remote.git("update-ref", f"refs/heads/{NAME}", "main")
    assert repository.stirred()


def test_stirred_where_the_files_moved_while_the_record_landed(cloned: Work, remote: Work, tmp_path: Path) -> None:
    repository = apart(cloned)
    init(repository)
    snapshot = repository.read()
    merge(remote, tmp_path)
    with pytest.raises(TipMoved):
        record(repository, snapshot=snapshot)
    assert repository.stirred()
    repository.read()
    assert not repository.stirred()


def test_remote_that_is_gone_can_not_be_asked(cloned: Work, remote: Work, tmp_path: Path) -> None:
    repository = opened(cloned)
    repository.read()
    remote.top.rename(tmp_path / "gone")
    with pytest.raises(FetchFailed):
        repository.stirred()


def test_look_at_a_remote_is_one_ls_remote(remote: Work, tmp_path: Path) -> None:
    told: Told = []
    repository = listening(f"file://{remote.top}", told, tmp_path / "cache")
    repository.read()
    told.clear()
    repository.stirred()
    assert told == [("ask", "")]


def test_operations_are_told_with_their_cause(remote: Work, tmp_path: Path) -> None:
    told: Told = []
    repository = listening(f"file://{remote.top}", told, tmp_path / "cache")
    init(repository)
    assert told == [("ask", ""), ("fetch", ""), ("commit", ""), ("push", "")]
    told.clear()
    hook = remote.write("hooks/pre-receive", "#!/bin/sh\necho 'GitLab: Commit message does not follow' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PushFailed):
        record(repository)
    assert told == [("fetch", ""), ("commit", ""), ("push", "hook")]
    hook.unlink()
    told.clear()
    snapshot = repository.read()
    human = clone(remote, tmp_path / "human")
    human.commit("theirs", {"restores/theirs.yaml": "x"})
    human.git("push", "-q")
    with pytest.raises(TipMoved):
        record(repository, snapshot=snapshot)
    assert told == [("fetch", ""), ("commit", ""), ("push", "race")]
    remote.top.rename(tmp_path / "gone")
    told.clear()
    with pytest.raises(FetchFailed):
        repository.read()
    assert told == [("fetch", "permission")]  # file://: not there, or not to be seen


def test_watched_are_the_refs_that_count(cloned: Work, remote: Work, tmp_path: Path) -> None:
    git = cloned.top / ".git"
    heads = {git / "refs/heads", git / "packed-refs", git / "reftable"}
    assert set(opened(cloned, local=True).watched()) == heads
    assert set(opened(cloned).watched()) == heads | {git / "refs/remotes/origin"}
    linked = tmp_path / "linked"
    cloned.git("worktree", "add", "-q", "-b", "other", str(linked))
    assert git / "refs/heads" in opened(Work(linked)).watched()
    assert Repository.open(Tracked(f"file://{remote.top}", cache=tmp_path / "cache")).watched() == ()


def test_what_moves_a_branch_changes_what_is_watched(cloned: Work, remote: Work, tmp_path: Path) -> None:
    def seen() -> set[tuple[str, int]]:
        folders = [path for path in repository.watched() if path.exists()]
        files = [file for path in folders for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
        return {(str(file), file.stat().st_mtime_ns) for file in files}

    repository = opened(cloned)
    before = seen()
    cloned.write("restores/dirty.yaml", "x")
    cloned.git("add", "-A")
    assert seen() == before
    cloned.git("commit", "-q", "-m", "mine")
    committed = seen()
    assert committed != before
    cloned.git("push", "-q")
    assert seen() != committed
