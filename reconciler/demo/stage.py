"""Where the story is played: a bare remote, a clone of it, and a simulated fleet; commands run as a user runs them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from reconciler.errors import ReconcilerError
from reconciler.output.console import say
from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember

ALONE = {"RECONCILER_RELEASE_AFTER": "0s"}
"""No other reconciler is at work here."""


class Stage:
    """A context manager: the fleet runs and the clone is there, in `folder`, until it ends."""

    def __init__(self, folder: Path) -> None:
        self.fleet = SimulatedFleet(folder / "members")
        self.clone = folder / "fleet"
        self._remote = folder / "fleet.git"
        self._home = folder / "home"

    def __enter__(self) -> Stage:
        if shutil.which("git") is None:
            raise ReconcilerError("the demo needs git; install it")
        self.fleet.__enter__()
        self._home.mkdir()
        self._quietly("git", "init", "-q", "--bare", "-b", "main", str(self._remote), cwd=self._home)
        self._quietly("git", "clone", "-q", str(self._remote), str(self.clone), cwd=self._home)
        (self.clone / "README.md").write_text("A fleet's repository.\n")
        self._quietly("git", "add", ".")
        self._quietly("git", "commit", "-q", "-m", "A fleet's repository")
        self._quietly("git", "push", "-q", "-u", "origin", "main")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.fleet.__exit__(kind, error, traceback)

    @property
    def remote(self) -> Path:
        """The bare repository, which is the clone's upstream."""
        return self._remote

    def say(self, text: str) -> None:
        """What happens next, and why."""
        say("")
        say(text, "bold")

    def show(self, text: str) -> None:
        """Something to look at."""
        say(text)

    def merge(self, files: dict[str, str], message: str) -> None:
        """Those files, reviewed and merged: here simply committed and pushed."""
        for name, content in files.items():
            (self.clone / name).parent.mkdir(exist_ok=True)
            (self.clone / name).write_text(content)
        self._quietly("git", "add", "--", *files)
        self.run("git", "commit", "-q", "-m", message)
        self.run("git", "push", "-q")

    def run(self, *command: str, code: int = 0) -> None:
        """Shows a command and its true output. Raises ReconcilerError where it ends with another exit code."""
        say(f"$ {shlex.join(command)}", "cyan")
        done = subprocess.run(
            [_program(command[0]), *command[1:]],
            cwd=self.clone,
            env=self.environment,
            check=False,
            process_group=0,  # Ctrl-C comes to the demo alone, which then ends the command
        )
        if command[0] == "reconciler" and done.returncode:
            say(f"(exit code {done.returncode})", "dim")
        if done.returncode != code:
            raise ReconcilerError(f"the demo expected exit code {code} of {shlex.join(command)}")

    def contents(self, namespace: str) -> None:
        """What is really on the members, read from their API servers."""
        for member in self.fleet.members:
            say(f"{member.name}: {', '.join(_objects(member, namespace)) or 'nothing'}")

    @property
    def environment(self) -> dict[str, str]:
        """The user's, without anything that leads to their own clusters or git settings."""
        person = {"NAME": "Ada Asker", "EMAIL": "ada@example.org"}
        ours = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RECONCILER_", "GIT_"))}
        return (
            kept
            | ours
            | {"KUBECONFIG": str(self.fleet.kubeconfig), "HOME": str(self._home), "GIT_PAGER": "cat"}
            | ALONE
        )

    def _quietly(self, *command: str, cwd: Path | None = None) -> None:
        subprocess.run(command, cwd=cwd or self.clone, env=self.environment, check=True, capture_output=True)


def _program(name: str) -> str:
    """The `reconciler` that this process is, whatever is first on the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def _objects(member: SimulatedMember, namespace: str) -> list[str]:
    config_maps = member.api.list(f"/api/v1/namespaces/{namespace}/configmaps")
    deployments = member.api.list(f"/apis/apps/v1/namespaces/{namespace}/deployments")
    named = [("ConfigMap", item) for item in config_maps] + [("Deployment", item) for item in deployments]
    return [f"{kind} {i['metadata']['name']}" for kind, i in named if i["metadata"]["name"] != "kube-root-ca.crt"]
