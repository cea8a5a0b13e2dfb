"""Exit code 2: the repository is not fit for it, and no member is asked anything (there is none here)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios import objects
from tests.scenarios.workspace import Result, Workspace


@pytest.fixture
def alone(tmp_path: Path) -> Workspace:
    """A repository without a ledger, and no member anywhere."""
    return Workspace.create(tmp_path / "repo", tmp_path / "no-kubeconfig", tmp_path / "home")


@pytest.fixture
def ours(alone: Workspace) -> Workspace:
    """With a ledger and the fleet's files."""
    assert alone.run("init").code == 0
    alone.commit({"fleets/quickstart.yaml": objects.fleet()}, "Declare the fleet")
    return alone


def could_not_run(done: Result, *words: str) -> None:
    assert done.code == 2, done.text
    for word in words:
        assert word in done.err
    assert len(done.err.strip().splitlines()) <= 4, done.err


def test_not_a_git_repository(alone: Workspace, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    could_not_run(alone.sync("--repo", str(tmp_path / "plain")), "not a git repository")
    could_not_run(alone.sync("--repo", str(tmp_path / "missing")), "missing")


def test_no_such_branch(alone: Workspace) -> None:
    could_not_run(alone.sync("--branch", "mian"), "mian", "main")


@pytest.mark.case("old-repository", "stops without a ledger")
def test_no_ledger(alone: Workspace) -> None:
    files = {
        "fleets/q.yaml": objects.fleet(),
        "backups/b.yaml": objects.backup("b"),
        "restores/r.yaml": objects.restore("r", "b"),
    }
    alone.commit(files, "An old repository, full of what ran long ago")
    head = alone.head()
    could_not_run(alone.sync(), "reconciler init")
    assert alone.head() == head


@pytest.mark.case("old-repository", "init holds them")
def test_init_holds_what_is_there_already(alone: Workspace) -> None:
    files = {
        "fleets/q.yaml": objects.fleet(),
        "backups/b.yaml": objects.backup("b"),
        "restores/r.yaml": objects.restore("r", "b"),
    }
    alone.commit(files, "An old repository")
    made = alone.run("init")
    assert made.code == 0, made.text
    assert "Held: Restore default/r, restores/r.yaml" in made.out
    done = alone.sync()
    assert done.code == 1, done.text
    assert {run["phase"] for run in alone.runs("restores", "r").values()} == {"Held"}
    assert {run["reason"] for run in alone.runs("backups", "b").values()} == {"Existing"}
    assert alone.git("status", "--porcelain") == ""


def test_init_twice_changes_nothing(ours: Workspace) -> None:
    head = ours.head()
    again = ours.run("init")
    assert again.code == 0
    assert "already" in again.out
    assert ours.head() == head


def test_sync_makes_the_ledger_itself_where_nothing_could_have_run(alone: Workspace) -> None:
    alone.commit({"fleets/q.yaml": objects.fleet()}, "A fleet alone")
    done = alone.sync()
    assert done.code == 0, done.text
    assert alone.recorded() == ["status/ledger.yaml"]


def test_a_ledger_of_another_branch(ours: Workspace) -> None:
    ours.git("checkout", "-q", "-b", "other")
    could_not_run(ours.sync(), "branch", "main", "other")


def test_a_merge_under_way(ours: Workspace) -> None:
    ours.git("checkout", "-q", "-b", "side")
    ours.commit({"README.md": "one\n"}, "One")
    ours.git("checkout", "-q", "main")
    ours.commit({"README.md": "two\n"}, "Two")
    with pytest.raises(AssertionError):
        ours.git("merge", "side")
    could_not_run(ours.sync(), "merge")


def test_a_dirty_status(ours: Workspace) -> None:
    (ours.root / "status/ledger.yaml").write_text("mine\n")
    could_not_run(ours.sync(), "status/ledger.yaml")
    assert (ours.root / "status/ledger.yaml").read_text() == "mine\n"


def test_a_locked_index(ours: Workspace) -> None:
    (ours.root / ".git/index.lock").touch()
    could_not_run(ours.sync(), "index.lock")


@pytest.mark.case("history", "rewritten")
def test_rewritten_history(ours: Workspace) -> None:
    ours.git("reset", "-q", "--hard", "HEAD~2")
    ours.commit({"fleets/q.yaml": objects.fleet()}, "Another past")
    could_not_run(ours.sync(), "--accept-rewrite")


@pytest.mark.case("history", "too shallow", "how to deepen")
def test_a_clone_that_is_too_shallow(ours: Workspace, tmp_path: Path) -> None:
    ours.git("clone", "-q", "--depth", "1", ours.root.as_uri(), str(tmp_path / "shallow"))
    shallow = ours.at(tmp_path / "shallow")
    could_not_run(shallow.sync(), "shallow", "--unshallow")


@pytest.mark.parametrize("url", ["ext::sh -c touch% pwned", "-oProxyCommand=touch pwned", "git://example.org/x"])
@pytest.mark.case("programs", "transport helpers", "schemes", "options")
def test_urls_that_run_programs(alone: Workspace, url: str) -> None:
    could_not_run(alone.sync(f"--repo={url}"))
    assert not (alone.root / "pwned").exists()


@pytest.mark.case("secrets", "URL with a password", "what is printed")
def test_a_password_in_a_url_is_never_shown(alone: Workspace) -> None:
    done = alone.sync("--repo", "https://ada:hunter2@127.0.0.1:9/repo.git")
    could_not_run(done)
    assert "hunter2" not in done.text


def test_no_kubeconfig_at_all_waits_for_one(ours: Workspace) -> None:
    ours.commit({"backups/b.yaml": objects.backup("b")}, "Back up")
    done = ours.sync()
    assert done.code == 3, done.text
    assert {run["reason"] for run in ours.runs("backups", "b").values()} == {"KubeconfigMissing"}


@pytest.mark.parametrize("command", [("plan",), ("sync", "--once")])
def test_a_context_of_a_cluster_that_is_declared_nowhere_is_told(ours: Workspace, command: tuple[str, ...]) -> None:
    ours.commit({"backups/b.yaml": objects.backup("b")}, "Back up")
    name = objects.MEMBERS[0]
    done = ours.run(*command, "--context", f"{name[:-1]}0=x", "--context", f"{name}=y")
    assert done.err.count(f"note: --context {name[:-1]}0=x is for nothing: no cluster {name[:-1]}0 is declared") == 1
    assert done.err.count("is for nothing") == 1


def test_forget_only_what_is_gone_and_over(alone: Workspace) -> None:
    alone.commit({"fleets/q.yaml": objects.fleet(), "backups/b.yaml": objects.backup("b")}, "An old repository")
    assert alone.run("init").code == 0
    refused = alone.run("forget", "backup", "default/b")
    assert refused.code == 2
    assert "remove the file first" in refused.err
    alone.commit({"backups/b.yaml": None}, "Remove")
    assert alone.run("forget", "backup", "default/b").code == 0
    assert alone.recorded() == ["status/ledger.yaml"]
    assert alone.run("forget", "backup", "default/b").code == 1


def test_options_come_from_the_environment_too(alone: Workspace, tmp_path: Path) -> None:
    import subprocess

    from tests.scenarios.workspace import RECONCILER

    environment = alone.environment | {"RECONCILER_REPO": str(alone.root), "RECONCILER_BRANCH": "mian"}
    done = subprocess.run([RECONCILER, "init"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no branch mian" in done.stderr


def test_init_can_have_what_is_there_already_run(alone: Workspace) -> None:
    alone.commit({"fleets/q.yaml": objects.fleet(), "backups/b.yaml": objects.backup("b")}, "A new repository")
    assert alone.run("init", "--run-existing").code == 0
    assert alone.sync().code == 3, "it would run, if there were a kubeconfig"
    assert {run["phase"] for run in alone.runs("backups", "b").values()} == {"Pending"}


@pytest.mark.case("kubeconfig", "exec", "allowed by a word")
def test_a_kubeconfig_of_a_secret_runs_no_program(ours: Workspace, tmp_path: Path) -> None:
    """CVE-2022-24817: it came out of a Secret, not from the user."""
    run = f"exec: {{apiVersion: client.authentication.k8s.io/v1, command: touch, args: ['{tmp_path}/pwned']}}"
    config = f"""apiVersion: v1
kind: Config
current-context: x
clusters: [{{name: x, cluster: {{server: 'https://127.0.0.1:9'}}}}]
contexts: [{{name: x, context: {{cluster: x, user: x}}}}]
users: [{{name: x, user: {{{run}}}}}]
"""
    for name in objects.MEMBERS:
        (tmp_path / "secrets" / name).mkdir(parents=True)
        (tmp_path / "secrets" / name / "value").write_text(config)
    ours.commit({"backups/b.yaml": objects.backup("b")}, "Back up")
    options = ("--kubeconfig-dir", str(tmp_path / "secrets"))
    assert ours.sync(*options).code == 3
    assert {run["reason"] for run in ours.runs("backups", "b").values()} == {"KubeconfigRefused"}
    assert not (tmp_path / "pwned").exists()
    ours.sync(*options, "--insecure-kubeconfig-exec")
    assert (tmp_path / "pwned").exists()
