"""What the tip's files say about what is recorded: a run, a Schedule, an edit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired import Desired, Wanted
from reconciler.plan.asks import Ask, ask_of, ask_of_schedule, changed_file, untouched, waiting_attempt
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
        (b.ask(b.restore(b.M1, b.M2, suspend=True)), Ask.SUSPENDED),
        (b.ask(b.restore(b.M1, b.M2), paused=True), Ask.PAUSED),
        (b.ask(b.restore(b.M1, b.M2, suspend=True), paused=True), Ask.SUSPENDED),
        (b.ask(b.restore(b.M1, b.M2, suspend=True, attempt=2)), Ask.SPEC_CHANGED),
        (b.ask(b.restore(b.M2, suspend=True)), Ask.WITHDRAWN),
        (b.ask(refused=[b.RESTORE], paused=True), Ask.FROZEN),
        (b.ask(b.restore(b.M1, b.M2, rerun="All", allowSkipped=True)), Ask.ASKED),
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
        "suspended",
        "the repository is paused",
        "suspended and paused",
        "suspended, and another attempt",
        "suspended, and the cluster left",
        "paused, and the file has an error",
        "what is free to change",
    ],
)
def test_what_the_files_say_of_a_run(desired: Desired, ask: Ask) -> None:
    assert ask_of(RECORD, RECORD.runs[0], desired) is ask


@pytest.mark.parametrize("wanted", [(b.restore(b.M1, b.M2),), ()], ids=["asked for", "withdrawn"])
def test_a_cluster_that_two_files_declare_is_not_declared_nowhere(wanted: tuple[()]) -> None:
    """Every file is sound, and the two speak for one cluster: refused, so its runs are followed and none starts."""
    desired = b.ask(*wanted, members=[b.M2], refused=[AS_CLUSTER])
    assert ask_of(RECORD, RECORD.runs[0], desired) is Ask.FROZEN


SCHEDULED = b.drafted(b.scheduled(b.M1, b.M2))[b.BACKUP]


@pytest.mark.parametrize(
    ("desired", "ask"),
    [
        (b.ask(b.scheduled(b.M1, b.M2)), Ask.ASKED),
        (b.ask(b.scheduled(b.M1, b.M2, schedule="0 4 * * *")), Ask.ASKED),
        (b.ask(b.scheduled(b.M1, b.M2, suspend=True)), Ask.ASKED),
        (b.ask(b.scheduled(b.M1, b.M2), complete=False), Ask.ASKED),
        (b.ask(b.scheduled(b.M1, b.M2), paused=True), Ask.PAUSED),
        (b.ask(b.backup(b.M1, b.M2)), Ask.SPEC_CHANGED),
        (b.ask(), Ask.WITHDRAWN),
        (b.ask(complete=False), Ask.FROZEN),
        (b.ask(refused=[b.BACKUP]), Ask.FROZEN),
        (b.ask(b.scheduled(b.M2)), Ask.WITHDRAWN),
        (b.ask(b.scheduled(b.M2), complete=False), Ask.FROZEN),
        (b.ask(b.scheduled(b.M1, b.M2), members=[b.M2]), Ask.ABANDONED),
        (b.ask(b.scheduled(b.M1, b.M2), members=[b.M2], refused=[AS_CLUSTER], complete=False), Ask.FROZEN),
    ],
    ids=[
        "the file asks for it",
        "edited: it applies",
        "suspended: there, and paused",
        "another file can't be read",
        "the repository is paused",
        "immediate now",
        "no file, all read",
        "no file, not all read",
        "the file has an error",
        "cluster no longer in the fleet",
        "cluster no longer in the fleet, as far as could be read",
        "the cluster is declared nowhere",
        "the cluster's file has an error",
    ],
)
def test_what_the_files_say_of_a_schedule(desired: Desired, ask: Ask) -> None:
    assert ask_of_schedule(SCHEDULED, b.M1, desired) is ask


def test_an_edited_file_is_told_once_something_ran() -> None:
    edited = b.ask(b.restore(b.M1, b.M2, startWithin="1h"))
    begun = replace(RECORD, runs=(replace(RECORD.runs[0], phase=Phase.STARTING), RECORD.runs[1]))
    assert changed_file(begun, edited)
    assert not changed_file(RECORD, edited)


@pytest.mark.parametrize("desired", [b.ask(), b.ask(b.restore(b.M1)), b.ask(refused=[b.RESTORE])])
def test_a_file_that_is_gone_or_the_same_or_unsound_is_no_edit(desired: Desired) -> None:
    assert not changed_file(b.ended(b.restore(b.M1, b.M2)), desired)


# ---------------------------------------------------------------- what may still be edited


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"phase": Phase.PENDING}, True),
        ({"phase": Phase.PENDING, "reason": "Unreachable"}, True),
        ({"phase": Phase.HELD, "reason": "Suspended"}, True),
        ({"phase": Phase.HELD, "reason": "Paused"}, True),
        ({"phase": Phase.HELD, "reason": "Withdrawn"}, False),
        ({"phase": Phase.HELD, "reason": "Existing"}, False),
        ({"phase": Phase.STARTING}, False),
        ({"phase": Phase.FAILED, "reason": "BackupMissing"}, False),
        ({"phase": Phase.HELD, "reason": "Suspended", "cluster_uid": "uid-1"}, False),
        ({"phase": Phase.PENDING, "cluster_uid": "uid-1"}, False),
    ],
)
def test_an_attempt_may_be_edited_while_nothing_of_it_began(fields: dict[str, Any], expected: bool) -> None:
    """What was `Starting` before it was suspended has its cluster pinned, and its create may be under way."""
    changed = replace(RECORD, runs=(RECORD.runs[0], replace(RECORD.runs[1], **fields)))
    assert untouched(changed) is expected


def test_runs_of_earlier_attempts_do_not_stop_edits_of_the_new_one() -> None:
    first, second = b.ended(b.restore()), b.record(b.restore(attempt=2))
    assert untouched(replace(second, runs=(*first.runs, *second.runs)))
    assert not untouched(replace(first, attempt=2))  # an attempt without runs: everything had Completed


# ---------------------------------------------------------------- edits in vain

DONE = b.ended(b.restore(b.M1, b.M2, attempt=2))


@pytest.mark.parametrize("free", [{"suspend": True}, {"allowSkipped": True}])
def test_what_is_free_to_change_is_no_edit(free: dict[str, Any]) -> None:
    assert not changed_file(DONE, b.ask(b.restore(b.M1, b.M2, attempt=2, **free)))
    unfree = b.restore(b.M1, b.M2, attempt=2, startWithin="1h", **free)
    assert changed_file(DONE, b.ask(unfree))


def test_a_lowered_attempt_says_that_it_runs_nothing() -> None:
    text = changed_file(DONE, b.ask(b.restore(b.M1, b.M2)))
    assert text == "attempt 2 is recorded already, so attempt 1 runs nothing"


def test_a_raised_attempt_is_no_edit_in_vain_and_waits_for_what_is_open() -> None:
    raised = b.ask(b.restore(b.M1, b.M2, attempt=3, before="2025-06-01T00:00:00Z"))
    assert not changed_file(DONE, raised)
    assert waiting_attempt(DONE, raised) == 0
    running = replace(DONE, runs=(DONE.runs[0], replace(DONE.runs[1], phase=Phase.IN_PROGRESS)))
    assert waiting_attempt(running, raised) == 3
    assert waiting_attempt(running, b.ask()) == waiting_attempt(running, b.ask(refused=[b.RESTORE])) == 0


@pytest.mark.parametrize("edited", [b.scheduled(schedule="0 4 * * *"), b.scheduled(suspend=True), b.scheduled(b.M2)])
def test_an_edit_of_a_schedule_is_never_in_vain(edited: Wanted) -> None:
    assert not changed_file(SCHEDULED, b.ask(edited))
    assert waiting_attempt(SCHEDULED, b.ask(edited)) == 0
