"""A user's git repository, and the command run in it as a user runs it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from reconciler.cli import main
from tests.fleets import Member
from tests.scenarios import agreement

RECONCILER = Path(sys.executable).parent / "reconciler"
ASKER = "Ada Asker <ada@example.org>"


@dataclass(frozen=True, slots=True)
class Result:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Workspace:
    """One clone: files are committed in it as a user would, `run` runs the command in it."""

    def __init__(
        self, root: Path, kubeconfig: Path, home: Path, processes: bool = False, members: Sequence[Member] = ()
    ) -> None:
        self.root = root
        self.kubeconfig = kubeconfig
        self.home = home
        self.processes = processes
        self.members = members

    @classmethod
    def create(
        cls, root: Path, kubeconfig: Path, home: Path, processes: bool = False, members: Sequence[Member] = ()
    ) -> Workspace:
        """A new repository with a first commit on `main`."""
        home.mkdir(exist_ok=True)
        made = cls(root, kubeconfig, home, processes, members)
        root.mkdir()
        made.git("init", "-q", "-b", "main")
        made.commit({"README.md": "A fleet's repository.\n"}, "First commit")
        return made

    def clone(self, root: Path) -> Workspace:
        """A fresh clone of this repository, which becomes its upstream."""
        subprocess.run(["git", "clone", "-q", str(self.root), str(root)], env=self.environment, check=True)
        return self.at(root)

    def at(self, root: Path) -> Workspace:
        """The same user in another folder."""
        return Workspace(root, self.kubeconfig, self.home, self.processes, self.members)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the user who runs the tests."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "KUBECONFIG": str(self.kubeconfig),
            "RECONCILER_RELEASE_AFTER": "0s",  # what waits for it has scenarios of its own
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada Asker",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
        }

    def git(self, *arguments: str) -> str:
        """What git printed."""
        identity = {"GIT_COMMITTER_NAME": "Ada Asker", "GIT_COMMITTER_EMAIL": "ada@example.org"}
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=self.environment | identity, text=True, capture_output=True
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None], message: str) -> str:
        """Writes (or with None removes) those files, commits just them, and returns the commit."""
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        self.git("add", "-A", "--", *files)
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command, running."""
        return subprocess.Popen(
            [str(RECONCILER), *arguments],
            cwd=self.root,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str) -> Result:
        """The command, to its end.

        With `processes`, and from threads, it is a process of its own; otherwise it runs in this one, which spares the
        half second that it takes to start.
        """
        if not self.processes and threading.current_thread() is threading.main_thread():
            return self.run_here(*arguments)
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        assert "Traceback" not in err, err
        return Result(process.returncode, out, err)

    def run_here(self, *arguments: str) -> Result:
        """The command in this process; in its main thread alone, since the folder and the environment are its own."""
        out, err, before, mine, code = StringIO(), StringIO(), dict(os.environ), self.environment, 0
        os.environ.clear()
        os.environ.update(mine)
        try:
            with contextlib.chdir(self.root), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main.main(list(arguments), prog_name="reconciler")
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Result(code, out.getvalue(), err.getvalue())

    def sync(self, *options: str, disturbed: str = "") -> Result:
        """`reconciler sync --once`, for at most a minute, after a `plan` that must have said what it then does.

        `disturbed`: what happens between the two that no plan can know; as in a thread, where another sync is at work.
        """

        def sync() -> Result:
            return self.run("sync", "--once", "--timeout", "60s", *options)

        if disturbed or threading.current_thread() is not threading.main_thread():
            return sync()
        return agreement.checked(self, options, sync)

    def record(self, kind: str, name: str, revision: str = "HEAD") -> dict[str, Any]:
        """A record as it is committed."""
        found: dict[str, Any] = yaml.safe_load(self.git("show", f"{revision}:status/{kind}/default/{name}.yaml"))
        return found

    def runs(self, kind: str, name: str) -> dict[str, dict[str, Any]]:
        """The runs of a committed record, by cluster."""
        details = self.record(kind, name)["status"][f"{kind.removesuffix('s')}Details"]
        return {run["clusterName"]: run for run in details}

    def recorded(self) -> list[str]:
        """The paths of all committed records."""
        return self.git("ls-tree", "-r", "--name-only", "HEAD", "status/").splitlines()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


def audited_creates(member: Any, resource: str) -> list[str]:
    """The names of the objects of that resource that the product made, one for each create that took effect."""
    return [
        str(event["objectRef"]["name"])
        for event in member.writes()
        if event["verb"] == "create"
        and event["objectRef"].get("resource") == resource
        and event["responseStatus"]["code"] == 201
        and "dryRun" not in event["requestURI"]
    ]
