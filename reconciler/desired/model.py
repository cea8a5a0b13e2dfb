"""The desired state of one commit, as `plan` and `members` take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.manifests import Position, Problem
from reconciler.resources import BackupSpec, ClusterId, Identity, RestoreSpec


@dataclass(frozen=True, slots=True)
class Member:
    """A declared cluster, and where its kubeconfig lies: `key` of the Secret `secret` in the cluster's namespace."""

    id: ClusterId
    secret: str
    key: str
    position: Position


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sound Backup or Restore.

    `clusters` are those of its destination, in the order of the fleet, never empty. `backup` is the Backup that a
    Restore restores, None for a Backup and for a Restore of Velero's own objects (`spec.source`).
    """

    identity: Identity
    spec: BackupSpec | RestoreSpec = field(hash=False)
    position: Position
    fleet: str
    clusters: tuple[ClusterId, ...]
    backup: Identity | None


@dataclass(frozen=True, slots=True)
class Desired:
    """All of one commit. Every mapping is sorted by its keys, so that equal files give equal results.

    `refused` holds what stands in the files and is not sound, and what is recorded from a file with an error: nothing
    of it may change. `problems` are those of reading and these, in the order of file and line, none twice. `complete`
    tells that every file was read without error and every cluster in them is sound, so that what is in none of them,
    or a cluster that is not among `members`, is really gone. `paused` tells that nothing new may start anywhere.
    """

    members: Mapping[ClusterId, Member]
    wanted: Mapping[Identity, Wanted]
    refused: Mapping[Identity, tuple[Problem, ...]]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    complete: bool
    paused: bool = False
