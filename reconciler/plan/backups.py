"""What an immediate Backup waits for on a member."""

from __future__ import annotations

from dataclasses import replace

from reconciler.plan.answers import UNKNOWN, Answer, Failure
from reconciler.plan.runs import wait
from reconciler.records import Phase, Run
from reconciler.velero.status import Location


def gate(run: Run, answer: Answer) -> Run:
    """`Starting` once the member's default storage is Available and a dry-run create was accepted."""
    failure = answer.failure or dry_run_failure(answer, "Backup", run) or storage_failure(answer, "")
    if failure:
        return wait(run, failure)
    return replace(run, phase=Phase.STARTING, reason="", message="", cluster_uid=answer.cluster_uid)


def velero_failure(answer: Answer) -> Failure | None:
    """Why Velero seems not to be there; None also where that is not known.

    In a namespace that does not exist nothing is found either, and only a create is told so. That there is no place to
    keep a backup in shows it to who may only read, so that `plan` says what `sync` will.
    """
    if answer.locations != ():
        return None
    text = "Velero's namespace has no BackupStorageLocation, or is not there"
    todo = "install Velero on the cluster, name its namespace with --velero-namespace, or create a location"
    return Failure("VeleroMissing", f"{text}; {todo}")


def storage_failure(answer: Answer, name: str) -> Failure | None:
    """Why the BackupStorageLocation of that name (empty: the one that Velero would choose) can't be used."""
    if answer.locations is None:
        return UNKNOWN
    if missing := velero_failure(answer):
        return missing
    location = next((place for place in answer.locations if place.name == name), None) if name else _default(answer)
    if location is None:
        known = ", ".join(sorted(place.name for place in answer.locations))
        return Failure(
            "StorageUnavailable",
            f"there is no BackupStorageLocation {name or 'default'} (there: {known}); create it on the cluster",
        )
    if not location.available:
        detail = f": {location.message}" if location.message else ""
        return Failure(
            "StorageUnavailable",
            f"BackupStorageLocation {location.name} is {location.phase or 'not validated yet'}{detail}",
        )
    return None


def dry_run_failure(answer: Answer, kind: str, run: Run) -> Failure | None:
    """Why the API server would not take the object; None where it would."""
    return answer.dry_runs.get((kind, run.object_name), UNKNOWN)


def _default(answer: Answer) -> Location | None:
    """The location with `spec.default`, else the one named `default` (Velero's server flag's own default)."""
    locations = answer.locations or ()
    marked = next((location for location in locations if location.default), None)
    return marked or next((location for location in locations if location.name == "default"), None)
