"""`validate`: the work tree's files, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from reconciler import manifests
from reconciler.desired import resolve
from reconciler.errors import SettingsError
from reconciler.gather import source_files
from reconciler.output.findings import findings
from reconciler.repository import worktree_files


def validate(root: Path) -> bool:
    """Prints every problem of every file below `root`; True where there is none. Raises SettingsError."""
    if not root.is_dir():
        raise SettingsError(f"{root} is no folder; name one that holds fleets/, backups/, restores/")
    found = manifests.read(source_files(worktree_files(root)))
    desired = resolve(found, {})
    findings(desired, datetime.now(UTC))
    return not desired.problems
