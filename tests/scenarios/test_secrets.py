"""Seeded secrets appear nowhere: not in what is printed, nor in records, commits or the configuration of git."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.fleets import Fleet
from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.daemons import Daemon
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace

SECRET = "hunter2-seeded-secret"
COPY = objects.to_namespace("copied")
LOOKS = (
    *(("get", "backups"), ("get", "restores", "-o", "yaml"), ("get", "backups", "-o", "json")),
    *(("describe", "backup", "before"), ("describe", "restore", "copy"), ("history",)),
    *(("plan",), ("plan", "-o", "json")),
)


def everything(workspace: Workspace) -> Iterator[tuple[str, bytes]]:
    """Each file of the repository and of the user's home, git's objects unpacked, and what git says it is set to."""
    for folder in (workspace.root, workspace.home):
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes()
    for what in (("cat-file", "--batch-all-objects", "--batch", "--buffer"), ("config", "--list", "--show-origin")):
        done = subprocess.run(["git", *what], cwd=workspace.root, env=workspace.environment, capture_output=True)
        assert done.stdout
        yield f"git {what[0]}", done.stdout


def assert_nowhere(secrets: set[str], workspace: Workspace, *printed: str) -> None:
    for text in printed:
        assert not [secret for secret in secrets if secret in text], text
    for where, content in everything(workspace):
        assert not [secret for secret in secrets if secret.encode() in content], where


def credentials_in(kubeconfig: Path) -> set[str]:
    """All that its users prove by who they are."""
    users = [user["user"] for user in yaml.safe_load(kubeconfig.read_text())["users"]]
    return {value for user in users for value in user.values() if isinstance(value, str)}


@pytest.mark.case("secrets", "kubeconfig", "what is printed", "records and commits", "git configuration")
def test_credentials_that_work(fleet: Fleet, backed_up: Workspace) -> None:
    """argo-cd #12309, CVE-2025-55190: all of a kubeconfig, in a run that goes well and in one where a member dies."""
    mine, theirs = credentials_in(backed_up.kubeconfig), credentials_in(fleet.kubeconfig)
    assert min(len(mine - theirs), len(theirs)) >= 2
    secrets = mine | theirs
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    printed = [backed_up.sync().text]
    backed_up.kubeconfig = fleet.kubeconfig
    fleet.members[0].stop_apiserver()
    backed_up.commit({"restores/more.yaml": objects.restore("more", "before", policy=COPY)}, "More")
    printed += [backed_up.sync().text, *(backed_up.run(*look).text for look in LOOKS)]
    assert_nowhere(secrets, backed_up, *printed)


def kubeconfig(user: str, server: str = "https://127.0.0.1:9", more: str = "") -> str:
    return f"""apiVersion: v1
kind: Config
current-context: x
clusters: [{{name: x, cluster: {{server: '{server}'{more}}}}}]
contexts: [{{name: x, context: {{cluster: x, user: x}}}}]
users: [{{name: x, user: {user}}}]
"""


TOKEN = f"{{token: {SECRET}}}"
WRONG = {
    "unreachable": (kubeconfig(TOKEN), "Unreachable"),
    "basic": (kubeconfig(f"{{username: ada, password: {SECRET}}}"), "Unreachable"),
    "in-the-url": (kubeconfig("{}", server=f"https://ada:{SECRET}@127.0.0.1:9"), "Unreachable"),
    "no-port": (kubeconfig("{}", server=f"https://ada:{SECRET}@127.0.0.1:port"), "Unreachable"),
    "no-yaml": (f"token: [{SECRET}\n  - {SECRET}: {{", "InvalidKubeconfig"),
    "no-kubeconfig": (f"token: {SECRET}\n", "InvalidKubeconfig"),
    "no-context": (kubeconfig(TOKEN).replace("current-context: x", f"current-context: {SECRET}"), "InvalidKubeconfig"),
    "no-certificate": (kubeconfig(TOKEN, more=f", certificate-authority-data: {SECRET}"), "InvalidKubeconfig"),
    "no-key": (kubeconfig(f"{{client-key-data: {SECRET}, client-certificate-data: {SECRET}}}"), "InvalidKubeconfig"),
    "exec": (kubeconfig(f"{{exec: {{command: x, env: [{{name: T, value: {SECRET}}}]}}}}"), "KubeconfigRefused"),
}


@pytest.mark.case("secrets", "kubeconfig", "what is printed", "records and commits", "git configuration")
@pytest.mark.parametrize("wrong", WRONG)
def test_credentials_that_do_not_work(tmp_path: Path, wrong: str) -> None:
    """Whatever is wrong with a kubeconfig is told without what stands in it."""
    config, reason = WRONG[wrong]
    workspace = Workspace.create(tmp_path / "repo", tmp_path / "no-kubeconfig", tmp_path / "home")
    assert workspace.run("init").code == 0
    files = {"fleets/quickstart.yaml": objects.fleet(), "backups/before.yaml": objects.backup("before")}
    workspace.commit(files, "Ask")
    for name in MEMBERS:
        (tmp_path / "secrets" / name).mkdir(parents=True)
        (tmp_path / "secrets" / name / "value").write_text(config)
    done = workspace.run("sync", "--once", "--timeout", "20s", "--kubeconfig-dir", str(tmp_path / "secrets"))
    assert done.code == 3, done.text
    found = {run["reason"] for run in workspace.runs("backups", "before").values()}
    assert found == {reason}, workspace.runs("backups", "before")
    assert_nowhere({SECRET}, workspace, done.text, *(workspace.run(*look).text for look in LOOKS))


@pytest.mark.case("secrets", "URL with a password", "what is printed", "records and commits", "git configuration")
@pytest.mark.parametrize("command", [("init",), ("sync", "--once"), ("plan",), ("get", "restores"), ("history",)])
def test_a_password_in_a_url(tmp_path: Path, command: tuple[str, ...]) -> None:
    workspace = Workspace.create(tmp_path / "repo", tmp_path / "no-kubeconfig", tmp_path / "home")
    done = workspace.run(*command, "--repo", f"https://ada:{SECRET}@127.0.0.1:9/repo.git")
    assert done.code == 2, done.text
    assert "127.0.0.1" in done.err
    assert_nowhere({SECRET, "ada:"}, workspace, done.text)


@pytest.mark.case("secrets", "kubeconfig", "logs")
def test_what_the_daemon_logs(fleet: Fleet, backed_up: Workspace, tmp_path: Path) -> None:
    """With credentials that work on one member and are broken on the other."""
    secrets = credentials_in(fleet.kubeconfig) | {SECRET}
    for member, text in zip(fleet.members, (fleet.members[0].kubeconfig_text, WRONG["no-yaml"][0]), strict=True):
        (tmp_path / "secrets" / member.name).mkdir(parents=True)
        (tmp_path / "secrets" / member.name / "value").write_text(text)
    backed_up.commit({"restores/logged.yaml": objects.restore("logged", "before", policy=COPY)}, "Copy")
    with Daemon(backed_up, "--kubeconfig-dir", str(tmp_path / "secrets"), "--interval", "1h") as daemon:
        wait_for(lambda: "restores/default/logged.yaml" in str(backed_up.recorded()), 30, "the record")
        wait_for(lambda: backed_up.runs("restores", "logged")[MEMBERS[0]]["phase"] == "Completed", 30, "one member")
        assert backed_up.runs("restores", "logged")[MEMBERS[1]]["reason"] == "InvalidKubeconfig"
        daemon.end()
        assert len(daemon.lines) > 3
        assert_nowhere(secrets, backed_up, daemon.text)
