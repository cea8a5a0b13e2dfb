"""Real git repositories in a temporary folder, built in a line each, and the messages and files of a ledger."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from reconciler.repository import Repository, Snapshot, Tip, Tracked

LEDGER_ID = "0d9c6a0e-5a3b-4f0e-9a52-0123456789ab"
LEDGER = f"# Written by reconciler.\nid: {LEDGER_ID}\nbranch: main\n".encode()
RECORD = "status/restores/default/minimal.yaml"


def message(subject: str, ledger: str = LEDGER_ID) -> str:
    return f"{subject}\n\na line for each run\n\nReconciler-Ledger: {ledger}\nReconciled-Revision: abc\n"


class Work:
    """A repository on the disk that a human works on with plain git; bare ones have no files."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def git(self, *args: str, stdin: str = "", check: bool = True, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.top, input=stdin, capture_output=True, text=True, env={**os.environ, **(env or {})}
        )
        if check and done.returncode:
            raise AssertionError(f"git {args} failed: {done.stderr}")
        return done.stdout.rstrip("\n")

    def write(self, path: str, content: str | bytes) -> Path:
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, subject: str, files: Mapping[str, str | bytes | None] | None = None,
               env: Mapping[str, str] | None = None) -> str:  # fmt: skip
        """Commit these files (None: delete) and whatever else is staged; the commit's id."""
        for path, content in (files or {}).items():
            if content is None:
                self.git("rm", "-q", "--", path)
            else:
                self.write(path, content)
                self.git("add", "-f", "--", path)
        self.git("commit", "-q", "--allow-empty", "-m", subject, env=env)
        return self.head()

    def head(self, ref: str = "HEAD") -> str:
        return self.git("rev-parse", ref)

    def show(self, path: str, commit: str = "HEAD") -> str:
        return self.git("show", f"{commit}:{path}")

    def status(self) -> str:
        return self.git("status", "--porcelain", "--untracked-files=all")


def by(author: str, committer: str = "", at: str = "") -> dict[str, str]:
    """Variables that make a commit that of `name <mail>`; `at`: its dates."""
    found: dict[str, str] = {}
    for role, person in (("AUTHOR", author), ("COMMITTER", committer or author)):
        name, _, mail = person.partition(" <")
        found |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": mail.rstrip(">")}
        found |= {f"GIT_{role}_DATE": at} if at else {}
    return found


def new(top: Path, *, bare: bool = False, files: Mapping[str, str | bytes | None] | None = None) -> Work:
    """A repository with branch main; unless it is bare, with a first commit."""
    top.mkdir(parents=True)
    work = Work(top)
    work.git("init", "-q", "-b", "main", *(["--bare"] if bare else []))
    if not bare:
        work.commit("first", files or {"restores/minimal.yaml": "kind: Restore\n", "README": "r"})
    return work


def bare_of(work: Work, top: Path) -> Work:
    work.git("clone", "-q", "--bare", str(work.top), str(top))
    return Work(top)


def clone(remote: Work, top: Path, *options: str) -> Work:
    subprocess.run(["git", "clone", "-q", *options, f"file://{remote.top}", str(top)], check=True, capture_output=True)
    return Work(top)


def opened(work: Work, *, checkpoint: Callable[[str], None] | None = None, local: bool = False,
           accept_rewrite: bool = False, branch: str = "", path: str = "",
           status_branch: str = "", pinned: str = "") -> Repository:  # fmt: skip
    tracked = Tracked(str(work.top), branch=branch, path=path, local=local, accept_rewrite=accept_rewrite,
                      status_branch=status_branch, pinned=pinned)  # fmt: skip
    return Repository.open(tracked, checkpoint) if checkpoint else Repository.open(tracked)


def init(repository: Repository) -> Tip:
    """What `reconciler init` commits."""
    return repository.record(repository.read(), {"status/ledger.yaml": LEDGER}, message("init"),
                             {"restores/.gitkeep": b"", "fleets/.gitkeep": b""})  # fmt: skip


def record(repository: Repository, content: bytes | None = b"phase: Starting\n", path: str = RECORD,
           subject: str = "restore default/minimal: Starting", snapshot: Snapshot | None = None) -> Tip:  # fmt: skip
    return repository.record(snapshot or repository.read(), {path: content}, message(subject))
