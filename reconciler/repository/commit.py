"""Make one commit without touching a ref, the user's index or the work tree, and send it to the remote."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import FetchFailed, NoSuchBranch, PushFailed, RepositoryError, TipMoved
from reconciler.repository.files import blob_id, digest
from reconciler.repository.git import NETWORK, Git, Result, plain
from reconciler.repository.location import Place, Upstream

_BLOB: Final = 3
"""The number of that type in a pack."""
_PACK: Final = 100
"""From so many blobs on they stay in one pack; fewer become an object file each, as `git add` makes them."""
_ATTEMPTS: Final = 4
"""Tries where another git process holds the lock of a ref for a moment, with pauses of `_PAUSE` seconds."""
_PAUSE: Final = 0.2
_LOCKED: Final = ("cannot lock ref", "unable to update local ref", "failed to update ref", "incorrect old value")


@dataclass(frozen=True, slots=True)
class Built:
    """A commit that no ref knows yet, and the object ids of what was written for it, by path from the root."""

    commit: str
    written: Mapping[str, str]


def _pack(blobs: list[bytes], width: int) -> bytes:
    """Blobs as a git pack, so that one process takes them all without a file each; `width`: hex digits of an id."""
    parts = [b"PACK" + struct.pack(">II", 2, len(blobs))]
    for blob in blobs:
        size, byte = len(blob) >> 4, _BLOB << 4 | len(blob) & 15  # type and size: 4 bits, then 7 at a time
        while size:
            parts.append(bytes([byte | 128]))
            size, byte = size >> 7, size & 127
        parts += [bytes([byte]), zlib.compress(blob, 1)]
    pack = b"".join(parts)
    return pack + digest(pack, width)


def build(
    git: Git,
    scratch: Path,
    parent: str,
    *,
    drop: Iterable[str],
    keep: Mapping[str, str],
    write: Mapping[str, bytes],
    message: str,
    identity: Mapping[str, str],
) -> Built:
    """A commit on `parent` in which the paths of `drop` are gone and those of `keep` and `write` are there.

    Paths are from the root; `keep` gives the object ids of blobs that the repository has.
    Raises RepositoryError where git can't (a full disk, no permission).
    """
    written = {path: blob_id(content, len(parent)) for path, content in write.items()}
    if write:
        blobs = dict(zip(written.values(), write.values(), strict=True))
        how = ("unpack-objects", "-q") if len(blobs) < _PACK else ("index-pack", "--stdin")
        git.out(*how, stdin=_pack(list(blobs.values()), len(parent)))
    env = {"GIT_INDEX_FILE": str(scratch / "index")}
    git.out("read-tree", parent, env=env)
    lines = [f"0 {'0' * len(parent)}\t{path}\0" for path in drop]
    lines += [f"100644 {oid}\t{path}\0" for path, oid in {**keep, **written}.items()]
    git.out("update-index", "-z", "--index-info", stdin="".join(lines).encode("utf-8", "surrogateescape"), env=env)
    tree = git.text("write-tree", env=env)
    commit = git.text("commit-tree", tree, "-p", parent, "-F", "-", stdin=message.encode(), env=identity)
    return Built(commit, written)


def refs(place: Place) -> tuple[str | None, str | None]:
    """Where our copy of the ledger's branch and the local branch stand now; each None where it isn't there.

    Without an upstream both are the local branch.
    """
    wanted = [ref for ref in (place.local, place.upstream.tracking if place.upstream else None) if ref]
    listed = place.git.text("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)", *wanted).splitlines()
    found = {}
    for line in listed:
        name, oid, kind = line.split()
        if kind == "commit":
            found[name] = oid
    local = found.get(place.local) if place.local else None
    return (found.get(place.upstream.tracking) if place.upstream else local), local


def fetch(place: Place, upstream: Upstream, timeout: float) -> None:
    """Bring our copy of the remote branch up to date, that branch alone, within `timeout` seconds.

    Raises NoSuchBranch where the remote lacks it, FetchFailed for any other failure; nothing is known then.
    """
    options = "--quiet --no-tags --no-write-fetch-head --no-recurse-submodules --no-auto-maintenance --no-prune"
    spec = f"+{upstream.ref}:{upstream.tracking}"
    command = ("fetch", *options.split(), "--refmap=", upstream.remote, spec)
    result = _patiently(lambda: place.git.run(*command, timeout=timeout), upstream.shown)
    if result.code and "couldn't find remote ref" in result.err:
        raise NoSuchBranch(
            f"{upstream.shown} has no branch {upstream.ref.removeprefix('refs/heads/')} (any more);"
            " push it, or name another with --branch"
        )
    if result.code:
        raise FetchFailed(f"can't fetch {place.branch} from {upstream.shown}: {plain(result.err)}")


def _patiently(command: Callable[[], Result], shown: str) -> Result:
    """Run a fetch, again where another git process had our tracking ref locked; what takes too long is FetchFailed."""
    for _ in range(_ATTEMPTS):
        try:
            result = command()
        except RepositoryError as error:
            raise FetchFailed(f"can't fetch from {shown}: {error}") from error
        if not any(sign in result.err for sign in _LOCKED):
            break
        time.sleep(_PAUSE)
    return result


def remote_tip(place: Place, upstream: Upstream) -> str | None:
    """Where the branch stands at the remote, without fetching it; None where it isn't there. Raises FetchFailed."""
    try:
        asked = place.git.run("ls-remote", upstream.remote, upstream.ref, timeout=NETWORK)
    except RepositoryError as error:
        raise FetchFailed(f"can't read {upstream.shown}: {error}") from error
    if asked.code:
        raise FetchFailed(f"can't read {upstream.shown}: {plain(asked.err)}")
    for line in asked.out.decode(errors="replace").splitlines():
        oid, _, name = line.partition("\t")
        if name == upstream.ref:
            return oid
    return None


def push(place: Place, upstream: Upstream, parent: str, commit: str) -> None:
    """Push `commit` so that the remote branch goes from exactly `parent`, its parent, to it: a fast-forward or nothing.

    The lease adds to git's fast-forward rule that a branch which was set back, or deleted, isn't brought back.
    Raises TipMoved where the branch stands elsewhere, PushFailed where the remote refused or can't be reached.
    """
    spec, lease = f"{commit}:{upstream.ref}", f"--force-with-lease={upstream.ref}:{parent}"
    options = ("--porcelain", "--no-verify", "--no-follow-tags", "--no-recurse-submodules", "--no-signed")
    for attempt in range(_ATTEMPTS):
        cause: RepositoryError | None = None
        try:
            result = place.git.run("push", *options, lease, upstream.remote, spec, timeout=NETWORK)
            if not result.code:
                return
            why = refusal(result)
        except RepositoryError as error:
            why, cause = str(error), error
        try:
            stands = remote_tip(place, upstream)  # a push whose answer got lost may well have landed
        except FetchFailed as error:
            raise PushFailed(
                f"can't push {place.branch} to {upstream.shown}: {why}; the remote can't be asked whether it arrived"
            ) from (cause or error)
        if stands == commit:
            return
        if stands != parent:
            raise TipMoved(f"{place.branch} moved at {upstream.shown} while we decided") from cause
        if attempt == _ATTEMPTS - 1 or not any(sign in why for sign in _LOCKED):
            raise PushFailed(f"{upstream.shown} did not take our commit on {place.branch}: {why}") from cause
        time.sleep(_PAUSE)


def refusal(result: Result) -> str:
    """Why a push failed: plain words where git's reason is known, and its own lines."""
    reason = ""
    for line in result.out.decode(errors="replace").splitlines():
        if line.startswith("!"):
            reason = line.rpartition("\t")[2]
    told = [line.strip().removeprefix("remote:").strip() for line in result.err.splitlines() if "remote:" in line]
    said = next((line for line in told if line.lower().startswith(("error", "fatal"))), next(filter(None, told), ""))
    text = " ".join(filter(None, (reason, said and f"({said})"))) or plain(result.err)
    lowered = f"{text} {result.err}".lower()
    for sign, words in (
        ("protected branch", "the branch is protected; allow the reconciler's account to push to it"),
        ("gh006", "the branch is protected; allow the reconciler's account to push to it"),
        ("hook declined", "a hook of the remote declined it"),
        ("branch is currently checked out", "the branch is checked out there; use a bare repository as remote"),
        ("no space left", "the remote's disk is full"),
        ("permission denied", "no permission to write there"),
        ("permission to", "no permission to write there"),
        ("returned error: 403", "no permission to write there"),
        ("authentication failed", "the credentials are not accepted"),
        ("could not read username", "there are no credentials for it"),
        ("could not resolve host", "the host is not known"),
    ):
        if sign in lowered:
            return f"{words}: {text}"
    return text
