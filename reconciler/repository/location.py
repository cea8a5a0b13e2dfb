"""Which repository, branch and remote are the ledger (design.md, section 6), found once when the door is opened."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import NoSuchBranch, NotARepository, RepositoryError
from reconciler.repository.access import Access, Live, Pairs
from reconciler.repository.git import Git, plain
from reconciler.repository.model import Tracked
from reconciler.repository.pinned import branch_refs, pinned_tip, remote_copies
from reconciler.repository.urls import Url, check, is_url, mask, parse, secrets_of


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
    `pinned`: the commit that stands for the branch, which can't be told (empty: there is none); None where it can.
    `signing`: the configuration of git that signs our commits; empty where they are not to be.
    """

    git: Git
    common: Path
    top: Path | None
    branch: str
    local: str | None
    upstream: Upstream | None
    identity: Mapping[str, str]
    shown: str
    pinned: str | None = None
    signing: Pairs = ()

    def check_writable(self) -> None:
        """Raise RepositoryError where a commit stands for the branch."""
        if self.pinned is not None:
            raise RepositoryError(
                f"{self.shown} is read-only: no branch is checked out there, and a commit stands for it; check one out"
                " (git switch), or name a local one with --branch"
            )


def checked(tracked: Tracked) -> Url | None:
    """Check what the options name, and their files; the URL, None where the repository is a path.

    Raises RepositoryError, SettingsError.
    """
    given = (("--repo", tracked.location), ("--branch", tracked.branch), ("--path", tracked.path))
    for what, text in (*given, ("--status-branch", tracked.status_branch)):
        if text.startswith("-") or not text.isprintable():
            raise RepositoryError(f"{what} {mask(text)!r} is refused: it would be read as an option, or can't be shown")
    tracked.access.check()
    tracked.authorship.check()
    return parse(tracked.location, "--repo") if is_url(tracked.location) else None


def clean_path(path: str) -> str:
    """`--path` as git has it: no slash at the ends, no `.`. Raises RepositoryError for `..`, `.git`, absolute paths."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or any(part == ".." or part.lower() == ".git" for part in parts):
        raise RepositoryError(f"--path {path!r} is refused: it is a folder within the repository, as in ops/restores")
    return "/".join(parts)


def locate(tracked: Tracked) -> Place:
    """Find the repository at a path. Raises NotARepository, NoSuchBranch, RepositoryError."""
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
    settings = configured(git)
    identity, signing = tracked.authorship.identity(settings), tracked.authorship.signing()
    pinned = pinned_tip(git, tracked)
    if pinned:
        shown = str(top or folder)
        return Place(git, Path(common), top, tracked.branch, None, None, identity, shown, pinned)
    branch, upstream_ref = _branch(git, tracked.branch, top or folder)
    upstream = None if tracked.local else _upstream(git, branch, upstream_ref, settings)
    if upstream is not None:
        git, shown = _checked(git, upstream, tracked.access)
        upstream = Upstream(upstream.remote, upstream.ref, upstream.tracking, shown)
    return Place(
        git,
        Path(common),
        top,
        branch,
        f"refs/heads/{branch}",
        upstream,
        identity,
        upstream.shown if upstream else str(top or folder),
        signing=signing,
    )


def _branch(git: Git, wanted: str, shown: Path) -> tuple[str, str]:
    """The branch and the remote-tracking ref of its upstream (empty: none). Raises NoSuchBranch."""
    head = git.run("symbolic-ref", "--quiet", "--short", "HEAD")
    branch = wanted or head.out.decode(errors="replace").strip()
    refs = branch_refs(git)
    heads = [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")]
    if not branch:
        raise NoSuchBranch(f"no branch is checked out in {shown}; name one with --branch")
    if branch in heads:
        return branch, refs[f"refs/heads/{branch}"]
    for copy in remote_copies(refs, branch):
        remote = copy.split("/")[2]
        hint = f"git branch --track {branch} {remote}/{branch}"
        raise NoSuchBranch(f"no branch {branch} in {shown}, but {remote} has it: {hint}")
    fetched = {ref.split("/", 3)[3] for ref in refs if ref.startswith("refs/remotes/")} - {"HEAD"}
    raise missing_branch(branch, heads or fetched, str(shown))


def missing_branch(branch: str, heads: Iterable[str], shown: str) -> NoSuchBranch:
    """The error for a branch that is not among `heads`; it names the nearest ones."""
    known = sorted(heads)
    if not known:
        return NoSuchBranch(f"{shown} has no commit yet; make a first commit on {branch or 'a branch'} (and push it)")
    near = difflib.get_close_matches(branch, known, n=3, cutoff=0.5) or known[:3]
    return NoSuchBranch(f"no branch {branch} in {shown}; there is {', '.join(near)}")


def configured(git: Git) -> dict[str, list[str]]:
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
        tracking = own_copy(remote, ref)
    return Upstream(remote, ref, tracking, "")


def own_copy(remote: str, ref: str) -> str:
    """The ref that holds our copy of a remote branch where none of the user's does."""
    name = hashlib.sha256(f"{remote}\0{ref}".encode()).hexdigest()[:16]
    return f"refs/reconciler/{name}"


def _checked(git: Git, upstream: Upstream, access: Access) -> tuple[Git, str]:
    """Check every URL that the remote stands for; git that gets there and masks their passwords, and the first one for
    people.
    """
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
    parsed = [parse(url) for url in urls if is_url(url)]
    site = parsed[0] if parsed else Url("", "", "")
    origins = tuple(dict.fromkeys(url.origin for url in parsed if url.origin))
    git = replace(
        git,
        config=access.settings(origins),
        env=access.variables(),
        secrets=secrets,
        live=Live(access, site.host, site.username),
        without=access.without(),
    )
    return git, mask(urls[0], secrets)
