"""Who wrote, merged and approved what arrived: merges, squashes, rebases and direct pushes as forges make them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import TooShallow
from reconciler.repository import Arrival
from tests.repository.builders import Work, bare_of, by, clone, new, opened

FILE = "restores/minimal.yaml"
ADA, BEN, CAT = "Ada <ada@example.org>", "Ben <ben@example.org>", "Cat <cat@example.org>"
DAN = "Dan <dan@example.org>"
GITHUB = "GitHub <noreply@github.com>"


def arrival(work: Work, wanted: str = "new", file: str = FILE, path: str = "") -> Arrival:
    def same(content: bytes | None) -> bool:
        return content is not None and content.decode() == wanted

    return opened(work, path=path).arrival(work.head(), file, same)


def topic(work: Work, *commits: tuple[str, str, dict[str, str | bytes | None]]) -> None:
    """Commits (author, message, files) on a branch of their own; main is checked out at the end."""
    work.git("checkout", "-q", "-B", "topic", "main")
    for author, message, files in commits:
        work.commit(message, files, by(author))
    work.git("checkout", "-q", "main")


def merge(work: Work, message: str = "Merge pull request #1", env: dict[str, str] | None = None) -> str:
    work.git("merge", "-q", "--no-ff", "-m", message, "topic", env=env or by(BEN, GITHUB))
    return work.head()


def test_merge_names_the_writer_on_the_merged_side_and_who_merged(work: Work) -> None:
    topic(work, (CAT, "draft", {FILE: "draft"}), (ADA, "new", {FILE: "new"}), (CAT, "beside", {"README": "x"}))
    merged = merge(work)
    work.commit("later", {"README": "later"}, by(CAT))
    found = arrival(work)
    assert (found.commit, found.author, found.merged_by, found.approved_by) == (merged, ADA, BEN, ())


def test_merge_of_a_topic_that_merged_main_names_the_writer_not_who_solved_the_conflict(work: Work) -> None:
    topic(work, (ADA, "draft", {FILE: "draft"}))
    work.commit("on main", {FILE: "main"}, by(DAN))
    work.git("checkout", "-q", "topic")
    work.git("merge", "-q", "--no-commit", "main", check=False)
    work.write(FILE, "new")
    work.git("add", FILE)
    work.git("commit", "-q", "-m", "Merge main into topic", env=by(CAT))
    work.git("checkout", "-q", "main")
    merge(work)
    assert (arrival(work).author, arrival(work).merged_by) == (ADA, BEN)


def test_merge_whose_side_does_not_touch_the_file_names_who_merged(work: Work) -> None:
    topic(work, (ADA, "beside", {"README": "x"}))
    work.git("merge", "-q", "--no-ff", "--no-commit", "topic")
    work.write(FILE, "new")
    work.git("add", FILE)
    work.git("commit", "-q", "-m", "an evil merge", env=by(BEN))
    assert (arrival(work).author, arrival(work).merged_by) == (BEN, BEN)


def test_direct_push_has_no_merger(work: Work) -> None:
    pushed = work.commit("new", {FILE: "new"}, by(ADA))
    found = arrival(work)
    assert (found.commit, found.author, found.merged_by, found.approved_by) == (pushed, ADA, "", ())


@pytest.mark.parametrize(
    ("committer", "merged_by"),
    [
        (GITHUB, ""),
        ("Gitea <No-Reply@gitea.example.org>", ""),
        (BEN, BEN),
        ("ben <1+ben@users.noreply.github.com>", "ben <1+ben@users.noreply.github.com>"),
    ],
)
def test_squash_or_rebase_is_merged_by_its_committer_unless_that_is_the_forge(
    work: Work, committer: str, merged_by: str
) -> None:
    work.commit("new (#1)\n\nReviewed-by: Cat\n", {FILE: "new"}, by(ADA, committer))
    found = arrival(work)
    assert (found.author, found.merged_by, found.approved_by) == (ADA, merged_by, ("Cat",))


def test_approvals_are_those_of_the_merge_each_once_and_none_of_what_it_merged(work: Work) -> None:
    """Who asks writes the commits of the topic, and would approve themselves."""
    work.commit("before\n\nReviewed-by: Before <b@example.org>", {"README": "b"})
    topic(
        work,
        (ADA, f"older\n\nApproved-by: {CAT}\nReviewed-by: Old", {"README": "x"}),
        (ADA, f"new\n\nReviewed-by: {BEN}\n", {FILE: "new"}),
    )
    work.commit("meanwhile on main\n\nReviewed-by: Main <m@example.org>", {"other": "b"})
    merge(
        work,
        f"Merge\n\nSigned-off-by: {ADA}\nreviewed-BY: {CAT}\nAcked-by: Nobody\nApproved-By: Dan: the <boss>\n"
        f"Reviewed-by: {DAN}\n  (folded)\nReviewed-by:\nApproved-by: {CAT}",
    )
    assert arrival(work).approved_by == (CAT, "Dan: the <boss>", f"{DAN} (folded)")
    assert (arrival(work).author, arrival(work).merged_by) == (ADA, BEN)


def test_words_in_the_text_of_a_message_are_no_approval(work: Work) -> None:
    work.commit("new\n\nReviewed-by: nobody yet\n\nThis ends the message.", {FILE: "new"})
    assert arrival(work).approved_by == ()


def test_twenty_approvals_of_two_hundred_printable_characters(work: Work) -> None:
    lines = "".join(f"Reviewed-by: {number} \x1b[31m{'x' * 300}\n" for number in range(30))
    work.commit(f"new\n\n{lines}", {FILE: "new"}, by("Zoë \x1b[1m\x02\u202e <z@example.org>"))
    found = arrival(work)
    assert len(found.approved_by) == 20
    assert found.approved_by[19].startswith("19 ?[31mxxx")
    assert {len(approval) for approval in found.approved_by} == {200}
    assert found.author == "Zoë ?[1m?? <z@example.org>"


def test_separators_of_trailers_and_following_of_renames_are_not_the_users_to_choose(work: Work) -> None:
    work.commit("old", {"restores/old.yaml": "new"}, by(CAT))
    work.git("mv", "restores/old.yaml", "restores/x.yaml")
    moved = work.commit("moved\n\nReviewed-by: Cat", env=by(ADA))
    work.git("config", "trailer.separators", "=")
    work.git("config", "log.follow", "true")
    found = arrival(work, file="restores/x.yaml")
    assert (found.commit, found.author, found.approved_by) == (moved, ADA, ("Cat",))


def test_merge_in_a_folder_of_a_bare_repository(work: Work, tmp_path: Path) -> None:
    topic(work, (ADA, "new", {"ops/restores/[a].yaml": "new"}))
    merge(work, "Merge\n\nReviewed-by: Cat")
    found = arrival(bare_of(work, tmp_path / "bare.git"), file="restores/[a].yaml", path="ops")
    assert (found.author, found.merged_by, found.approved_by) == (ADA, BEN, ("Cat",))


def test_merge_of_several_branches_names_the_writer_on_whichever_side(work: Work) -> None:
    for name, author in (("one", ADA), ("two", CAT)):
        work.git("checkout", "-q", "-b", name, "main")
        work.commit(f"{name}\n\nReviewed-by: {name}", {f"restores/{name}.yaml": "new"}, by(author))
    work.git("checkout", "-q", "main")
    work.git("merge", "-q", "--no-ff", "-m", "both\n\nReviewed-by: Dan", "one", "two", env=by(BEN))
    found = arrival(work, file="restores/two.yaml")
    assert (found.author, found.merged_by, set(found.approved_by)) == (CAT, BEN, {"Dan"})


def test_who_wrote_what_a_shallow_clone_cuts_off_is_not_guessed(tmp_path: Path) -> None:
    """Cut off, an old commit looks as if it had brought every file of the merged side."""
    work = new(tmp_path / "long")
    topic(work, (ADA, "new", {FILE: "new"}), (CAT, "beside", {"x": "x"}), (CAT, "more", {"y": "y"}))
    for number in range(5):
        work.commit(f"on main {number}", {"README": f"{number}"})
    merge(work)
    remote = bare_of(work, tmp_path / "r.git")
    for depth in (2, 3, 4):
        shallow = clone(remote, tmp_path / f"depth{depth}", f"--depth={depth}")
        with pytest.raises(TooShallow, match="git fetch --unshallow"):
            arrival(shallow)
    assert arrival(clone(remote, tmp_path / "depth5", "--depth=5")).author == ADA
    shallow.git("fetch", "-q", "--unshallow")
    assert (arrival(shallow).author, arrival(shallow).merged_by) == (ADA, BEN)
