"""URLs: a bare mirror of its own, one for all spellings, and safe to set up twice at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import FetchFailed, NoSuchBranch, TipMoved
from reconciler.repository import Repository, Tracked
from tests.repository.builders import RECORD, Work, clone, init, record


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def by_url(remote: Work, cache: Path, suffix: str = "", branch: str = "") -> Repository:
    return Repository.open(Tracked(f"file://{remote.top}{suffix}", branch=branch, cache=cache))


def test_url_is_read_and_recorded_by_a_mirror(remote: Work, cache: Path) -> None:
    repository = by_url(remote, cache)
    assert repository.branch == "main"
    init(repository)
    repository.preflight()
    tip = record(repository)
    assert remote.head("main") == tip.commit
    snapshot = by_url(remote, cache).read()
    assert snapshot.own_commit == tip.commit
    assert snapshot.recorded[RECORD] == b"phase: Starting\n"
    assert snapshot.location == f"file://{remote.top}"
    assert snapshot.unpushed == ()
    assert repository.confirm(snapshot) is not None


@pytest.mark.case("spellings")
def test_spellings_share_one_mirror(remote: Work, cache: Path) -> None:
    by_url(remote, cache).read()
    by_url(remote, cache, "/").read()
    bare = Work(remote.top.with_suffix(""))
    assert by_url(bare, cache).read().files
    assert len(list(cache.glob("*.git"))) == 1


def test_race_on_a_mirror_is_tip_moved(remote: Work, cache: Path, tmp_path: Path) -> None:
    repository = by_url(remote, cache)
    init(repository)
    snapshot = repository.read()
    human = clone(remote, tmp_path / "human")
    theirs = human.commit("theirs", {"restores/t.yaml": "t"})
    human.git("push", "-q")
    with pytest.raises(TipMoved):
        record(repository, snapshot=snapshot)
    assert [blob.path for blob in repository.read().files] == ["restores/minimal.yaml", "restores/t.yaml"]
    record(repository)
    assert remote.head("main^") == theirs


def test_branch_of_a_url(remote: Work, cache: Path) -> None:
    remote.git("branch", "production", "main")
    init(by_url(remote, cache, branch="production"))
    assert remote.head("main") != remote.head("production")
    with pytest.raises(NoSuchBranch, match="there is production"):
        by_url(remote, cache, branch="prodution")


def test_remote_that_is_not_there(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="can't read file://"):
        Repository.open(Tracked(f"file://{tmp_path}/nowhere.git", cache=cache))


def test_mirror_set_up_by_many_at_once(remote: Work, cache: Path) -> None:
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if by_url(remote, cache).read().files else 1
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 6
    assert len(list(cache.glob("*.git"))) == 1


def test_mirror_whose_making_was_cut_short_is_made_again(remote: Work, cache: Path) -> None:
    by_url(remote, cache)
    mirror = next(cache.glob("*.git"))
    (mirror / "reconciler-ready").unlink()
    (mirror / "HEAD").unlink()
    assert by_url(remote, cache).read().files


def test_default_cache_is_that_of_the_user(remote: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Repository.open(Tracked(f"file://{remote.top}"))
    assert len(list((tmp_path / "home/.cache/reconciler").glob("*.git"))) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    Repository.open(Tracked(f"file://{remote.top}"))
    assert len(list((tmp_path / "xdg/reconciler").glob("*.git"))) == 1


def test_state_of_a_mirror_lives_in_it(remote: Work, cache: Path) -> None:
    by_url(remote, cache).save_state({"a": 1})
    assert by_url(remote, cache, "/").load_state() == {"a": 1}
