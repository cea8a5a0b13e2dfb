"""Restores of this ledger's that are on a member though no record knows them: recorded, so that none is lost.

They come to light when a machine that remembers nothing lists our objects once, or asks after what it remembers; it
takes a rewritten history for there to be any.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from reconciler.desired import Wanted
from reconciler.plan.answers import Answer
from reconciler.plan.shards import Shard, ours
from reconciler.records import Phase, Record, Run, run_id, timestamp
from reconciler.resources import ClusterId, Identity
from reconciler.velero.objects import object_name
from reconciler.velero.status import Seen

_NUMBERED: Final = re.compile(r".+-([1-9][0-9]{0,8})-[0-9a-f]{6}")


def orphans(
    records: Mapping[Identity, Record], answers: Mapping[ClusterId, Answer], ledger: str, now: datetime
) -> dict[Identity, Record]:
    """Records with a run for each object of ours that none knows, `Starting`, to be followed and never created."""
    known = {run.run_id for record in records.values() for run in record.runs}
    found: dict[Identity, list[tuple[Run, Seen]]] = defaultdict(list)
    for cluster, answer in sorted(answers.items()):
        there = {seen.name: seen for seen in answer.seen.values() if seen and seen.kind == "Restore"}
        for seen in there.values():
            identity = _identity(seen)
            run = identity and _run(identity, cluster, seen, ledger)
            if identity and run and run.run_id not in known:
                found[identity].append((run, seen))
    return {identity: _record(identity, records.get(identity), lost, now) for identity, lost in found.items()}


def kept(
    found: Mapping[Identity, Record],
    shard: Shard,
    wanted: Mapping[Identity, Wanted],
    records: Mapping[Identity, Record],
) -> dict[Identity, Record]:
    """Those of the objects found that are that shard's, by all that is wanted and recorded: the others are known to,
    or found by, theirs."""
    mine = ours(shard, wanted, {**found, **records})
    return {identity: record for identity, record in found.items() if identity in mine}


def _record(identity: Identity, record: Record | None, lost: list[tuple[Run, Seen]], now: datetime) -> Record:
    """An attempt that is found counts as recorded, so that it is never begun again."""
    first, highest = lost[0][1], max(run.attempt for run, _ in lost)
    runs = sorted((*(record.runs if record else ()), *(run for run, _ in lost)), key=lambda run: run.attempt)
    if record is not None:
        return replace(record, attempt=max(record.attempt, highest), runs=tuple(runs))
    return Record(
        identity=identity,
        spec={},
        attempt=highest,
        source=first.source,
        revision=first.revision,
        requested_by="",
        recorded_at=timestamp(now),
        phase=Phase.IN_PROGRESS,
        conditions=(),
        runs=tuple(runs),
    )


def _run(identity: Identity, cluster: ClusterId, seen: Seen, ledger: str) -> Run | None:
    """Only what carries a run id of this very ledger, object, attempt and cluster; later attempts have a number."""
    numbered = _NUMBERED.fullmatch(seen.name)
    for attempt in (1, int(numbered[1])) if numbered else (1,):
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
