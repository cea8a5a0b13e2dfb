"""Any revision by its name: which commit it is, the users' files in it, and whether it says that nothing is to start.

Called by `Repository.at`, by `location` for a pinned commit, and by `Reader` for `paused`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from reconciler.errors import RepositoryError
from reconciler.repository.files import check_folder, contents, entries, manifests
from reconciler.repository.git import Git
from reconciler.repository.history import History
from reconciler.repository.model import FOLDERS, PAUSED, STATUS, Blob, Revision
from reconciler.repository.urls import mask

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def resolve(git: Git, revision: str, *, otherwise: str = "") -> str:
    """The full id of the commit that a revision names, as git has it; that of the ref `otherwise` where it names none.

    Raises RepositoryError where there is no such commit, or the text would be read as an option, or can't be shown.
    """
    check_revision(revision)
    for name in filter(None, (revision, otherwise)):
        found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        commit = found.out.decode(errors="replace").strip()
        if not found.code and _COMMIT.fullmatch(commit):
            return commit
    raise RepositoryError(f"no revision {mask(revision)} in this repository; fetch it")


def check_revision(revision: str) -> None:
    """Raise RepositoryError where the text would be read as an option, or can't be shown."""
    if not revision or revision.startswith("-") or not revision.isprintable():
        raise RepositoryError(f"revision {mask(revision)!r} is refused: name a commit, a branch or HEAD")


def read_revision(history: History, commit: str, apart: bool) -> Revision:
    """Read the users' files of a commit; `apart`: the records are elsewhere. Raises RepositoryError where git can't."""
    git, prefix = history.git, history.prefix
    tree = entries(git, commit, [prefix + folder for folder in FOLDERS])
    if not tree:
        check_folder(git, commit, history.path)
    listed = manifests(tree, prefix)
    have = contents(git, [entry.oid for _, entry, problem in listed if not problem])
    files = tuple(Blob(path, None if problem else have[entry.oid], problem) for path, entry, problem in listed)
    return Revision(commit, files, is_paused(history, commit), () if apart else tuple(sorted(_edited(history, commit))))


def _edited(history: History, commit: str) -> Iterator[str]:
    """Paths of records that somebody else than us changed since our newest commit."""
    own = history.newest_own(commit, None)
    if own not in (commit, None):
        how = ("-r", "-z", "--name-only", "--no-renames")
        listed = history.git.out("diff-tree", *how, str(own), commit, "--", history.prefix + STATUS)
        yield from (os.fsdecode(name).removeprefix(history.prefix) for name in listed.split(b"\0") if name)


def is_paused(history: History, commit: str) -> bool:
    """Whether something called `PAUSED` lies in a commit, at the root or at the path; what it is doesn't matter."""
    marks = dict.fromkeys((PAUSED, history.prefix + PAUSED))
    return bool(history.git.out("ls-tree", "-z", "--full-tree", "--name-only", commit, *marks))
