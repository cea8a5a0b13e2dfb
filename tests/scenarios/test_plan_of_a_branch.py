"""`plan` for files that are not merged: by `--revision`, and in a CI job's checkout what a pull request brings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Result, Workspace

COPY = objects.to_namespace("copied")
PULLED = "refs/pull/1/merge"
NEW = {"restores/new.yaml": objects.restore("new", "before", policy=COPY)}


@dataclass(frozen=True, slots=True)
class Forge:
    """A bare upstream, a contributor's clone of it, and where a CI job checks out."""

    upstream: Workspace
    clone: Workspace
    folder: Path

    def propose(self, files: dict[str, str | None]) -> None:
        """Branch `feature` with those files, and the merge of it that a forge makes for a pull request."""
        self.clone.git("checkout", "-q", "-B", "feature", "origin/main")
        self.clone.commit(files, "Propose")
        self.clone.git("push", "-q", "--force", "origin", "feature")
        self.merge()

    def merge(self) -> None:
        """What `main` and `feature` are together by now."""
        self.clone.git("fetch", "-q")
        self.clone.git("checkout", "-q", "--detach", "origin/main")
        self.clone.git("merge", "-q", "--no-ff", "-m", "Merge feature into main", "origin/feature")
        self.clone.git("push", "-q", "--force", "origin", f"HEAD:{PULLED}")

    def land(self, files: dict[str, str | None]) -> None:
        """Somebody else's commit on `main`."""
        self.clone.git("fetch", "-q")
        self.clone.git("checkout", "-q", "-B", "main", "origin/main")
        self.clone.commit(files, "Somebody else's")
        self.clone.git("push", "-q", "origin", "main")

    def checkout(self, ref: str = PULLED, *, depth: str = "", main: bool = True) -> Workspace:
        """As a CI job has it: no local branch at all, HEAD detached at what was proposed."""
        job = self.upstream.at(self.folder)
        job.root.mkdir()
        job.git("init", "-q")
        job.git("remote", "add", "origin", self.upstream.root.as_uri())
        wanted = [f"+{ref}:refs/remotes/pull/1", *(["+refs/heads/*:refs/remotes/origin/*"] if main else [])]
        job.git("fetch", "-q", *([f"--depth={depth}"] if depth else []), "origin", *wanted)
        job.git("checkout", "-q", "--detach", "refs/remotes/pull/1")
        assert job.git("branch", "--list", "--format=%(refname:short)").startswith("(HEAD detached")
        return job


@pytest.fixture
def forge(backed_up: Workspace, tmp_path: Path) -> Forge:
    """The last commit on `main` is the record of the Backup."""
    backed_up.git("clone", "-q", "--bare", ".", str(tmp_path / "upstream.git"))
    upstream = backed_up.at(tmp_path / "upstream.git")
    return Forge(upstream, upstream.clone(tmp_path / "clone"), tmp_path / "job")


def actions(done: Result) -> dict[str, set[str]]:
    """What would become of each object, on whichever cluster."""
    items: list[dict[str, Any]] = json.loads(done.out)["items"]
    return {item["name"]: {step["action"] for step in item["clusters"]} for item in items}


def plan(where: Workspace, *options: str, code: int = 1) -> Result:
    done = where.run("plan", "-o", "json", *options)
    assert done.code == code, done.text
    return done


def test_a_revision_that_is_not_merged(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.git("checkout", "-q", "-b", "feature")
    proposed = backed_up.commit(NEW, "Propose")
    backed_up.git("checkout", "-q", "main")
    assert plan(backed_up, code=0)
    for revision in ("feature", proposed, proposed[:12]):
        done = plan(backed_up, "--revision", revision)
        assert actions(done) == {"before": {"skip"}, "new": {"start"}}
        assert json.loads(done.out)["revision"] == proposed
    assert backed_up.sync().code == 0
    assert [member.restores() for member in fleet.members] == [[], []]


def test_a_revision_without_a_file_that_waits_would_withdraw_it(fleet: Fleet, backed_up: Workspace) -> None:
    fleet.members[0].stop_apiserver()
    backed_up.commit(NEW, "Ask")
    assert backed_up.sync().code == 3
    done = plan(backed_up, "--revision", "HEAD~3")
    assert actions(done)["new"] == {"hold", "skip"}


def test_what_a_pull_request_brings_and_nothing_else(fleet: Fleet, forge: Forge) -> None:
    forge.land({"restores/other.yaml": objects.restore("other", "before", policy=objects.to_namespace("other"))})
    forge.propose(dict(NEW))
    job = forge.checkout()
    assert actions(plan(job)) == {"before": {"skip"}, "new": {"start"}, "other": {"start"}}
    done = plan(job, "--base", "origin/main")
    assert actions(done) == {"new": {"start"}}
    (item,) = json.loads(done.out)["items"]
    for step in item["clusters"]:
        assert step["backup"]["name"] == f"{step['clusterName']}-backup-default-before"
    assert actions(plan(job, "--branch", "main", "--base", "origin/main")) == {"new": {"start"}}
    text = job.run("plan", "--base", "origin/main", "-o", "markdown").out
    assert "**Plan: 2 to start.**" in text
    assert "what is new since origin/main." in text
    assert "### Restore default/new" in text
    assert "other" not in text
    assert [member.restores() for member in fleet.members] == [[], []]


def test_a_pull_request_that_asks_for_nothing(forge: Forge) -> None:
    forge.propose({"README.md": "better words\n", "restores/more/.gitkeep": ""})
    done = plan(forge.checkout(), "--base", "origin/main", code=0)
    assert actions(done) == {}


def test_a_pull_request_that_is_wrong_is_told_its_own_problems_alone(forge: Forge) -> None:
    forge.land({"restores/old.yaml": objects.restore("old", "never-was")})
    forge.propose({"restores/new.yaml": objects.restore("new", "befor")})
    done = plan(forge.checkout(), "--base", "origin/main")
    (problem,) = json.loads(done.out)["problems"]
    assert "restores/new.yaml:5" in problem


def test_a_raised_attempt_an_edit_in_vain_and_a_removed_file(fleet: Fleet, forge: Forge) -> None:
    forge.land({"backups/nightly.yaml": objects.scheduled(), **NEW})
    assert forge.upstream.sync().code == 0
    forge.propose(
        {
            "backups/before.yaml": objects.backup("before", policy="ttl: 1h"),
            "backups/nightly.yaml": None,
            "restores/new.yaml": objects.restore("new", "before", more="attempt: 2\n  rerun: All", policy=COPY),
        }
    )
    done = plan(forge.checkout(), "--base", "origin/main")
    assert actions(done) == {"before": {"skip"}, "nightly": {"remove"}, "new": {"start"}}
    told = {item["name"]: item["why"] for item in json.loads(done.out)["items"]}
    assert "raise spec.attempt" in told["before"]
    assert len(fleet.members[0].restores()) == 1


def test_a_branch_that_is_behind_main_takes_nothing_away(forge: Forge) -> None:
    """Checked out as it is, not merged: what `main` got since is not what the pull request removes, however much."""
    forge.propose(dict(NEW))
    forge.land({f"backups/nightly-{n}.yaml": objects.scheduled(f"nightly-{n}") for n in range(4)})
    assert forge.upstream.sync().code == 0
    job = forge.checkout("refs/heads/feature")
    assert actions(plan(job, "--base", "origin/main")) == {"new": {"start"}}


def test_a_checkout_that_is_behind_main_knows_what_ended_since(forge: Forge) -> None:
    """Its own records would have it that what ended is still to be followed, or started."""
    forge.land(dict(NEW))
    forge.propose({"README.md": "better words\n"})
    assert forge.upstream.sync().code == 0
    job = forge.checkout("refs/heads/feature")
    assert actions(plan(job, code=0)) == {"before": {"skip"}, "new": {"skip"}}
    assert actions(plan(job, "--base", "origin/main", code=0)) == {}


def test_records_that_a_pull_request_edits_would_be_put_back(forge: Forge) -> None:
    path = "status/backups/default/before.yaml"
    forge.propose({path: None, **NEW})
    job = forge.checkout()
    for options in ((), ("--base", "origin/main"), ("--branch", "main", "--revision", "HEAD")):
        done = plan(job, *options)
        assert json.loads(done.out)["putBack"] == [path]
        assert actions(done)["new"] == {"start"}
    text = job.run("plan", "--base", "origin/main").out
    assert f"{path} was changed by hand; it is put back as it was recorded" in text
    assert "Plan: 2 to start, 1 record to put back." in text


def test_records_that_were_edited_before_are_not_the_pull_requests(forge: Forge) -> None:
    forge.land({"status/backups/default/before.yaml": None})
    forge.propose(dict(NEW))
    assert json.loads(plan(forge.checkout(), "--base", "origin/main").out)["putBack"] == []


def test_a_job_that_fetched_no_more_than_the_proposed_commit(forge: Forge) -> None:
    forge.propose(dict(NEW))
    done = forge.checkout(depth="1", main=False).run("plan", "--base", "origin/main")
    assert done.code == 2
    assert done.out == ""
    assert done.err == "reconciler: no revision origin/main in this repository; fetch it\n"


def test_a_shallow_checkout_in_which_the_records_can_be_found(forge: Forge) -> None:
    """The last commit on `main` is one of ours, and its parent is there, so that it can be told to be."""
    forge.propose(dict(NEW))
    job = forge.checkout(depth="2")
    assert actions(plan(job, "--base", "origin/main")) == {"new": {"start"}}


def test_a_shallow_checkout_in_which_they_can_not(forge: Forge) -> None:
    forge.propose(dict(NEW))
    done = forge.checkout(depth="1").run("plan", "--base", "origin/main")
    assert done.code == 2
    assert "the clone is shallow" in done.err
    assert "fetch-depth: 0" in done.err


def test_the_job_leaves_no_trace(fleet: Fleet, forge: Forge) -> None:
    forge.propose(dict(NEW))
    job = forge.checkout()
    before = {member.name: member.writes() for member in fleet.members}
    refs = job.git("for-each-ref"), forge.upstream.git("for-each-ref")
    plan(job, "--base", "origin/main")
    assert (job.git("for-each-ref"), forge.upstream.git("for-each-ref")) == refs
    assert job.git("status", "--porcelain") == ""
    assert not (job.root / ".git/reconciler").exists()
    assert {member.name: member.writes() for member in fleet.members} == before
    assert set(MEMBERS) == set(before)
