"""`validate`: the work tree's files, and nothing else."""

from __future__ import annotations

from pathlib import Path

from reconciler import manifests
from reconciler.desired import resolve
from reconciler.errors import SettingsError
from reconciler.gather import source_files
from reconciler.output.findings import findings
from reconciler.plan.support import refuse_unsupported
from reconciler.repository import worktree_files


def validate(root: Path) -> bool:
    """Prints every problem of every file below `root`; True where there is none. Raises SettingsError."""
    if not root.is_dir():
        raise SettingsError(f"{root} is no folder; name one that holds fleets/, backups/, restores/")
    found = manifests.read(source_files(worktree_files(root)))
    desired = resolve(found, {})
    unsupported = tuple(p for p in refuse_unsupported(desired).problems if p not in desired.problems)
    findings(desired, unsupported)
    return not desired.problems
