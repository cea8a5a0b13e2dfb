"""What the tip's files say about a recorded run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired import Desired
from reconciler.plan.asks import ask_of, changed_file
from reconciler.plan.runs import Ask
from reconciler.records import Phase
from reconciler.resources import Identity
from tests.plan import builders as b

RECORD = b.record(b.restore(b.M1, b.M2))
AS_CLUSTER = Identity("AttachedCluster", "default", "m1")


@pytest.mark.parametrize(
    ("desired", "ask"),
    [
        (b.ask(b.restore(b.M1, b.M2)), Ask.ASKED),
        (b.ask(b.restore(b.M1, b.M2), complete=False), Ask.ASKED),
        (b.ask(), Ask.WITHDRAWN),
        (b.ask(b.restore(b.M2)), Ask.WITHDRAWN),
        (b.ask(complete=False), Ask.FROZEN),
        (b.ask(refused=[b.RESTORE]), Ask.FROZEN),
        (b.ask(refused=[b.RESTORE], complete=False), Ask.FROZEN),
        (b.ask(b.restore(b.M1, b.M2, allowPartiallyFailed=True)), Ask.SPEC_CHANGED),
        (b.ask(b.restore(b.M1, b.M2, attempt=2)), Ask.SPEC_CHANGED),
        (b.ask(b.restore(b.M1, b.M2, startWithin="1h")), Ask.ASKED),
        (b.ask(b.restore(b.M1, b.M2), members=[b.M2]), Ask.ABANDONED),
        (b.ask(members=[b.M2]), Ask.ABANDONED),
        (b.ask(members=[b.M2], complete=False), Ask.FROZEN),
    ],
    ids=[
        "the file asks for it",
        "another file can't be read",
        "no file, all read",
        "cluster no longer in the fleet",
        "no file, not all read",
        "the file has an error",
        "the file has an error, another can't be read",
        "something else is to be restored",
        "another attempt",
        "another time to wait",
        "the cluster is declared nowhere",
        "nor is the object",
        "the cluster may be in the file that can't be read",
    ],
)
def test_what_the_files_say_of_a_run(desired: Desired, ask: Ask) -> None:
    assert ask_of(RECORD, RECORD.runs[0], desired) is ask


@pytest.mark.parametrize("wanted", [(b.restore(b.M1, b.M2),), ()], ids=["asked for", "withdrawn"])
def test_a_cluster_that_two_files_declare_is_not_declared_nowhere(wanted: tuple[()]) -> None:
    """Every file is sound, and the two speak for one cluster: refused, so its runs are followed and none starts."""
    desired = b.ask(*wanted, members=[b.M2], refused=[AS_CLUSTER])
    assert ask_of(RECORD, RECORD.runs[0], desired) is Ask.FROZEN


def test_an_edited_file_is_told_once_something_ran() -> None:
    edited = b.ask(b.restore(b.M1, b.M2, startWithin="1h"))
    begun = replace(RECORD, runs=(replace(RECORD.runs[0], phase=Phase.STARTING), RECORD.runs[1]))
    assert changed_file(begun, edited)
    assert not changed_file(RECORD, edited)


@pytest.mark.parametrize("desired", [b.ask(), b.ask(b.restore(b.M1)), b.ask(refused=[b.RESTORE])])
def test_a_file_that_is_gone_or_the_same_or_unsound_is_no_edit(desired: Desired) -> None:
    assert not changed_file(b.ended(b.restore(b.M1, b.M2)), desired)
