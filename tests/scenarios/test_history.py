"""`history` tells from git who asked, what ran where and how it ended, whatever became of the records since."""

from __future__ import annotations

import json
import re

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS, NAMESPACE
from tests.scenarios.workspace import Workspace


def whats(told: str) -> list[tuple[str, str]]:
    """(OBJECT, WHAT) of each row."""
    rows = [re.split(r"\s{3,}", line) for line in told.splitlines()]
    return [(row[1], row[3]) for row in rows[1:]]


def test_all_that_happened_newest_first(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    backed_up.git("switch", "-q", "-c", "ask")
    backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    backed_up.git("switch", "-q", "main")
    backed_up.git("-c", "user.name=Max", "merge", "-q", "--no-ff", "-m", "Merge", "ask")
    assert backed_up.sync().code == 0

    told = backed_up.run("history").out
    assert whats(told) == [
        ("Restore default/back", "Completed on 2 of 2 clusters"),
        ("Restore default/back", "Starting on 2 of 2 clusters"),
        ("Backup default/before", "Completed on 2 of 2 clusters"),
        ("Backup default/before", "Starting on 2 of 2 clusters"),
    ]
    assert told.splitlines()[1].split()[-1] == backed_up.head()[:7]
    merged = backed_up.record("restores", "back")["status"]["mergedBy"]
    assert merged in told.splitlines()[1]
    assert whats(backed_up.run("history", "backups").out) == whats(told)[2:]
    assert whats(backed_up.run("history", "--limit", "1").out) == whats(told)[:1]
    assert backed_up.run("history", "backups", "-n", "other").out == ""
    data = json.loads(backed_up.run("history", "restore", "back", "-o", "json").out)
    assert data["complete"] is True
    newest, oldest = data["items"]
    assert (newest["requestedBy"], newest["mergedBy"]) == ("Ada Asker <ada@example.org>", merged)
    assert [cluster["clusterName"] for cluster in newest["clusters"]] == list(MEMBERS)
    runs = backed_up.runs("restores", "back")
    for cluster in newest["clusters"]:
        assert cluster["phase"] == "Completed"
        assert cluster["backup"] == f"{cluster['clusterName']}-backup-default-before"
        assert cluster["runID"] == runs[cluster["clusterName"]]["runID"]
        assert cluster["items"]["created"] > 0
    assert {cluster["phaseBefore"] for cluster in oldest["clusters"]} == {""}


def test_since(backed_up: Workspace) -> None:
    assert len(whats(backed_up.run("history", "--since", "1 day ago").out)) == 2
    later = backed_up.run("history", "--since", "2090-01-01")
    assert (later.code, later.out, later.err) == (0, "", "nothing is recorded of that since 2090-01-01\n")
    assert backed_up.run("history", "backup", "before", "--since", "2090-01-01").code == 0
    wrong = backed_up.run("history", "--since", "soon")
    assert wrong.code == 2
    assert "can't tell what time --since soon is" in wrong.err


def test_what_was_forgotten_is_still_told(backed_up: Workspace) -> None:
    backed_up.commit({"backups/before.yaml": None}, "No longer needed")
    assert backed_up.run("forget", "backup", "default/before").code == 0
    assert backed_up.run("get", "backup", "before").code == 1
    told = backed_up.run("history", "backup", "before")
    assert told.code == 0, told.text
    assert told.out.splitlines()[0].endswith("  forgotten")
    assert f"  - {MEMBERS[0]}: Starting" in told.out
    none = backed_up.run("history", "backup", "never")
    assert (none.code, none.err) == (
        1,
        "reconciler: no Backup never is recorded in namespace default, nor was it ever\n",
    )


def test_a_record_that_nobody_can_read_is_left_out_with_a_note(backed_up: Workspace) -> None:
    ledger = backed_up.git("log", "-1", "--format=%(trailers:key=Reconciler-Ledger,valueonly)")
    path = "status/backups/default/strange.yaml"
    strange = backed_up.commit({path: "kind: Backup\n"}, f"status: of another version\n\nReconciler-Ledger: {ledger}")
    told = backed_up.run("history")
    assert told.code == 0, told.text
    assert f"note: {strange[:7]}: {path} can't be read by this version, and is left out" in told.err
    assert [name for name, _ in whats(told.out)] == ["Backup default/before"] * 2
    assert json.loads(backed_up.run("history", "-o", "json").out)["complete"] is False


def test_a_shallow_clone_says_that_it_is_one(backed_up: Workspace) -> None:
    root = backed_up.root.parent / "shallow"
    backed_up.git("clone", "-q", "--depth", "2", f"file://{backed_up.root}", str(root))
    shallow = backed_up.at(root)
    told = shallow.run("history")
    assert told.code == 0, told.text
    assert "the clone is shallow" in told.err
    assert "as far as this shallow clone goes" in shallow.run("history", "backup", "never").err
    described = shallow.run("describe", "backup", "before")
    assert described.code == 0, described.text
    assert "has all that this clone holds" in described.out
