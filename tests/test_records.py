"""The ledger's files: their shape, and what is not ours is told by its path."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import yaml

from reconciler import records
from reconciler.errors import RecordError
from reconciler.records import (
    LEDGER_PATH,
    Condition,
    Items,
    Ledger,
    Phase,
    Record,
    Run,
    Schedule,
    Texts,
    path_of,
    texts_path,
)
from reconciler.resources import ClusterId, Identity

RESTORE = Identity("Restore", "default", "minimal")
BACKUP = Identity("Backup", "default", "nightly")
PATH = "status/restores/default/minimal.yaml"
M1 = ClusterId("default", "AttachedCluster", "m1")
RUN = Run(M1, Phase.COMPLETED, "m1-restore-default-minimal", "0d9c" * 8, "v1:sha256:00")
RECORD = Record(
    identity=RESTORE,
    spec={"backupName": "nightly"},
    attempt=1,
    source="restores/minimal.yaml",
    revision="6f1c",
    requested_by="Ada <ada@example.org>",
    recorded_at="2025-06-01T12:00:00Z",
    phase=Phase.COMPLETED,
    conditions=(Condition("Ready", True, "Completed", "Completed on 1 of 1 cluster", "2025-06-01T12:00:00Z"),),
    runs=(RUN,),
)
LEDGER = Ledger("5b0c7f9e", "main", "")


def loaded(record: Record) -> Record:
    """Through its file and back."""
    found = records.load({LEDGER_PATH: records.dump_ledger(LEDGER), path_of(record.identity): records.dump(record)})
    assert found is not None
    return found.records[record.identity]


# ---------------------------------------------------------------- the shape


def test_the_file_of_a_record() -> None:
    assert records.dump(RECORD).decode() == (
        "# Written by reconciler. Do not edit: this is the record of what ran.\n"
        "apiVersion: backup.kurator.dev/v1alpha1\n"
        "kind: Restore\n"
        "metadata:\n"
        "  name: minimal\n"
        "  namespace: default\n"
        "  annotations:\n"
        "    argocd.argoproj.io/hook: Skip\n"
        "    kustomize.toolkit.fluxcd.io/reconcile: disabled\n"
        "spec:\n"
        "  backupName: nightly\n"
        "status:\n"
        "  phase: Completed\n"
        "  attempt: 1\n"
        "  source: restores/minimal.yaml\n"
        "  revision: 6f1c\n"
        "  requestedBy: Ada <ada@example.org>\n"
        "  recordedTimestamp: '2025-06-01T12:00:00Z'\n"
        "  conditions:\n"
        "  - type: Ready\n"
        "    status: 'True'\n"
        "    reason: Completed\n"
        "    message: Completed on 1 of 1 cluster\n"
        "    lastTransitionTime: '2025-06-01T12:00:00Z'\n"
        "  restoreDetails:\n"
        "  - clusterName: m1\n"
        "    clusterKind: AttachedCluster\n"
        "    restoreNameInCluster: m1-restore-default-minimal\n"
        "    phase: Completed\n"
        "    attempt: 1\n"
        f"    runID: {'0d9c' * 8}\n"
        "    what: v1:sha256:00\n"
    )


def test_no_anchors_for_what_occurs_twice() -> None:
    status = {"a": ["x"]}
    twice = replace(RECORD, runs=(replace(RUN, status=status), replace(RUN, status=status)))
    assert b"&" not in records.dump(twice)


def test_paths() -> None:
    assert path_of(RESTORE) == PATH
    assert path_of(Identity("Backup", "a", "b")) == "status/backups/a/b.yaml"
    assert texts_path(RESTORE, RUN) == "status/restores/default/minimal.d/m1-1.yaml"


def test_texts_beside_a_record_are_not_read_as_records() -> None:
    files = {LEDGER_PATH: records.dump_ledger(LEDGER), texts_path(RESTORE, RUN): records.dump_texts(Texts((), ()))}
    found = records.load(files)
    assert found is not None
    assert (found.records, found.paths) == ({}, frozenset(files))


def test_without_a_ledger_nothing_is_recorded() -> None:
    assert records.load({PATH: b"anything"}) is None


def test_a_backups_record_names_its_object_as_kurator_does() -> None:
    record = replace(RECORD, identity=BACKUP)
    (run,) = records.as_object(record)["status"]["backupDetails"]
    assert run["backupNameInCluster"] == RUN.object_name
    assert loaded(record) == record


def test_a_schedule_stands_after_its_latest_backup_as_kurator_has_it() -> None:
    made = Schedule(M1, Phase.ENABLED, "m1-backup-default-nightly", "0d9c", "v1:sha256:00", backup_name="n-1")
    record = replace(RECORD, identity=BACKUP, runs=(), schedules=(replace(made, status={"phase": "Completed"}),))
    (entry,) = records.as_object(record)["status"]["backupDetails"]
    assert list(entry.items())[:5] == [
        ("clusterName", "m1"),
        ("clusterKind", "AttachedCluster"),
        ("backupNameInCluster", "n-1"),
        ("backupStatusInCluster", {"phase": "Completed"}),
        ("scheduleNameInCluster", "m1-backup-default-nightly"),
    ]
    assert loaded(record) == record


@pytest.mark.parametrize(
    ("items", "written"),
    [
        (Items(created=3, not_restored=1), {"created": 3, "notRestored": 1}),
        (Items(), {}),
        (None, None),
    ],
    ids=["some", "nothing to restore", "not known"],
)
def test_that_nothing_came_back_is_not_that_nothing_is_known(items: Items | None, written: object) -> None:
    record = replace(RECORD, runs=(replace(RUN, items=items),))
    assert records.as_object(record)["status"]["restoreDetails"][0].get("items") == written
    assert loaded(record).runs[0].items == items


def test_who_merged_and_approved_is_written_where_it_is_known() -> None:
    status = records.as_object(replace(RECORD, merged_by="Max", approved_by=("Ada", "Bob")))["status"]
    assert (status["mergedBy"], status["approvedBy"]) == ("Max", ["Ada", "Bob"])
    assert not {"mergedBy", "approvedBy"} & records.as_object(RECORD)["status"].keys()


# ---------------------------------------------------------------- what is not ours


def broken(**status: Any) -> bytes:
    made = records.as_object(RECORD)
    made["status"] |= status
    return yaml.safe_dump(
        {**made, "status": {name: value for name, value in made["status"].items() if value != "-"}}
    ).encode()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "not a record of this version"),
        (b"[]", "not a record of this version"),
        (b"a: [", "not YAML"),
        (b"\xff", "not YAML"),
        (b"!!python/object:os.system {}", "not YAML"),
        (broken(phase="Unheard"), "not a record of this version"),
        (broken(attempt="-"), "not a record of this version"),
        (broken(restoreDetails=5), "not a record of this version"),
        (broken(restoreDetails=[{}]), "not a record of this version"),
        (broken(conditions=[5]), "not a record of this version"),
        (
            records.dump(replace(RECORD, identity=Identity("Restore", "default", "other"))),
            "holds the record of Restore",
        ),
    ],
)
def test_what_is_no_record_is_told_by_its_path_and_how_to_mend_it(content: bytes, what: str) -> None:
    with pytest.raises(RecordError) as error:
        records.load({LEDGER_PATH: records.dump_ledger(LEDGER), PATH: content})
    assert str(error.value).startswith(f"{PATH}: {what}")
    assert str(error.value).endswith("restore the file from git")


@pytest.mark.parametrize("content", [b"", b"[]", b"id: x", b"{id: x, branch: b, path: '', version: one}"])
def test_what_is_no_ledger_is_told(content: bytes) -> None:
    with pytest.raises(RecordError, match=r"status/ledger\.yaml: .*; restore the file from git"):
        records.parse_ledger(content)


def test_a_newer_ledger_asks_for_a_newer_reconciler() -> None:
    with pytest.raises(RecordError, match="newer reconciler; upgrade this one"):
        records.parse_ledger(records.dump_ledger(replace(LEDGER, version=2)))


# ---------------------------------------------------------------- ids, times, size


def test_a_run_id_tells_ledger_object_attempt_and_cluster_apart() -> None:
    ids = {
        records.run_id(ledger, Identity(kind, "default", name), attempt, ClusterId("default", "Cluster", cluster))
        for ledger in "ab"
        for kind in ("Backup", "Restore")
        for name in "cd"
        for attempt in (1, 11)
        for cluster in ("m", "n")
    }
    assert len(ids) == 32
    assert records.run_id("a", RESTORE, 1, M1) == records.run_id("a", RESTORE, 1, M1)


def test_times() -> None:
    noon = datetime(2025, 6, 1, 12, tzinfo=UTC)
    assert records.timestamp(noon.astimezone(timezone(timedelta(hours=2)))) == "2025-06-01T12:00:00Z"
    assert records.moment("2025-06-01T12:00:00Z") == noon
    assert [records.moment(text) for text in ("", "soon", "2025-06-01T12:00:00", "2025-06-01")] == [None] * 4


def test_a_record_of_a_thousand_clusters_stays_small() -> None:
    status = {"phase": "Completed", "startTimestamp": "2025-06-01T12:00:00Z", "progress": {"totalItems": 7}}
    many = tuple(
        replace(RUN, cluster=replace(M1, name=f"m{number}"), status=status, message="x" * 100) for number in range(1000)
    )
    big = replace(RECORD, runs=many)
    assert len(records.dump(big)) < 1024 * 1000
    assert loaded(big) == big
