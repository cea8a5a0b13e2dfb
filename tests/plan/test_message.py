"""The commit message: what happened, a line per run, trailers that nobody can forge."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.message import commit_message, items_in_words
from reconciler.records import Items, Phase, Record
from reconciler.resources import ClusterId, Identity
from tests.plan import builders as b

DONE = b.ended(b.restore(b.M1, b.M2))
RUN_IDS = [run.run_id for run in DONE.runs]


def message(*changed: Record, before: Mapping[Identity, Record] | None = None, put_back: tuple[str, ...] = ()) -> str:
    return commit_message(b.LEDGER, "6f1c", before or {}, changed, put_back)


def trailers(text: str) -> list[str]:
    """As git reads them."""
    done = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def with_run(**fields: Any) -> Record:
    return replace(DONE, runs=(replace(DONE.runs[0], **fields),))


def test_one_record() -> None:
    assert message(DONE).splitlines() == [
        "restore default/minimal: Completed on 2 of 2 clusters",
        "",
        "- m1: Completed",
        "- m2: Completed",
        "",
        f"Reconciler-Ledger: {b.LEDGER}",
        "Reconciled-Revision: 6f1c",
        "Requested-By: Ada <ada@example.org>",
        f"Run-Id: {RUN_IDS[0]}",
        f"Run-Id: {RUN_IDS[1]}",
    ]


def test_git_reads_the_trailers() -> None:
    assert trailers(message(DONE))[:2] == [f"Reconciler-Ledger: {b.LEDGER}", "Reconciled-Revision: 6f1c"]
    assert len(trailers(message(DONE))) == 5


def test_only_runs_that_changed_have_lines() -> None:
    before = replace(DONE, runs=(DONE.runs[0], replace(DONE.runs[1], phase=Phase.IN_PROGRESS)))
    text = message(DONE, before={b.RESTORE: before})
    assert "- m2: Completed" in text
    assert "- m1" not in text
    assert RUN_IDS[0] not in text


def test_a_run_that_waits_or_failed_says_why() -> None:
    failed = with_run(phase=Phase.FAILED, reason="Expired", message="not started within spec.startWithin")
    assert "- m1: Failed (Expired: not started within spec.startWithin)" in message(failed)


def test_several_records_are_titled() -> None:
    lines = message(b.ended(b.backup()), DONE).splitlines()
    assert lines[0] == "backup default/nightly: Completed on 1 of 1 cluster, and 1 more"
    assert lines[2:5] == [
        "backup default/nightly: Completed on 1 of 1 cluster",
        "- m1: Completed",
        "restore default/minimal: Completed on 2 of 2 clusters",
    ]
    assert sum(line.startswith("Requested-By") for line in lines) == 1


def test_a_schedule_that_has_run_is_told_with_its_backup_and_is_no_headline() -> None:
    fresh = b.drafted(b.scheduled())[b.BACKUP]
    schedule = replace(fresh.schedules[0], phase=Phase.ENABLED)
    before = replace(fresh, schedules=(schedule,))
    ran = replace(fresh, schedules=(replace(schedule, backup_name="one", status={"phase": "Completed"}),))
    alone = message(ran, before={b.BACKUP: before}).splitlines()
    assert alone[0] == "backup default/nightly: latest backup Completed on 1 of 1 cluster"
    assert alone[2] == "- m1: Enabled, latest backup one: Completed"
    together = message(ran, DONE, before={b.BACKUP: before}).splitlines()
    assert together[0] == "restore default/minimal: Completed on 2 of 2 clusters, and 1 more"


def test_what_was_put_back_is_told() -> None:
    text = message(put_back=("status/restores/default/minimal.yaml",))
    assert text.startswith("status: put back what was changed by hand\n\nstatus/restores/default/minimal.yaml: changed")
    assert trailers(text) == [f"Reconciler-Ledger: {b.LEDGER}", "Reconciled-Revision: 6f1c"]


FORGED = "\n\nReconciler-Ledger: another\nRun-Id: 0\r\nRun-Id: 1\u2028Run-Id: 2\x0bRun-Id: 3"


@pytest.mark.parametrize(
    "text",
    [
        message(replace(DONE, requested_by=f"Eve{FORGED} <eve@example.org>")),
        message(with_run(phase=Phase.FAILED, reason="Rejected", message=f"no{FORGED}")),
        message(with_run(phase=Phase.FAILED, reason=f"Rejected{FORGED}", message="no")),
        message(DONE, put_back=(f"status/x{FORGED}.yaml",)),
        message(with_run(backup_name=f"x{FORGED}")),
        message(replace(DONE, merged_by=f"Eve{FORGED}", approved_by=(f"Eve{FORGED}",))),
    ],
    ids=["author", "message", "reason", "path", "backup", "merged and approved"],
)
def test_nobody_can_forge_a_trailer(text: str) -> None:
    ours = [line for line in text.splitlines() if line.startswith(("Reconciler-Ledger", "Run-Id"))]
    assert ours[0] == f"Reconciler-Ledger: {b.LEDGER}"
    assert all(line.removeprefix("Run-Id: ") in RUN_IDS for line in ours[1:])
    assert [line for line in trailers(text) if line.startswith("Reconciler-Ledger")] == ours[:1]


def test_a_thousand_clusters_are_told_at_once() -> None:
    clusters = tuple(ClusterId("default", "AttachedCluster", f"c{number}") for number in range(1000))
    record = b.ended(b.restore(*clusters))
    before = {b.RESTORE: b.record(b.restore(*clusters))}
    text = message(record, before=before)
    assert text.count("\nRun-Id: ") == 1000


# ---------------------------------------------------------------- what a Restore brought back, and who asked


def test_a_run_tells_its_backup_and_what_became_of_the_objects() -> None:
    items = Items(created=4, updated=1, equal=2, not_restored=1, not_compared=1, failed=3)
    text = message(with_run(backup_name="m1-nightly-20250601", items=items))
    assert "- m1: Completed, from m1-nightly-20250601\n  4 created, 1 updated, 2 equal already, " in text
    assert "1 not restored though different, 1 not compared, 3 failed\n" in text
    assert items_in_words(Items()) == "nothing"


def test_what_was_not_restored_stands_in_the_subject() -> None:
    left = with_run(reason="NotRestored", message="2 not restored", items=Items(created=1, not_restored=2))
    subject = message(left).splitlines()[0]
    assert subject == ("restore default/minimal: Completed on 1 of 1 cluster, 2 objects not restored though different")


def test_who_merged_and_who_approved_stand_in_trailers_once_each() -> None:
    one = replace(DONE, merged_by="Max <max@example.org>", approved_by=("Ada", "Bob"))
    two = replace(b.ended(b.backup()), merged_by="Max <max@example.org>", approved_by=("Bob", ""))
    told = [line for line in trailers(message(one, two)) if line.startswith(("Merged", "Approved", "Requested"))]
    assert told == [
        "Requested-By: Ada <ada@example.org>",
        "Merged-By: Max <max@example.org>",
        "Approved-By: Ada",
        "Approved-By: Bob",
    ]


def test_runs_of_an_earlier_attempt_that_did_not_change_are_not_told_again() -> None:
    second = b.record(b.restore(b.M1, b.M2, attempt=2))
    text = message(replace(second, runs=(*DONE.runs, *second.runs)), before={b.RESTORE: DONE})
    assert text.count("\n- m1: ") == text.count("\n- m2: ") == 1
    assert not any(run_id in text for run_id in RUN_IDS)


def test_a_schedule_that_changed_has_a_line_and_a_run_id() -> None:
    made = b.drafted(b.scheduled(b.M1, b.M2))[b.BACKUP]
    paused = replace(made.schedules[0], phase=Phase.PAUSED, reason="PausedThere", message="somebody paused it")
    after = replace(made, schedules=(paused, made.schedules[1]))
    lines = message(after, before={b.BACKUP: made}).splitlines()
    assert "- m1: Paused (PausedThere: somebody paused it)" in lines
    assert [line for line in lines if line.startswith("Run-Id")] == [f"Run-Id: {paused.run_id}"]
