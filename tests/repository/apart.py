"""A ledger on a branch of its own: opened, and what a forge and other machines do to its branches meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.repository import Repository
from tests.repository.builders import Work, clone, opened

NAME = "reconciler-status"
REF = f"refs/heads/{NAME}"


def apart(
    work: Work, *, checkpoint: Callable[[str], None] | None = None, local: bool = False, accept_rewrite: bool = False
) -> Repository:
    return opened(work, checkpoint=checkpoint, local=local, accept_rewrite=accept_rewrite, status_branch=NAME)


def protect(remote: Work) -> None:
    """Refuse every push to main, as a forge's rule does."""
    script = "#!/bin/sh\n[ $1 = refs/heads/main ] || exit 0\necho 'error: GH006: Protected branch' >&2\nexit 1\n"
    remote.write("hooks/update", script).chmod(0o755)


def land(remote: Work, human: Work, branch: str = "main") -> str:
    """What the forge does once a change is approved, whether or not it is a fast-forward: main is the human's."""
    remote.git("fetch", "-q", f"file://{human.top}", f"+{branch}:{branch}")
    return remote.head(branch)


def merge(remote: Work, tmp_path: Path, path: str = "restores/more.yaml") -> str:
    """Main moves at the remote by a change of somebody else."""
    human = clone(remote, tmp_path / f"human-{path.replace('/', '-')}")
    human.commit("a change of a human", {path: "more"})
    return land(remote, human)


def names(work: Work, commit: str) -> list[str]:
    """Every file of a commit."""
    return work.git("ls-tree", "-r", "--name-only", commit).split()


def branches(work: Work) -> list[str]:
    return work.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
