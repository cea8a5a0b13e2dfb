"""Which commits are ours, rewritten and shallow histories, and when a content arrived."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import HistoryRewritten, RepositoryError, TooShallow
from tests.repository.builders import LEDGER, RECORD, Work, bare_of, clone, init, message, new, opened, record


def test_own_commit_is_found_below_humans_commits_and_merges(work: Work) -> None:
    repository = opened(work)
    init(repository)
    ours = record(repository)
    work.git("checkout", "-q", "-b", "topic")
    work.commit("topic", {"restores/t.yaml": "t"})
    work.git("checkout", "-q", "main")
    newer = record(repository, b"phase: Completed\n")
    work.git("merge", "-q", "--no-ff", "-m", "Merge pull request", "topic")
    snapshot = opened(work).read()
    assert snapshot.own_commit == newer.commit != ours.commit
    assert snapshot.tampered == ()
    assert [blob.path for blob in snapshot.files] == ["restores/minimal.yaml", "restores/t.yaml"]


def test_squash_merge_that_copies_the_trailer_is_not_ours(work: Work) -> None:
    repository = opened(work)
    init(repository)
    ours = record(repository)
    work.commit(message("squashed, with files of humans"), {"restores/x.yaml": "x", RECORD: "phase: Completed\n"})
    snapshot = opened(work).read()
    assert snapshot.own_commit == ours.commit
    assert snapshot.tampered == (RECORD,)


@pytest.mark.parametrize("text", [message("x", "another-id"), "x\n\nReconciler-Ledger: \n", "Reconciler-Ledger: 0d9c"])
def test_commit_with_another_trailer_is_not_ours(work: Work, text: str) -> None:
    repository = opened(work)
    ours = init(repository)
    work.commit(text, {RECORD: "forged"})
    assert opened(work).read().own_commit == ours.commit


def test_commit_of_a_ledger_in_another_folder_is_not_ours(work: Work) -> None:
    here, there = opened(work), opened(work, path="there")
    ours = init(here)
    init(there)
    theirs = record(there)
    assert opened(work).read().own_commit == ours.commit
    assert opened(work, path="there").read().own_commit == theirs.commit


def test_two_merged_ledgers_stop_everything(work: Work, tmp_path: Path) -> None:
    first = init(opened(work))
    other = clone(work, tmp_path / "other")
    mine = record(opened(work), b"mine\n", "status/mine")
    theirs = record(opened(other, local=True), b"theirs\n", "status/theirs")
    work.git("pull", "-q", "--no-rebase", "--no-edit", str(other.top), "main")
    with pytest.raises(RepositoryError, match="two ledgers were merged") as caught:
        opened(work).read()
    assert mine.commit[:10] in str(caught.value)
    assert theirs.commit[:10] in str(caught.value)
    repository = opened(work, accept_rewrite=True)
    newest = repository.read()
    assert newest.own_commit in (mine.commit, theirs.commit)
    assert repository.read().own_commit == newest.own_commit
    record(repository)
    assert first.commit != opened(work).read().own_commit == work.head()


@pytest.mark.case("history", "rewritten", "accepted by a word")
def test_rewritten_history_stops_until_accepted(work: Work) -> None:
    repository = opened(work)
    first = init(repository)
    lost = record(repository)
    work.git("reset", "-q", "--hard", first.commit)
    for each in (repository, opened(work)):
        with pytest.raises(HistoryRewritten, match="--accept-rewrite") as caught:
            each.read()
        assert lost.commit[:10] in str(caught.value)
        assert first.commit[:10] in str(caught.value)
        assert caught.value.exit_code == 2
    accepting = opened(work, accept_rewrite=True)
    assert accepting.read().own_commit == first.commit
    assert opened(work).read().own_commit == first.commit  # remembered
    again = record(accepting)
    work.git("reset", "-q", "--hard", first.commit)
    with pytest.raises(HistoryRewritten, match=again.commit[:10]):
        accepting.read()  # one rewrite was accepted, not every one


def test_a_word_accepts_what_was_there_when_it_was_given_and_nothing_later(work: Work) -> None:
    """A daemon that keeps the option: nobody has looked at the rewrite that comes next week."""
    repository = opened(work, accept_rewrite=True)
    first = init(repository)
    repository.read()
    lost = record(repository)
    work.git("reset", "-q", "--hard", first.commit)
    with pytest.raises(HistoryRewritten, match=lost.commit[:10]):
        repository.read()


def test_rewrite_that_loses_even_the_object_is_found(work: Work) -> None:
    repository = opened(work)
    before = work.head()
    init(repository)
    work.git("reset", "-q", "--hard", before)
    work.git("reflog", "expire", "--expire=now", "--all")
    work.git("gc", "-q", "--prune=now")
    with pytest.raises(HistoryRewritten):
        opened(work).read()
    assert opened(work, accept_rewrite=True).read().own_commit is None
    assert opened(work).read().own_commit is None


@pytest.mark.case("history", "force-pushed")
def test_force_pushed_upstream_is_found(cloned: Work, remote: Work) -> None:
    before = remote.head("main")
    repository = opened(cloned)
    init(repository)
    remote.git("update-ref", "refs/heads/main", before)
    with pytest.raises(HistoryRewritten):
        repository.read()


def test_another_process_that_records_meanwhile_is_no_rewrite(work: Work) -> None:
    reader, writer = opened(work), opened(work)
    init(writer)
    for number in range(5):
        record(writer, b"%d" % number)
        assert reader.read().own_commit == work.head()


def test_rewrite_back_to_the_commit_that_this_process_knows_is_found(work: Work) -> None:
    reader, writer = opened(work), opened(work)
    first = init(writer)
    reader.read()
    record(writer)
    work.git("reset", "-q", "--hard", first.commit)
    with pytest.raises(HistoryRewritten):
        reader.read()


@pytest.mark.case("history", "too shallow", "how to deepen")
def test_shallow_clone_without_an_own_commit_is_too_shallow(work: Work, tmp_path: Path) -> None:
    repository = opened(work)
    init(repository)
    record(repository)
    for number in range(3):
        work.commit(f"human {number}")
    remote = bare_of(work, tmp_path / "r.git")
    shallow = clone(remote, tmp_path / "shallow", "--depth=2")
    with pytest.raises(TooShallow, match="git fetch --unshallow"):
        opened(shallow).read()
    deep = clone(remote, tmp_path / "deep", "--depth=5")
    assert opened(deep).read().recorded[RECORD] == b"phase: Starting\n"
    with pytest.raises(TooShallow, match=r"restores/minimal\.yaml"):
        opened(deep).arrival(work.head(), "restores/minimal.yaml", lambda content: content is not None)
    record(opened(deep), b"phase: Completed\n")
    shallow.git("fetch", "-q", "--unshallow")
    assert opened(shallow).read().recorded[RECORD] == b"phase: Completed\n"


def test_arrival_is_the_first_parent_commit_that_brought_it(work: Work) -> None:
    file = "restores/minimal.yaml"
    wanted = b"attempt: 2\n"

    def same(content: bytes | None) -> bool:
        return content is not None and wanted.strip() in content

    work.git("checkout", "-q", "-b", "topic")
    work.commit("in the pull request", {file: wanted})
    work.git("checkout", "-q", "main")
    work.commit("unrelated", {"README": "x"})
    work.git("merge", "-q", "--no-ff", "-m", "Merge", "topic")
    merged = work.head()
    work.commit("a comment", {file: "# more\nattempt: 2\n"})
    work.commit("unrelated again", {"README": "y"})
    arrival = opened(work).arrival(work.head(), file, same)
    assert arrival.commit == merged
    work.commit("withdrawn", {file: "attempt: 1\n"})
    back = work.commit("asked again", {file: wanted})
    assert opened(work).arrival(work.head(), file, same).commit == back
    assert opened(work).arrival(merged, file, same).commit == merged
    work.commit("gone", {file: None})
    returned = work.commit("returned", {file: wanted})
    assert opened(work).arrival(work.head(), file, same).commit == returned


def test_arrival_in_the_first_commit_with_author_and_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Zoë: a <b>")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-02T03:04:05+02:00")
    work = new(tmp_path / "dated")
    arrival = opened(work).arrival(work.head(), "restores/minimal.yaml", lambda content: content is not None)
    assert arrival.commit == work.head()
    assert arrival.author == "Zoë: a b <ada@example.org>"
    assert arrival.when == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)


def test_arrival_of_a_file_that_nobody_touched(work: Work) -> None:
    with pytest.raises(RepositoryError, match="no commit"):
        opened(work).arrival(work.head(), "restores/none.yaml", lambda content: content is None)


def test_arrival_under_a_path_with_glob_characters(work: Work) -> None:
    work.commit("glob", {"ops/restores/[a]*.yaml": "x"})
    there = work.head()
    work.commit("decoy", {"ops/restores/a.yaml": "x"})
    found = opened(work, path="ops").arrival(work.head(), "restores/[a]*.yaml", lambda content: content == b"x")
    assert found.commit == there


def test_symlink_counts_as_not_there_for_arrival(work: Work) -> None:
    (work.top / "restores/l.yaml").symlink_to("minimal.yaml")
    work.git("add", ".")
    work.commit("link")
    (work.top / "restores/l.yaml").unlink()
    real = work.commit("file", {"restores/l.yaml": "x"})
    assert opened(work).arrival(real, "restores/l.yaml", lambda content: content is not None).commit == real


def test_replace_refs_do_not_change_what_is_read(work: Work) -> None:
    repository = opened(work)
    init(repository)
    ours = record(repository)
    fake = work.git("commit-tree", "HEAD^{tree}", "-m", "fake")
    work.git("replace", ours.commit, fake)
    for file in (work.top / ".git/reconciler").glob("*.seen"):
        file.unlink()  # so that it is searched for
    assert opened(work).read().own_commit == ours.commit
    assert opened(work).read().recorded["status/ledger.yaml"] == LEDGER
