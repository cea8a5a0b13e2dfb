"""The commit message: what happened, a line per run, trailers that nobody can forge."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.message import commit_message
from reconciler.records import Phase, Record
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
    ],
    ids=["author", "message", "reason", "path"],
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
