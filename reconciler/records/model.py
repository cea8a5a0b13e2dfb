"""What is known of each object and of its runs, and where that lies. `plan` makes new records from old ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from reconciler.resources import ClusterId, Identity

LEDGER_PATH: Final = "status/ledger.yaml"
RECORD_VERSION: Final = 1
PLURALS: Final = {"Backup": "backups", "Restore": "restores"}


class Phase(StrEnum):
    """Of a run and of a record; the last four are Velero's terminal ones."""

    PENDING = "Pending"
    HELD = "Held"
    STARTING = "Starting"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    PARTIALLY_FAILED = "PartiallyFailed"
    FAILED = "Failed"
    FAILED_VALIDATION = "FailedValidation"

    @property
    def terminal(self) -> bool:
        """It ended, well or badly, and is never started again."""
        return self in _TERMINAL

    @property
    def open(self) -> bool:
        """It may still change by itself."""
        return self in (Phase.PENDING, Phase.STARTING, Phase.IN_PROGRESS)


_TERMINAL: Final = frozenset({Phase.COMPLETED, Phase.PARTIALLY_FAILED, Phase.FAILED, Phase.FAILED_VALIDATION})


@dataclass(frozen=True, slots=True)
class Run:
    """One (immediate Backup or Restore, attempt) on one cluster."""

    cluster: ClusterId
    phase: Phase
    object_name: str
    run_id: str
    what: str
    attempt: int = 1
    reason: str = ""
    message: str = ""
    cluster_uid: str = ""
    backup_name: str = ""
    backup_completed: str = ""
    status: Mapping[str, Any] = field(default_factory=dict)
    errors: int = 0
    warnings: int = 0

    @property
    def settled(self) -> bool:
        """Velero's own last word is recorded: nothing changes it any more."""
        return self.status.get("phase") in ("Completed", "PartiallyFailed", "Failed", "FailedValidation")


@dataclass(frozen=True, slots=True)
class Condition:
    """As kstatus defines them; `since` is RFC 3339 and changes only with `status`."""

    type: str
    status: bool
    reason: str
    message: str
    since: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one object; `spec` and what follows is as it was when the attempt was recorded."""

    identity: Identity
    spec: Mapping[str, Any]
    attempt: int
    source: str
    revision: str
    requested_by: str
    recorded_at: str
    phase: Phase
    conditions: tuple[Condition, ...]
    runs: tuple[Run, ...]

    def run_on(self, cluster: ClusterId) -> Run | None:
        """The run on that cluster, if it is one of this record's."""
        return next((run for run in self.runs if run.cluster == cluster), None)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What makes a repository ours: a random id, and the branch and path that it was made for."""

    id: str
    branch: str
    path: str
    version: int = RECORD_VERSION


@dataclass(frozen=True, slots=True)
class Texts:
    """Velero's own words about one run, capped: (where, text), where is `velero`, `cluster` or a namespace."""

    errors: tuple[tuple[str, str], ...]
    warnings: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """All of `status/` at one commit."""

    ledger: Ledger
    records: Mapping[Identity, Record]
    paths: frozenset[str]


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime | None:
    """The time that an RFC 3339 text tells, None where it tells none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else None


def run_id(ledger: str, identity: Identity, attempt: int, cluster: ClusterId) -> str:
    """32 hex digits; an object on a member that carries them is ours, whoever created it."""
    parts = (ledger, identity.kind, identity.namespace, identity.name, str(attempt), cluster.kind, cluster.name)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def path_of(identity: Identity) -> str:
    """Where the record of an object lies: a pure function of its identity, both parts checked as RFC 1123."""
    return f"status/{PLURALS[identity.kind]}/{identity.namespace}/{identity.name}.yaml"


def texts_path(identity: Identity, run: Run) -> str:
    """Where Velero's error and warning texts of one run lie, written once."""
    return f"{path_of(identity).removesuffix('.yaml')}.d/{run.cluster.name}-{run.attempt}.yaml"
