"""What a member's Velero says, in our words: raw objects in, frozen values out.

Called by `members`, which alone sees raw objects; read by `plan`. Facts: Velero's `pkg/apis/velero/v1` and
`pkg/util/results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.records import Phase, Texts
from reconciler.velero.objects import FINALIZER, OBJECT, REVISION, RUN_ID, SOURCE

# Everything else, also what a later Velero may add, counts as running (restore_types.go, backup_types.go).
_TERMINAL: Final = {
    "Completed": Phase.COMPLETED,
    "PartiallyFailed": Phase.PARTIALLY_FAILED,
    "Failed": Phase.FAILED,
    "FailedValidation": Phase.FAILED_VALIDATION,
}
_TEXT_LIMIT: Final = 1000
_TEXTS_LIMIT: Final = 100
_DEEPEST: Final = 10


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
    metadata = _mapping(raw.get("metadata"))
    spec = _mapping(raw.get("spec"))
    status = _mapping(raw.get("status"))
    phase = _word(status.get("phase"))
    annotations = _mapping(metadata.get("annotations"))
    return Seen(
        kind=kind,
        name=_word(metadata.get("name")),
        uid=_text(metadata.get("uid")),
        run_id=_text(annotations.get(RUN_ID)),
        object=_text(annotations.get(OBJECT)),
        source=_text(annotations.get(SOURCE)),
        revision=_text(annotations.get(REVISION)),
        phase=phase,
        terminal=_TERMINAL.get(_text(status.get("phase"))),
        deleting=bool(metadata.get("deletionTimestamp")) or phase == "Deleting",
        held=FINALIZER in _list(metadata.get("finalizers")),
        errors=_count(status.get("errors")),
        warnings=_count(status.get("warnings")),
        completed_at=_word(status.get("completionTimestamp")),
        expires_at=_word(status.get("expiration")),
        storage=_word(spec.get("storageLocation")),
        message=_message(status),
        progress=_progress(kind, _mapping(status.get("progress"))),
        status=_recordable(status) if status else {},
    )


def location(raw: Mapping[str, Any]) -> Location:
    """A BackupStorageLocation, from the API server's JSON."""
    status = _mapping(raw.get("status"))
    return Location(
        name=_word(_mapping(raw.get("metadata")).get("name")),
        phase=_word(status.get("phase")),
        default=bool(_mapping(raw.get("spec")).get("default")),
        message=_word(status.get("message")),
    )


def texts(results: Mapping[str, Any]) -> Texts:
    """Errors and warnings out of a results file: `{"errors": {"velero": [], "cluster": [], "namespaces": {}}, …}`.

    At most 100 of each, each at most 1,000 characters; what was left out is said in the note.
    """
    errors, warnings = _lines(results.get("errors")), _lines(results.get("warnings"))
    dropped = sum(max(0, len(lines) - _TEXTS_LIMIT) for lines in (errors, warnings))
    note = f"{dropped} more; `velero restore describe --details` on the cluster shows all" if dropped else ""
    return Texts(errors[:_TEXTS_LIMIT], warnings[:_TEXTS_LIMIT], note)


def _lines(result: Any) -> tuple[tuple[str, str], ...]:
    found = _mapping(result)
    groups = [("velero", found.get("velero")), ("cluster", found.get("cluster"))]
    groups += sorted(_mapping(found.get("namespaces")).items())
    return tuple((_word(where), _line(str(text), _TEXT_LIMIT)) for where, texts in groups for text in _list(texts))


def _message(status: Mapping[str, Any]) -> str:
    reasons = [_word(text) for text in (*_list(status.get("validationErrors")), status.get("failureReason"))]
    return _line("; ".join(reason for reason in reasons if reason))


def _progress(kind: str, progress: Mapping[str, Any]) -> tuple[int, int] | None:
    done = progress.get("itemsBackedUp" if kind == "Backup" else "itemsRestored")
    return (_count(done), _count(progress.get("totalItems"))) if progress else None


def _line(text: str, limit: int = 300) -> str:
    """One line without control characters, since a member's words reach terminals and records."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _text(value: Any) -> str:
    """Exactly the text, empty where there is none, or something else."""
    return value if isinstance(value, str) else ""


def _word(value: Any) -> str:
    return _line(_text(value))


def _recordable(value: Any, depth: int = 0) -> Any:
    """A status as it is, without what a hostile member could break a record with: lone surrogates, endless nesting."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_recordable(str(k)): _recordable(v, depth + 1) for k, v in value.items()} if depth < _DEEPEST else {}
    if isinstance(value, list):
        return [_recordable(item, depth + 1) for item in value] if depth < _DEEPEST else []
    return value


def _count(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
