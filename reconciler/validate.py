"""`validate`: the work tree's files, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler import manifests
from reconciler.desired import filters, resolve
from reconciler.gather import source_files
from reconciler.output.findings import findings, note
from reconciler.repository import holder, worktree_files


def validate(named: Iterable[Path | None], path: str) -> bool:
    """Prints every problem of every file of these repositories; True where there is none.

    `named`: folders in them, None for the one we are in; `path`: `--path`. Raises NotARepository, RepositoryError.
    """
    roots = {holder(each, path): each for each in named}
    valid = [_check(root, each) for root, each in roots.items()]
    return all(valid)


def _check(root: Path, named: Path | None) -> bool:
    if named and root != Path(os.path.abspath(named)):
        note(f"all of {os.path.relpath(root)} is checked, which {named} is a part of")
    blobs = tuple(replace(blob, path=os.path.relpath(root / blob.path)) for blob in worktree_files(root))
    found = manifests.read(source_files(blobs))
    desired = resolve(found, {})
    more = {problem for half in found.halves for problem in filters.problems(half)}
    desired = replace(desired, problems=tuple(sorted({*desired.problems, *more})))
    findings(desired, datetime.now(UTC))
    return not desired.problems
