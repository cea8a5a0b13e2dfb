"""Without a ledger nothing runs by mistake: another place is named, and commands that look say that there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios import objects
from tests.scenarios.workspace import Result, Workspace

LOOKS = (
    ("get", "restores"),
    ("get", "restore", "x"),
    ("describe", "restore", "x"),
    ("history",),
    ("history", "backup"),
)


@pytest.fixture
def alone(tmp_path: Path) -> Workspace:
    """A repository without a ledger, and no member anywhere."""
    return Workspace.create(tmp_path / "repo", tmp_path / "no-kubeconfig", tmp_path / "home")


@pytest.fixture
def deep(alone: Workspace) -> Workspace:
    """One whose files and ledger lie in ops/dr."""
    alone.commit({"ops/dr/fleets/q.yaml": objects.fleet()}, "The fleet")
    assert alone.run("init", "--path", "ops/dr").code == 0
    return alone


def told(done: Result) -> str:
    assert done.code == 2, done.text
    assert done.out == ""
    return done.err


@pytest.mark.parametrize("wrong", ["", "opps/dr", "ops", "ops/dr/fleets"])
def test_another_ledger_is_never_made_by_a_wrong_or_forgotten_path(deep: Workspace, wrong: str) -> None:
    head, options = deep.head(), ("--path", wrong) if wrong else ()
    for command in (("sync", "--once"), ("plan",), *LOOKS):
        error = told(deep.run(*command, *options))
        assert f"there is no ledger in {f'folder {wrong}' if wrong else 'the root'} of " in error
        assert "there is one elsewhere: use --path ops/dr;" in error
        assert ("no such folder on main" in error) == (wrong == "opps/dr")
    assert deep.head() == head
    assert deep.sync("--path", "ops/dr").code == 0


def test_a_ledger_at_the_root_is_named_too(alone: Workspace) -> None:
    alone.commit({"README.md": "x\n", "other/fleets/q.yaml": objects.fleet()}, "A folder")
    assert alone.run("init").code == 0
    assert "there is one elsewhere: use no --path; " in told(alone.run("sync", "--once", "--path", "other"))


def test_a_folder_that_is_not_there_is_not_made(alone: Workspace) -> None:
    head = alone.head()
    for command in (("sync", "--once"), ("plan",)):
        error = told(alone.run(*command, "--path", "opps"))
        assert "no such folder on main; `reconciler init --path opps` makes one" in error
    assert alone.head() == head


def test_init_makes_another_when_told_to(deep: Workspace) -> None:
    assert deep.run("init", "--path", "ops/dev").code == 0
    assert deep.sync("--path", "ops/dev").code == 0
    assert deep.sync("--path", "ops/dr").code == 0


@pytest.mark.parametrize("branch", [(), ("--status-branch", "records")])
def test_one_on_the_status_branch_counts(alone: Workspace, branch: tuple[str, ...]) -> None:
    alone.commit({"ops/dr/fleets/q.yaml": objects.fleet()}, "The fleet")
    assert alone.run("init", "--path", "ops/dr", "--status-branch", "records").code == 0
    error = told(alone.run("get", "restores", *branch))
    assert ("use --path ops/dr" in error) == bool(branch)
    assert ("--status-branch names the branch" in error) == (not branch)
    if branch:
        assert "use --path ops/dr" in told(alone.run("sync", "--once", *branch))


@pytest.mark.parametrize("command", [*LOOKS, ("forget", "restore", "default/x")])
def test_commands_that_look_say_that_there_is_no_ledger_and_what_to_do(
    alone: Workspace, command: tuple[str, ...]
) -> None:
    error = told(alone.run(*command))
    assert f"there is no ledger in the root of {alone.root}; `reconciler init` makes one" in error


def test_with_one_they_say_what_is_not_there(alone: Workspace) -> None:
    assert alone.run("init").code == 0
    for command in LOOKS[:3]:
        done = alone.run(*command)
        assert (done.code, done.out) == (1, "")
        assert "is recorded in namespace default" in done.err
    assert alone.run("history").code == 0
