"""Who asked, who merged and who approved: in the record, in the commit, and in what `describe` shows."""

from __future__ import annotations

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import NAMESPACE
from tests.scenarios.workspace import Workspace

ASKER = "Ada Asker <ada@example.org>"
MERGER = "Max Merger <max@example.org>"
APPROVERS = ["Rita Reviewer <rita@example.org>", "Otto Owner <otto@example.org>"]


def test_a_merge_names_who_asked_who_merged_and_who_approved(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    backed_up.git("checkout", "-q", "-b", "bring-back")
    backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    backed_up.git("checkout", "-q", "main")
    message = f"Merge bring-back\n\nReviewed-by: {APPROVERS[0]}\nApproved-by: {APPROVERS[1]}"
    name, mail = MERGER.rstrip(">").split(" <")
    backed_up.git(
        *("-c", f"user.name={name}", "-c", f"user.email={mail}"),
        *("merge", "-q", "--no-ff", "--no-commit", "bring-back"),
    )
    backed_up.git("commit", "-q", "--author", MERGER, "-m", message)
    merge = backed_up.head()

    assert backed_up.sync().code == 0

    status = backed_up.record("restores", "back")["status"]
    assert (status["requestedBy"], status["mergedBy"], status["approvedBy"]) == (ASKER, MERGER, APPROVERS)
    assert status["revision"] == merge
    for commit in ("HEAD", "HEAD~1"):  # Completed, and before it Starting
        trailers = backed_up.git("log", "-1", "--format=%(trailers:only)", commit).splitlines()
        assert [line for line in trailers if line.split(":")[0] in ("Requested-By", "Merged-By", "Approved-By")] == [
            f"Requested-By: {ASKER}",
            f"Merged-By: {MERGER}",
            *(f"Approved-By: {who}" for who in APPROVERS),
        ]
    told = backed_up.run("describe", "restore", "back").out
    assert all(who in told for who in (ASKER, MERGER, *APPROVERS))


def test_a_commit_without_a_merge_names_who_asked_alone(fleet: Fleet, backed_up: Workspace) -> None:
    status = backed_up.record("backups", "before")["status"]
    assert status["requestedBy"] == ASKER
    assert "mergedBy" not in status
    assert "approvedBy" not in status
    assert "Merged-By" not in backed_up.git("log", "-1", "--format=%B")
