"""`reconciler sync` on a remote: asked and told where it stands, away and back, and the mirror of it."""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import time
from pathlib import Path

import pytest
import requests

from tests.fleets import Fleet
from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.daemons import FILES, LONG, OFTEN, SELDOM, Daemon, phases
from tests.scenarios.workspace import Workspace, audited_creates


@pytest.fixture
def hub(workspace: Workspace, tmp_path: Path) -> tuple[Workspace, str]:
    """A bare repository on a server's disk, with a clone of a person, by path and by URL."""
    bare = tmp_path / "server.git"
    workspace.git("clone", "-q", "--bare", str(workspace.root), str(bare))
    person = workspace.at(bare).clone(tmp_path / "person")
    return person, bare.as_uri()


def push(person: Workspace, files: dict[str, str], message: str) -> None:
    """As a person does while the daemon writes, too."""
    person.git("pull", "-q", "--rebase")
    person.commit(files, message)
    person.git("push", "-q")


def pulled(person: Workspace, name: str = "copy") -> None:
    def done() -> bool:
        person.git("fetch", "-q")
        return phases(person, name, "origin/main") == {"Completed"}

    wait_for(done, LONG, f"Restore {name} to be Completed", every=0.3)


def test_a_url_is_polled(fleet: Fleet, hub: tuple[Workspace, str]) -> None:
    person, url = hub
    with Daemon(person, "--repo", url, *OFTEN) as daemon:
        daemon.settled()
        push(person, FILES, "Back up and copy")
        pulled(person)
        daemon.settled(2)
        time.sleep(2)
        asked, passes = (
            daemon.metric("reconciler_git_operation_duration_seconds_count"),
            daemon.metric("reconciler_pass_duration_seconds_count"),
        )
        time.sleep(3)
        assert daemon.metric("reconciler_git_operation_duration_seconds_count") > asked  # it asks where the branch is
        assert daemon.metric("reconciler_pass_duration_seconds_count") == passes  # and does nothing about it
        daemon.end()


def test_a_webhook_wakes_it_and_a_stranger_does_not(fleet: Fleet, hub: tuple[Workspace, str], tmp_path: Path) -> None:
    person, url = hub
    secret = tmp_path / "secret"
    secret.write_text("much too secret\n")
    with Daemon(person, "--repo", url, *SELDOM, "--webhook-secret-file", str(secret)) as daemon:
        daemon.settled()
        push(person, FILES, "Back up and copy")
        body = b'{"ref": "refs/heads/main"}'
        strange = requests.post(f"{daemon.address}/hook", data=body, timeout=5)
        assert strange.status_code == 401
        time.sleep(1)
        assert len(daemon.events("records committed")) == 0
        assert called(daemon, b"much too secret") == 202
        pulled(person)
        daemon.end()
        assert "much too secret" not in daemon.text


def test_a_git_server_that_is_away_is_said_once_and_waited_for(
    fleet: Fleet, hub: tuple[Workspace, str], tmp_path: Path
) -> None:
    person, url = hub
    server, away = tmp_path / "server.git", tmp_path / "away.git"
    with Daemon(person, "--repo", url, *OFTEN) as daemon:
        daemon.settled()
        assert requests.get(f"{daemon.address}/readyz", timeout=5).status_code == 200
        server.rename(away)
        daemon.wait("pass failed")
        assert requests.get(f"{daemon.address}/readyz", timeout=5).status_code == 503
        assert requests.get(f"{daemon.address}/healthz", timeout=5).status_code == 200
        time.sleep(3)
        assert len(daemon.events("pass failed")) == 1
        away.rename(server)
        daemon.wait("passes succeed again")
        push(person, FILES, "Back up and copy")
        pulled(person)
        daemon.end()


def test_a_push_that_is_refused_is_said_once_and_nothing_is_started(
    fleet: Fleet, hub: tuple[Workspace, str], tmp_path: Path
) -> None:
    person, url = hub
    before = {member.name: len(audited_creates(member, "backups")) for member in fleet.members}
    with Daemon(person, "--repo", url, *OFTEN) as daemon:
        daemon.settled()
        push(person, FILES, "Back up and copy")
        pulled(person)
        daemon.settled(2)
        created = {member.name: len(audited_creates(member, "backups")) for member in fleet.members}
        assert created == {name: count + 1 for name, count in before.items()}
        hook = tmp_path / "server.git" / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(
            '#!/bin/sh\n[ -z "$(git log --no-walk --grep=Reconciler-Ledger $3)" ] || { echo Policy 7 >&2; exit 1; }\n'
        )
        hook.chmod(0o755)
        push(person, {"backups/later.yaml": objects.backup("later")}, "Back up later")
        told = daemon.wait("pass failed")
        assert told["cause"] == "hook"
        assert "Policy 7" in told["error"]
        wait_for(lambda: rejected(daemon) >= 3, LONG, "three tries")
        assert len(daemon.events("pass failed")) == 1
        done = person.run("sync", "--once", "--repo", url)
        assert done.code == 2
        assert "Policy 7" in done.text
        assert {member.name: len(audited_creates(member, "backups")) for member in fleet.members} == created
        hook.unlink()
        daemon.wait("passes succeed again")
        daemon.settled(3)
        for member in fleet.members:
            assert len(audited_creates(member, "backups")) == created[member.name] + 1
        daemon.end()


def rejected(daemon: Daemon) -> float:
    """How many pushes a hook refused, as the metrics say."""
    page = requests.get(f"{daemon.address}/metrics", timeout=5).text.splitlines()
    fitting = [line for line in page if line.startswith("reconciler_git_rejections_total{") and 'cause="hook"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in fitting if 'operation="push"' in line)


def called(daemon: Daemon, secret: bytes, branch: str = "main") -> int:
    """By a forge, as after a push to that branch; what it was answered."""
    body = f'{{"ref": "refs/heads/{branch}"}}'.encode()
    headers = {"X-Hub-Signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"}
    return requests.post(f"{daemon.address}/hook", data=body, headers=headers, timeout=5).status_code


def test_a_webhook_speaks_of_the_branch_as_the_remote_calls_it(
    fleet: Fleet, hub: tuple[Workspace, str], tmp_path: Path
) -> None:
    """The clone's `main` follows `production`: a push to that is heeded, and one to another `main` is not."""
    clone, _ = hub
    clone.git("push", "-q", "origin", "main:production")
    clone.git("branch", "-q", "--set-upstream-to=origin/production", "main")
    person = clone.at(tmp_path / "server.git").clone(tmp_path / "other")
    person.git("switch", "-q", "--track", "origin/production")
    (tmp_path / "secret").write_text("hush")
    with Daemon(clone, *SELDOM, "--webhook-secret-file", str(tmp_path / "secret")) as daemon:
        daemon.settled()
        push(person, FILES, "Back up and copy")
        assert called(daemon, b"hush", "main") == 200
        assert called(daemon, b"hush", "production") == 202
        wait_for(lambda: phases(clone, "copy", "origin/production") == {"Completed"}, LONG, "the Restore")
        daemon.end()


def test_what_fails_is_tried_ever_more_seldom_and_at_once_when_it_can_be_asked(
    fleet: Fleet, hub: tuple[Workspace, str], tmp_path: Path
) -> None:
    """Asking rests as passes do; an answer ends the trouble, though the branch stands where it stood."""
    person, url = hub
    server, away, secret = tmp_path / "server.git", tmp_path / "away.git", tmp_path / "secret"
    secret.write_text("much too secret")
    with Daemon(person, "--repo", url, *OFTEN, "--webhook-secret-file", str(secret)) as daemon:
        daemon.settled()
        server.rename(away)
        daemon.wait("pass failed")
        began, tries = time.monotonic(), daemon.metric("reconciler_git_operation_duration_seconds_count")
        wait_for(
            lambda: daemon.metric("reconciler_git_operation_duration_seconds_count") >= tries + 3, LONG, "three more"
        )
        assert time.monotonic() - began > 8  # after 2, 3 and 4.5 s, give or take a tenth
        away.rename(server)
        back = time.monotonic()
        assert called(daemon, b"much too secret") == 202
        daemon.wait("passes succeed again")
        assert time.monotonic() - back < 5  # the next try would have come after 6 s
        assert requests.get(f"{daemon.address}/readyz", timeout=5).status_code == 200
        daemon.end()


def test_a_git_server_that_is_away_from_the_start_is_said_once_and_waited_for(
    fleet: Fleet, hub: tuple[Workspace, str], tmp_path: Path
) -> None:
    person, url = hub
    server, away = tmp_path / "server.git", tmp_path / "away.git"
    server.rename(away)
    with Daemon(person, "--repo", url, *OFTEN) as daemon:
        told = daemon.wait("repository not opened")
        assert 1.8 <= told["again_in_seconds"] <= 2.2
        assert told["cause"] == "permission"
        wait_for(lambda: daemon.metric("reconciler_git_operation_duration_seconds_count") >= 3, LONG, "three tries")
        assert requests.get(f"{daemon.address}/readyz", timeout=5).status_code == 503
        assert requests.get(f"{daemon.address}/healthz", timeout=5).status_code == 200
        assert len(daemon.events("repository not opened")) == 1
        away.rename(server)
        daemon.settled()
        daemon.end()


def test_tidying_the_mirror_delays_nothing(
    fleet: Fleet, hub: tuple[Workspace, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large mirror `git gc` takes minutes: passes are made, and it says that it lives, meanwhile."""
    person, url = hub
    with Daemon(person, "--repo", url, *OFTEN) as daemon:
        daemon.settled()
        daemon.end()
    (mirror,) = person.home.glob(".cache/reconciler/*.git")
    os.utime(mirror / "reconciler-ready", (0, 0))
    slow, begun = tmp_path / "bin" / "git", tmp_path / "begun"
    slow.parent.mkdir()
    waits = f"touch {begun}; for n in $(seq 90); do [ ! -e {begun} ] || sleep 1; done; exit 0"
    slow.write_text(f'#!/bin/sh\ncase " $* " in *" gc "*) {waits};; esac\nexec {shutil.which("git")} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    with Daemon(person, "--repo", url, *OFTEN) as daemon:
        wait_for(begun.exists, LONG, "git gc")
        push(person, FILES, "Back up and copy")
        pulled(person)
        assert begun.exists()
        begun.unlink()
        daemon.end()
