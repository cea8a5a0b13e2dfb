"""`reconciler sync`: what wakes it, what it leaves alone, and how it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.fleets import Fleet
from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.daemons import FILES, LONG, OFTEN, SELDOM, Daemon, phases
from tests.scenarios.workspace import Workspace, audited_creates
from tests.telemetry.receivers import receiver


def restored(workspace: Workspace, name: str = "copy", revision: str = "HEAD") -> None:
    wait_for(lambda: phases(workspace, name, revision) == {"Completed"}, LONG, f"Restore {name} to be Completed")


def test_a_commit_wakes_it_and_all_is_recorded(fleet: Fleet, workspace: Workspace) -> None:
    with Daemon(workspace, *SELDOM) as daemon:
        daemon.settled()
        workspace.commit(FILES, "Back up and copy")
        restored(workspace)
        daemon.settled(2)
        for member in fleet.members:
            assert objects.config_maps(member, "daemon-copy").keys() == {"plain", "marked"}
        assert workspace.git("status", "--porcelain") == ""
        daemon.end()


@pytest.mark.case("own-commit")
def test_settled_it_makes_no_commit_no_pass_and_no_call(fleet: Fleet, workspace: Workspace) -> None:
    """Its own commits wake it no more than a file that is not committed (Flux image-automation #52)."""
    workspace.commit(FILES, "Back up and copy")
    with Daemon(workspace, *OFTEN) as daemon:
        restored(workspace)
        daemon.settled()
        time.sleep(2)
        head, passes, said = workspace.head(), daemon.metric("reconciler_pass_duration_seconds_count"), daemon.text
        for member in fleet.members:
            member.stop_apiserver()
        (workspace.root / "restores" / "draft.yaml").write_text(objects.restore("draft", "before"))
        time.sleep(4)
        for member in fleet.members:
            member.start_apiserver()
        assert (workspace.head(), daemon.metric("reconciler_pass_duration_seconds_count")) == (head, passes)
        assert daemon.text == said
        daemon.end()


def test_a_member_that_was_away_is_served_when_it_is_back(fleet: Fleet, workspace: Workspace) -> None:
    away, there = fleet.members
    away.stop_apiserver()
    with Daemon(workspace, *SELDOM) as daemon:
        daemon.settled()
        workspace.commit({"backups/before.yaml": FILES["backups/before.yaml"]}, "Back up")
        wait_for(lambda: "status/backups/default/before.yaml" in workspace.recorded(), LONG, "the record")
        assert workspace.runs("backups", "before").keys() == {away.name, there.name}
        wait_for(lambda: workspace.runs("backups", "before")[there.name]["phase"] == "Completed", LONG, "the other")
        assert workspace.runs("backups", "before")[away.name]["phase"] == "Pending"
        away.start_apiserver()
        wait_for(lambda: workspace.runs("backups", "before")[away.name]["phase"] == "Completed", LONG, "the one away")
        daemon.end()


def test_a_member_that_was_away_at_first_is_asked_until_it_is_there(fleet: Fleet, workspace: Workspace) -> None:
    """Nothing is open there, as far as is known; what an earlier machine left there is known only when it is back."""
    away, _ = fleet.members
    away.stop_apiserver()
    with Daemon(workspace, *SELDOM) as daemon:
        daemon.settled()
        assert daemon.metric("reconciler_member_reachable") == 1
        away.start_apiserver()
        wait_for(lambda: daemon.metric("reconciler_member_reachable") == 2, LONG, "the one away to be reached")
        passes = daemon.metric("reconciler_pass_duration_seconds_count")
        time.sleep(4)
        assert daemon.metric("reconciler_pass_duration_seconds_count") == passes
        daemon.end()


def test_what_ends_and_what_needs_a_person_is_told_once(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> None:
    receivers = tmp_path / "receivers"
    with receiver() as there:
        receivers.write_text(f"{there.url}\n")
        with Daemon(workspace, *SELDOM, "--notify-file", str(receivers)) as daemon:
            daemon.settled()
            workspace.commit(FILES, "Back up and copy")
            restored(workspace)
            wait_for(lambda: len(there.got) == 1, LONG, "a message")
            workspace.commit({"restores/broken.yaml": "kind: Restore\nspec: [\n"}, "Break a file")
            wait_for(lambda: len(there.got) == 2, LONG, "another one")
            daemon.end()
        with Daemon(workspace, *SELDOM, "--notify-file", str(receivers)) as daemon:
            daemon.settled()
            daemon.end()
        ended, refused = there.got
        assert "restore default/copy: Completed on 2 of 2 clusters" in ended["title"]
        assert "refused: 1 error" in refused["title"]
        assert "restores/broken.yaml" in refused["message"]


def test_a_file_with_an_error_stops_no_other(fleet: Fleet, workspace: Workspace) -> None:
    with Daemon(workspace, *SELDOM) as daemon:
        daemon.settled()
        workspace.commit({**FILES, "restores/broken.yaml": "kind: Restore\nspec: [\n"}, "Copy, and break a file")
        restored(workspace)
        assert "restores/broken.yaml" in daemon.wait("refused")["problem"]
        daemon.end()


def test_killed_and_started_again_nothing_runs_twice(fleet: Fleet, workspace: Workspace) -> None:
    workspace.commit({"backups/before.yaml": FILES["backups/before.yaml"]}, "Back up")
    assert workspace.sync().code == 0
    for number in range(3):
        name = f"killed-{number}"
        policy = objects.to_namespace(name)
        workspace.commit({f"restores/{name}.yaml": objects.restore(name, "before", policy=policy)}, "Copy")
        with Daemon(workspace, *SELDOM) as daemon:
            wait_for(lambda name=name: phases(workspace, name), LONG, "the record")  # type: ignore[misc] # bound now
            time.sleep(0.1 * number)
            daemon.kill()
        with Daemon(workspace, *SELDOM) as daemon:
            restored(workspace, name)
            daemon.settled()
            daemon.end()
        for member in fleet.members:
            assert audited_creates(member, "restores").count(f"{member.name}-restore-default-{name}") == 1


def test_the_end_is_in_time_where_a_member_hangs(fleet: Fleet, workspace: Workspace) -> None:
    member = fleet.members[0]
    with Daemon(workspace, *SELDOM) as daemon:
        daemon.settled()
        member.pause_apiserver()
        try:
            workspace.commit(FILES, "Back up and copy")
            time.sleep(1)
            daemon.end()
        finally:
            member.resume_apiserver()


def test_what_can_not_begin_says_why_and_ends(fleet: Fleet, workspace: Workspace) -> None:
    done = workspace.run("sync", "--branch", "elsewhere", "--log-format", "json")
    assert done.code == 2
    last = json.loads(done.err.splitlines()[-1])
    assert last["event"] == "ended by an error"
    assert "elsewhere" in last["error"]
    done = workspace.run("sync", "--leader-elect", *SELDOM)
    assert done.code == 2
    assert "--hub-kubeconfig" in done.text
