"""A `main` that takes no pushes: with `--status-branch` records go to a branch of their own, all else is as ever."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import NAMESPACE
from tests.scenarios.workspace import Result, Workspace, audited_creates

APART = ("--status-branch", "records")
COPY = objects.to_namespace("copied")
HOOK = """#!/bin/sh
while read -r old new ref; do
  if [ "$ref" = refs/heads/main ]; then echo "main is protected: open a pull request" >&2; exit 1; fi
done
"""


class Protected:
    """An upstream whose `main` only merges on the server move, and a clone in which the job runs."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        workspace.git("clone", "-q", "--bare", ".", str(folder / "upstream.git"))
        self.upstream = workspace.at(folder / "upstream.git")
        hook = self.upstream.root / "hooks/pre-receive"
        hook.write_text(HOOK)
        hook.chmod(0o755)
        self.contributor = self.upstream.clone(folder / "contributor")
        self.job = self.upstream.clone(folder / "job")

    def merge(self, files: Mapping[str, str | None], message: str) -> str:
        """A pull request, merged by the server; the commit."""
        self.contributor.git("fetch", "-q")
        self.contributor.git("checkout", "-q", "-B", "feature", "origin/main")
        commit = self.contributor.commit(files, message)
        self.contributor.git("push", "-q", "--force", "origin", "feature")
        self.upstream.git("update-ref", "refs/heads/main", commit)
        return commit

    def records(self) -> list[str]:
        return self.upstream.git("ls-tree", "-r", "--name-only", "records").splitlines()

    def phases(self, kind: str, name: str) -> set[str]:
        status = self.upstream.record(kind, name, "records")["status"]
        return {run["phase"] for run in status[f"{kind.removesuffix('s')}Details"]}


@pytest.fixture
def protected(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> Protected:
    """With a ledger on branch `records`, and the fleet's files on `main`, which has never had a ledger."""
    plain = Workspace.create(
        tmp_path / "plain", workspace.kubeconfig, workspace.home, workspace.processes, workspace.members
    )
    plain.commit({"fleets/quickstart.yaml": objects.fleet()}, "Declare the fleet")
    made = Protected(plain, tmp_path)
    done = made.job.run("init", *APART)
    assert done.code == 0, done.text
    return made


def ok(done: Result, code: int = 0) -> Result:
    assert done.code == code, done.text
    return done


def test_the_whole_job(fleet: Fleet, protected: Protected) -> None:
    """init, sync, get, describe, plan and forget; `main` moves by merges alone."""
    job = protected.job
    assert protected.records() == ["status/ledger.yaml"]
    assert "statusBranch: records" in protected.upstream.git("show", "records:status/ledger.yaml")
    protected.merge({"backups/before.yaml": objects.backup("before")}, "Back up")
    ok(job.sync(*APART))
    assert protected.phases("backups", "before") == {"Completed"}
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    merged = protected.merge({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    planned = json.loads(ok(job.run("plan", "-o", "json", *APART), 1).out)
    assert planned["summary"]["start"] == 2
    ok(job.sync(*APART))
    assert protected.phases("restores", "back") == {"Completed"}
    assert protected.upstream.record("restores", "back", "records")["status"]["revision"] == merged
    for member in fleet.members:
        assert set(objects.config_maps(member)) == {"plain", "marked"}
    assert "2/2" in ok(job.run("get", "restores", *APART)).out
    assert "back" in ok(job.run("describe", "restore", "back", *APART)).out
    assert "Completed" in ok(job.run("history", "restore", "back", *APART)).out
    ok(job.run("plan", *APART))
    gone = protected.merge({"restores/back.yaml": None}, "Done with")
    ok(job.run("forget", "restore", "default/back", *APART))
    assert "status/restores/default/back.yaml" not in protected.records()
    assert protected.upstream.git("rev-parse", "main") == gone
    assert "status" not in protected.upstream.git("ls-tree", "--name-only", "main").splitlines()
    assert job.git("status", "--porcelain") == ""


def test_what_ran_never_runs_again_from_another_machine(fleet: Fleet, protected: Protected, tmp_path: Path) -> None:
    files = {
        "backups/before.yaml": objects.backup("before"),
        "restores/c.yaml": objects.restore("c", "before", "", COPY),
    }
    protected.merge(files, "Back up and copy")
    ok(protected.job.sync(*APART))
    for member in fleet.members:
        member.delete_backup(f"{member.name}-backup-default-before")
    fresh = protected.upstream.clone(tmp_path / "fresh")
    ok(fresh.sync(*APART))
    ok(fresh.at(tmp_path).sync("--repo", protected.upstream.root.as_uri(), *APART))
    assert [member.restores() for member in fleet.members] == [[], []]


def test_two_machines_at_the_same_moment(fleet: Fleet, protected: Protected, tmp_path: Path) -> None:
    files = {"backups/b.yaml": objects.backup("b"), "restores/c.yaml": objects.restore("together", "b", "", COPY)}
    protected.merge(files, "Back up and copy")
    both = [protected.job, protected.upstream.clone(tmp_path / "other")]
    with ThreadPoolExecutor() as pool:
        for done in pool.map(lambda each: each.sync(*APART), both):
            ok(done)
    for member in fleet.members:
        assert audited_creates(member, "restores").count(f"{member.name}-restore-default-together") == 1
    assert protected.phases("restores", "together") == {"Completed"}


def test_a_forgotten_option_is_refused_and_says_what_to_do(fleet: Fleet, protected: Protected) -> None:
    protected.merge({"backups/before.yaml": objects.backup("before")}, "Back up")
    ok(protected.job.sync(*APART))
    stands = protected.upstream.git("for-each-ref")
    for command in (["sync", "--once"], ["plan"], ["init"]):
        done = protected.job.run(*command)
        assert done.code == 2, done.text
        assert "--status-branch" in done.err, command
    assert protected.upstream.git("for-each-ref") == stands
    assert [len(member.backups()) for member in fleet.members] == [1, 1]


def test_another_branch_than_the_ledgers_is_refused(protected: Protected) -> None:
    protected.upstream.git("branch", "copied", "records")
    done = protected.job.sync("--status-branch", "copied")
    assert done.code == 2
    assert "--status-branch records" in done.err


def test_without_the_option_a_protected_main_is_told_as_what_it_is(protected: Protected) -> None:
    """Before anything ran: the server's own words, and what would help."""
    protected.upstream.git("update-ref", "-d", "refs/heads/records")
    protected.job.git("fetch", "-q", "--prune")
    fresh = protected.upstream.clone(protected.job.root.parent / "fresh")
    done = fresh.run("init")
    assert done.code == 2, done.text
    assert "main is protected" in done.err
    assert "--status-branch" in done.err


def test_a_pull_request_is_planned_in_a_detached_checkout(protected: Protected) -> None:
    protected.merge({"backups/before.yaml": objects.backup("before")}, "Back up")
    ok(protected.job.sync(*APART))
    protected.contributor.git("checkout", "-q", "-B", "proposed", "origin/main")
    protected.contributor.git("pull", "-q", "origin", "main")
    protected.contributor.commit({"restores/c.yaml": objects.restore("c", "before", "", COPY)}, "Propose")
    protected.contributor.git("push", "-q", "origin", "proposed")
    job = protected.upstream.at(protected.job.root.parent / "ci")
    job.root.mkdir()
    job.git("init", "-q")
    job.git("remote", "add", "origin", protected.upstream.root.as_uri())
    job.git("fetch", "-q", "origin")
    job.git("checkout", "-q", "--detach", "origin/proposed")
    planned = json.loads(ok(job.run("plan", "-o", "json", "--base", "origin/main", *APART), 1).out)
    assert [item["name"] for item in planned["items"]] == ["c"]
    assert planned["summary"] == {"start": 2}


def test_without_a_remote_the_records_go_to_a_local_branch(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> None:
    alone = Workspace.create(
        tmp_path / "alone", workspace.kubeconfig, workspace.home, workspace.processes, workspace.members
    )
    files = {"fleets/q.yaml": objects.fleet(), "backups/b.yaml": objects.backup("b")}
    alone.commit({"fleets/q.yaml": files["fleets/q.yaml"]}, "Declare")
    ok(alone.run("init", *APART))
    head = alone.commit(files, "Back up")
    ok(alone.sync(*APART))
    assert alone.head() == head
    assert not (alone.root / "status").exists()
    assert "status/backups/default/b.yaml" in alone.git("ls-tree", "-r", "--name-only", "records")
    assert [len(member.backups()) for member in fleet.members] == [1, 1]
