"""What a member's Velero says, in our words: raw objects in, frozen values out.

Called by `members`, which alone sees raw objects; read by `plan`. Facts: Velero's `pkg/apis/velero/v1` and
`pkg/util/results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.records import Phase
from reconciler.velero.objects import FINALIZER, OBJECT, REVISION, RUN_ID, SOURCE, SUSPENDED, fingerprint
from reconciler.velero.plainly import count, line, mapping, recordable, sequence, text, word

# Everything else, also what a later Velero may add, counts as running (restore_types.go, backup_types.go).
_TERMINAL: Final = {
    "Completed": Phase.COMPLETED,
    "PartiallyFailed": Phase.PARTIALLY_FAILED,
    "Failed": Phase.FAILED,
    "FailedValidation": Phase.FAILED_VALIDATION,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One Velero Backup or Restore as a member showed it. Times are RFC 3339, empty where Velero has none."""

    kind: str
    name: str
    uid: str
    run_id: str
    object: str
    """`<kind> <namespace>/<name>` of ours that it says it is for; `source` and `revision` likewise by annotation."""
    source: str
    revision: str
    phase: str
    terminal: Phase | None
    deleting: bool
    held: bool
    """It carries our finalizer."""
    errors: int
    warnings: int
    started_at: str
    completed_at: str
    expires_at: str
    storage: str
    message: str
    progress: tuple[int, int] | None
    """Items done and in all, where Velero tells."""
    status: Mapping[str, Any] = field(repr=False)

    @property
    def new(self) -> bool:
        """Velero has not taken it up yet."""
        return self.phase in ("", "New")


@dataclass(frozen=True, slots=True)
class SeenSchedule:
    """A Velero Schedule as a member showed it."""

    name: str
    uid: str
    run_id: str
    what: str
    """Fingerprint of what it does."""
    paused: bool
    suspended: bool
    """It was we who paused it."""
    deleting: bool
    invalid: str
    """Why Velero does not accept it, empty where it does."""


@dataclass(frozen=True, slots=True)
class Location:
    """A BackupStorageLocation."""

    name: str
    phase: str
    default: bool
    message: str

    @property
    def available(self) -> bool:
        return self.phase == "Available"


def seen(kind: str, raw: Mapping[str, Any]) -> Seen:
    """A Velero Backup or Restore, from the API server's JSON. Missing fields are empty, never an error."""
    metadata = mapping(raw.get("metadata"))
    spec = mapping(raw.get("spec"))
    status = mapping(raw.get("status"))
    phase = word(status.get("phase"))
    annotations = mapping(metadata.get("annotations"))
    return Seen(
        kind=kind,
        name=word(metadata.get("name")),
        uid=text(metadata.get("uid")),
        run_id=text(annotations.get(RUN_ID)),
        object=text(annotations.get(OBJECT)),
        source=text(annotations.get(SOURCE)),
        revision=text(annotations.get(REVISION)),
        phase=phase,
        terminal=_TERMINAL.get(text(status.get("phase"))),
        deleting=bool(metadata.get("deletionTimestamp")) or phase == "Deleting",
        held=FINALIZER in sequence(metadata.get("finalizers")),
        errors=count(status.get("errors")),
        warnings=count(status.get("warnings")),
        started_at=word(status.get("startTimestamp")),
        completed_at=word(status.get("completionTimestamp")),
        expires_at=word(status.get("expiration")),
        storage=word(spec.get("storageLocation")),
        message=_message(status),
        progress=_progress(kind, mapping(status.get("progress"))),
        status=recordable(status) if status else {},
    )


def seen_schedule(raw: Mapping[str, Any]) -> SeenSchedule:
    """A Velero Schedule, from the API server's JSON."""
    metadata, spec, status = (mapping(raw.get(part)) for part in ("metadata", "spec", "status"))
    annotations = mapping(metadata.get("annotations"))
    invalid = text(status.get("phase")) == "FailedValidation"
    return SeenSchedule(
        name=word(metadata.get("name")),
        uid=text(metadata.get("uid")),
        run_id=text(annotations.get(RUN_ID)),
        what=fingerprint(spec),
        paused=spec.get("paused") is True,
        suspended=SUSPENDED in annotations,
        deleting=bool(metadata.get("deletionTimestamp")),
        invalid=(_message(status) or "Velero gives no reason") if invalid else "",
    )


def location(raw: Mapping[str, Any]) -> Location:
    """A BackupStorageLocation, from the API server's JSON."""
    status = mapping(raw.get("status"))
    return Location(
        name=word(mapping(raw.get("metadata")).get("name")),
        phase=word(status.get("phase")),
        default=bool(mapping(raw.get("spec")).get("default")),
        message=word(status.get("message")),
    )


def _message(status: Mapping[str, Any]) -> str:
    reasons = [word(told) for told in (*sequence(status.get("validationErrors")), status.get("failureReason"))]
    return line("; ".join(reason for reason in reasons if reason))


def _progress(kind: str, progress: Mapping[str, Any]) -> tuple[int, int] | None:
    done = progress.get("itemsBackedUp" if kind == "Backup" else "itemsRestored")
    return (count(done), count(progress.get("totalItems"))) if progress else None
