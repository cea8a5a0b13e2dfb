"""Which records there are to be: new objects, edits before and after the first run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.desired import Desired
from reconciler.plan.asks import untouched
from reconciler.plan.drafts import Asked, draft, hold, unrecorded
from reconciler.plan.summary import summarise
from reconciler.records import Phase, Record, run_id
from reconciler.resources import Identity
from tests.plan import builders as b

HOUR = timedelta(hours=1)
SOMEONE = Asked("restores/moved.yaml", "beef" * 10, "Eve <eve@example.org>")


def redrafted(desired: Desired, records: dict[Identity, Record]) -> dict[Identity, Record]:
    asked = {each.identity: SOMEONE for each in unrecorded(desired, records)}
    return draft(desired, records, asked, b.LEDGER, b.NOW + HOUR)


def test_a_new_object_is_recorded_with_a_pending_run_on_each_cluster() -> None:
    record = b.drafted(b.restore(b.M1, b.M2))[b.RESTORE]
    assert [(run.cluster, run.phase, run.attempt) for run in record.runs] == [
        (b.M1, Phase.PENDING, 1),
        (b.M2, Phase.PENDING, 1),
    ]
    assert (record.source, record.revision, record.requested_by) == (b.WHO.source, b.WHO.revision, b.WHO.author)
    assert record.recorded_at == "2025-06-01T12:00:00Z"
    assert record.spec == {"backupName": "nightly"}


def test_names_and_run_ids_are_those_of_the_ledger() -> None:
    run = b.only_run(b.drafted(b.restore()))
    assert run.run_id == run_id(b.LEDGER, b.RESTORE, 1, b.M1)
    assert run.object_name == "m1-restore-default-minimal"
    assert run.what.startswith("v1:sha256:")


def test_backups_come_before_restores() -> None:
    assert list(b.drafted(b.restore(), b.backup())) == [b.BACKUP, b.RESTORE]


def test_what_is_recorded_already_is_taken_as_it_is() -> None:
    records = b.drafted(b.restore())
    assert list(unrecorded(b.ask(b.restore()), records)) == []
    assert redrafted(b.ask(b.restore()), records) == records


def test_a_fleet_that_grows_changes_no_record() -> None:
    records = b.drafted(b.restore(b.M1))
    assert redrafted(b.ask(b.restore(b.M1, b.M2)), records) == records


def test_a_removed_file_leaves_the_record() -> None:
    records = b.drafted(b.restore())
    assert redrafted(b.ask(), records) == records


def test_an_edit_before_anything_ran_applies_and_keeps_the_time_of_the_first_request() -> None:
    before = b.drafted(b.restore(b.M1))
    after = redrafted(b.ask(b.restore(b.M1, b.M2, allowPartiallyFailed=True)), before)[b.RESTORE]
    assert after.spec == {"backupName": "nightly", "allowPartiallyFailed": True}
    assert [run.cluster for run in after.runs] == [b.M1, b.M2]
    assert after.runs[0].what != before[b.RESTORE].runs[0].what
    assert after.runs[0].run_id == before[b.RESTORE].runs[0].run_id
    assert (after.source, after.recorded_at) == (SOMEONE.source, "2025-06-01T12:00:00Z")


def test_an_edit_before_anything_ran_keeps_the_times_of_the_conditions() -> None:
    before = {b.RESTORE: summarise(b.drafted(b.restore())[b.RESTORE], b.ask(b.restore()), b.NOW)}
    edited = b.ask(b.restore(allowPartiallyFailed=True))
    summed = summarise(redrafted(edited, before)[b.RESTORE], edited, b.NOW + HOUR)
    assert {condition.since for condition in summed.conditions} == {"2025-06-01T12:00:00Z"}


@pytest.mark.parametrize("phase", [p for p in b.RUN_PHASES if p is not Phase.PENDING])
def test_an_edit_after_the_first_run_began_is_not_recorded(phase: Phase) -> None:
    records = b.by_identity(b.record(b.restore(), phase))
    assert not untouched(records[b.RESTORE])
    assert redrafted(b.ask(b.restore(allowPartiallyFailed=True)), records) == records


def test_one_cluster_that_began_is_enough() -> None:
    record = b.record(b.restore(b.M1, b.M2))
    begun = replace(record, runs=(record.runs[0], replace(record.runs[1], phase=Phase.STARTING)))
    assert not untouched(begun)


def test_to_hold_is_to_hold_every_run() -> None:
    held = hold(b.record(b.restore(b.M1, b.M2)), "Existing", "was there")
    assert {(run.phase, run.reason, run.message) for run in held.runs} == {(Phase.HELD, "Existing", "was there")}
