"""The bare mirror of a URL: made once for all spellings of it, kept in the cache, and tidied once a day.

Called by `branches` when the door is opened, and by `Repository.tidy`. Nothing of the access to the remote is written
into the mirror.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path
from typing import Final

from reconciler.errors import FetchFailed, RepositoryError, WorkTreeBusy
from reconciler.repository.access import Live, Pairs, helper_settings
from reconciler.repository.commit import explained
from reconciler.repository.git import NETWORK, Git
from reconciler.repository.localstate import locked
from reconciler.repository.location import Place, Upstream, configured, missing_branch
from reconciler.repository.model import Tracked
from reconciler.repository.timing import Timed, timing
from reconciler.repository.urls import Url, check, secrets_of

_READY: Final = "reconciler-ready"
"""The file in a mirror that says that its making came to its end."""
_TIDIED: Final = "reconciler-tidied"
"""The file in a mirror whose time says when it was tidied last."""
_DAY: Final = 86400.0
_TIDY: Final = 300.0
"""Seconds that tidying may take."""


def mirror(tracked: Tracked, url: Url, timed: Timed) -> Place:
    """Make the mirror where it isn't there yet, and ask the remote for its branches.

    Raises NoSuchBranch, FetchFailed, RepositoryError.
    """
    cache = tracked.cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reconciler"
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", url.key.rpartition("/")[2])[:40].strip("-.") or "repository"
    folder = cache / f"{slug}-{hashlib.sha256(url.key.encode()).hexdigest()[:16]}.git"
    access = tracked.access
    if access.token_file and url.password:
        raise RepositoryError("--git-token-file goes with a URL without a password; take the password out of --repo")
    settings, variables = credential_settings(url)
    settings += access.settings((url.origin,) if url.origin else ())
    settings += (("remote.origin.url", url.given), ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"))
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RepositoryError(f"can't make {cache} for the copy of {url.shown}: {error.strerror}") from error
    git = Git(
        cache,
        None,
        config=settings,
        env=variables + access.variables(),
        secrets=(url.password, *secrets_of(tracked.location)),
        live=Live(access, url.host, url.username),
        without=access.without(),
    )
    with locked(folder.with_suffix(".lock"), NETWORK):
        if not (folder / _READY).exists():
            git.out("-c", "init.defaultBranch=main", "init", "--quiet", "--bare", "--template=", str(folder))
            (folder / _READY).touch()
    git = git.at(folder, folder)
    check(git.text("ls-remote", "--get-url", "origin"), "the URL")  # the user's `url.….insteadOf` may lead elsewhere
    with timing(timed, "ask"):
        branch = _remote_branch(git, tracked.branch, url.shown)
    upstream = Upstream("origin", f"refs/heads/{branch}", f"refs/remotes/origin/{branch}", url.shown)
    identity = tracked.authorship.identity(configured(git))
    signing = tracked.authorship.signing()
    return Place(git, folder, None, branch, None, upstream, identity, url.shown, signing=signing)


def credential_settings(url: Url) -> tuple[Pairs, Pairs]:
    """Configuration and variables by which git gets a URL's password; for that site alone, not after a redirect."""
    if not url.password:
        return (), ()
    variables = (("RECONCILER_GIT_USERNAME", url.username), ("RECONCILER_GIT_PASSWORD", url.password))
    return helper_settings(url.origin), variables


def _remote_branch(git: Git, wanted: str, shown: str) -> str:
    try:
        asked = git.run("ls-remote", "--symref", "origin", "HEAD", "refs/heads/*", timeout=NETWORK)
    except RepositoryError as error:
        raise FetchFailed(f"can't read {shown}: {error}", error.cause) from error
    if asked.code:
        cause, why = explained(asked.err)
        raise FetchFailed(f"can't read {shown}: {why}", cause)
    head, heads = "", []
    for line in asked.out.decode(errors="replace").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: refs/heads/"):
            head = value.removeprefix("ref: refs/heads/")
        elif name.startswith("refs/heads/"):
            heads.append(name.removeprefix("refs/heads/"))
    branch = wanted or head
    if branch not in heads:
        raise missing_branch(branch, heads, shown)
    return branch


def tidy(place: Place) -> bool:
    """Pack what has piled up in a mirror, at most once a day; whether it was done. A user's clone is never touched.

    What nothing refers to stays for two weeks, as git has it: long enough for commits that are being made, and for a
    history that was rewritten to be looked for. Raises RepositoryError where git can't; it is a day to the next try.
    """
    ready, tidied = place.common / _READY, place.common / _TIDIED
    if place.local is not None or place.upstream is None or not ready.exists():
        return False
    if _age(tidied if tidied.exists() else ready) < _DAY:
        return False
    try:
        with locked(place.common / f"{_TIDIED}.lock", 0.0):
            if tidied.exists() and _age(tidied) < _DAY:
                return False  # another process was faster
            tidied.touch()
            place.git.out("gc", "--quiet", timeout=_TIDY)
    except WorkTreeBusy:
        return False
    except OSError as error:
        raise RepositoryError(f"can't tidy {place.common}: {error.strerror}") from error
    return True


def _age(file: Path) -> float:
    """Seconds since a file was written; none where the clock was set back."""
    return max(0.0, time.time() - file.stat().st_mtime)
