"""What is known of each object and of its runs, and where that lies. `plan` makes new records from old ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from reconciler.names import instant
from reconciler.resources import ClusterId, Identity

LEDGER_PATH: Final = "status/ledger.yaml"
RECORD_VERSION: Final = 1
PLURALS: Final = {"Backup": "backups", "Restore": "restores"}


class Phase(StrEnum):
    """Of a run, of a Schedule and of a record."""

    PENDING = "Pending"
    HELD = "Held"
    STARTING = "Starting"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    PARTIALLY_FAILED = "PartiallyFailed"
    FAILED = "Failed"
    FAILED_VALIDATION = "FailedValidation"
    ENABLED = "Enabled"
    PAUSED = "Paused"
    REMOVING = "Removing"
    REMOVED = "Removed"

    @property
    def terminal(self) -> bool:
        """It ended, well or badly, and is never started again."""
        return self in _TERMINAL

    @property
    def open(self) -> bool:
        """It may still change by itself."""
        return self in (Phase.PENDING, Phase.STARTING, Phase.IN_PROGRESS, Phase.REMOVING)


_TERMINAL: Final = frozenset({Phase.COMPLETED, Phase.PARTIALLY_FAILED, Phase.FAILED, Phase.FAILED_VALIDATION})


@dataclass(frozen=True, slots=True)
class Items:
    """How many objects of a backup a Restore brought back, or not, by what became of them."""

    created: int = 0
    updated: int = 0
    equal: int = 0
    """There already, and as in the backup."""
    not_restored: int = 0
    """There already and different, and left as they are: Velero calls the Restore Completed all the same."""
    not_compared: int = 0
    """Made by the cluster itself in that very moment, as a namespace's ServiceAccount `default`, so that Velero could
    neither create nor compare it."""
    failed: int = 0

    @property
    def left(self) -> int:
        """Those that are not as in the backup now."""
        return self.not_restored + self.failed


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
    backup_started: str = ""
    backup_completed: str = ""
    status: Mapping[str, Any] = field(default_factory=dict)
    errors: int = 0
    warnings: int = 0
    items: Items | None = None
    """None where they could not be had."""

    @property
    def settled(self) -> bool:
        """Velero's own last word is recorded: nothing changes it any more."""
        return self.status.get("phase") in ("Completed", "PartiallyFailed", "Failed", "FailedValidation")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A Velero Schedule of ours on one cluster, and its latest backup.

    `what` is the fingerprint of the spec that was last seen there; `refreshed` (RFC 3339) when the latest backup was
    last asked for.
    """

    cluster: ClusterId
    phase: Phase
    object_name: str
    run_id: str
    what: str = ""
    reason: str = ""
    message: str = ""
    cluster_uid: str = ""
    backup_name: str = ""
    status: Mapping[str, Any] = field(default_factory=dict)
    refreshed: str = ""


Part = Run | Schedule
"""What a record says of one cluster."""


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
    """What is known of one object; `spec` and what follows is as it was when the attempt was recorded.

    `runs` holds those of all attempts, earlier ones first; `schedules` is for a Backup with a schedule, which has no
    runs of its own.
    """

    identity: Identity
    spec: Mapping[str, Any]
    attempt: int
    source: str
    revision: str
    requested_by: str
    recorded_at: str
    phase: Phase
    conditions: tuple[Condition, ...]
    runs: tuple[Run, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    merged_by: str = ""
    approved_by: tuple[str, ...] = ()

    @property
    def latest(self) -> tuple[Run, ...]:
        """The run of the highest attempt on each cluster, as far as it counts.

        One that was given up with its cluster counts no more once a later attempt goes on without that.
        """
        return tuple(run for run in self._highest if run.attempt == self.attempt or run.reason != "Abandoned")

    @property
    def parts(self) -> tuple[Part, ...]:
        """What counts of each cluster: the latest runs, or the Schedules."""
        return (*self.latest, *self.schedules)

    @property
    def listed(self) -> tuple[Part, ...]:
        """What it says of each cluster, also where that does not count any more."""
        return (*self._highest, *self.schedules)

    @property
    def everything(self) -> tuple[Part, ...]:
        """The runs of all attempts, and the Schedules."""
        return (*self.runs, *self.schedules)

    def runs_on(self, cluster: ClusterId) -> tuple[Run, ...]:
        """The runs of all attempts on that cluster."""
        return tuple(run for run in self.runs if run.cluster == cluster)

    @property
    def _highest(self) -> tuple[Run, ...]:
        found: dict[ClusterId, Run] = {}
        for run in self.runs:
            if run.cluster not in found or run.attempt > found[run.cluster].attempt:
                found[run.cluster] = run
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Ledger:
    """What makes a repository ours: a random id, and the branch and path that it was made for.

    `status_branch` is where the records are, empty for the branch itself.
    """

    id: str
    branch: str
    path: str
    status_branch: str = ""
    version: int = RECORD_VERSION


@dataclass(frozen=True, slots=True)
class Texts:
    """Velero's own words about one run, capped: (where, text), where is `velero`, `cluster` or a namespace.

    `names` has the objects of a Restore by what became of them, under the names of `Items`' fields, capped as well.
    `unread`: why `items` could not be had, empty where there was nothing to have.
    """

    errors: tuple[tuple[str, str], ...]
    warnings: tuple[tuple[str, str], ...]
    note: str = ""
    items: Items | None = None
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: str = ""


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
    """The time that an RFC 3339 text tells, None where it tells none: read as what users write is checked."""
    try:
        return instant(text)
    except ValueError:
        return None


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
