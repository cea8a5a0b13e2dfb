"""`describe`: everything about one object, for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from reconciler.output.describe import describe
from reconciler.recall import Commit, Known
from reconciler.records import Items, Phase, Record, Texts
from tests.output import builders as b

COMMIT = Commit("abc1234" + "0" * 33, b.NOW - timedelta(hours=2), b.ADA, "backup default/other: Completed, and 1 more")
PARTLY = b.run(
    "m2",
    Phase.PARTIALLY_FAILED,
    reason="PartiallyFailed",
    message="no space",
    backup_name="m2-before",
    backup_started="2026-11-22T03:00:00Z",
    backup_completed="2026-11-22T03:05:00Z",
    status=b.DONE,
    items=Items(created=3, not_restored=14),
)


def known(record: Record, texts: Mapping[str, Texts] | None = None, complete: bool = True) -> Known:
    return Known(record, texts or {}, ((COMMIT, "Completed on 1 of 2 clusters"),), complete)


def lines(capsys: pytest.CaptureFixture[str], told: Known) -> list[str]:
    describe(told, "")
    return b.shown(capsys).splitlines()


def test_the_header_says_who_asked_for_what(capsys: pytest.CaptureFixture[str]) -> None:
    record = b.restore(b.run("m1"), merged_by=b.MAX, approved_by=("Eve", "Flo"))
    told = lines(capsys, known(record))
    assert told[:4] == [
        "Name:          minimal",
        "Namespace:     default",
        "Kind:          Restore",
        "Phase:         Completed",
    ]
    for line in (
        "Source:        restores/minimal.yaml",
        f"Requested by:  {b.ADA}",
        f"Merged by:     {b.MAX}",
        "Approved by:   Eve, Flo",
        "Record:        status/restores/default/minimal.yaml",
        "  backupName: before",
    ):
        assert line in told
    assert any(line.startswith("Ready:         True, since 2026-11-23T11:00:00Z (") for line in told)


def test_a_cluster_has_its_backup_its_times_its_items_and_veleros_words(capsys: pytest.CaptureFixture[str]) -> None:
    names = tuple(f"ConfigMap a/{number}" for number in range(12))
    texts = Texts((("velero", "no space"),), (("a", "already exists"),), names={"not_restored": names})
    record = b.restore(b.run("m1"), PARTLY, phase=Phase.PARTIALLY_FAILED, good=False)
    told = "\n".join(lines(capsys, known(record, {PARTLY.run_id: texts})))
    of_m2 = told[told.index("  m2: PartiallyFailed") : told.index("  m1: Completed")]
    assert "Message:    no space" in of_m2
    assert "Reason:" not in of_m2, "it would say what the phase says"
    assert "Backup:     m2-before" in of_m2
    assert "  taken:    2026-11-22T03:00:00Z (" in of_m2
    assert "  complete: 2026-11-22T03:05:00Z (" in of_m2
    assert "ago), after 1m30s" in of_m2
    assert "Items:      3 created, 14 not restored though different" in of_m2
    assert "error in velero: no space" in of_m2
    assert "warning in a: already exists" in of_m2
    assert "not restored though different: ConfigMap a/9" in of_m2
    assert "ConfigMap a/10" not in of_m2
    path = "status/restores/default/minimal.d/m2-1.yaml"
    assert f"… and 4 more not restored though different in {path}" in of_m2


def test_earlier_attempts_are_told_in_short(capsys: pytest.CaptureFixture[str]) -> None:
    earlier = b.run("m1", Phase.FAILED, reason="Expired", message="not started")
    told = lines(capsys, known(b.restore(earlier, b.run("m1", attempt=2))))
    assert "    Attempt 1: Failed (Expired: not started)" in told
    assert "  m1: Completed" in told
    assert "  m1: Failed" not in told


def test_of_a_large_fleet_those_in_trouble_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [b.run(f"m{number}") for number in range(30)]
    told = lines(capsys, known(b.restore(*runs, b.run("last", Phase.FAILED, reason="Expired"), phase=Phase.FAILED)))
    assert told.index("  last: Failed") < told.index("  m0: Completed")
    assert "  m25: Completed" not in told
    assert "  … and 11 more; `reconciler get restore minimal -n default -o wide` lists all" in told


def test_a_schedule_has_its_next_run_and_its_latest_backup(capsys: pytest.CaptureFixture[str]) -> None:
    taken = b.schedule("m1", backup_name="n-1", status=b.DONE | {"phase": "PartiallyFailed"})
    told = "\n".join(lines(capsys, known(b.nightly(taken, b.schedule("m2", Phase.PAUSED, reason="PausedThere")))))
    assert "Schedule:      0 3 * * *" in told
    assert "Attempt:" not in told
    of_m1 = told[told.index("  m1: Enabled") :]
    assert "T03:00:00Z" in of_m1[of_m1.index("Next run:") :].splitlines()[0]
    assert "Latest:     n-1 (PartiallyFailed)" in of_m1
    assert "  taken:    2026-11-23T03:00:00Z (" in of_m1
    of_m2 = told[told.index("  m2: Paused") : told.index("  m1: Enabled")]
    assert "Reason:     PausedThere" in of_m2
    assert "Next run:" not in of_m2
    assert "Latest:     no backup is known" in of_m2


def test_commits_say_what_they_did_to_this_object(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(capsys, known(b.restore(b.run("m1")), complete=False))
    (line,) = [line for line in told if "abc1234" in line]
    assert line.startswith("  abc1234  2026-11-23T10:00:00Z (")
    assert line.endswith(f"{b.ADA}  Completed on 1 of 2 clusters")
    assert "  … `reconciler history restore minimal -n default` has all that this clone holds" in told


def test_what_to_do_next_is_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(capsys, known(b.restore(b.run("m1"), PARTLY, phase=Phase.PARTIALLY_FAILED, good=False)))
    first, second = told[told.index("What to do next:") + 1 :]
    assert first == "  - m2 (PartiallyFailed): mend what Velero's message says."
    assert second.startswith("  - Then, to run it again, raise spec.attempt to 2 in restores/minimal.yaml")


def test_machines_get_the_record_the_texts_the_commits_and_the_advice(capsys: pytest.CaptureFixture[str]) -> None:
    texts = Texts((("velero", "no space"),), (), "5 more", names={"failed": ("Pod a/b",)})
    describe(known(b.restore(PARTLY, phase=Phase.PARTIALLY_FAILED, good=False), {PARTLY.run_id: texts}), "json")
    found = b.data(capsys)
    assert found["status"]["phase"] == "PartiallyFailed"
    assert found["metadata"]["name"] == "minimal"
    assert found["texts"] == [
        {
            "clusterName": "m2",
            "attempt": 1,
            "errors": [{"in": "velero", "text": "no space"}],
            "warnings": [],
            "note": "5 more",
            "items": {"failed": ["Pod a/b"]},
        }
    ]
    assert found["commits"] == [
        {
            "commit": COMMIT.id,
            "when": "2026-11-23T10:00:00Z",
            "author": b.ADA,
            "subject": COMMIT.subject,
            "what": "Completed on 1 of 2 clusters",
        }
    ]
    assert found["advice"][0] == "m2 (PartiallyFailed): mend what Velero's message says."
