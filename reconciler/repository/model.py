"""What goes in and out of the git door: plain frozen data, no git in it.

`Repository` makes these; `manifests`, `records` and `reconcile` read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from reconciler.repository.access import Access
from reconciler.repository.authorship import Authorship

FOLDERS: Final = ("fleets", "backups", "restores", "migrations")
"""The folders that users write."""
STATUS: Final = "status"
"""The folder that only the reconciler writes."""
LEDGER: Final = "status/ledger.yaml"
TRAILER: Final = "Reconciler-Ledger"
"""Key of the trailer that marks our own commits; its value is the ledger id."""
PAUSED: Final = ".reconciler-paused"
"""What lies at the root or at `Tracked.path`, whatever it is, while nothing new is to start."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """Which repository, branch and folder to work on.

    `location`: a path (the work tree, a folder in it, a linked work tree, a bare repository) or a URL.
    `branch`: empty for the checked-out branch, for a URL the remote's HEAD.
    `path`: the folder in the repository that holds `fleets/` … `status/`, with `/` between; empty for the root.
    `local`: the local branch is the ledger even if it has an upstream.
    `accept_rewrite`: go on where the first reading finds a history without the last own commit that this machine saw.
    `cache`: where mirrors of URLs live; None for `$XDG_CACHE_HOME/reconciler`, else `~/.cache/reconciler`.
    `status_branch`: the branch that holds `status/`, for where the tracked one takes no pushes; empty for that one. The
    guard against rewritten history is on the records then. The tracked branch may be force-pushed: its files count as
    they stand at the tip, whatever came before, and what ran is recorded elsewhere.
    `pinned`: a revision whose commit stands for the tip where no branch can be told, as in a CI job's checkout: HEAD is
    detached and `branch` is empty, or `branch` is there as a remote-tracking ref alone, which is the tip then. Where
    that commit lags behind the branch that its ledger was made for, the tip is where that one stands. The repository
    can only be read then: nothing is fetched, and what this machine remembers is neither read nor written.
    `access`: how git gets to the remote; `authorship`: who our commits are by, and how they are signed.
    """

    location: str
    branch: str = ""
    path: str = ""
    local: bool = False
    accept_rewrite: bool = False
    cache: Path | None = None
    status_branch: str = ""
    pinned: str = ""
    access: Access = field(default_factory=Access)
    authorship: Authorship = field(default_factory=Authorship)


@dataclass(frozen=True, slots=True)
class Blob:
    """One file that a user wrote: `path` relative to `Tracked.path`, `content` None where it is refused.

    `problem` then says why, in words that hold nothing of the content.
    """

    path: str
    content: bytes | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tip:
    """A commit (full hex id) that the branch stood at; `fetched_at` is `time.monotonic()` from before we asked."""

    commit: str
    fetched_at: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything of one commit.

    `tip`: of the tracked branch, whose files are reconciled.
    `ledger_tip`: the commit that the branch of the ledger stood at, the tip's own unless `status_branch` names another;
    empty where that branch isn't there yet.
    `files`: the YAML under `FOLDERS` at the tip, by path; the very same tuple as long as nothing in it changes.
    `recorded`: the files under `status/` as of `own_commit`, by path relative to `Tracked.path`.
    `own_commit`: the newest commit of ours that the ledger's branch contains, None before the first.
    `tampered`: paths under `status/` where that branch differs from `recorded`, sorted.
    `unpushed`: `abc1234 subject` of local commits that the upstream lacks; they don't count.
    `location`: for people, without any password.
    `paused`: `PAUSED` lies at the tip.
    `folder`: the folder `Tracked.path` is there at the tip; `ledgers`: the folders at the tip, or at that of the status
    branch, that have a ledger (empty: the root), sorted. Both are looked for only where `own_commit` is None.
    """

    tip: Tip
    ledger_tip: str
    files: tuple[Blob, ...]
    recorded: Mapping[str, bytes]
    own_commit: str | None
    tampered: tuple[str, ...]
    unpushed: tuple[str, ...]
    location: str
    paused: bool = False
    folder: bool = True
    ledgers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """The users' side of any one commit: `files` and `paused` as in `Snapshot`.

    `edited`: paths under `status/` that differ from what our newest commit in it recorded.
    """

    commit: str
    files: tuple[Blob, ...]
    paused: bool
    edited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """The first-parent commit that brought a content: who (`Name <mail>`) and when it was committed (with zone).

    `author`: of a merge, who wrote the newest commit on the merged side that touches the file.
    `merged_by`: who made the merge; else the committer, where that is neither the author nor a forge; else empty.
    `approved_by`: the `Reviewed-by` and `Approved-by` of that very commit, none of what it merged; at most 20. Nobody
    verifies them.
    All names are one printable line of at most 200 characters.
    """

    commit: str
    author: str
    when: datetime
    merged_by: str = ""
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a commit made of one file; None where there was none. `path` is relative to `Tracked.path`."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Change:
    """One own commit and what it changed under `status/`.

    `when`: committed, with the committer's zone; `author`: one printable line; `message`: all of it, printable lines.
    """

    commit: str
    when: datetime
    author: str
    message: str
    files: tuple[FileChange, ...]
