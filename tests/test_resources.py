"""What users may write in the smallest parts: names, keys, durations, and that models are frozen and strict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.names import bare, shown
from reconciler.resources import (
    KINDS,
    AttachedCluster,
    Backup,
    ClusterId,
    Fleet,
    Identity,
    Restore,
    duration,
    identity,
    plain,
)


def a_restore(**spec: Any) -> Restore:
    return Restore.model_validate(
        {
            "apiVersion": "backup.kurator.dev/v1alpha1",
            "kind": "Restore",
            "metadata": {"name": "minimal"},
            "spec": {"backupName": "nightly", **spec},
        }
    )


def an_attached_cluster(name: str = "m1", namespace: str = "default", key: str = "value") -> AttachedCluster:
    return AttachedCluster.model_validate(
        {
            "apiVersion": "cluster.kurator.dev/v1alpha1",
            "kind": "AttachedCluster",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"kubeconfig": {"name": "secret", "key": key}},
        }
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90m", 5400), ("24h", 86400), ("720h0m0s", 2592000), ("1h30m", 5400), ("1.5h", 5400), ("250ms", 0.25)],
)
def test_durations_are_read_as_go_reads_them(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30d", "1h ", "h", "-1h", "+1h", "1", "1h30", "\u0661h", "1H"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write it as in 90m, 24h or 720h0m0s"):
        duration(text)


@pytest.mark.parametrize("text", ["0s", "0h0m", "0.1ns", "9999999h", "9" * 400 + "h"])
def test_durations_that_go_cannot_hold_or_that_are_zero_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is zero, or longer than 292 years"):
        duration(text)


@given(st.text())
def test_duration_gives_a_length_or_a_value_error(text: str) -> None:
    try:
        length = duration(text)
    except ValueError:
        return
    assert length > timedelta()


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a_b", "a/b", "..", "../x", "a..b", "a\n", "a" * 64])
@pytest.mark.case("names", "checked as RFC 1123")
def test_names_that_make_no_path_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        an_attached_cluster(name=name)
    with pytest.raises(ValidationError):
        an_attached_cluster(namespace=name)


def test_a_namespace_has_no_dots_and_a_name_may() -> None:
    assert identity(an_attached_cluster(name="a.b")) == Identity("AttachedCluster", "default", "a.b")
    with pytest.raises(ValidationError):
        an_attached_cluster(namespace="a.b")


@pytest.mark.parametrize("key", ["", ".", "..", "..data", "a/b", "a\n"])
@pytest.mark.case("names", "before any path is made")
def test_keys_that_would_leave_the_folder_of_a_secret_are_refused(key: str) -> None:
    with pytest.raises(ValidationError):
        an_attached_cluster(key=key)


def test_the_key_of_a_kubeconfig_defaults_to_value() -> None:
    made = AttachedCluster.model_validate(
        {
            "apiVersion": "cluster.kurator.dev/v1alpha1",
            "kind": "AttachedCluster",
            "metadata": {"name": "m1"},
            "spec": {"kubeconfig": {"name": "m1"}},
        }
    )
    assert made.spec.kubeconfig.key == "value"


def test_a_restore_has_the_defaults_of_the_design() -> None:
    spec = a_restore().spec
    assert (spec.attempt, spec.rerun, spec.suspend, spec.start_within, spec.destination) == (
        1,
        None,
        False,
        "24h",
        None,
    )


def test_plain_gives_what_the_user_set_and_no_default() -> None:
    made = a_restore(attempt=2, policy={"namespaceMapping": {"a": "b"}})
    assert plain(made.spec) == {"attempt": 2, "backupName": "nightly", "policy": {"namespaceMapping": {"a": "b"}}}


@pytest.mark.parametrize(
    "spec",
    [
        {"attempt": "1"},
        {"attempt": True},
        {"attempt": 0},
        {"suspend": 1},
        {"backup_name": "x"},
        {"policy": {"resourceFilter": {"includedClusterScopedResources": ["a"]}}},
        {"rerun": "Failed"},
    ],
)
def test_other_types_unknown_fields_and_other_words_are_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_restore(**spec)


def test_resources_are_frozen() -> None:
    with pytest.raises(ValidationError):
        a_restore().spec.attempt = 2


def test_plugins_other_than_backup_are_none_of_our_business() -> None:
    made = Fleet.model_validate(
        {
            "apiVersion": "fleet.kurator.dev/v1alpha1",
            "kind": "Fleet",
            "metadata": {"name": "f"},
            "spec": {"clusters": [], "plugin": {"metric": {"anything": object()}}},
        }
    )
    assert made.spec.plugin is not None
    assert made.spec.plugin.backup is None


@pytest.mark.parametrize(
    ("operator", "values", "sound"),
    [("In", ["a"], True), ("In", [], False), ("NotIn", [], False), ("Exists", [], True), ("Exists", ["a"], False)],
)
def test_a_label_expression_has_values_where_its_operator_takes_them(
    operator: str, values: list[str], sound: bool
) -> None:
    selector = {"matchExpressions": [{"key": "app", "operator": operator, "values": values}]}
    spec = {"policy": {"resourceFilter": {"labelSelector": selector}}}
    if sound:
        assert a_restore(**spec).spec.policy is not None
    else:
        with pytest.raises(ValidationError):
            a_restore(**spec)


def test_identities_and_clusters_read_as_kubectl_names_them() -> None:
    assert str(Identity("Restore", "default", "minimal")) == "Restore default/minimal"
    assert str(ClusterId("default", "AttachedCluster", "m1")) == "AttachedCluster default/m1"
    assert KINDS["backup.kurator.dev", "Backup"] is Backup


def test_values_are_shown_short_and_escaped() -> None:
    assert shown("a\x1b[2J\n") == r"'a\x1b[2J\n'"
    assert bare("x" * 100) == "x" * 80 + "…"
    assert shown("\ud800") == r"'\ud800'"
