"""The history of the records: which commits are in it, in which order, and what each changed."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.errors import RepositoryError
from reconciler.repository import FileChange, Repository, Tracked
from tests.repository.apart import NAME, apart
from tests.repository.builders import LEDGER, RECORD, Work, bare_of, by, clone, init, message, new, opened, record

OTHER = "status/restores/default/other.yaml"


NO_DAYS = ("2026-13-45", "2026-02-30", "2026-02-30T10:00:00Z", "2026-01-31 25:61", "30.02.2026", "2026-13", "20261345")


def subjects(repository: Repository, *paths: str, since: str = "", limit: int = 0) -> list[str]:
    return [change.message.partition("\n")[0] for change in repository.changes(paths, since, limit)]


@pytest.fixture
def repository(work: Work) -> Repository:
    """Four own commits, with humans' between and after them."""
    repository = opened(work)
    init(repository)
    record(repository, b"a1\n", subject="one")
    work.commit("human", {"restores/x.yaml": "x"})
    record(repository, b"b1\n", OTHER, subject="two")
    record(repository, b"a2\n", subject="three")
    work.commit("human again", {"README": "x"})
    repository.read()
    return repository


def test_own_commits_newest_first_each_with_what_it_changed(work: Work, repository: Repository) -> None:
    found = list(repository.changes())
    commits = work.git("log", "--format=%H", "--grep=Reconciler-Ledger").split()
    assert [change.commit for change in found] == commits
    assert [change.files for change in found] == [
        (FileChange(RECORD, b"a1\n", b"a2\n"),),
        (FileChange(OTHER, None, b"b1\n"),),
        (FileChange(RECORD, None, b"a1\n"),),
        (FileChange("status/ledger.yaml", None, LEDGER),),
    ]
    assert found[0].author == "Ada <ada@example.org>"
    assert found[0].message == message("three").strip("\n")
    assert not repository.shallow


def test_paths_choose_the_commits_and_the_files_in_them(repository: Repository) -> None:
    both = {RECORD: None, OTHER: b"b2\n"}
    repository.record(repository.read(), both, message("both"))
    assert subjects(repository, RECORD) == ["both", "three", "one"]
    assert subjects(repository, OTHER, "status/ledger.yaml") == ["both", "two", "init"]
    assert subjects(repository, "status/restores/default/") == ["both", "three", "two", "one"]
    assert subjects(repository, "status/restores/default/mini", "status/none") == []
    assert [change.files for change in repository.changes([RECORD], limit=1)] == [(FileChange(RECORD, b"a2\n", None),)]
    assert [len(change.files) for change in repository.changes(limit=1)] == [2]


def test_record_that_moves_is_one_that_goes_and_one_that_comes(repository: Repository) -> None:
    repository.record(repository.read(), {RECORD: None, "status/moved": b"a2\n"}, message("moved"))
    assert next(repository.changes()).files == (
        FileChange("status/moved", None, b"a2\n"),
        FileChange(RECORD, b"a2\n", None),
    )


@pytest.mark.parametrize(
    "path", ["restores/x.yaml", "", "-x", "status/../restores", "/status", "status//x", "status/\n"]
)
def test_path_that_is_none_of_the_records_is_refused_at_once(repository: Repository, path: str) -> None:
    with pytest.raises(ValueError, match="is no path under status/"):
        repository.changes([path])


def test_glob_characters_in_a_path_mean_themselves(repository: Repository) -> None:
    record(repository, b"x", "status/[ab]*.yaml", subject="glob")
    record(repository, b"x", "status/a.yaml", subject="no glob")
    assert subjects(repository, "status/[ab]*.yaml") == ["glob"]


def test_limit_is_the_number_of_own_commits(repository: Repository) -> None:
    assert subjects(repository, limit=2) == ["three", "two"]
    assert len(subjects(repository, limit=99)) == 4


def test_commits_of_humans_are_left_out_even_with_our_trailer(work: Work, repository: Repository) -> None:
    expected = subjects(repository)
    work.commit(message("squashed, with files"), {"restores/y.yaml": "y", RECORD: "phase: Completed\n"})
    work.commit(message("of another ledger", "0000"), {RECORD: "forged"})
    work.commit(message("without the ledger"), {"status/ledger.yaml": None})
    work.commit("tampered", {OTHER: None})
    repository.read()
    assert subjects(repository) == expected
    record(repository, b"b3\n", OTHER, subject="put back")
    assert subjects(repository) == ["put back", *expected]
    assert subjects(repository, RECORD) == ["put back", "three", "one"]
    put_back = next(repository.changes())
    assert {file.path for file in put_back.files} == {RECORD, OTHER, "status/ledger.yaml"}


def test_ledger_of_another_folder_is_left_out(work: Work, repository: Repository) -> None:
    there = opened(work, path="there")
    init(there)
    record(there, b"x\n", subject="there")
    repository.read()
    assert subjects(repository) == ["three", "two", "one", "init"]
    assert subjects(there) == ["there", "init"]
    assert [change.files[0].path for change in there.changes([RECORD])] == [RECORD]


def test_own_commits_on_a_merged_side_are_there(work: Work, repository: Repository) -> None:
    work.git("checkout", "-q", "-b", "side", "HEAD~2")
    work.commit("side", {"restores/side.yaml": "s"})
    work.git("checkout", "-q", "side")
    work.git("merge", "-q", "--no-ff", "-m", "Main is the second parent", "main")
    work.git("branch", "-q", "-f", "main", "side")
    work.git("checkout", "-q", "main")
    record(repository, b"a3\n", subject="four")
    assert subjects(repository) == ["four", "three", "two", "one", "init"]
    assert subjects(repository, RECORD) == ["four", "three", "one"]


def test_both_sides_of_two_ledgers_that_were_merged_are_there(work: Work, tmp_path: Path) -> None:
    init(opened(work))
    other = clone(work, tmp_path / "other")
    for ledger, who in ((opened(work), "mine"), (opened(other, local=True), "theirs")):
        record(ledger, b"x\n", f"status/{who}", subject=who)
        record(ledger, b"same\n", "status/same", subject=f"{who}, same")
    work.git("pull", "-q", "--no-rebase", "--no-edit", str(other.top), "main")
    repository = opened(work, accept_rewrite=True)
    record(repository, subject="after")
    assert set(subjects(repository)) == {"after", "mine", "theirs", "mine, same", "theirs, same", "init"}
    assert {"mine, same", "theirs, same"} <= set(subjects(repository, "status/same"))


def test_repository_without_a_ledger_has_no_changes(work: Work) -> None:
    assert subjects(opened(work)) == []


# ---------------------------------------------------------------- since


@pytest.fixture
def dated(work: Work) -> Repository:
    """Own commits of January, February and March 2026, below a human's whose clock stands at 2001."""
    repository = opened(work)
    for month in (1, 2, 3):
        if month == 1:
            init(repository)
        else:
            record(repository, b"%d" % month, subject=f"{month}")
        at = f"2026-0{month}-15T12:00:00+0130"
        work.git("commit", "-q", "--amend", "--no-edit", f"--date={at}", env=by("Ada <a@b>", at=at))
        for file in (work.top / ".git/reconciler").glob("*.seen"):
            file.unlink()
        work.commit("a slow clock", {"README": f"{month}"}, by("Ben <b@c>", at="2001-01-01T00:00:00Z"))
        repository = opened(work)
    return repository


def test_time_is_the_committers_with_its_zone(dated: Repository) -> None:
    newest = next(dated.changes())
    assert newest.when == datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
    assert newest.when.utcoffset() == timedelta(hours=1, minutes=30)


@pytest.mark.parametrize(
    ("since", "wanted"),
    [
        ("2026-02-15T10:30:00Z", ["3", "2"]),
        ("2026-02-15T12:00:00+01:30", ["3", "2"]),
        ("2026-02-15T10:30:01.5Z", ["3"]),
        ("2026-02-15", ["3", "2"]),  # a date alone begins at midnight, not at this time of day
        ("2026-02-15 00:00", ["3", "2"]),
        ("Feb 20 2026", ["3"]),
        ("20.2.2026", ["3"]),
        ("30 years ago", ["3", "2", "init"]),
        ("1 minute ago", []),
        ("2999-01-01", []),
        ("1969-01-01", ["3", "2", "init"]),
        ("", ["3", "2", "init"]),
    ],
)
def test_since_whatever_clocks_lie_in_between(dated: Repository, since: str, wanted: list[str]) -> None:
    assert subjects(dated, since=since) == wanted


@pytest.mark.parametrize("since", ["-1", "--all", "now\n", "yes\x1bterday", "gibberish", "now", *NO_DAYS])
def test_since_that_is_an_option_or_no_time_is_refused_at_once(repository: Repository, since: str) -> None:
    with pytest.raises(RepositoryError, match="--since"):
        repository.changes(since=since)


def test_since_days_ago(repository: Repository) -> None:
    assert len(subjects(repository, since="2 days ago")) == 4


# ---------------------------------------------------------------- forms of repositories, and size


def test_shallow_clone_gives_what_is_there_and_says_so(work: Work, repository: Repository, tmp_path: Path) -> None:
    remote = bare_of(work, tmp_path / "r.git")
    shallow = opened(clone(remote, tmp_path / "shallow", "--depth=3"))
    assert shallow.shallow
    assert subjects(shallow) == ["three"]  # what "two", at the end, changed can't be told
    bare = opened(remote)
    assert (bare.shallow, subjects(bare)) == (False, ["three", "two", "one", "init"])


def test_mirror_of_a_url(work: Work, repository: Repository, tmp_path: Path) -> None:
    tracked = Tracked(f"file://{bare_of(work, tmp_path / 'r.git').top}", cache=tmp_path / "cache")
    assert subjects(Repository.open(tracked)) == ["three", "two", "one", "init"]


def test_ledger_on_a_branch_of_its_own_which_begins_with_it(work: Work, tmp_path: Path) -> None:
    work.git("config", "log.showRoot", "false")
    repository = apart(work)
    init(repository)
    record(repository, b"a1\n", subject="one")
    work.commit("human", {"README": "x"})
    found = list(repository.changes())
    assert [change.commit for change in found] == work.git("log", "--format=%H", NAME).split()
    assert found[-1].files == (FileChange("status/ledger.yaml", None, LEDGER),)
    record(repository, b"b1\n", OTHER, subject="two")
    remote = bare_of(work, tmp_path / "r.git")
    assert subjects(apart(clone(remote, tmp_path / "shallow", "--depth=2", "--no-single-branch"))) == ["two"]


def test_configuration_of_the_user_changes_nothing(work: Work, repository: Repository) -> None:
    expected = list(repository.changes([RECORD]))
    for key, value in (
        ("log.follow", "true"), ("log.showRoot", "false"), ("log.date", "relative"), ("diff.renames", "copies"),
        ("log.showSignature", "true"), ("color.ui", "always"), ("format.pretty", "oneline"), ("log.decorate", "full"),
        ("diff.noprefix", "true"), ("trailer.separators", "="), ("log.abbrevCommit", "true"),
    ):  # fmt: skip
        work.git("config", key, value)
    assert list(opened(work).changes([RECORD])) == expected


def test_text_that_could_drive_a_terminal_is_cleaned(work: Work) -> None:
    init(opened(work))
    record(opened(work), subject="red \x1b[31m and \x02 \u202e")
    work.git("commit", "-q", "--amend", "--no-edit", "--author=E\x1bve\x01x <e@x>")
    for file in (work.top / ".git/reconciler").glob("*.seen"):
        file.unlink()
    newest = next(opened(work).changes())
    assert newest.author == "E?ve?x <e@x>"
    assert newest.message.startswith("red ?[31m and ? ?\n\na line for each run\n\nReconciler-Ledger: ")


def test_binary_empty_and_large_records(repository: Repository) -> None:
    contents = [b"", b"\0\n missing\n", b"x" * (3 << 20), b"no newline"]
    for content in contents:
        record(repository, content)
    assert [change.files[0].after for change in repository.changes([RECORD], limit=4)] == contents[::-1]


def test_record_that_the_repository_lost_is_an_error_and_not_an_absence(work: Work, repository: Repository) -> None:
    lost = work.head(f"HEAD~4:{RECORD}")
    (work.top / ".git/objects" / lost[:2] / lost[2:]).unlink()
    found = repository.changes()
    with pytest.raises(RepositoryError, match=f"lacks object {lost[:10]}"):
        list(found)


def quick(work: Work, count: int) -> None:
    """Own commits in one process, every other with a human's before it."""
    parts = []
    for number in range(count):
        for text, file in (("human", "README"), (message(f"{number}"), RECORD))[number % 2 :]:
            parts.append(f"commit refs/heads/main\ncommitter A <a@b> {1_700_000_000 + number} +0000\n")
            parts.append(f"data {len(text)}\n{text}\n" + ("from refs/heads/main^0\n" if not parts[1:] else ""))
            content = f"phase: {number}\n"
            parts.append(f"M 100644 inline {file}\ndata {len(content)}\n{content}\n")
    work.git("fast-import", "--quiet", stdin="".join(parts))


def test_five_hundred_own_commits_come_one_by_one_and_quickly(tmp_path: Path) -> None:
    work = new(tmp_path / "many")
    init(opened(work, local=True))
    quick(work, 500)
    repository = opened(work)
    repository.read()
    started = time.monotonic()
    found = list(repository.changes())
    assert time.monotonic() - started < 10  # with a process a commit it would be several times that
    assert len(found) == 501
    assert found[0].files == (FileChange(RECORD, b"phase: 498\n", b"phase: 499\n"),)
    assert found[0].when == datetime.fromtimestamp(1_700_000_499, UTC)
    assert len(list(itertools.islice(repository.changes([RECORD]), 3))) == 3  # one may stop at any time
