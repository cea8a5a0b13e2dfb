"""The only door to git: read a commit, commit records, fetch, push.

Which repository is the ledger stands in design.md, section 6; `Repository` is what the rest of the program uses.
"""

from __future__ import annotations

from reconciler.repository.access import Access
from reconciler.repository.authorship import Authorship
from reconciler.repository.door import STEPS, Repository
from reconciler.repository.files import worktree_files
from reconciler.repository.folders import holder
from reconciler.repository.model import (
    FOLDERS,
    LEDGER,
    PAUSED,
    STATUS,
    TRAILER,
    Arrival,
    Blob,
    Change,
    FileChange,
    Revision,
    Snapshot,
    Tip,
    Tracked,
)
from reconciler.repository.names import record_paths
from reconciler.repository.urls import mask

__all__ = [
    "FOLDERS",
    "LEDGER",
    "PAUSED",
    "STATUS",
    "STEPS",
    "TRAILER",
    "Access",
    "Arrival",
    "Authorship",
    "Blob",
    "Change",
    "FileChange",
    "Repository",
    "Revision",
    "Snapshot",
    "Tip",
    "Tracked",
    "holder",
    "mask",
    "record_paths",
    "worktree_files",
]
