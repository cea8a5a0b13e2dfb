"""Make one commit without touching a ref, the user's index or the work tree, and send it to the remote."""

from __future__ import annotations

import random
import re
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.errors import Cause, FetchFailed, NoSuchBranch, PushFailed, RepositoryError, TipMoved
from reconciler.repository.access import Pairs
from reconciler.repository.files import blob_id, digest, is_null
from reconciler.repository.git import LOCAL, NETWORK, Git, Result, plain
from reconciler.repository.location import Place, Upstream
from reconciler.repository.rejections import classify

_BLOB: Final = 3
"""The number of that type in a pack."""
_PACK: Final = 100
"""From so many blobs on they stay in one pack; fewer become an object file each, as `git add` makes them."""
_ATTEMPTS: Final = 4
"""Tries where another git process holds the lock of a ref for a moment, with pauses about `_PAUSE` seconds long."""
_FETCHES: Final = 12
"""The same for a fetch: each time another process of this clone was faster, and there may be many."""
_PAUSE: Final = 0.2
_SIGNING: Final = 60.0
"""Seconds that the making of a signed commit may take; an agent that asks somebody is not waited for."""
_LINE: Final = 300
"""Characters of a remote's line that are shown."""
_TOOK: Final = re.compile(r" after \d+ (?:ms|milliseconds)\b")
"""What curl adds, and what is another number at each try."""


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
    signing: Pairs = (),
) -> Built:
    """A commit on `parent` in which the paths of `drop` are gone and those of `keep` and `write` are there.

    A `parent` of all zeros is none: the commit is the first of its branch, and holds nothing else.
    Paths are from the root; `keep` gives the object ids of blobs that the repository has. `signing` is configuration
    that names the key; empty: the commit is not signed.
    Raises RepositoryError where git can't (a full disk, no permission).
    """
    written = {path: blob_id(content, len(parent)) for path, content in write.items()}
    if write:
        blobs = dict(zip(written.values(), write.values(), strict=True))
        how = ("unpack-objects", "-q") if len(blobs) < _PACK else ("index-pack", "--stdin")
        git.out(*how, stdin=_pack(list(blobs.values()), len(parent)))
    env = {"GIT_INDEX_FILE": str(scratch / "index")}
    git.out("read-tree", "--empty" if is_null(parent) else parent, env=env)
    lines = [f"0 {'0' * len(parent)}\t{path}\0" for path in drop]
    lines += [f"100644 {oid}\t{path}\0" for path, oid in {**keep, **written}.items()]
    git.out("update-index", "-z", "--index-info", stdin="".join(lines).encode("utf-8", "surrogateescape"), env=env)
    tree = git.text("write-tree", env=env)
    parents = () if is_null(parent) else ("-p", parent)
    commit = _commit_tree(git, (tree, *parents), message, identity, signing)
    return Built(commit, written)


def _commit_tree(git: Git, about: tuple[str, ...], message: str, identity: Mapping[str, str], signing: Pairs) -> str:
    command = ("commit-tree", *about, *(["-S"] if signing else []), "-F", "-")
    signer = replace(git, config=git.config + signing)
    made = signer.run(*command, stdin=message.encode(), env=identity, timeout=_SIGNING if signing else LOCAL)
    if not made.code:
        return made.out.decode().strip()
    if signing and classify(made.err).cause is not Cause.DISK:
        told = " ".join(line.strip() for line in made.err.splitlines() if line.strip())[:_LINE]
        raise RepositoryError(f"our commit can't be signed; check --signing-key and --signing-format: {told}")
    raise RepositoryError(f"git commit-tree failed: {plain(made.err)}", classify(made.err).cause)


def refs(place: Place) -> tuple[str | None, str | None]:
    """Where our copy of the ledger's branch and the local branch stand now; each None where it isn't there.

    Without an upstream both are the local branch. A commit that stands for the branch is the former alone.
    """
    return refs_of(place)[0]


def refs_of(*places: Place) -> list[tuple[str | None, str | None]]:
    """`refs` of each of these, which lie in one repository, asked for at once."""
    found, wanted = {}, {ref for place in places if place.pinned is None for ref in _followed(place)}
    if wanted:
        shape = "--format=%(refname) %(objectname) %(objecttype)"
        for line in places[0].git.text("for-each-ref", shape, *sorted(wanted)).splitlines():
            name, oid, kind = line.split()
            if kind == "commit":
                found[name] = oid
    return [_stand(place, found) for place in places]


def _followed(place: Place) -> Iterator[str]:
    yield from (ref for ref in (place.local, place.upstream and place.upstream.tracking) if ref)


def _stand(place: Place, found: Mapping[str, str]) -> tuple[str | None, str | None]:
    if place.pinned is not None:
        return place.pinned or None, None
    local = found.get(place.local) if place.local else None
    return (found.get(place.upstream.tracking) if place.upstream else local), local


def fetch(place: Place, upstream: Upstream, timeout: float, beside: Upstream | None = None) -> bool:
    """Bring our copy of the remote branch up to date, that branch alone, within `timeout` seconds.

    `beside`: another branch of that remote, fetched in the same breath; False where the remote has no such branch (our
    copy of it is old then).

    Raises NoSuchBranch where the remote lacks it, FetchFailed for any other failure; nothing is known then.
    It says so in the words of `remote_tips`: both meet one trouble, which is told once.
    """
    options = "--quiet --no-tags --no-write-fetch-head --no-recurse-submodules --no-auto-maintenance --no-prune"
    specs = [f"+{each.ref}:{each.tracking}" for each in (upstream, beside) if each]
    command = ("fetch", *options.split(), "--refmap=", upstream.remote, *specs)
    by_name = upstream.ref.startswith("refs/")  # a commit that is not there stays away
    result = _patiently(lambda: place.git.run(*command, timeout=timeout), upstream.shown, _FETCHES if by_name else 1)
    if result.code and beside and f"couldn't find remote ref {beside.ref}" in result.err:
        fetch(place, upstream, timeout)  # git fetched neither
        return False
    if result.code and "couldn't find remote ref" in result.err:
        raise NoSuchBranch(
            f"{upstream.shown} has no branch {upstream.ref.removeprefix('refs/heads/')} (any more);"
            " push it, or name another with --branch"
        )
    if result.code:
        cause, why = explained(result.err)
        raise FetchFailed(f"can't read {upstream.shown}: {why}", cause)
    return True


def _patiently(command: Callable[[], Result], shown: str, attempts: int) -> Result:
    """Run a fetch, again where another git process had our tracking ref locked; what takes too long is FetchFailed."""
    for _ in range(attempts):
        try:
            result = command()
        except RepositoryError as error:
            raise FetchFailed(f"can't read {shown}: {error}", error.cause) from error
        if not result.code or classify(result.err).cause is not Cause.RACE:
            break
        _pause()
    return result


def remote_tips(place: Place, upstream: Upstream, *beside: Upstream) -> list[str | None]:
    """Where branches of one remote stand, asked at once, without fetching them; None where one isn't there.

    Raises FetchFailed.
    """
    wanted = [each.ref for each in (upstream, *beside)]
    try:
        asked = place.git.run("ls-remote", upstream.remote, *wanted, timeout=NETWORK)
    except RepositoryError as error:
        raise FetchFailed(f"can't read {upstream.shown}: {error}", error.cause) from error
    if asked.code:
        cause, why = explained(asked.err)
        raise FetchFailed(f"can't read {upstream.shown}: {why}", cause)
    found = {}
    for line in asked.out.decode(errors="replace").splitlines():
        oid, _, name = line.partition("\t")
        found[name] = oid
    return [found.get(ref) for ref in wanted]


def push(place: Place, upstream: Upstream, parent: str, commit: str) -> None:
    """Push `commit` so that the remote branch goes from exactly `parent`, its parent, to it: a fast-forward or nothing.

    The lease adds to git's fast-forward rule that a branch which was set back, or deleted, isn't brought back. From a
    `parent` of all zeros: the branch is made, where there is none.
    Raises TipMoved where the branch stands elsewhere, PushFailed where the remote refused or can't be reached.
    """
    expected = None if is_null(parent) else parent
    spec, lease = f"{commit}:{upstream.ref}", f"--force-with-lease={upstream.ref}:{expected or ''}"
    options = ("--porcelain", "--no-verify", "--no-follow-tags", "--no-recurse-submodules", "--no-signed")
    for attempt in range(_ATTEMPTS):
        failure: RepositoryError | None = None
        try:
            result = place.git.run("push", *options, lease, upstream.remote, spec, timeout=NETWORK)
            if not result.code:
                return
            cause, why = refusal(result)
        except RepositoryError as error:
            cause, why, failure = error.cause, str(error), error
        try:
            (stands,) = remote_tips(place, upstream)  # a push whose answer got lost may well have landed
        except FetchFailed as error:
            raise PushFailed(
                f"can't push {place.branch} to {upstream.shown}: {why}; the remote can't be asked whether it arrived",
                error.cause if cause is Cause.OTHER else cause,
            ) from (failure or error)
        if stands == commit:
            return
        if stands != expected:
            raise TipMoved(f"{place.branch} moved at {upstream.shown} while we decided") from failure
        if cause is not Cause.RACE:
            raise PushFailed(f"{upstream.shown} did not take our commit on {place.branch}: {why}", cause) from failure
        if attempt < _ATTEMPTS - 1:
            _pause()
    raise PushFailed(
        f"{upstream.shown} did not take our commit on {place.branch}, which did not move: {why}; if that stays, a git"
        " process was killed there: remove the .lock file beside the branch"
    )


def refusal(result: Result) -> tuple[Cause, str]:
    """Why a push failed: plain words where the reason is known, and git's own lines."""
    reason = ""
    for line in result.out.decode(errors="replace").splitlines():
        if line.startswith("!"):
            reason = line.rpartition("\t")[2]
    told = [line.strip().removeprefix("remote:").strip() for line in result.err.splitlines() if "remote:" in line]
    told = [line for line in told if not line.startswith("error: hook declined")]  # which the reason says
    said = next((line for line in told if line.lower().startswith(("error", "fatal"))), next(filter(None, told), ""))
    found = classify(f"{result.err}\n{reason}")
    text = " ".join(filter(None, (reason, said and f"({said})"))) or found.line or plain(result.err)
    return found.cause, _shown(f"{found.words}: {text}" if found.words else text)


def explained(err: str) -> tuple[Cause, str]:
    """Why the remote could not be read, from git's stderr: plain words where that is known, and the line that told."""
    found = classify(err)
    return found.cause, _shown(f"{found.words}: {found.line}" if found.words else plain(err))


def _shown(text: str) -> str:
    """The same for the same trouble: how long a try took is no part of it."""
    text = _TOOK.sub("", text)
    return "".join(char if char.isprintable() else "?" for char in text)[:_LINE]


def _pause() -> None:
    time.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 - so that those who met once don't meet again
