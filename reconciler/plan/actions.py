"""What changes a cluster is first a printable value: `Action`; what came of it is an `Outcome`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.desired import Member
from reconciler.plan.answers import Failure
from reconciler.resources import Identity


@dataclass(frozen=True, slots=True)
class Create:
    """Create a Velero object that the pushed ledger calls `Starting`, or a Schedule of ours that somebody deleted."""

    member: Member
    identity: Identity
    name: str
    run_id: str
    cluster_uid: str
    """Of the cluster that was asked; no other may get it."""
    manifest: Mapping[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return f"create {self.identity.kind} {self.name} on {self.member.id.name}"


@dataclass(frozen=True, slots=True)
class Release:
    """Take our finalizer off a Restore whose outcome is recorded."""

    member: Member
    name: str
    uid: str

    def __str__(self) -> str:
        return f"release Restore {self.name} on {self.member.id.name}"


@dataclass(frozen=True, slots=True)
class Update:
    """Make a Schedule of ours do what its file says now; `paused` is None where it stays as it is."""

    member: Member
    identity: Identity
    name: str
    uid: str
    run_id: str
    manifest: Mapping[str, Any] = field(repr=False)
    paused: bool | None = None

    def __str__(self) -> str:
        return f"update Schedule {self.name} on {self.member.id.name}"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete that very Schedule of ours; its backups stay."""

    member: Member
    identity: Identity
    name: str
    uid: str
    run_id: str

    def __str__(self) -> str:
        return f"delete Schedule {self.name} on {self.member.id.name}"


Action = Create | Update | Delete | Release


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action; `failure` None is success. A create that failed may have taken effect all the same."""

    action: Action
    failure: Failure | None = None
