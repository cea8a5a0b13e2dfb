"""What a Restore may say beside Kurator's fields, and what Velero's API refuses in one."""

from __future__ import annotations

import pytest

from reconciler.resources import Restore, RestoreSpec
from tests.manifests.builders import RESTORE, one, read_all, told

HEAD = RESTORE.removesuffix("  backupName: nightly\n")
SOURCE = f"{HEAD}  destination: {{fleet: quickstart}}\n  source: {{schedule: nightly}}\n"


def spec_of(text: str) -> RestoreSpec:
    (document,) = read_all(a=text).documents
    assert isinstance(document.resource, Restore)
    return document.resource.spec


def test_a_restore_of_veleros_own_objects() -> None:
    by_schedule = spec_of(SOURCE)
    assert by_schedule.source is not None
    assert (by_schedule.source.schedule, by_schedule.source.backup, by_schedule.backup_name) == ("nightly", None, None)
    by_name = spec_of(SOURCE.replace("schedule: nightly", f"backup: {'b' * 253}"))
    assert by_name.source is not None
    assert by_name.source.backup == "b" * 253


def test_all_that_is_ours_is_read() -> None:
    spec = spec_of(
        f"""{RESTORE}\
  before: "2026-11-23T03:00:00+01:00"
  maxBackupAge: 26h
  maxSkew: 15m
  allowSkipped: true
  allowPartiallyFailed: true
  policy: {{existingResourcePolicy: update}}
"""
    )
    assert (spec.before, spec.max_backup_age, spec.max_skew) == ("2026-11-23T03:00:00+01:00", "26h", "15m")
    assert spec.allow_skipped
    assert spec.allow_partially_failed
    assert spec.policy is not None
    assert spec.policy.existing_resource_policy == "update"


def test_left_out_it_is_as_kurator_has_it() -> None:
    spec = spec_of(RESTORE)
    assert (spec.source, spec.before, spec.max_backup_age, spec.max_skew) == (None, None, None, None)
    assert not spec.allow_skipped


def test_something_says_what_to_restore_and_only_one_thing_does() -> None:
    assert one(f"{HEAD}  attempt: 1\n") == (
        "5: `spec`: neither `backupName` nor `source` stands here; say in one of them what to restore"
    )
    assert one(f"{SOURCE}  backupName: nightly\n") == (
        "7: `spec.source`: stands beside `backupName`; keep one of the two"
    )


def test_a_source_needs_a_destination() -> None:
    problem = read_all(a=f"{HEAD}  attempt: 1\n  source: {{schedule: nightly}}\n").problems[0]
    assert str(problem) == (
        "a.yaml:7: `spec.source`: needs a `destination`, since no Backup says where; add one with its fleet"
    )
    assert str(problem.identity) == "Restore default/minimal"


def test_a_source_is_one_backup_or_one_schedule() -> None:
    assert one(SOURCE.replace("{schedule: nightly}", "{}")) == (
        "7: `spec.source`: neither `backup` nor `schedule` stands here; name a Velero Backup or a Schedule"
    )
    assert one(SOURCE.replace("{schedule: nightly}", "\n    backup: a\n    schedule: b")) == (
        "9: `spec.source.schedule`: stands beside `backup`; keep one of the two"
    )


def test_a_source_is_named_as_velero_may_name_it() -> None:
    assert one(SOURCE.replace("schedule: nightly", "backup: Nightly")).startswith(
        "7: `spec.source.backup`: 'Nightly' is no name of a Velero object; use "
    )
    assert "use 1 to 63 of" in one(SOURCE.replace("nightly", "b" * 64)), "its name is the value of a label"


@pytest.mark.parametrize(
    ("value", "todo"),
    [
        ("2026-11-23T03:00:00Z", 'quote it: "2026-11-23T03:00:00Z"'),
        ("2026-11-23", 'write it with its zone, as in "2026-11-23T03:00:00Z"'),
    ],
)
def test_a_time_must_be_quoted(value: str, todo: str) -> None:
    assert one(f"{RESTORE}  before: {value}\n") == (
        f"7: `spec.before` must be text, not `{value}`, which versions of YAML read differently; {todo}"
    )


def test_a_length_of_time_has_a_unit() -> None:
    assert one(f"{RESTORE}  maxSkew: 30\n") == (
        "7: `spec.maxSkew` must be text, not the number 30; write it as in 90m, 24h or 720h0m0s"
    )


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23",
        "2026-11-23T03:00:00",
        "2026-11-23 03:00:00Z",
        "2026-02-30T03:00:00Z",
        "2026-11-23T24:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:00:00-01:00",
        "yesterday",
    ],
)
def test_a_time_has_a_zone_and_exists(value: str) -> None:
    assert one(f'{RESTORE}  before: "{value}"\n') == (
        f"7: `spec.before`: '{value}' is no time; write it with its zone, as in \"2026-11-23T03:00:00Z\""
    )


@pytest.mark.parametrize("value", ["2026-11-23T03:00:00.5Z", "2026-11-23t03:00:00z", "2026-11-23T03:00:00-03:30"])
def test_times_are_read_as_rfc_3339_writes_them(value: str) -> None:
    assert spec_of(f'{RESTORE}  before: "{value}"\n').before == value


@pytest.mark.parametrize("field", ["maxBackupAge", "maxSkew", "startWithin"])
@pytest.mark.parametrize("value", ["30d", "0s", "-1h"])
def test_ages_are_durations_above_zero(field: str, value: str) -> None:
    assert one(f"{RESTORE}  {field}: {value}\n").startswith(f"7: `spec.{field}`: '{value}' is ")


def test_other_policies_for_what_is_there_are_refused() -> None:
    assert one(f"{RESTORE}  policy:\n    existingResourcePolicy: recreate\n") == (
        "8: `spec.policy.existingResourcePolicy` can't be the text 'recreate'; write none or update"
    )


@pytest.mark.parametrize(
    ("key", "value", "bad"),
    [("A", "a", "A"), ("a", "a_b", "a_b"), ("*", "a", "*"), ("a", "", ""), ("a", "b" * 64, "b" * 64)],
)
def test_a_mapping_is_between_namespaces(key: str, value: str, bad: str) -> None:
    problem = one(f'{RESTORE}  policy:\n    namespaceMapping:\n      "{key}": "{value}"\n')
    assert problem == (
        f"9: `spec.policy.namespaceMapping.{key}`: '{bad}' is no RFC 1123 label; "
        "use 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends"
    )


def selector(line: str) -> str:
    return f"{RESTORE}  policy:\n    resourceFilter:\n      labelSelector:\n        {line}\n"


@pytest.mark.parametrize(
    "line",
    [
        "matchLabels: {app: web, app.kubernetes.io/name: My_App.1, x: ''}",
        "matchExpressions: [{key: a/b, operator: In, values: [x, '']}, {key: c, operator: Exists}]",
    ],
)
def test_labels_as_kubernetes_has_them(line: str) -> None:
    assert told(selector(line)) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("matchLabels: {'a b': x}", "matchLabels.a b`: 'a b' is no key of a label; use "),
        ("matchLabels: {'': x}", "matchLabels.`: '' is no key of a label; use "),
        ("matchLabels: {a/b/c: x}", "matchLabels.a/b/c`: 'a/b/c' is no key of a label; use "),
        ("matchLabels: {A.io/b: x}", "matchLabels.A.io/b`: 'A.io/b' is no key of a label; use "),
        (f"matchLabels: {{{'k' * 64}: x}}", f"matchLabels.{'k' * 64}`: '{'k' * 64}' is no key of a label; use "),
        ("matchLabels: {a: x y}", "matchLabels.a`: 'x y' is no value of a label; use "),
        (f"matchLabels: {{a: {'v' * 64}}}", f"matchLabels.a`: '{'v' * 64}' is no value of a label; use "),
        ("matchExpressions: [{key: -a, operator: Exists}]", "matchExpressions[0].key`: '-a' is no key of a label; "),
        (
            "matchExpressions: [{key: a, operator: NotIn, values: [x, y-]}]",
            "matchExpressions[0].values[1]`: 'y-' is no value of a label; ",
        ),
        (
            "matchExpressions: [{key: a, operator: In}]",
            "matchExpressions[0]`: operator In has no values to compare with; list them under `values`",
        ),
        (
            "matchExpressions: [{key: a, operator: Exists, values: [x]}]",
            "matchExpressions[0].values`: operator Exists takes no values; remove them, or use In or NotIn",
        ),
    ],
)
def test_labels_that_no_object_can_have_are_refused(line: str, what: str) -> None:
    """Velero would only log that it can't read the selector, and go on without it."""
    assert one(selector(line)).startswith(f"10: `spec.policy.resourceFilter.labelSelector.{what}")
