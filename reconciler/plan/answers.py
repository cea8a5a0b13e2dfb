"""What is asked of a member, and what it answered: the values between `plan` and `members`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.desired import Member
from reconciler.records import Texts
from reconciler.velero.status import Location, Seen

Name = tuple[str, str]
"""(kind, metadata.name) of an object in Velero's namespace."""


@dataclass(frozen=True, slots=True)
class Question:
    """One visit to one member.

    `objects` are looked for by list, and by a get where only that proves absence; `dry_runs` are created with
    `dryRun=All`; for `texts` the error and warning texts are fetched once the object has ended; with `leftovers` all
    objects that carry our finalizer are named. `running` are those of `objects` that the record calls `InProgress`.
    """

    member: Member
    objects: frozenset[Name] = frozenset()
    storage: bool = False
    dry_runs: Mapping[Name, Mapping[str, Any]] = field(default_factory=dict)
    texts: frozenset[Name] = frozenset()
    leftovers: bool = False
    running: frozenset[Name] = frozenset()


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
    that a run vanished only where it was asked for after the run began.
    """

    failure: Failure | None = None
    cluster_uid: str = ""
    locations: tuple[Location, ...] | None = None
    seen: Mapping[Name, Seen | None] = field(default_factory=dict)
    dry_runs: Mapping[Name, Failure | None] = field(default_factory=dict)
    texts: Mapping[Name, Texts] = field(default_factory=dict)
    leftovers: tuple[Seen, ...] | None = None
    running: frozenset[Name] = frozenset()


UNKNOWN = Failure("Unknown", "the cluster has not told all that was asked yet")
UNASKED = Answer(failure=UNKNOWN)
