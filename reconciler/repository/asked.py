"""A revision by its name where the repository is the mirror of a URL, which follows the tracked branch alone.

Any other is fetched under a name that nobody follows, each time anew: a branch may have moved. Called by `branches`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from reconciler.errors import Cause, FetchFailed, NoSuchBranch, RepositoryError
from reconciler.repository import commit as commits
from reconciler.repository.git import CLONE, Git
from reconciler.repository.location import Place, Upstream, own_copy
from reconciler.repository.revisions import check_revision, resolve
from reconciler.repository.urls import mask

_PARTS: Final = re.compile(r"([^~^]+)([~^].*)?")
"""A name, and the way from there to an ancestor."""
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_WHOLE: Final = (40, 64)
"""Digits of the full id of a commit."""
_NOT_GIVEN: Final = (Cause.OTHER, Cause.RACE)
"""How a remote answers that is asked for a commit's id, and does not have it or does not give it: to the latter it says
"not our ref", as it does where a branch moves just then."""


def resolve_there(place: Place, upstream: Upstream, revision: str) -> str:
    """The commit of the remote that a revision names; the tracked branch was fetched a moment ago.

    Raises RepositoryError where there is none, FetchFailed.
    """
    check_revision(revision)
    found = _PARTS.fullmatch(revision)
    name, suffix = (found[1], found[2] or "") if found else ("", "")
    for prefix in (f"refs/remotes/{upstream.remote}/", f"{upstream.remote}/"):
        name = name.removeprefix(prefix)
    if name in ("HEAD", place.branch):
        return resolve(place.git, f"{upstream.tracking}{suffix}")
    if _COMMIT.fullmatch(name):
        with contextlib.suppress(RepositoryError):
            return resolve(place.git, revision)
    for ref in _refs(place.git, name):
        asked = replace(upstream, ref=ref, tracking=own_copy(upstream.remote, ref))
        try:
            commits.fetch(replace(place, branch=name), asked, CLONE)
        except NoSuchBranch:
            continue
        except FetchFailed as error:
            if ref == name and error.cause in _NOT_GIVEN:
                continue
            raise
        return resolve(place.git, f"{asked.tracking}{suffix}")
    raise RepositoryError(f"no branch, tag or commit {mask(revision)} at {place.shown}; push it, or plan in a clone")


def _refs(git: Git, name: str) -> Iterator[str]:
    """What a name may stand for at the remote."""
    if _COMMIT.fullmatch(name) and len(name) in _WHOLE:
        yield name
    for ref in (name,) if name.startswith("refs/") else (f"refs/heads/{name}", f"refs/tags/{name}"):
        if not git.run("check-ref-format", ref).code:
            yield ref
