"""The only door to git: read a commit, commit records, fetch, push.

Which repository is the ledger stands in design.md, section 6; `Repository` is what the rest of the program uses.
"""

from __future__ import annotations

from reconciler.repository.door import STEPS, Repository
from reconciler.repository.files import worktree_files
from reconciler.repository.model import (
    FOLDERS,
    LEDGER,
    STATUS,
    TRAILER,
    Arrival,
    Blob,
    Snapshot,
    Tip,
    Tracked,
)
from reconciler.repository.urls import mask

__all__ = [
    "FOLDERS",
    "LEDGER",
    "STATUS",
    "STEPS",
    "TRAILER",
    "Arrival",
    "Blob",
    "Repository",
    "Snapshot",
    "Tip",
    "Tracked",
    "mask",
    "worktree_files",
]
