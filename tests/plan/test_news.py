"""What people are told, and that they are told it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.manifests import Position, Problem
from reconciler.plan.decide import decide
from reconciler.plan.news import LONGEST, News, news, refusals
from reconciler.plan.summary import summarise
from reconciler.records import Items, Phase, Record, Run
from reconciler.resources import ClusterId, Identity
from tests.plan import builders as b

Records = Mapping[Identity, Record]
RUNNING = b.record(b.restore(b.M1, b.M2), Phase.IN_PROGRESS)
DONE = b.ended(b.restore(b.M1, b.M2))


def summed(record: Record, wanted: Any = None) -> Record:
    """With the conditions that a pass writes."""
    return summarise(record, b.ask(wanted or b.restore(b.M1, b.M2)), b.NOW)


def changed(record: Record, index: int = 0, **fields: Any) -> Record:
    runs = list(record.runs)
    runs[index] = replace(runs[index], **fields)
    return replace(record, runs=tuple(runs))


def told(before: Record | None, after: Record) -> News:
    """The one message of a step; and that the same state, seen again, gives none."""
    assert news({after.identity: after}, {after.identity: after}) == ()
    (found,) = news({before.identity: before} if before else {}, {after.identity: after})
    assert len(found.title) + len(found.body) <= LONGEST
    return found


def nothing(before: Record | None, after: Record) -> bool:
    return news({before.identity: before} if before else {}, {after.identity: after}) == ()


# ---------------------------------------------------------------- it ended


def test_a_restore_that_completed() -> None:
    found = told(summed(RUNNING), summed(DONE))
    assert (found.kind, found.severity, found.identity) == ("ended", "success", b.RESTORE)
    assert found.title == "restore default/minimal: Completed on 2 of 2 clusters"
    assert found.body.splitlines() == [
        "Nothing: it is done. To run it again, raise spec.attempt to 2 with `rerun: All`.",
        "restores/minimal.yaml at 6f1c6f1c6f1c, asked for by Ada <ada@example.org>",
    ]


def test_it_is_one_message_when_the_last_cluster_has_ended() -> None:
    half = changed(RUNNING, phase=Phase.FAILED, reason="Failed", message="no such bucket")
    assert nothing(summed(RUNNING), summed(half))
    found = told(summed(half), summed(changed(half, 1, phase=Phase.COMPLETED)))
    assert found.severity == "failure"
    assert found.title == "restore default/minimal: Failed on 1, Completed on 1 of 2 clusters"
    assert found.body.splitlines()[0] == "- m1: Failed (Failed: no such bucket)"
    assert "- m2" not in found.body
    assert "m1 (Failed): mend what Velero's message says." in found.body
    assert "raise spec.attempt to 2" in found.body


def test_it_ends_after_its_file_has_gone() -> None:
    failed = summed(changed(DONE, phase=Phase.FAILED, reason="Failed", message="no such bucket"))
    before, after = b.by_identity(summed(RUNNING)), b.by_identity(failed)
    for left, words in (({b.RESTORE}, "add restores/minimal.yaml again"), (set(), "raise spec.attempt to 2")):
        (found,) = news(before, after, left)
        assert words in found.body


def test_it_begins_and_ends_in_one_step() -> None:
    assert told(None, summed(DONE)).kind == "ended"


def test_what_was_not_restored_is_a_warning_unless_it_is_allowed() -> None:
    left = changed(DONE, reason="NotRestored", message="2 not restored", items=Items(created=1, not_restored=2))
    found = told(summed(RUNNING), summed(left))
    assert (found.kind, found.severity) == ("ended", "warning")
    assert "2 objects not restored though different" in found.title
    assert "- m1: Completed (NotRestored: 2 not restored)" in found.body
    allowed = b.restore(b.M1, b.M2, allowSkipped=True)
    assert told(summed(RUNNING), summed(left, allowed)).severity == "success"


def test_what_nobody_could_verify_is_a_warning_unless_it_is_allowed() -> None:
    unread = changed(DONE, reason="NotVerified", message="2 warnings", warnings=2)
    found = told(summed(RUNNING), summed(unread))
    assert (found.kind, found.severity) == ("ended", "warning")
    assert found.title == "restore default/minimal: Completed on 2 of 2 clusters, not verified on 1"
    assert "- m1: Completed (NotVerified: 2 warnings)" in found.body
    allowed = b.restore(b.M1, b.M2, allowSkipped=True)
    assert told(summed(RUNNING), summed(unread, allowed)).severity == "success"


def test_a_new_attempt_is_told_anew_and_by_its_number() -> None:
    again = b.record(b.restore(b.M1, b.M2, attempt=2), Phase.IN_PROGRESS)
    under_way = replace(again, runs=(*DONE.runs, *again.runs))
    assert nothing(DONE, under_way)
    ended = replace(again, runs=(*DONE.runs, *(replace(run, phase=Phase.COMPLETED) for run in again.runs)))
    assert told(under_way, ended).title == "restore default/minimal (attempt 2): Completed on 2 of 2 clusters"


def test_a_truth_that_comes_late_is_told_and_details_are_not() -> None:
    expired = changed(DONE, phase=Phase.FAILED, reason="Expired", message="too late", status={})
    assert told(summed(expired), summed(DONE)).severity == "success"
    assert nothing(summed(DONE), summed(changed(DONE, warnings=3)))


def test_a_backup_is_told_only_when_it_failed() -> None:
    running, wanted = b.record(b.backup(), Phase.IN_PROGRESS), b.backup()
    assert nothing(running, summed(b.ended(wanted), wanted))
    found = told(running, summed(b.ended(wanted, Phase.PARTIALLY_FAILED), wanted))
    assert (found.kind, found.severity) == ("ended", "failure")
    assert found.title == "backup default/nightly: PartiallyFailed on 1 of 1 cluster"


def test_one_that_is_suspended_in_part_has_not_ended() -> None:
    held = changed(DONE, phase=Phase.HELD, reason="Suspended", status={})
    assert nothing(RUNNING, summed(held))
    assert told(RUNNING, summed(changed(DONE, phase=Phase.HELD, reason="Withdrawn", status={}))).severity == "warning"


def scheduled(**fields: Any) -> Record:
    made = b.drafted(b.scheduled(b.M1, b.M2))[b.BACKUP]
    first, second = (replace(each, phase=Phase.ENABLED) for each in made.schedules)
    return replace(made, phase=Phase.ENABLED, schedules=(replace(first, **fields), second))


def test_a_backup_of_a_schedule_that_failed_is_told_once() -> None:
    good = scheduled(backup_name="one", status={"phase": "Completed"})
    bad = scheduled(backup_name="two", status={"phase": "PartiallyFailed"})
    worse = scheduled(backup_name="three", status={"phase": "Failed"})
    found = told(good, bad)
    assert (found.kind, found.severity) == ("ended", "failure")
    assert found.title == "backup default/nightly: the latest backup failed on 1 of 2 clusters"
    assert "- m1: Enabled (two: PartiallyFailed)" in found.body
    assert nothing(bad, replace(bad, schedules=(bad.schedules[0], replace(bad.schedules[1], refreshed="now"))))
    assert told(bad, worse)
    assert nothing(bad, good)
    assert nothing(good, scheduled(backup_name="two", status={"phase": "FinalizingPartiallyFailed"}))


# ---------------------------------------------------------------- it needs a person


@pytest.mark.parametrize("reason", ["Suspended", "Paused", "Withdrawn", "Existing"])
def test_what_a_person_held_needs_none(reason: str) -> None:
    assert nothing(None, summed(b.record(b.restore(), Phase.HELD, reason=reason, message="x")))


def test_what_is_held_otherwise_does() -> None:
    held = b.record(b.restore(), Phase.HELD, reason="SpecChanged", message="raise spec.attempt")
    found = told(b.record(b.restore()), summed(held, b.restore()))
    assert (found.kind, found.severity) == ("attention", "warning")
    assert found.title == "restore default/minimal needs a person: SpecChanged"
    assert "- m1: Held (SpecChanged: raise spec.attempt)" in found.body


def test_an_edit_in_vain_is_told_once() -> None:
    edited = b.restore(b.M1, b.M2, policy={"namespaceMapping": {"a": "b"}})
    before, after = summed(DONE), summed(DONE, edited)
    assert told(before, after).title == "restore default/minimal needs a person: SpecChanged"
    assert nothing(after, replace(after, revision="f" * 40))
    assert nothing(after, before)


def test_a_name_that_is_taken() -> None:
    taken = changed(RUNNING, phase=Phase.FAILED, reason="NameConflict", message="use a new name")
    both = changed(taken, 1, phase=Phase.COMPLETED)
    assert told(summed(RUNNING), summed(both)).body.startswith("- m1: Failed (NameConflict: use a new name)")
    schedule = told(scheduled(), scheduled(phase=Phase.FAILED, reason="NameConflict", message="use a new name"))
    assert (schedule.kind, schedule.severity) == ("attention", "failure")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        *(("Unauthorized", True), ("SecretMissing", True), ("SameCluster", True), ("Rejected", True)),
        *(("Unreachable", False), ("StorageUnavailable", False), ("BackupRunning", False), ("Unknown", False)),
    ],
)
def test_what_waits_for_a_person_is_told_and_what_mends_by_itself_is_not(reason: str, expected: bool) -> None:
    waiting = b.record(b.restore(), reason=reason, message="x")
    assert nothing(b.record(b.restore()), waiting) is not expected
    if expected:
        assert told(b.record(b.restore()), waiting).kind == "attention"
        assert nothing(waiting, replace(waiting, runs=(replace(waiting.runs[0], message="y"),)))


@pytest.mark.parametrize(("reason", "items"), [("NotRestored", Items(not_restored=2)), ("NotVerified", None)])
def test_an_allowance_that_is_taken_back_is_told(reason: str, items: Items | None) -> None:
    left = changed(DONE, reason=reason, message="2 warnings", items=items)
    allowed = summed(left, b.restore(b.M1, b.M2, allowSkipped=True))
    assert told(allowed, summed(left)).title == f"restore default/minimal needs a person: {reason}"


# ---------------------------------------------------------------- once, short, and of no other


def test_a_restore_of_many_passes_is_told_once_however_often_one_looks() -> None:
    """Through the machine itself: each pass's committed difference, twice each, as after a restart."""
    wanted = b.restore(b.M1, of=b.BACKUP)
    done = b.ended(b.backup())
    done = changed(done, backup_completed="2025-06-01T11:00:00Z", backup_name="x")
    desired = b.ask(b.backup(), wanted)
    records: Records = {**b.by_identity(done), **b.drafted(wanted)}
    run = b.only_run(records)
    name = b.name_of(b.RESTORE, run)
    answers = [
        b.unreachable(),
        b.answer(b.there("Restore", run)),
        b.answer(b.there("Restore", run)),
        b.answer(b.there("Restore", run, "Failed")),
        b.answer(b.there("Restore", run, "Failed"), running=(name,)),
        b.unreachable(),
    ]
    found: list[News] = []
    for minute, answer in enumerate(answers):
        after = decide(desired, records, {b.M1: answer}, b.LEDGER, b.NOW + timedelta(minutes=minute))
        found += news(records, after)
        found += news(after, after)
        records = after
    assert [each.title for each in found] == ["restore default/minimal: Failed on 1 of 1 cluster"]


def test_what_is_forgotten_or_unchanged_is_no_news() -> None:
    assert news({b.RESTORE: DONE}, {}) == ()
    assert news({}, {}) == ()
    assert len(news({}, b.by_identity(DONE, b.ended(b.backup(), Phase.FAILED)))) == 2


def test_a_thousand_clusters_go_into_one_message() -> None:
    clusters = tuple(ClusterId("default", "AttachedCluster", f"c{number}") for number in range(1000))
    words = "no " * 200
    after = b.record(b.restore(*clusters), Phase.FAILED, reason="Rejected", message=words)
    found = told(None, summed(after, b.restore(*clusters)))
    assert found.title == "restore default/minimal: Failed on 1000 of 1000 clusters"
    assert "- c0: Failed (Rejected: no no" in found.body


def test_words_of_a_member_stay_in_their_line() -> None:
    run: Run = DONE.runs[0]
    after = replace(
        DONE, runs=(replace(run, phase=Phase.FAILED, reason="Failed", message="a\n- m9: Completed\x1b[2J"),)
    )
    assert "- m1: Failed (Failed: a - m9: Completed [2J)" in told(None, after).body
    assert "\x1b" not in told(None, after).body


def problem(what: str = "unknown field", line: int = 3) -> Problem:
    return Problem(Position("restores/minimal.yaml", line), what, "use spec.backupName", b.RESTORE)


def test_files_newly_in_error_are_told_once_and_nothing_after_a_restart() -> None:
    assert refusals(None, (problem(),)) == ()
    (found,) = refusals((), (problem(),))
    assert (found.kind, found.identity, found.severity) == ("attention", b.RESTORE, "failure")
    assert found.title.startswith("refused: 1 error in the files")
    assert found.body == "restores/minimal.yaml:3: unknown field; use spec.backupName"
    assert refusals((problem(),), (problem(line=9),)) == (), "it only moved"
    assert refusals((problem(),), ()) == ()
    (many,) = refusals((problem(),), [problem(f"{number} is wrong " * 20) for number in range(500)])
    assert many.identity is None
    assert len(many.title) + len(many.body) <= LONGEST
