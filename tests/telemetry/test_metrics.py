"""What is exported, as Prometheus' own parser reads it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.plan.answers import UNASKED
from reconciler.plan.shards import Shard
from reconciler.plan.summary import summarise
from reconciler.records import Items, Phase
from reconciler.telemetry.metrics import CAUSES, Metrics
from tests.plan import builders as b

Labels = dict[str, str]


def samples(metrics: Metrics, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics, name)[tuple(sorted(labels.items()))]


def test_every_name_has_our_prefix_a_help_and_its_unit() -> None:
    for family in text_string_to_metric_families(Metrics().text().decode()):
        assert family.documentation
        assert family.name.startswith(("reconciler_", "process_"))
        if "duration" in family.name or "age" in family.name or "timestamp" in family.name:
            assert family.name.endswith("_seconds")


def test_two_in_one_process_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.pass_ended(1, True)
    assert value(one, "reconciler_passes_total", result="success") == 1
    assert value(other, "reconciler_passes_total", result="success") == 0


def test_passes_and_the_last_success() -> None:
    metrics = Metrics()
    assert value(metrics, "reconciler_last_success_timestamp_seconds") == 0
    metrics.pass_ended(0.2, False)
    assert value(metrics, "reconciler_last_success_timestamp_seconds") == 0
    metrics.pass_ended(0.3, True)
    assert abs(value(metrics, "reconciler_last_success_timestamp_seconds") - time.time()) < 5
    assert value(metrics, "reconciler_passes_total", result="failure") == 1
    assert value(metrics, "reconciler_pass_duration_seconds_count") == 2
    assert value(metrics, "reconciler_pass_duration_seconds_sum") == pytest.approx(0.5)


def test_a_look_at_the_branch_is_success_only_while_passes_are() -> None:
    metrics = Metrics()
    metrics.git("ask", 0.01)
    assert value(metrics, "reconciler_last_success_timestamp_seconds") == 0
    metrics.pass_ended(1, True)
    first = value(metrics, "reconciler_last_success_timestamp_seconds")
    time.sleep(0.01)
    metrics.git("ask", 0.01, "network")
    assert value(metrics, "reconciler_last_success_timestamp_seconds") == first
    metrics.git("ask", 0.01)
    assert value(metrics, "reconciler_last_success_timestamp_seconds") > first


def test_git_by_operation_and_cause() -> None:
    metrics = Metrics()
    assert len(samples(metrics, "reconciler_git_rejections_total")) == 4 * len(CAUSES), "zeros, so that rates see one"
    metrics.git("push", 0.5, "protected")
    metrics.git("push", 0.5, "words of a server")
    metrics.git("fetch", 0.5)
    assert value(metrics, "reconciler_git_rejections_total", operation="push", cause="protected") == 1
    assert value(metrics, "reconciler_git_rejections_total", operation="push", cause="other") == 1
    assert value(metrics, "reconciler_git_operation_duration_seconds_count", operation="push") == 2
    assert value(metrics, "reconciler_git_operation_duration_seconds_count", operation="fetch") == 1


def test_runs_by_phase_and_the_oldest_that_waits() -> None:
    metrics = Metrics()
    assert samples(metrics, "reconciler_runs") == {}, "no zeros before anything is known"
    waiting = b.record(b.restore(b.M1, b.M2))
    metrics.records(b.by_identity(waiting, b.ended(b.backup(), Phase.FAILED)), b.NOW + timedelta(seconds=90))
    assert value(metrics, "reconciler_runs", kind="Restore", phase="Pending") == 2
    assert value(metrics, "reconciler_runs", kind="Backup", phase="Failed") == 1
    assert value(metrics, "reconciler_runs", kind="Restore", phase="Failed") == 0
    assert value(metrics, "reconciler_oldest_waiting_run_age_seconds") == pytest.approx(90, abs=5)
    metrics.records(b.by_identity(b.ended(b.restore(b.M1, b.M2))), b.NOW)
    assert value(metrics, "reconciler_runs", kind="Restore", phase="Pending") == 0
    assert value(metrics, "reconciler_runs", kind="Restore", phase="Completed") == 2
    assert value(metrics, "reconciler_runs", kind="Backup", phase="Failed") == 0
    assert value(metrics, "reconciler_oldest_waiting_run_age_seconds") == 0


def test_what_velero_calls_completed_and_is_not_is_counted_until_the_file_accepts_it() -> None:
    metrics = Metrics()
    done = b.ended(b.restore(b.M1, b.M2))
    left = replace(done, runs=(replace(done.runs[0], reason="NotRestored", items=Items(not_restored=2)), done.runs[1]))
    for wanted, expected in ((b.restore(b.M1, b.M2), 1), (b.restore(b.M1, b.M2, allowSkipped=True), 0)):
        metrics.records(b.by_identity(summarise(left, b.ask(wanted), b.LATER)), b.LATER)
        assert value(metrics, "reconciler_restores_doubted", reason="NotRestored") == expected
        assert value(metrics, "reconciler_restores_doubted", reason="NotVerified") == 0
    metrics.leading(False)
    assert samples(metrics, "reconciler_restores_doubted") == {}


def test_only_the_latest_attempt_counts_and_a_refused_start_waits() -> None:
    metrics = Metrics()
    first = b.ended(b.restore(b.M1), Phase.FAILED)
    second = b.record(b.restore(b.M1, attempt=2), Phase.STARTING, reason="Rejected", message="no")
    both = replace(second, runs=(*first.runs, *second.runs))
    metrics.records({b.RESTORE: both}, b.NOW + timedelta(seconds=5))
    assert value(metrics, "reconciler_runs", kind="Restore", phase="Failed") == 0
    assert value(metrics, "reconciler_runs", kind="Restore", phase="Starting") == 1
    assert value(metrics, "reconciler_oldest_waiting_run_age_seconds") == pytest.approx(5, abs=4)


def test_clocks_that_go_back_give_no_negative_age() -> None:
    metrics = Metrics()
    metrics.records(b.by_identity(b.record(b.restore())), b.NOW - timedelta(hours=1))
    first = value(metrics, "reconciler_oldest_waiting_run_age_seconds")
    time.sleep(0.01)
    assert 0 <= first < value(metrics, "reconciler_oldest_waiting_run_age_seconds") < 5, "and it grows by itself"


def member(metrics: Metrics, name: str) -> float | None:
    found = samples(metrics, "reconciler_member_reachable")
    key = (("cluster_kind", "AttachedCluster"), ("cluster_name", name), ("cluster_namespace", "default"))
    return found.get(key)


def test_members_keep_their_last_word_until_they_are_gone() -> None:
    metrics = Metrics()
    metrics.members({b.M1: b.answer(), b.M2: b.unreachable()}, (b.M1, b.M2))
    assert (member(metrics, "m1"), member(metrics, "m2")) == (1, 0)
    metrics.members({}, (b.M1, b.M2))
    metrics.members({b.M1: UNASKED}, (b.M1, b.M2))
    assert (member(metrics, "m1"), member(metrics, "m2")) == (1, 0), "not asked, or not answered yet"
    metrics.members({b.M2: b.answer(), b.M1: b.answer()}, (b.M2,))
    assert (member(metrics, "m1"), member(metrics, "m2")) == (None, 1)
    metrics.members({}, ())
    assert samples(metrics, "reconciler_member_reachable") == {}


def test_who_stands_by_exports_what_it_knows_no_more() -> None:
    metrics = Metrics()
    assert value(metrics, "reconciler_leader", shard="1/1") == 1, "without an election it works"
    metrics.records(b.by_identity(b.record(b.restore())), b.LATER)
    metrics.members({b.M1: b.answer()}, (b.M1,))
    metrics.leading(False)
    assert value(metrics, "reconciler_leader", shard="1/1") == 0
    assert not samples(metrics, "reconciler_runs")
    assert not samples(metrics, "reconciler_member_reachable")
    assert value(metrics, "reconciler_oldest_waiting_run_age_seconds") == 0
    metrics.leading(True)
    metrics.members({b.M1: b.answer()}, (b.M1,))
    metrics.members({}, ())
    assert value(metrics, "reconciler_leader", shard="1/1") == 1


def test_which_shard_of_how_many_it_is() -> None:
    metrics = Metrics(Shard(2, 3))
    assert value(metrics, "reconciler_leader", shard="2/3") == 1
    assert value(metrics, "reconciler_shards") == 3
    assert value(Metrics(), "reconciler_shards") == 1


def test_the_rest() -> None:
    metrics = Metrics()
    metrics.notification(True)
    metrics.notification(False)
    metrics.hook("denied")
    assert value(metrics, "reconciler_notifications_total", result="failure") == 1
    assert value(metrics, "reconciler_webhook_requests_total", result="denied") == 1
    assert list(samples(metrics, "reconciler_build_info").values()) == [1]
    assert value(metrics, "process_resident_memory_bytes") > 0
