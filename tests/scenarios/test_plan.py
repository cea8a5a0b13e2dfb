"""What `plan` shows before a sync: what would be pinned, what waits and for what, what is skipped, held and refused.

That it is what the sync then does, `agreement.py` checks around every sync of the suite.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace

FIRST, SECOND = MEMBERS
COPY = objects.to_namespace("copied")
Steps = dict[tuple[str, str], dict[str, Any]]


def planned(workspace: Workspace, *options: str, code: int = 1) -> dict[str, Any]:
    """What `plan -o json` printed."""
    done = workspace.run("plan", "-o", "json", *options)
    assert done.code == code, done.text
    data: dict[str, Any] = json.loads(done.out)
    assert data["exitCode"] == code
    return data


def steps(data: dict[str, Any]) -> Steps:
    """By object and cluster."""
    return {
        (f"{item['kind']} {item['name']}", step["clusterName"]): step
        for item in data["items"]
        for step in item["clusters"]
    }


def actions(data: dict[str, Any], name: str) -> dict[str, tuple[str, str]]:
    """What would become of one object on each cluster, and why."""
    return {cluster: (s["action"], s["reason"]) for (what, cluster), s in steps(data).items() if what == name}


def everywhere(action: str, reason: str = "") -> dict[str, tuple[str, str]]:
    return dict.fromkeys(MEMBERS, (action, reason))


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_nothing_to_do(backed_up: Workspace) -> None:
    data = planned(backed_up, code=0)
    assert actions(data, "Backup before") == everywhere("skip")
    step = steps(data)["Backup before", FIRST]
    again = "to run it again raise spec.attempt with rerun: All, or add a new Backup"
    assert step["message"] == f"Completed in attempt 1; {again}"
    text = backed_up.run("plan").out
    assert text.splitlines()[-1] == "Plan: nothing to do."
    assert f"Backup default/before: skipped on 2 of 2 clusters: Completed in attempt 1; {again}" in text


def test_the_backup_that_would_be_pinned_its_age_its_size_and_how_long_it_is_kept(
    fleet: Fleet, backed_up: Workspace
) -> None:
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    found = steps(planned(backed_up))
    for member in fleet.members:
        (backup,) = member.backups()
        told = found["Restore copy", member.name]
        assert told["action"] == "start"
        assert told["objectName"] == f"{member.name}-restore-default-copy"
        assert told["backup"].pop("ageSeconds") in range(600)
        assert told["backup"] == {
            "name": backup["metadata"]["name"],
            "startTimestamp": backup["status"]["startTimestamp"],
            "completionTimestamp": backup["status"]["completionTimestamp"],
            "items": backup["status"]["progress"]["totalItems"],
            "expiration": backup["status"]["expiration"],
        }
    head, *rows = words(backed_up.run("plan").out)
    assert head == ["CLUSTER", "OBJECT", "ACTION", "BACKUP", "AGE", "ITEMS", "EXPIRES", "IN"]
    name = f"{FIRST}-backup-default-before"
    (row,) = [row for row in rows if row[:1] == [FIRST]]
    assert row[:5] == [FIRST, "Restore", "default/copy", "start", name]
    assert re.fullmatch(r"\d+m?\d*s", row[5])
    assert row[-1].startswith("29d23h")
    assert ["Plan:", "2", "to", "start."] in rows
    assert [member.restores() for member in fleet.members] == [[], []]


def test_what_waits_and_for_what(fleet: Fleet, workspace: Workspace) -> None:
    fleet.members[0].stop_apiserver()
    workspace.commit(
        {
            "backups/late.yaml": objects.backup("late"),
            "restores/copy.yaml": objects.restore("copy", "late", policy=COPY),
            "restores/old.yaml": objects.restore("old", "late").replace(
                "backupName: late", f"source: {{backup: gone}}\n  {objects.only(SECOND)}"
            ),
        },
        "Back up, and restore from it",
    )
    data = planned(workspace)
    assert actions(data, "Backup late") == {FIRST: ("wait", "Unreachable"), SECOND: ("start", "")}
    assert actions(data, "Restore copy")[SECOND] == ("start after its backup", "BackupRunning")
    assert actions(data, "Restore copy")[FIRST][0] == "wait"
    assert actions(data, "Restore old") == {SECOND: ("wait", "BackupNotFound")}
    assert "can't be reached" in steps(data)["Backup late", FIRST]["message"]
    text = workspace.run("plan").out
    assert "Plan: 1 to start, 1 to start after their backup, 3 waiting." in text
    assert "Unreachable: " in text
    assert "Backup gone is not on this cluster" in text


def test_what_is_skipped_held_or_refused_and_why(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    assert backed_up.sync().code == 0
    for member in fleet.members:
        path = f"/apis/velero.io/v1/namespaces/velero/backups/{member.name}-backup-default-before"
        member.stop_velero()  # or its garbage collection would delete it
        member.api.patch_merge(path, {"status": {"expiration": "2020-01-01T00:00:00Z"}})
    backed_up.commit(
        {
            "restores/expired.yaml": objects.restore("expired", "before", policy=COPY),
            "restores/held.yaml": objects.restore("held", "before", more="suspend: true", policy=COPY),
            "restores/wrong.yaml": objects.restore("wrong", "befor"),
        },
        "One that can't be, one that is not to be yet, one that is wrong",
    )
    data = planned(backed_up)
    assert actions(data, "Restore copy") == everywhere("skip")
    assert "raise spec.attempt with rerun: All" in steps(data)["Restore copy", FIRST]["message"]
    assert actions(data, "Restore expired") == everywhere("refuse", "BackupExpired")
    assert actions(data, "Restore held") == everywhere("hold", "Suspended")
    (problem,) = data["problems"]
    assert "restores/wrong.yaml:5" in problem
    done = backed_up.run("plan")
    assert "refused: restores/wrong.yaml:5" in done.out
    assert "Plan: 2 to hold, 2 to refuse, 1 problem in files." in done.out
    assert "expired at 2020-01-01T00:00:00Z" in done.out


def test_an_edit_in_vain_is_told(backed_up: Workspace) -> None:
    edited = objects.backup("before", policy="ttl: 1h")
    backed_up.commit({"backups/before.yaml": edited}, "Edit what ran")
    data = planned(backed_up)
    assert "raise spec.attempt to run it as it is now" in data["items"][0]["why"]
    assert "Plan: 1 edit without effect." in backed_up.run("plan").out


def test_schedules_made_changed_and_removed(fleet: Fleet, workspace: Workspace) -> None:
    workspace.commit({"backups/nightly.yaml": objects.scheduled()}, "Every night")
    data = planned(workspace)
    assert actions(data, "Backup nightly") == everywhere("create")
    assert data["items"][0]["nextRun"].endswith("T03:00:00Z")
    assert {step["objectKind"] for step in steps(data).values()} == {"Schedule"}
    assert "Plan: 2 Schedules to create." in workspace.run("plan").out
    assert workspace.sync().code == 0
    assert actions(planned(workspace, code=0), "Backup nightly") == everywhere("skip")
    workspace.commit({"backups/nightly.yaml": objects.scheduled(at="0 4 * * *")}, "An hour later")
    data = planned(workspace)
    assert actions(data, "Backup nightly") == everywhere("update")
    assert data["items"][0]["edits"] == [{"field": "schedule", "from": "0 3 * * *", "to": "0 4 * * *"}]
    assert workspace.sync().code == 0
    workspace.commit({"backups/nightly.yaml": None}, "No more")
    data = planned(workspace)
    assert actions(data, "Backup nightly") == everywhere("remove")
    assert "nextRun" not in data["items"][0]
    assert "Plan: 2 Schedules to remove." in workspace.run("plan").out
    assert len(fleet.members[0].api.list("/apis/velero.io/v1/namespaces/velero/schedules")) == 1


def test_a_paused_repository(backed_up: Workspace) -> None:
    asked = objects.restore("copy", "before", policy=COPY)
    backed_up.commit({"restores/copy.yaml": asked, ".reconciler-paused": ""}, "Copy, but not now")
    data = planned(backed_up)
    assert data["paused"] is True
    assert actions(data, "Restore copy") == everywhere("hold", "Paused")
    assert "The repository is paused (.reconciler-paused): nothing new starts." in backed_up.run("plan").out


def test_records_that_were_changed_by_hand_would_be_put_back(backed_up: Workspace) -> None:
    backed_up.commit({"status/backups/default/before.yaml": None}, "Make it run again")
    data = planned(backed_up)
    assert data["putBack"] == ["status/backups/default/before.yaml"]
    assert actions(data, "Backup before") == everywhere("skip")
    assert "Plan: 1 record to put back." in backed_up.run("plan").out


@pytest.mark.parametrize("options", [("--revision", "nowhere"), ("--base", "nowhere"), ("--branch", "nowhere")])
def test_what_is_not_there_is_an_error(backed_up: Workspace, options: tuple[str, str]) -> None:
    done = backed_up.run("plan", *options)
    assert done.code == 2
    assert "nowhere" in done.err
    assert done.out == ""


def test_neither_the_guard_against_rewritten_history_nor_anything_else_is_changed(backed_up: Workspace) -> None:
    """What a plan was told to accept, the sync is still to be told."""
    backed_up.git("reset", "-q", "--hard", "HEAD~2")
    assert backed_up.run("plan").code == 2
    assert backed_up.run("plan", "--accept-rewrite").code == 1
    refused = backed_up.sync()
    assert refused.code == 2
    assert "--accept-rewrite" in refused.err
