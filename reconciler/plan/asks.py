"""What the tip's files say about a recorded run."""

from __future__ import annotations

from reconciler.desired import Desired
from reconciler.plan.runs import Ask
from reconciler.records import Phase, Record, Run
from reconciler.resources import Identity, plain
from reconciler.velero.objects import what


def ask_of(record: Record, run: Run, desired: Desired) -> Ask:
    """Removed means: recorded, and absent at a tip where every file was read without error."""
    cluster = Identity(run.cluster.kind, run.cluster.namespace, run.cluster.name)
    if desired.complete and run.cluster not in desired.members and cluster not in desired.refused:
        return Ask.ABANDONED
    wanted = desired.wanted.get(record.identity)
    if record.identity in desired.refused or cluster in desired.refused:
        return Ask.FROZEN
    if wanted is None:
        return Ask.WITHDRAWN if desired.complete else Ask.FROZEN
    if wanted.spec.attempt != run.attempt or what(wanted.spec) != run.what:
        return Ask.SPEC_CHANGED
    return Ask.ASKED if run.cluster in wanted.clusters else Ask.WITHDRAWN


def changed_file(record: Record, desired: Desired) -> bool:
    """The file asks for something that was recorded otherwise, and that will not run."""
    wanted = desired.wanted.get(record.identity)
    if wanted is None or all(run.phase is Phase.PENDING for run in record.runs):
        return False
    return dict(record.spec) != plain(wanted.spec)
