"""What to do next: a concrete sentence for whatever a record says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.plan.advice import REASONS, advice
from reconciler.records import Phase, Record
from tests.output import builders as b

FAILED = b.run("m2", Phase.FAILED, reason="Expired", message="not started")


def test_a_reason_is_told_once_with_its_clusters_and_what_helps() -> None:
    runs = [b.run(f"m{n}", Phase.PENDING, reason="Unreachable") for n in range(1, 6)]
    assert advice(b.restore(*runs, phase=Phase.PENDING)) == (
        "m1, m2, m3 and 2 more (Unreachable): mend the member or its credentials; it goes on by itself.",
    )


def test_every_reason_has_its_sentence() -> None:
    for reasons, text in REASONS:
        for reason in reasons:
            first = advice(b.restore(b.run("m1", Phase.PENDING, reason=reason), phase=Phase.PENDING))[0]
            assert first == f"m1 ({reason}): {text}."


def test_what_failed_is_run_again_by_a_new_attempt_on_the_clusters_that_did_not_complete() -> None:
    told = advice(b.restore(b.run("m1"), FAILED, phase=Phase.FAILED, good=False))
    assert told[-1] == (
        "Then, to run it again, raise spec.attempt to 2 in restores/minimal.yaml and have it merged: it runs on m2."
    )


def test_nothing_is_raised_while_something_still_runs() -> None:
    told = advice(b.restore(b.run("m1", Phase.IN_PROGRESS), FAILED, phase=Phase.IN_PROGRESS))
    assert len(told) == 1
    assert told[0].startswith("m2 (Expired)")


def test_what_is_held_for_good_needs_an_attempt_and_what_is_suspended_does_not() -> None:
    held = b.restore(b.run("m1", Phase.HELD, reason="Existing"), phase=Phase.HELD)
    assert advice(held)[-1].startswith("To run it after all, raise spec.attempt to 2")
    suspended = b.restore(b.run("m1", Phase.HELD, reason="Suspended"), phase=Phase.HELD)
    assert advice(suspended) == ("m1 (Suspended): remove `spec.suspend`; it goes on by itself.",)


def test_only_the_latest_attempt_counts() -> None:
    earlier = b.run("m1", Phase.FAILED, reason="Expired")
    assert advice(b.restore(earlier, b.run("m1", attempt=2)))[0].startswith("Nothing: it is done.")


def test_what_was_given_up_with_its_cluster_is_gone_on_without() -> None:
    given_up = b.run("m1", Phase.FAILED, reason="Abandoned", message="declared nowhere")
    told = advice(b.restore(given_up, b.run("m3"), phase=Phase.FAILED, good=False))
    assert told == (
        "m1 (Abandoned): its cluster is declared nowhere any more: declare it again, or leave it.",
        "To go on without m1, raise spec.attempt to 2 in restores/minimal.yaml and have it merged.",
    )
    both = advice(b.restore(given_up, FAILED, phase=Phase.FAILED, good=False))
    assert both[-1].endswith("have it merged: it runs on m2.")
    later = b.restore(given_up, b.run("m3", attempt=2))
    assert advice(replace(later, attempt=2))[0].startswith("Nothing: it is done.")


def test_not_restored_though_completed() -> None:
    told = advice(b.restore(b.left_as_they_are("m1"), good=False))
    assert "`policy.existingResourcePolicy: update`" in told[0]
    assert "raise spec.attempt to 2 in restores/minimal.yaml" in told[1]


def test_not_verified_though_completed() -> None:
    told = advice(b.restore(b.run("m1", reason="NotVerified", message="2 warnings"), good=False))
    assert told[0].startswith("m1 (NotVerified): Velero warned, and nobody could read of what: see")
    assert told[1] == (
        "To restore again, set `rerun: All`, raise spec.attempt to 2 in restores/minimal.yaml and have it merged;"
        " `spec.allowSkipped` needs no new attempt."
    )


def test_not_restored_is_no_matter_where_that_is_allowed() -> None:
    assert advice(b.restore(b.left_as_they_are("m1"), good=True))[0].startswith("Nothing: it is done.")


def test_a_file_that_was_changed_in_vain() -> None:
    record = b.restore(b.run("m1"), conditions=(b.condition("Ready"), b.condition("SpecChanged", message="raise it")))
    assert advice(record) == ("restores/minimal.yaml: raise it.",)


def test_without_a_file_there_is_nothing_to_raise() -> None:
    again = "to run it again, add restores/minimal.yaml again with `attempt: 2`"
    all_of_it, forget = " and `rerun: All`", "; `reconciler forget restore default/minimal` drops the record."
    failed = b.restore(b.run("m1"), FAILED, phase=Phase.FAILED, good=False)
    assert advice(failed, gone=True)[-1] == f"Its file is gone: {again}{forget}"
    left = b.restore(b.left_as_they_are("m1"), good=False)
    assert advice(left, gone=True)[-1] == f"Its file is gone: {again}{all_of_it}{forget}"
    (idle,) = advice(b.restore(b.run("m1")), gone=True)
    assert idle == f"Nothing: it is done, and its file is gone; {again}{all_of_it}{forget}"
    running = b.restore(b.run("m1", Phase.IN_PROGRESS), phase=Phase.IN_PROGRESS)
    assert advice(running, gone=True) == advice(running)


def test_what_went_wrong_comes_before_what_waits() -> None:
    waits = b.run("m1", Phase.PENDING, reason="Unreachable")
    told = advice(b.restore(waits, FAILED, phase=Phase.PENDING))
    assert [sentence.partition(":")[0] for sentence in told] == ["m2 (Expired)", "m1 (Unreachable)"]


def test_a_schedule_whose_latest_backup_failed() -> None:
    record = b.nightly(b.schedule("m1", backup_name="n-1", status={"phase": "PartiallyFailed"}), b.schedule("m2"))
    assert advice(record) == (
        "m1: the latest backup is PartiallyFailed; there, `velero backup describe n-1 --details` tells why.",
    )


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (b.restore(b.run("m1", Phase.IN_PROGRESS), phase=Phase.IN_PROGRESS), "Nothing: it is under way"),
        (b.nightly(b.schedule("m1")), "Nothing: it is in order. To restore, add a Restore with `backupName: nightly`"),
        (b.nightly(b.schedule("m1", Phase.REMOVED), phase=Phase.REMOVED), "Nothing: its Schedules are removed"),
        (replace(b.restore(b.run("m1")), runs=()), "Nothing: it is done"),
    ],
)
def test_where_nothing_is_wrong_it_says_so(record: Record, words: str) -> None:
    (told,) = advice(record)
    assert told.startswith(words)
