"""Which repository, branch and remote are the ledger (design.md, section 6), found once when the door is opened."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import FetchFailed, NoSuchBranch, NotARepository, RepositoryError
from reconciler.repository.git import NETWORK, Git, plain
from reconciler.repository.localstate import locked
from reconciler.repository.model import Tracked
from reconciler.repository.urls import Url, check, is_url, mask, parse, secrets_of

_HELPER: Final = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" '
    '"$RECONCILER_GIT_USERNAME" "$RECONCILER_GIT_PASSWORD"; }; f'
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """The remote that is the ledger: `remote` as git knows it, `ref` there, `tracking` our copy of it."""

    remote: str
    ref: str
    tracking: str
    shown: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the ledger lies.

    `common`: the git directory that all work trees share; `top`: the work tree we were pointed at, None where there is
    none; `local`: the full name of the local branch, None for a mirror; `identity`: variables for `commit-tree`.
    """

    git: Git
    common: Path
    top: Path | None
    branch: str
    local: str | None
    upstream: Upstream | None
    identity: Mapping[str, str]
    shown: str


def locate(tracked: Tracked) -> Place:
    """Find the repository. For a URL this asks the remote for its branches and makes the mirror.

    Raises NotARepository, NoSuchBranch, FetchFailed (a URL), RepositoryError.
    """
    for what, text in (("--repo", tracked.location), ("--branch", tracked.branch), ("--path", tracked.path)):
        if text.startswith("-") or not text.isprintable():
            raise RepositoryError(f"{what} {mask(text)!r} is refused: it would be read as an option, or can't be shown")
    if is_url(tracked.location):
        return _remote(tracked, parse(tracked.location, "--repo"))
    return _local(tracked)


def clean_path(path: str) -> str:
    """`--path` as git has it: no slash at the ends, no `.`. Raises RepositoryError for `..`, `.git`, absolute paths."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or any(part == ".." or part.lower() == ".git" for part in parts):
        raise RepositoryError(f"--path {path!r} is refused: it is a folder within the repository, as in ops/restores")
    return "/".join(parts)


def _local(tracked: Tracked) -> Place:
    folder = Path(tracked.location).expanduser().absolute()
    if not folder.is_dir():
        raise NotARepository(f"{folder} is not a git repository: no such folder")
    asked = ["--path-format=absolute", "--is-inside-work-tree", "--git-dir", "--git-common-dir"]
    found = Git(folder).run("rev-parse", *asked)
    if found.code:
        if "not a git repository" in found.err:
            raise NotARepository(f"{folder} is not a git repository, nor is a folder above it; run `git init`")
        raise RepositoryError(f"{folder}: {plain(found.err)}")
    inside, git_dir, common = os.fsdecode(found.out).splitlines()
    top = Path(Git(folder).text("rev-parse", "--show-toplevel")) if inside == "true" else None
    git = Git(top or Path(git_dir), Path(git_dir))
    branch, upstream_ref = _branch(git, tracked.branch, top or folder)
    settings = _settings(git)
    upstream = None if tracked.local else _upstream(git, branch, upstream_ref, settings)
    if upstream is not None:
        git, shown = _checked(git, upstream)
        upstream = Upstream(upstream.remote, upstream.ref, upstream.tracking, shown)
    return Place(
        git,
        Path(common),
        top,
        branch,
        f"refs/heads/{branch}",
        upstream,
        _identity(settings),
        upstream.shown if upstream else str(top or folder),
    )


def _branch(git: Git, wanted: str, shown: Path) -> tuple[str, str]:
    """The branch and the remote-tracking ref of its upstream (empty: none). Raises NoSuchBranch."""
    head = git.run("symbolic-ref", "--quiet", "--short", "HEAD")
    branch = wanted or head.out.decode(errors="replace").strip()
    listed = git.text("for-each-ref", "--format=%(refname) %(upstream)", "refs/heads/", "refs/remotes/").splitlines()
    refs = {ref: upstream for ref, _, upstream in (line.partition(" ") for line in listed)}
    heads = [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")]
    if not branch:
        raise NoSuchBranch(f"no branch is checked out in {shown}; name one with --branch")
    if branch in heads:
        return branch, refs[f"refs/heads/{branch}"]
    for ref in refs:
        remote, _, name = ref.removeprefix("refs/remotes/").partition("/")
        if ref.startswith("refs/remotes/") and name == branch:
            hint = f"git branch --track {branch} {remote}/{name}"
            raise NoSuchBranch(f"no branch {branch} in {shown}, but {remote} has it: {hint}")
    raise missing_branch(branch, heads, str(shown))


def missing_branch(branch: str, heads: Iterable[str], shown: str) -> NoSuchBranch:
    """The error for a branch that is not among `heads`; it names the nearest ones."""
    known = sorted(heads)
    if not known:
        return NoSuchBranch(f"{shown} has no commit yet; make a first commit on {branch or 'a branch'} (and push it)")
    near = difflib.get_close_matches(branch, known, n=3, cutoff=0.5) or known[:3]
    return NoSuchBranch(f"no branch {branch} in {shown}; there is {', '.join(near)}")


def _settings(git: Git) -> dict[str, list[str]]:
    """The configuration of branches, remotes and names, every value of a key."""
    found = git.run("config", "-z", "--get-regexp", r"^(user|author|committer|branch)\.")
    settings: dict[str, list[str]] = {}
    for line in found.out.decode(errors="replace").split("\0"):
        key, _, value = line.partition("\n")
        settings.setdefault(key, []).append(value)
    return settings


def _upstream(git: Git, branch: str, tracking: str, settings: Mapping[str, list[str]]) -> Upstream | None:
    remote = settings.get(f"branch.{branch}.remote", [""])[-1]
    ref = settings.get(f"branch.{branch}.merge", [""])[0]
    if not remote or not ref or remote == ".":
        return None
    if remote.startswith("-") or not remote.isprintable():
        raise RepositoryError(f"remote {mask(remote)!r} of branch {branch} is refused: it would be read as an option")
    if not ref.startswith("refs/heads/"):
        raise RepositoryError(f"the upstream of {branch} is {ref}, not a branch; use --local to work without it")
    if not tracking.startswith("refs/remotes/"):  # none is configured, or it is one that isn't ours to move
        name = hashlib.sha256(f"{remote}\0{ref}".encode()).hexdigest()[:16]
        tracking = f"refs/reconciler/{name}"
    return Upstream(remote, ref, tracking, "")


def _checked(git: Git, upstream: Upstream) -> tuple[Git, str]:
    """Check every URL that the remote stands for; git that masks their passwords, and the first one for people."""
    remote = upstream.remote
    fetched = git.run("remote", "get-url", "--all", remote)
    if not fetched.code:
        pushed = git.text("remote", "get-url", "--push", "--all", remote)
        urls = [*fetched.out.decode(errors="replace").splitlines(), *pushed.splitlines()]
    elif is_url(remote) or "/" in remote:  # `git push -u URL` writes the URL itself
        check(remote, "the remote")
        urls = [git.text("ls-remote", "--get-url", remote)]
    else:
        raise RepositoryError(f"the upstream of the branch is on remote {remote}, which is not configured")
    for url in urls:
        check(url, f"the URL of remote {mask(remote)}")
    secrets = tuple(secret for url in urls for secret in secrets_of(url))
    return Git(git.directory, git.git_dir, secrets=secrets), mask(urls[0], secrets)


def _identity(settings: Mapping[str, list[str]]) -> dict[str, str]:
    """Who commits: the environment and the configuration as git has it, else `reconciler <reconciler@localhost>`."""
    found = {}
    for role in ("author", "committer"):
        for part, default in (("name", "reconciler"), ("email", "reconciler@localhost")):
            variable = f"GIT_{role.upper()}_{part.upper()}"
            configured = [*settings.get(f"user.{part}", []), *settings.get(f"{role}.{part}", [])]
            value = os.environ.get(variable) or next((text for text in reversed(configured) if text), "")
            found[variable] = value or (os.environ.get("EMAIL", "") if part == "email" else "") or default
    return found


def _remote(tracked: Tracked, url: Url) -> Place:
    cache = tracked.cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reconciler"
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", url.key.rpartition("/")[2])[:40].strip("-.") or "repository"
    folder = cache / f"{slug}-{hashlib.sha256(url.key.encode()).hexdigest()[:16]}.git"
    settings, variables = credential_settings(url)
    settings += (("remote.origin.url", url.given), ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"))
    secrets = (url.password, *secrets_of(tracked.location))
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RepositoryError(f"can't make {cache} for the copy of {url.shown}: {error.strerror}") from error
    git = Git(cache, None, config=settings, env=variables, secrets=secrets)
    with locked(folder.with_suffix(".lock"), NETWORK):
        if not (folder / "reconciler-ready").exists():
            git.out("-c", "init.defaultBranch=main", "init", "--quiet", "--bare", "--template=", str(folder))
            (folder / "reconciler-ready").touch()
    git = git.at(folder, folder)
    check(git.text("ls-remote", "--get-url", "origin"), "the URL")  # the user's `url.….insteadOf` may lead elsewhere
    branch = _remote_branch(git, tracked.branch, url.shown)
    upstream = Upstream("origin", f"refs/heads/{branch}", f"refs/remotes/origin/{branch}", url.shown)
    return Place(git, folder, None, branch, None, upstream, _identity(_settings(git)), url.shown)


def credential_settings(url: Url) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Configuration and variables by which git gets a URL's password; for that site alone, not after a redirect."""
    if not url.password:
        return (), ()
    helper = f"credential.{url.origin}.helper"
    variables = (("RECONCILER_GIT_USERNAME", url.username), ("RECONCILER_GIT_PASSWORD", url.password))
    return ((helper, ""), (helper, _HELPER)), variables


def _remote_branch(git: Git, wanted: str, shown: str) -> str:
    asked = git.run("ls-remote", "--symref", "origin", "HEAD", "refs/heads/*", timeout=NETWORK)
    if asked.code:
        raise FetchFailed(f"can't read {shown}: {plain(asked.err)}")
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
