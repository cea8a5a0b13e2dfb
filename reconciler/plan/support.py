"""What is read and understood but does not run in this version: refused in plain words, never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.desired import Desired, Wanted
from reconciler.manifests import Problem
from reconciler.resources import BackupSpec, Identity


def refuse_unsupported(desired: Desired) -> Desired:
    """The desired state without what this version can't run, each with a problem that says so."""
    found = {identity: tuple(_unsupported(wanted, desired)) for identity, wanted in desired.wanted.items()}
    refused = {identity: problems for identity, problems in found.items() if problems}
    if not refused:
        return desired
    for identity, wanted in desired.wanted.items():
        if wanted.backup in refused and identity not in refused:
            refused[identity] = (_depends(wanted, wanted.backup, refused[wanted.backup][0]),)
    return replace(
        desired,
        wanted={identity: wanted for identity, wanted in desired.wanted.items() if identity not in refused},
        refused={**desired.refused, **refused},
        problems=tuple(sorted({*desired.problems, *(p for problems in refused.values() for p in problems)})),
    )


def _depends(wanted: Wanted, backup: Identity, problem: Problem) -> Problem:
    """As `desired` has it: what is restored from a refused Backup waits until that is mended, and does not fail."""
    text = f"{wanted.identity}: depends on {backup}, which has an error"
    return Problem(wanted.position, text, f"see {problem.position}", wanted.identity)


def _unsupported(wanted: Wanted, desired: Desired) -> Iterator[Problem]:
    spec = wanted.spec

    def problem(what: str, todo: str) -> Problem:
        return Problem(wanted.position, f"{wanted.identity}: {what}", todo, wanted.identity)

    if spec.attempt != 1:
        yield problem("spec.attempt above 1 is not supported yet", "add a new object under a new name")
    if spec.rerun is not None:
        yield problem("spec.rerun is not supported yet", "remove it")
    if spec.suspend:
        yield problem("spec.suspend is not supported yet", "remove the file to start nothing more")
    if isinstance(spec, BackupSpec):
        if spec.schedule:
            yield problem("spec.schedule is not supported yet", "remove it to take one backup now")
        return
    backup = desired.wanted.get(wanted.backup) if wanted.backup else None
    if backup and isinstance(backup.spec, BackupSpec) and backup.spec.schedule:
        yield problem(
            f"restores from a scheduled Backup ({backup.identity}) are not supported yet", "use an immediate Backup"
        )
