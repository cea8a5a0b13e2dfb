"""The simulated Velero's parts that need no server: words, lists, patches, and what is taken off an object."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.durations import seconds
from reconciler.simulation.cluster import ResourceType
from reconciler.simulation.velero import modifiers, patches
from reconciler.simulation.velero.archive import pack, unpack
from reconciler.simulation.velero.bucket import Bucket, StorageError
from reconciler.simulation.velero.discovery import Discovery
from reconciler.simulation.velero.filters import Filter, expanded, namespace_mistakes, selected
from reconciler.simulation.velero.preparing import adapt, strip
from reconciler.simulation.velero.words import duration, go_duration, label_value

NOW = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("720h0m0s", 2592000), ("1h30m", 5400), ("1.5h", 5400), ("100ms", 0.1), ("0", 0), ("-1m", -60), ("+1s", 1)],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "1", "h", "1x", "1h 2m", "-", "1H", "9999999h", "\u0661h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="time: "):
        seconds(text)
    assert duration(text) == 0


@pytest.mark.parametrize(
    ("total", "text"),
    [(2592000, "720h0m0s"), (5400, "1h30m0s"), (90, "1m30s"), (1.5, "1.5s"), (0.1, "100ms"), (0, "0s")],
)
def test_durations_as_go_writes_them(total: float, text: str) -> None:
    assert go_duration(total) == text


def test_names_that_do_not_fit_into_a_label() -> None:
    assert label_value("a" * 63) == "a" * 63
    assert len({label_value("a" * 64), label_value("a" * 65)}) == 2
    assert len(label_value("a" * 64)) == 63


@pytest.mark.parametrize(
    ("includes", "excludes", "name", "inside"),
    [
        ((), (), "a", True),
        (("*",), ("a",), "a", False),
        (("a*",), (), "ab", True),
        (("a?",), (), "abc", False),
        (("[ab]c",), (), "bc", True),
        (("a",), (), "b", False),
    ],
)
def test_lists(includes: tuple[str, ...], excludes: tuple[str, ...], name: str, inside: bool) -> None:
    assert (name in Filter(includes, excludes)) is inside


def test_patterns_become_names() -> None:
    existing = ["app-1", "app-2", "web"]
    assert expanded(["app-*", "gone"], ["*-2"], existing) == Filter(("app-1", "app-2", "gone"), ("app-2",))
    nothing = expanded(["none-*"], [], existing)
    assert "web" not in nothing
    assert not nothing.everything
    assert expanded([], ["x"], existing) == Filter((), ("x",))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a]b", "unmatched closing bracket"),
        ("a[]b", "empty bracket"),
        ("a{b}", "unsupported characters"),
        ("a" * 64, "no more than 63"),
        ("-a", "RFC 1123"),
    ],
)
def test_namespaces_that_can_not_be(name: str, words: str) -> None:
    (problem,) = namespace_mistakes([name], [])
    assert words in problem


def test_names_that_may_be_empty() -> None:
    assert namespace_mistakes(["", "a-*", "[a-z]x"], ["b?"]) == []


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [("In", ["x"], True), ("NotIn", ["x"], False), ("Exists", [], True), ("DoesNotExist", [], False), ("?", [], False)],
)
def test_label_expressions(operator: str, values: list[str], expected: bool) -> None:
    expression = {"key": "a", "operator": operator, "values": values}
    assert selected({"a": "x"}, {"matchExpressions": [expression]}) is expected


TYPES = [
    ResourceType("", "v1", "configmaps", "ConfigMap", True),
    ResourceType("", "v1", "pods", "Pod", True),
    ResourceType("", "v1", "events", "Event", True),
    ResourceType("apps", "v1", "deployments", "Deployment", True),
    ResourceType("events.k8s.io", "v1", "events", "Event", True),
    ResourceType("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("cm", "configmaps"),
        ("ConfigMap", "configmaps"),
        ("deploy.apps", "deployments.apps"),
        ("deployments.ap", "deployments.apps"),
        ("events", "events"),
        ("events.events.k8s.io", "events.events.k8s.io"),
        ("pods.apps", "pods.apps"),
        ("selfsubjectaccessreviews", "selfsubjectaccessreviews"),
    ],
)
def test_kinds_as_users_ask_for_them(asked: str, expected: str) -> None:
    assert Discovery(TYPES).name(asked) == expected


def test_pods_come_first() -> None:
    assert [one.name for one in Discovery(TYPES).types][:2] == ["pods", "configmaps"]


def test_packed_objects_come_out_as_they_went_in() -> None:
    inside = {"apiVersion": "apps/v1", "metadata": {"name": "a", "namespace": "b"}, "spec": {"ü": [1]}}
    outside = {"apiVersion": "v1", "metadata": {"name": "c"}}
    found = unpack(pack([("deployments.apps", inside), ("namespaces", outside)]))
    assert found == {"deployments.apps": {"b": {"a": inside}}, "namespaces": {"": {"c": outside}}}


@pytest.mark.parametrize(
    ("before", "after"),
    [({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4}, "e": [1]}), ({}, {"a": {}}), ({"a": {"b": 1}}, {"a": "text"})],
)
def test_merge_patches(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert patches.merged(before, patches.merge_patch(before, after)) == after


def test_json_patches() -> None:
    document: dict[str, Any] = {"a": [1, 2], "b/c": {"d": 1}}
    for operation, path, value, source in (
        ("add", "/a/1", 9, ""),
        ("add", "/a/-", 8, ""),
        ("remove", "/a/0", None, ""),
        ("move", "/e", None, "/b~1c/d"),
        ("copy", "/f", None, "/e"),
        ("test", "/f", 1, ""),
    ):
        patches.apply(document, operation, path, value, source)
    assert document == {"a": [9, 2, 8], "b/c": {}, "e": 1, "f": 1}
    for bad in (("remove", "/none"), ("add", "/none/x"), ("replace", "/a/9"), ("jump", "/a"), ("add", "")):
        with pytest.raises(patches.PatchError):
            patches.apply(document, *bad, None, "")
    with pytest.raises(patches.TestFailed):
        patches.apply(document, "test", "/none", 1, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "failed to decode"),
        ("version: v1\nresourceModifierRules: [{strange: 1}]", "failed to decode"),
        ("version: v2\nresourceModifierRules: []", "unsupported resource modifier version v2"),
        ("version: v1\nresourceModifierRules: [{conditions: {}}]", "cannot be empty"),
    ],
)
def test_modifiers_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(modifiers.ModifierError, match=words):
        modifiers.read({"data": {"rules": text}}, "velero/rules")


def test_modifiers_that_match_by_a_field() -> None:
    text = """{version: v1, resourceModifierRules: [{
      conditions: {groupResource: "config*", matches: [{path: /data/a, value: x}]},
      patches: [{operation: replace, path: /data/a, value: y}, {operation: remove, path: /data/none}]}]}"""
    rules = modifiers.read({"data": {"rules": text}}, "velero/rules")
    for value, wrong in (("x", 1), ("z", 0)):
        obj = {"metadata": {"name": "n"}, "data": {"a": value}}
        assert len(modifiers.apply(rules, obj, "configmaps")[1]) == wrong


def service(**annotations: str) -> dict[str, Any]:
    ports = [{"name": "web", "port": 80, "nodePort": 30001}, {"name": "own", "port": 81, "nodePort": 30002}]
    spec = {"type": "NodePort", "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ports": ports}
    return {"metadata": {"name": "s", "annotations": annotations}, "spec": spec}


def test_node_ports_that_nobody_asked_for_are_forgotten() -> None:
    applied = {"spec": {"ports": [{"name": "own", "port": 81, "nodePort": 30002}]}}
    chosen = service(**{"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)})
    for obj, restore, expected in (
        (service(), {}, [None, None]),
        (service(), {"preserveNodePorts": True}, [30001, 30002]),
        (chosen, {}, [None, 30002]),
    ):
        assert adapt("services", obj, restore, [])
        assert [port.get("nodePort") for port in obj["spec"]["ports"]] == expected
        assert "clusterIP" not in obj["spec"]


def test_tokens_of_service_accounts_are_not_restored() -> None:
    kind = "kubernetes.io/service-account-token"
    generated = {"metadata": {"name": "robot-token-abc"}, "type": kind}
    assert not adapt("secrets", generated, {}, ["robot"])
    data = {"token": "x", "ca.crt": "y", "kept": "z"}
    asked: dict[str, Any] = {"metadata": {"name": "mine"}, "type": kind, "data": data}
    assert adapt("secrets", asked, {}, ["robot"])
    assert asked["data"] == {"kept": "z"}
    account = {"metadata": {"name": "robot"}, "secrets": [{"name": "robot-token-abc"}, {"name": "other"}]}
    assert adapt("serviceaccounts", account, {}, [])
    assert account["secrets"] == [{"name": "other"}]


def test_what_is_taken_off() -> None:
    metadata = {"name": "a", "labels": {"b": "c"}, "finalizers": ["f"], "annotations": {"d": "e"}}
    server = {"uid": "1", "resourceVersion": "2", "generation": 3, "creationTimestamp": "4", "ownerReferences": [{}]}
    assert strip({"metadata": {**metadata, **server}, "status": {}, "data": {}}) == {"metadata": metadata, "data": {}}
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "priority": 0, "containers": [{"name": "c"}]}}
    assert adapt("pods", pod, {}, [])
    assert pod["spec"] == {"containers": [{"name": "c"}]}


def test_a_bucket() -> None:
    bucket = Bucket()
    bucket.put("a/b", b"1")
    bucket.put("ab/b", b"2")
    bucket.empty("a")
    assert bucket.keys() == ["ab/b"]
    token, key = bucket.sign("ab/b c", lambda: NOW).split("/", 2)[1:]
    assert key == "ab/b%20c"
    for asked_token, asked_key in ((token, "other"), ("x", "ab/b")):
        with pytest.raises(StorageError):
            bucket.download(asked_token, asked_key)
    with pytest.raises(StorageError, match="NoSuchKey"):
        bucket.get("x")
    bucket.available = False
    with pytest.raises(StorageError, match="connection refused"):
        bucket.get("ab/b")
