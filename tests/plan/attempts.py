"""Records of a Restore over several passes, as `test_attempts` and `test_edits` follow them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler.desired import Desired, Wanted
from reconciler.plan.decide import decide
from reconciler.plan.drafts import Asked, draft, unrecorded
from reconciler.records import Phase, Record
from reconciler.resources import ClusterId, Identity
from tests.plan import builders as b

M3 = ClusterId("default", "AttachedCluster", "m3")
ALL = (b.M1, b.M2, M3)
SOMEONE = Asked("restores/moved.yaml", "beef" * 10, "Eve <eve@example.org>", "Max", ("Ada",))
DONE, HELD, FAILED, RUNNING = Phase.COMPLETED, Phase.HELD, Phase.FAILED, Phase.IN_PROGRESS
UPDATE: dict[str, Any] = {"policy": {"existingResourcePolicy": "update"}}
Records = dict[Identity, Record]


def redrafted(desired: Desired, records: Mapping[Identity, Record]) -> Records:
    asked = {each.identity: SOMEONE for each in unrecorded(desired, records)}
    return draft(desired, records, asked, b.LEDGER, b.NOW + timedelta(hours=1))


def passes(records: Mapping[Identity, Record], *files: Desired) -> Records:
    """What becomes of the records as the files change and no member says a word; the Backup was taken long ago."""
    known = b.by_identity(b.ended(b.backup(*ALL))) | dict(records)
    for desired in files:
        known = decide(desired, redrafted(desired, known), {}, b.LEDGER, b.NOW + timedelta(hours=1))
    return known


def ran(wanted: Wanted, *phases: Phase, **fields: Any) -> Records:
    """A record whose runs came to these ends, cluster by cluster."""
    record = b.record(wanted)
    runs = tuple(
        replace(run, phase=phase, status={"phase": str(phase)} if phase.terminal else {}, **fields)
        for run, phase in zip(record.runs, phases, strict=True)
    )
    return b.by_identity(replace(record, runs=runs))


def file(*clusters: ClusterId, **spec: Any) -> Desired:
    return b.ask(b.restore(*(clusters or ALL), **spec), members=ALL)


def shown(records: Mapping[Identity, Record]) -> list[tuple[str, int, str, str]]:
    return [(r.cluster.name, r.attempt, str(r.phase), r.reason) for r in records[b.RESTORE].runs]


def begun(records: Mapping[Identity, Record]) -> list[str]:
    """Where the record's own attempt runs."""
    record = records[b.RESTORE]
    return [run.cluster.name for run in record.runs if run.attempt == record.attempt]


def conditions(records: Mapping[Identity, Record]) -> set[str]:
    return {condition.type for condition in records[b.RESTORE].conditions}
