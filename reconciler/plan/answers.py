"""What is asked of a member, and what it answered: the values between `plan` and `members`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.desired import Member
from reconciler.records import Texts
from reconciler.resources import ClusterId
from reconciler.velero.status import Location, Seen, SeenSchedule

Name = tuple[str, str]
"""(kind, metadata.name) of an object in Velero's namespace."""


@dataclass(frozen=True, slots=True)
class Question:
    """One visit to one member.

    `objects` are looked for by list, and by a get where only that proves absence; `dry_runs` are created with
    `dryRun=All`; for `texts` the error and warning texts are fetched once the object has ended; with `leftovers` all
    objects that carry our finalizer are named. `running` are those of `objects` that the record calls `InProgress`.
    `schedules` are Velero Schedules to look at, by name, and `backups_of` Schedules whose backups are listed, whether
    or not the Schedule itself is there.
    """

    member: Member
    objects: frozenset[Name] = frozenset()
    storage: bool = False
    dry_runs: Mapping[Name, Mapping[str, Any]] = field(default_factory=dict)
    texts: frozenset[Name] = frozenset()
    leftovers: bool = False
    running: frozenset[Name] = frozenset()
    schedules: frozenset[str] = frozenset()
    backups_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something about a member is not known or not allowed; `reason` is CamelCase."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one visit brought. What is in none of its fields is unknown.

    `seen`: an object, or None where its absence is proven. `dry_runs`: None where the create would be accepted.
    `running` is the question's: an answer may be older than the record that it is held against, and absence tells
    that a run vanished only where it was asked for after the run began. `schedules`: as `seen`; `backups_of`: all
    backups that carry the label of that Schedule. `late`: the visit goes on, and its end brings an answer or the
    reason why there is none. `same_as`: other declared clusters that were found to be the same one.
    """

    failure: Failure | None = None
    late: bool = False
    cluster_uid: str = ""
    same_as: frozenset[ClusterId] = frozenset()
    locations: tuple[Location, ...] | None = None
    seen: Mapping[Name, Seen | None] = field(default_factory=dict)
    dry_runs: Mapping[Name, Failure | None] = field(default_factory=dict)
    texts: Mapping[Name, Texts] = field(default_factory=dict)
    leftovers: tuple[Seen, ...] | None = None
    running: frozenset[Name] = frozenset()
    schedules: Mapping[str, SeenSchedule | None] = field(default_factory=dict)
    backups_of: Mapping[str, tuple[Seen, ...]] = field(default_factory=dict)


UNKNOWN = Failure("Unknown", "the cluster has not told all that was asked yet")
UNASKED = Answer(failure=UNKNOWN)
