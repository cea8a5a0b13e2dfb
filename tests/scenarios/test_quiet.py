"""Where nothing is new nothing is done, and what users wrote stays as they wrote it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from reconciler.members import Members
from reconciler.passed import Pass
from reconciler.reconcile import Reconciler
from reconciler.repository import Repository, Tracked
from reconciler.settings import MemberSettings, SyncSettings
from tests.fleets import Fleet, Member
from tests.scenarios import objects
from tests.scenarios.daemons import Daemon
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")


def passes(workspace: Workspace, count: int) -> list[Pass]:
    """So many in one process, as the daemon makes them, each of which would commit at once."""

    async def run() -> list[Pass]:
        members = Members(MemberSettings(kubeconfig=str(workspace.kubeconfig)))
        try:
            reconciler = Reconciler(Repository.open(Tracked(str(workspace.root))), members, SyncSettings())
            return [await reconciler.run(flush=True) for _ in range(count)]
        finally:
            await members.close()

    return asyncio.run(run())


def changed(member: Member) -> int:
    """How often something was written there; a dry-run is only a question."""
    return sum("dryRun" not in event["requestURI"] for event in member.writes())


@pytest.mark.case("repeated-commits")
def test_a_hundred_passes_with_nothing_new_make_no_commit(fleet: Fleet, backed_up: Workspace) -> None:
    """What has ended, what is scheduled, what waits and what is refused: all of it is recorded once."""
    files = {
        "backups/nightly.yaml": objects.scheduled("nightly", at="0 3 1 1 *"),
        "restores/done.yaml": objects.restore("done", "before", policy=COPY),
        "restores/waits.yaml": objects.restore("waits", "nightly"),
        "restores/wrong.yaml": objects.restore("wrong", "nothing"),
    }
    backed_up.commit(files, "Something of everything")
    assert backed_up.sync().code == 1
    head, writes = backed_up.head(), [changed(member) for member in fleet.members]

    done = passes(backed_up, 100)

    assert {str(run.phase) for run in done[-1].decided.values()} >= {"Completed", "Pending"}
    assert [each.commit for each in done] == [None] * 100
    assert backed_up.head() == head
    assert [changed(member) for member in fleet.members] == writes


def resident(daemon: Daemon) -> float:
    """MiB that its process has in memory."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return float(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.case("repeated-commits")
def test_a_daemon_with_nothing_new_commits_nothing_and_calls_no_cluster_but_for_schedules(
    fleet: Fleet, backed_up: Workspace, tmp_path: Path
) -> None:
    """For seconds what `make bench` holds for ten minutes: it polls the remote, and that is all."""
    bare = tmp_path / "server.git"
    backed_up.commit({"backups/nightly.yaml": objects.scheduled("nightly", at="0 3 1 1 *")}, "Once a year")
    backed_up.git("clone", "-q", "--bare", ".", str(bare))
    person = backed_up.at(bare).clone(tmp_path / "person")
    options = ("--repo", bare.as_uri(), "--interval", "1s")
    with Daemon(person, *options) as daemon:
        daemon.settled()
        time.sleep(3)
        head, asked = backed_up.at(bare).head(), [len(member.requests()) for member in fleet.members]
        polls, memory = daemon.metric("reconciler_git_operation_duration_seconds_count"), resident(daemon)
        time.sleep(6)
        assert daemon.metric("reconciler_git_operation_duration_seconds_count") >= polls + 4
        assert backed_up.at(bare).head() == head
        assert [len(member.requests()) for member in fleet.members] == asked
        assert resident(daemon) < memory * 1.05
        daemon.end()
    with Daemon(person, *options, "--schedule-refresh", "2s") as daemon:
        daemon.settled()
        time.sleep(1)
        known = [len(member.requests()) for member in fleet.members]
        time.sleep(6)
        for member, before in zip(fleet.members, known, strict=True):
            calls = [(event["verb"], event["objectRef"]["resource"]) for event in member.requests()[before:]]
            assert 2 <= calls.count(("get", "schedules")) <= 4
            assert set(calls) == {("get", "schedules"), ("list", "backups"), ("list", "backupstoragelocations")}
        assert backed_up.at(bare).head() == head
        daemon.end()


ODDLY_WRITTEN = {
    "backups/odd.yaml": b"\xef\xbb\xbf# why: it was always so\r\n"
    + objects.backup("odd").replace("\n", "\r\n").encode()
    + b"# and no line end here",
    "restores/odd.yaml": b"---\n\n\n# two\n---\n"
    + objects.restore("odd", "odd", policy=COPY).replace("  backupName", "    # deeper\n  backupName").encode()
    + b"\n\n---\n...\n# the end   \n",
    "restores/notes.txt": b"none of its business\r\n",
    "elsewhere/values.yaml": b"a:   &x {b: 1}   # odd\nc: *x\n",
    "fleets/quickstart.yaml": objects.fleet().encode(),
}


@pytest.mark.case("users-files")
@pytest.mark.case("not-ours")
def test_what_users_wrote_stays_byte_identical(fleet: Fleet, workspace: Workspace) -> None:
    """Flux image-automation-controller #68, flux2 #1441, argo-cd #23944: while an object comes, runs, goes."""
    for name, content in ODDLY_WRITTEN.items():
        path = workspace.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    workspace.git("add", "-A")
    workspace.git("commit", "-q", "-m", "Oddly written")
    done = workspace.sync()
    assert done.code == 0, done.text
    assert {run["phase"] for run in workspace.runs("restores", "odd").values()} == {"Completed"}
    untracked = workspace.root / "restores/draft.yaml"
    untracked.write_bytes(b"not yet: [\n")
    workspace.commit({"backups/another.yaml": objects.scheduled("another")}, "Another")
    assert workspace.sync().code == 0
    workspace.commit({"backups/another.yaml": None}, "And no more")
    assert workspace.sync().code == 0

    for name, content in ODDLY_WRITTEN.items():
        assert (workspace.root / name).read_bytes() == content, name
        assert workspace.git("hash-object", "--no-filters", name) == workspace.git("rev-parse", f"HEAD:{name}")
    assert untracked.read_bytes() == b"not yet: [\n"
    assert workspace.git("status", "--porcelain") == "?? restores/draft.yaml"
    own = workspace.git("log", "--grep=^Reconciler-Ledger:", "--committer=reconciler", "--format=%H").splitlines()
    assert len(own) >= 5, "init, what began, what ended, the schedule, its removal"
    for commit in own[:-1]:  # the oldest is that of init, which makes the folders
        touched = workspace.git("diff-tree", "-r", "--no-commit-id", "--name-only", commit).splitlines()
        assert touched
        assert all(path.startswith("status/") for path in touched), touched
