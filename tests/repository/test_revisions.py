"""Any revision read by its name, and the file that pauses a repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import RepositoryError
from reconciler.repository import PAUSED, Blob, Repository, Tracked
from tests.repository.builders import RECORD, Work, bare_of, clone, init, new, opened, record


def paths(blobs: tuple[Blob, ...]) -> list[str]:
    return [blob.path for blob in blobs]


def paused(work: Work, path: str = "") -> bool:
    """As the snapshot has it, and as the same commit read by its name has it."""
    repository = opened(work, path=path)
    snapshot = repository.read()
    assert repository.at(snapshot.tip.commit).paused == snapshot.paused
    return snapshot.paused


# ---------------------------------------------------------------- a pause


def test_paused_at_the_root_pauses_every_path(work: Work) -> None:
    work.commit("a team", {"ops/restores/x.yaml": "x"})
    assert not paused(work)
    work.commit("pause", {PAUSED: ""})
    assert paused(work)
    assert paused(work, "ops")
    assert paused(work, "not/there/yet")
    work.commit("go on", {PAUSED: None})
    assert not paused(work)


def test_paused_in_a_path_pauses_that_path_alone(work: Work) -> None:
    work.commit("pause", {f"ops/dr/{PAUSED}": "while we look into it\n"})
    assert paused(work, "ops/dr")
    assert not paused(work)
    assert not paused(work, "ops")
    assert not paused(work, "dev")


@pytest.mark.parametrize("name", [f"{PAUSED}.yaml", f"restores/{PAUSED}", f"x{PAUSED}", ".Reconciler-Paused"])
def test_what_is_called_otherwise_or_lies_elsewhere_pauses_nothing(work: Work, name: str) -> None:
    work.commit("no pause", {name: ""})
    assert not paused(work)


def test_folder_symlink_and_submodule_of_that_name_pause_too(tmp_path: Path) -> None:
    inner = new(tmp_path / "inner")
    for kind in ("folder", "symlink", "submodule"):
        work = new(tmp_path / kind)
        if kind == "folder":
            work.write(f"{PAUSED}/.gitkeep", "")
        elif kind == "symlink":
            (work.top / PAUSED).symlink_to("nowhere")
        else:
            work.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.top), PAUSED)
        work.git("add", ".")
        work.commit(kind)
        assert paused(work), kind


def test_pause_counts_once_it_is_on_the_tracked_branch(cloned: Work, remote: Work) -> None:
    repository = opened(cloned)
    init(repository)
    assert not repository.read().paused
    cloned.write(PAUSED, "")
    assert not repository.read().paused  # not committed
    cloned.commit("pause", {PAUSED: ""})
    assert not repository.read().paused  # not pushed
    cloned.git("push", "-q")
    assert repository.read().paused
    record(repository)
    assert remote.show(PAUSED, "main") == ""
    assert repository.read().paused  # our own commit is known without reading it
    assert paths(repository.read().files) == ["restores/minimal.yaml"]


# ---------------------------------------------------------------- revisions


@pytest.fixture
def grown(work: Work) -> Work:
    """Main with a tag `v1` at the first commit and a file more after it, and a branch `topic` with another."""
    work.git("tag", "-a", "-m", "one", "v1")
    work.git("checkout", "-q", "-b", "topic")
    work.commit("topic", {"restores/topic.yaml": "t", "README": "t"})
    work.git("checkout", "-q", "main")
    work.commit("main", {"restores/more.yaml": "m"})
    return work


def test_revisions_by_every_kind_of_name(grown: Work) -> None:
    repository = opened(grown)
    at_main = ["restores/minimal.yaml", "restores/more.yaml"]
    for name in ("HEAD", "main", "refs/heads/main", grown.head(), grown.head()[:10]):
        found = repository.at(name)
        assert (found.commit, paths(found.files), found.paused) == (grown.head(), at_main, False)
    for name in ("v1", "HEAD^", "HEAD~1", "main@{1}"):
        assert paths(repository.at(name).files) == ["restores/minimal.yaml"]
    topic = repository.at("topic")
    assert topic.commit == grown.head("topic")
    assert topic.files[1] == Blob("restores/topic.yaml", b"t")


def test_revision_has_the_rules_of_a_snapshot_and_reads_no_records(grown: Work) -> None:
    init(opened(grown))
    record(opened(grown))
    (grown.top / "restores/link.yaml").symlink_to("minimal.yaml")
    grown.git("add", ".")
    grown.commit("link", {"restores/large.yaml": b"x" * ((1 << 20) + 1), "ops/restores/o.yaml": "o"})
    repository = opened(grown)
    found = repository.at("HEAD")
    assert found.files == repository.read().files
    assert len([blob for blob in found.files if blob.problem]) == 2
    assert RECORD not in paths(found.files)
    assert paths(opened(grown, path="ops").at("HEAD").files) == ["restores/o.yaml"]


def test_revision_tells_which_records_were_changed_by_hand(grown: Work) -> None:
    repository = opened(grown)
    init(repository)
    record(repository)
    ours = grown.head()
    by_hand = grown.commit("by hand", {RECORD: "mine", "status/more.yaml": "x", "README": "x"})
    assert repository.at(ours).edited == repository.at("topic").edited == ()
    assert repository.at(by_hand).edited == ("status/more.yaml", RECORD)
    assert opened(grown, path="ops").at(by_hand).edited == ()


def test_path_that_is_no_folder_is_an_error_at_a_revision_too(grown: Work) -> None:
    with pytest.raises(RepositoryError, match="is no folder"):
        opened(grown, path="README").at("HEAD")
    assert opened(grown, path="later").at("HEAD").files == ()


@pytest.mark.parametrize("name", ["", "-x", "--all", "--end-of-options", "main\n", "ma\x1bin", "main\0"])
def test_revision_that_would_be_an_option_or_cannot_be_shown_is_refused(grown: Work, name: str) -> None:
    with pytest.raises(RepositoryError, match="is refused"):
        opened(grown).at(name)


@pytest.mark.parametrize(
    "name",
    ["nothing", "f" * 40, "deadbeef", "HEAD..topic", "^HEAD", "HEAD^{tree}", "HEAD:README", "ma in", "@{1000}", "^"],
)
def test_revision_that_is_no_commit_is_not_there(grown: Work, name: str) -> None:
    with pytest.raises(RepositoryError, match=r"no revision .*; fetch it"):
        opened(grown).at(name)


def test_password_in_a_revision_is_not_shown(grown: Work) -> None:
    with pytest.raises(RepositoryError) as caught:
        opened(grown).at("https://me:hunter2@host/x")
    assert "hunter2" not in str(caught.value)


def test_branch_of_the_remote_by_its_tracking_ref_and_by_its_name(grown: Work, tmp_path: Path) -> None:
    cloned = clone(bare_of(grown, tmp_path / "r.git"), tmp_path / "c")
    repository = opened(cloned)
    for name in ("origin/topic", "topic", "refs/remotes/origin/topic"):
        assert repository.at(name).commit == grown.head("topic")
    cloned.git("branch", "topic", "v1")
    assert repository.at("topic").commit == grown.head("v1^{commit}")  # the user's own branch goes first


def test_bare_repository(grown: Work, tmp_path: Path) -> None:
    repository = opened(bare_of(grown, tmp_path / "bare.git"))
    assert repository.at("HEAD").commit == grown.head()
    assert paths(repository.at("topic").files) == ["restores/minimal.yaml", "restores/topic.yaml"]


def test_mirror_of_a_url_is_fetched_first_and_its_branch_is_the_remotes(grown: Work, tmp_path: Path) -> None:
    remote = bare_of(grown, tmp_path / "r.git")
    tracked = Tracked(f"file://{remote.top}", cache=tmp_path / "cache")
    for name in ("HEAD", "main", "origin/main", grown.head(), "origin/main~1"):
        wanted = grown.head("HEAD~1" if name.endswith("~1") else "HEAD")
        assert Repository.open(tracked).at(name).commit == wanted


def test_another_branch_or_a_tag_of_a_url_is_fetched_by_its_name_each_time_anew(grown: Work, tmp_path: Path) -> None:
    remote = bare_of(grown, tmp_path / "r.git")
    grown.git("remote", "add", "r", str(remote.top))
    grown.git("push", "-q", "r", "topic:refs/pull/1/head")
    tracked = Tracked(f"file://{remote.top}", cache=tmp_path / "cache")
    for name in ("topic", "origin/topic", "refs/heads/topic", "refs/pull/1/head", grown.head("topic")):
        assert Repository.open(tracked).at(name).commit == grown.head("topic")
    for name in ("v1", "refs/tags/v1", "topic~1", "topic^"):
        assert Repository.open(tracked).at(name).commit == grown.head("v1^{commit}")
    assert opened(grown).fork("main", "topic") == Repository.open(tracked).fork("main", "topic")
    grown.git("checkout", "-q", "topic")
    moved = grown.commit("moved", {"restores/topic.yaml": "u"})
    grown.git("push", "-q", "r", "topic")
    repository = Repository.open(tracked)
    assert repository.at("topic").commit == moved
    (mirror,) = (tmp_path / "cache").glob("*.git")
    followed = Work(mirror).git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes", "refs/tags")
    assert followed == "refs/remotes/origin/main", "nothing that anybody follows"
    assert repository.read().tip.commit == grown.head("main")


@pytest.mark.parametrize(
    "name", ["nothing", "f" * 40, "deadbeef", "main..topic", "HEAD:README", "ma in", "a:b", "^", "*"]
)
def test_what_a_url_has_not_is_said_with_what_to_do(grown: Work, tmp_path: Path, name: str) -> None:
    remote = bare_of(grown, tmp_path / "r.git")
    repository = Repository.open(Tracked(f"file://{remote.top}", cache=tmp_path / "cache"))
    with pytest.raises(RepositoryError, match=r"no branch, tag or commit .*; push it, or plan in a clone"):
        repository.at(name)
    with pytest.raises(RepositoryError, match="is refused"):
        repository.at("--upload-pack=x")
