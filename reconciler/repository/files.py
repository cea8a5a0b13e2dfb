"""The files of a commit, or of a work tree, and the rules on which of them are read at all.

Called by `Repository.read` (one `ls-tree`, one `cat-file`, whatever the number of files) and by `validate`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import NotARepository, RepositoryError
from reconciler.repository.git import NETWORK, Git
from reconciler.repository.model import FOLDERS, LEDGER, Blob

FILE_LIMIT: Final = 1 << 20
"""Bytes of one file."""
TOTAL_LIMIT: Final = 64 << 20
"""Bytes of all files together."""
COUNT_LIMIT: Final = 50_000

_SYMLINK: Final = "a symlink; symlinks are not followed, put a file or folder here"
_SUBMODULE: Final = "a submodule or a repository of its own; these are not read, put the files here"
_NO_FOLDER: Final = "a file where a folder belongs; move it away, or remove it"
_NAME: Final = "the file name holds a control character, or isn't UTF-8; rename it"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `ls-tree`: `mode` as six octal digits, object id, size in bytes (0 where it isn't a file)."""

    mode: str
    oid: str
    size: int = 0

    @property
    def regular(self) -> bool:
        return self.mode in ("100644", "100755", "100664")


def entries(git: Git, tree: str, paths: Iterable[str]) -> dict[str, Entry]:
    """Everything in a commit at or under `paths` that is not a folder, by path from the root.

    Raises RepositoryError where git can't read the commit.
    """
    found = {}
    for line in git.out("ls-tree", "-r", "-z", "-l", "--full-tree", tree, *paths, timeout=NETWORK * 5).split(b"\0"):
        if line:
            about, _, name = line.partition(b"\t")
            mode, _, oid, size = about.decode().split()
            found[os.fsdecode(name)] = Entry(mode, oid, int(size) if size.isdigit() else 0)
    return found


def digest(content: bytes, width: int) -> bytes:
    """The hash by which a repository whose object ids have `width` hex digits names things."""
    return hashlib.new("sha256" if width == 64 else "sha1", content, usedforsecurity=False).digest()


def blob_id(content: bytes, width: int) -> str:
    """The object id of a file's content."""
    return digest(b"blob %d\0" % len(content) + content, width).hex()


def is_null(oid: str) -> bool:
    """Whether an object id is git's all zeros, which stand for nothing there."""
    return not oid.strip("0")


def empty_tree(width: int) -> str:
    """The object id of a tree with nothing in it, which git knows without having it."""
    return digest(b"tree 0\0", width).hex()


def check_folder(git: Git, commit: str, path: str) -> None:
    """Raise RepositoryError where `path` or a folder above it is anything but a folder in the commit.

    It passes where it is not there: that is a folder still to be made.
    """
    parts = path.split("/") if path else []
    for end in range(1, len(parts) + 1):
        name = "/".join(parts[:end])
        listed = git.text("ls-tree", "-z", "--full-tree", commit, name)
        if listed and not listed.startswith("040000"):
            raise RepositoryError(f"{name} is no folder in commit {commit[:10]}, but a file, symlink or submodule")


def has_folder(git: Git, commit: str, path: str) -> bool:
    """Whether the folder `path` is there in a commit; empty is the root."""
    return not path or git.text("ls-tree", "-z", "--full-tree", commit, path).startswith("040000")


def ledgers(git: Git, commit: str) -> Iterator[str]:
    """The folders of a commit that have a ledger, empty for the root; all of its paths are gone through."""
    with git.pieces("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, end=b"\0") as names:
        for name in map(os.fsdecode, names):
            if name == LEDGER or name.endswith(f"/{LEDGER}"):
                yield _printable(name.removesuffix(LEDGER).rstrip("/"))


def contents(git: Git, oids: Iterable[str]) -> dict[str, bytes]:
    """The content of blobs by object id, from one process. Raises RepositoryError where one is missing."""
    wanted = list(dict.fromkeys(oids))
    if not wanted:
        return {}
    out = git.out("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in wanted).encode(), timeout=NETWORK * 5)
    found, at = {}, 0
    for oid in wanted:
        end = out.index(b"\n", at)
        about = out[at:end].decode().split()
        if len(about) != 3:
            raise RepositoryError(f"the repository lacks object {oid[:10]}; run git fsck")
        at = end + 1 + int(about[2])
        found[oid] = out[end + 1 : at]
        at += 1
    return found


def manifests(tree: Mapping[str, Entry], prefix: str) -> list[tuple[str, Entry, str]]:
    """What `entries` found of the users' folders: path without `prefix`, entry, and the problem (empty: read it)."""
    found: list[tuple[str, Entry, str]] = []
    count = total = 0
    for name in sorted(tree):
        path, entry = name.removeprefix(prefix), tree[name]
        folder, below, _ = path.partition("/")
        if folder not in FOLDERS:
            continue
        problem = _kind_problem(entry, bool(below))
        if not problem:
            if not path.endswith((".yaml", ".yml")):
                continue
            count, total = count + 1, total + entry.size
            problem = _problem(path, entry.size, count, total)
        found.append((_printable(path), entry, problem))
    return found


def _kind_problem(entry: Entry, below: bool) -> str:
    if entry.mode == "120000":
        return _SYMLINK
    if entry.mode == "160000":
        return _SUBMODULE
    return "" if below else _NO_FOLDER


def _problem(path: str, size: int, count: int, total: int) -> str:
    if path != _printable(path):
        return _NAME
    if size > FILE_LIMIT:
        return f"{size} bytes; at most 1 MiB a file is read"
    if count > COUNT_LIMIT:
        return f"the repository has more than {COUNT_LIMIT} files; the others are not read"
    if total > TOTAL_LIMIT:
        return "the files have more than 64 MiB together; the others are not read"
    return ""


def _printable(path: str) -> str:
    """`path` as it can be printed; equal to it where nothing is to be refused in it."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in path
    )


def worktree_files(root: Path) -> tuple[Blob, ...]:
    """The YAML files under `fleets/`, `backups/`, `restores/`, `migrations/` as they lie in `root`, for `validate`.

    The same rules as for a commit: symlinks, repositories within and files over 1 MiB are refused, never followed.
    Raises NotARepository where `root` is no folder that can be read.
    """
    if not root.is_dir():
        raise NotARepository(f"{root} is no folder")
    found: list[Blob] = []
    count = total = 0
    for path, kind, size in sorted(_walk(root)):
        problem = kind
        if not problem:
            count, total = count + 1, total + size
            problem = _problem(path, size, count, total)
        content = None
        if not problem:
            content, problem = _content(root / path)
        found.append(Blob(_printable(path), content, problem))
    return tuple(found)


def _walk(root: Path) -> Iterator[tuple[str, str, int]]:
    """Path from `root`, problem, size in bytes; of each YAML file and of whatever else is refused."""
    pending = list(FOLDERS)
    while pending:
        path = pending.pop()
        try:
            about = os.lstat(root / path)
            if stat.S_ISLNK(about.st_mode):
                yield path, _SYMLINK, 0
            elif stat.S_ISDIR(about.st_mode):
                names = os.listdir(root / path)
                if ".git" in names:
                    yield path, _SUBMODULE, 0
                else:
                    pending += [f"{path}/{name}" for name in names]
            elif path in FOLDERS:
                yield path, _NO_FOLDER, 0
            elif path.endswith((".yaml", ".yml")):
                yield path, "" if stat.S_ISREG(about.st_mode) else "neither a file nor a folder", about.st_size
        except FileNotFoundError:
            continue
        except OSError as error:
            yield path, f"can't be read: {error.strerror}", 0


def _content(file: Path) -> tuple[bytes | None, str]:
    """What is in a file, or why not; a symlink that took its place since `_walk` is not followed either."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as stream:
            content = stream.read(FILE_LIMIT + 1)
    except OSError as error:
        return None, f"can't be read: {error.strerror}"
    return (content, "") if len(content) <= FILE_LIMIT else (None, "too large; at most 1 MiB a file is read")
