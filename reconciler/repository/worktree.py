"""Work trees on the disk: which of them have the branch checked out, what lies there, and careful writing.

Called by `checkout` alone. No symlink is followed on the way to a record.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import RepositoryError, WorkTreeBusy
from reconciler.repository.files import blob_id
from reconciler.repository.git import Git
from reconciler.repository.location import Place

_LEFTOVER: Final = ".reconciler~"
"""How the names of files end that are being written; a killed process leaves one."""
_UNDER_WAY: Final = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "sequencer": "a cherry-pick or revert",
}


@dataclass(frozen=True, slots=True)
class WorkTree:
    """A checkout (`top`) and its own git directory, which holds its index."""

    top: Path
    git_dir: Path


@dataclass(frozen=True, slots=True)
class Indexed:
    """An entry of the index; `oid` is `unmerged` in a conflict.

    `fileless`: no file belongs there, as it is a submodule or the user chose so (a sparse checkout).
    """

    oid: str
    fileless: bool


def checked_out(place: Place) -> list[WorkTree]:
    """The work trees, the main one and linked ones, that have the branch checked out.

    Raises WorkTreeBusy where one is in the middle of rebasing it.
    """
    found = []
    listed = place.git.out("worktree", "list", "--porcelain", "-z").split(b"\0\0")
    for number, record in enumerate(listed):
        about = dict(line.partition(b" ")[::2] for line in record.split(b"\0") if line)
        if b"worktree" not in about or b"bare" in about:
            continue
        top = Path(os.fsdecode(about[b"worktree"]))
        if number == 0:
            git_dir: Path | None = place.common
            if place.git.git_dir == place.common and place.top is not None:
                top = place.top  # git guesses it from the git directory, wrong where that lies elsewhere
        else:
            git_dir = _linked(top)
        if git_dir is None or not (top / ".git").exists():
            continue
        tree = WorkTree(top, git_dir)
        if about.get(b"branch", b"").decode(errors="replace") == place.local:
            found.append(tree)
        elif _rebasing(git_dir) == place.local:
            raise WorkTreeBusy(f"a rebase of {place.branch} is under way in {top}; finish or abort it")
    return found


def _linked(top: Path) -> Path | None:
    try:
        text = (top / ".git").read_text()
    except OSError:
        return None
    return top / text.removeprefix("gitdir:").strip()


def _rebasing(git_dir: Path) -> str | None:
    for folder in ("rebase-merge", "rebase-apply"):
        with contextlib.suppress(OSError):
            return (git_dir / folder / "head-name").read_text().strip()
    return None


def check_idle(tree: WorkTree, wait: float) -> None:
    """Raise WorkTreeBusy where something is under way, or the index stays locked for `wait` seconds."""
    for name, what in _UNDER_WAY.items():
        if (tree.git_dir / name).exists():
            raise WorkTreeBusy(f"{what} is under way in {tree.top}; finish or abort it")
    lock = tree.git_dir / "index.lock"
    until = time.monotonic() + wait
    while lock.exists():
        if time.monotonic() > until:
            raise WorkTreeBusy(f"the index of {tree.top} is locked; if no git runs there, remove {lock}")
        time.sleep(0.1)


def index(git: Git, *paths: str) -> dict[str, Indexed]:
    """The entries of the index at or under `paths`, by path from the root."""
    found = {}
    for line in git.out("ls-files", "-t", "-s", "-z", "--full-name", "--", *paths).split(b"\0"):
        if line:
            about, _, name = line.partition(b"\t")
            tag, mode, oid, stage = about.decode().split()
            found[os.fsdecode(name)] = Indexed(oid if stage == "0" else "unmerged", tag == "S" or mode == "160000")
    return found


def on_disk(top: Path, path: str, width: int, going: Container[str] = ()) -> tuple[str, ...] | None:
    """The object ids (`width` hex digits) that what lies there may go by; None where there is nothing.

    The second id is that of the content with LF line ends, as the user's settings may have made them CRLF.
    A folder counts as nothing: git knows none. Empty where it is reached through a symlink (unless that is one of the
    paths in `going`, which will be deleted), or is neither a file nor a symlink.
    """
    try:
        for parent in _on_the_way(path):
            if (top / parent).is_symlink():
                return None if parent in going else ()
        kind = (top / path).lstat().st_mode
        if stat.S_ISDIR(kind):
            return None
        if stat.S_ISLNK(kind):
            return (blob_id(os.fsencode((top / path).readlink()), width),)
        if not stat.S_ISREG(kind):
            return ()
        content = (top / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RepositoryError(f"can't read {top / path}: {error.strerror}") from error
    ids = [blob_id(content, width)]
    if b"\r\n" in content:
        ids.append(blob_id(content.replace(b"\r\n", b"\n"), width))
    return tuple(ids)


def _on_the_way(path: str) -> list[str]:
    """The folders above `path`, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def walk(top: Path, folder: str) -> set[str]:
    """Everything but folders at or under `folder`, by path from the root; what killed writers left is removed."""
    if any((top / parent).is_symlink() for parent in _on_the_way(folder)):
        return {folder}
    found = set()
    pending = [folder]
    while pending:
        path = pending.pop()
        try:
            if stat.S_ISDIR((top / path).lstat().st_mode):
                pending += [f"{path}/{name}" for name in os.listdir(top / path)]
            elif path.endswith(_LEFTOVER):
                (top / path).unlink(missing_ok=True)
            else:
                found.add(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise RepositoryError(f"can't read {top / path}: {error.strerror}") from error
    return found


def write(top: Path, files: Mapping[str, bytes | None], step: Callable[[str], None]) -> None:
    """Write and delete files (None), each whole or not at all, deletions first so that a folder may become a file.

    Raises WorkTreeBusy where something else stands in the way.
    """
    try:
        for path in (path for path, content in files.items() if content is None):
            if not (top / path).is_dir() or (top / path).is_symlink():  # else a submodule: a human's to take away
                (top / path).unlink(missing_ok=True)
            _prune(top, path)
            step("file-moved")
        for path, content in files.items():
            if content is None:
                continue
            if any((top / parent).is_symlink() for parent in _on_the_way(path)):
                raise WorkTreeBusy(f"a folder above {path} in {top} is a symlink; remove it")
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            temporary = top / f"{path}{_LEFTOVER}"
            temporary.write_bytes(content)
            temporary.replace(top / path)
            step("file-moved")
    except OSError as error:
        raise WorkTreeBusy(f"can't write the records in {top}: {error.strerror} ({error.filename})") from error


def _prune(top: Path, path: str) -> None:
    """Remove the folders above a deleted file that are empty now, as git does."""
    folder = (top / path).parent
    while folder != top:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
