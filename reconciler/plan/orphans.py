"""Restores of this ledger's that are on a member though no record knows them: recorded, so that none is lost.

They come to light when a machine that remembers nothing lists our objects once, or asks after what it remembers; it
takes a rewritten history for there to be any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from reconciler.plan.answers import Answer
from reconciler.records import Phase, Record, Run, run_id, timestamp
from reconciler.resources import ClusterId, Identity
from reconciler.velero.objects import object_name
from reconciler.velero.status import Seen

ATTEMPTS = 100


def orphans(
    records: Mapping[Identity, Record], answers: Mapping[ClusterId, Answer], ledger: str, now: datetime
) -> dict[Identity, Record]:
    """A record for each object of ours that has none, its runs `Starting`, to be followed and never created."""
    found: dict[Identity, list[tuple[Run, Seen]]] = defaultdict(list)
    for cluster, answer in sorted(answers.items()):
        there = {seen.name: seen for seen in answer.seen.values() if seen and seen.kind == "Restore"}
        for seen in there.values():
            identity = _identity(seen)
            run = identity and _run(identity, cluster, seen, ledger)
            if identity and run and identity not in records:
                found[identity].append((run, seen))
    return {identity: _record(identity, lost, now) for identity, lost in found.items()}


def _record(identity: Identity, lost: list[tuple[Run, Seen]], now: datetime) -> Record:
    first = lost[0][1]
    return Record(
        identity=identity,
        spec={},
        attempt=lost[0][0].attempt,
        source=first.source,
        revision=first.revision,
        requested_by="",
        recorded_at=timestamp(now),
        phase=Phase.IN_PROGRESS,
        conditions=(),
        runs=tuple(run for run, _ in lost),
    )


def _run(identity: Identity, cluster: ClusterId, seen: Seen, ledger: str) -> Run | None:
    """Only what carries a run id of this very ledger, object, attempt and cluster."""
    for attempt in range(1, ATTEMPTS + 1):
        ours = run_id(ledger, identity, attempt, cluster)
        if seen.run_id == ours and seen.name == object_name(identity, cluster, attempt, ours):
            return Run(cluster, Phase.STARTING, seen.name, ours, what="unknown", attempt=attempt)
    return None


def _identity(seen: Seen) -> Identity | None:
    """`Restore namespace/name`, as our annotation tells; whether it is true, the run id shows."""
    parts = list(_parts(seen.object))
    return Identity(*parts) if len(parts) == 3 and parts[0] == seen.kind else None


def _parts(text: str) -> Iterator[str]:
    kind, _, rest = text.partition(" ")
    yield kind
    yield from rest.split("/")
