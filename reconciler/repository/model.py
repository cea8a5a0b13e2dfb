"""What goes in and out of the git door: plain frozen data, no git in it.

`Repository` makes these; `manifests`, `records` and `reconcile` read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

FOLDERS: Final = ("fleets", "backups", "restores", "migrations")
"""The folders that users write."""
STATUS: Final = "status"
"""The folder that only the reconciler writes."""
LEDGER: Final = "status/ledger.yaml"
TRAILER: Final = "Reconciler-Ledger"
"""Key of the trailer that marks our own commits; its value is the ledger id."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """Which repository, branch and folder to work on.

    `location`: a path (the work tree, a folder in it, a linked work tree, a bare repository) or a URL.
    `branch`: empty for the checked-out branch, for a URL the remote's HEAD.
    `path`: the folder in the repository that holds `fleets/` … `status/`, with `/` between; empty for the root.
    `local`: the local branch is the ledger even if it has an upstream.
    `accept_rewrite`: go on once where the history no longer holds the last own commit that this machine saw.
    `cache`: where mirrors of URLs live; None for `$XDG_CACHE_HOME/reconciler`, else `~/.cache/reconciler`.
    """

    location: str
    branch: str = ""
    path: str = ""
    local: bool = False
    accept_rewrite: bool = False
    cache: Path | None = None


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

    `files`: the YAML under `FOLDERS` at the tip, by path; the very same tuple as long as nothing in it changes.
    `recorded`: the files under `status/` as of `own_commit`, by path relative to `Tracked.path`.
    `own_commit`: the newest commit of ours that the tip contains, None before the first.
    `tampered`: paths under `status/` where the tip differs from `recorded`, sorted.
    `unpushed`: `abc1234 subject` of local commits that the upstream lacks; they don't count.
    `location`: for people, without any password.
    """

    tip: Tip
    files: tuple[Blob, ...]
    recorded: Mapping[str, bytes]
    own_commit: str | None
    tampered: tuple[str, ...]
    unpushed: tuple[str, ...]
    location: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """The first-parent commit that brought a content: who (`Name <mail>`) and when it was committed (with zone)."""

    commit: str
    author: str
    when: datetime
