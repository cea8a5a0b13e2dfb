"""The JSON Schemas: current, and of one mind with the reader as far as a schema can tell."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.manifests import SourceFile, read
from reconciler.resources import KINDS
from reconciler.schema import schema
from tests.scenarios.workspace import RECONCILER

TOP = Path(__file__).resolve().parent.parent
NAMES = sorted(model.__name__.lower() for model in KINDS.values())
EXAMPLES = sorted(path for folder in ("fleets", "backups", "restores") for path in (TOP / folder).rglob("*.yaml"))


@cache
def validator(kind: str = "") -> Draft202012Validator:
    made = json.loads(schema(kind))
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def accepted_by_schema(document: Any) -> bool:
    """By the schema of all kinds; that of its own kind must agree."""
    accepted: bool = validator().is_valid(document)
    assert validator(document["kind"]).is_valid(document) == accepted
    return accepted


def accepted_by_reader(document: Any) -> bool:
    """JSON is YAML, with every text in quotes."""
    return not read([SourceFile("a.yaml", json.dumps(document).encode())]).problems


# ---------------------------------------------------------------- the files in schemas/, and the command


@pytest.mark.parametrize("name", ["all", *NAMES])
def test_the_schemas_in_the_repository_are_current(name: str) -> None:
    made = schema("" if name == "all" else name)
    kept = (TOP / "schemas" / f"{name}.json").read_text("utf-8")
    assert kept == made, "the types have changed since; run `make schemas`"


def test_there_are_no_other_schemas() -> None:
    assert sorted(path.stem for path in (TOP / "schemas").iterdir()) == sorted(["all", *NAMES])


@pytest.mark.parametrize("kind", ["backup", "Backup", "backups", "BACKUPS"])
def test_kinds_are_taken_as_kubectl_takes_them(kind: str) -> None:
    done = subprocess.run([RECONCILER, "schema", kind], capture_output=True, text=True, check=True)
    assert done.stdout == schema("backup")


def test_without_a_kind_it_is_one_schema_for_all() -> None:
    done = subprocess.run([RECONCILER, "schema"], capture_output=True, text=True, check=True)
    assert done.stdout == schema()
    assert [branch["$ref"] for branch in json.loads(done.stdout)["oneOf"]] == [
        f"#/$defs/{name}" for name in ("AttachedCluster", "Backup", "Cluster", "Fleet", "Restore")
    ]


def test_a_kind_that_is_none_is_refused_with_the_known_ones() -> None:
    done = subprocess.run([RECONCILER, "schema", "migrate"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'backup'" in done.stderr


@pytest.mark.parametrize("name", ["", *NAMES])
def test_every_object_says_what_it_is_and_takes_no_other_field(name: str) -> None:
    made = json.loads(schema(name))
    parts = made["$defs"] | {"": made}
    assert all(part["description"] for part in parts.values())
    objects = {name: part for name, part in parts.items() if part.get("type") == "object"}
    assert {name for name, part in objects.items() if part.get("additionalProperties") is not False} <= {"Plugins"}
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["$id"] == f"urn:fleet-restore:v1alpha1:{name or 'all'}"


def test_an_editor_has_something_to_show() -> None:
    spec = json.loads(schema("restore"))["$defs"]["RestoreSpec"]["properties"]
    assert spec["before"]["description"].startswith("Take a backup that was started at this time or earlier")
    assert spec["startWithin"]["default"] == "24h"


# ---------------------------------------------------------------- what they accept and refuse


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_are_accepted(path: Path) -> None:
    documents = [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]
    assert documents
    assert all(accepted_by_schema(document) and accepted_by_reader(document) for document in documents)


def an(kind: str, spec: Any, **metadata: Any) -> dict[str, Any]:
    group = next(group for group, name in KINDS if name == kind)
    metadata = {"name": "a", **metadata}
    return {"apiVersion": f"{group}/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def backup(**spec: Any) -> dict[str, Any]:
    return an("Backup", {"destination": {"fleet": "q"}, **spec})


def restore(**spec: Any) -> dict[str, Any]:
    return an("Restore", {"backupName": "b", **spec})


def sourced(source: Any, **spec: Any) -> dict[str, Any]:
    return an("Restore", {"source": source, "destination": {"fleet": "q"}, **spec})


def selecting(**selector: Any) -> dict[str, Any]:
    return restore(policy={"resourceFilter": {"labelSelector": selector}})


def expression(**one: Any) -> dict[str, Any]:
    return selecting(matchExpressions=[one])


def fleet(**plugin: Any) -> dict[str, Any]:
    return an("Fleet", {"clusters": [{"kind": "Cluster", "name": "c"}], "plugin": plugin})


LOCATION = {"bucket": "b", "provider": "aws"}
SOUND = [
    an("AttachedCluster", {"kubeconfig": {"name": "s", "key": "a.config"}}),
    an("Cluster", {"anything": [1, None]}),
    fleet(metric={"x": 1}, backup={"storage": {"location": LOCATION, "secretName": "s"}, "extraArgs": {"a": 1}}),
    backup(schedule="0 3 * * *", suspend=True, startWithin="1h30m"),
    backup(schedule="TZ=Europe/Berlin */5 1-3 ? JAN MON"),
    backup(schedule="@every 90m"),
    backup(schedule="", attempt=2, rerun="All"),
    backup(schedule="@daily", attempt=1),
    backup(policy={"ttl": "720h0m0s", "orderedResources": {"pods": "a/b"}, "resourceFilter": {}}),
    restore(before="2026-11-23T03:00:00.5+01:00", maxBackupAge="26h", maxSkew="1.5m", allowSkipped=True),
    restore(destination={"fleet": "q", "clusters": [{"kind": "AttachedCluster", "name": "m.1"}]}),
    restore(policy={"existingResourcePolicy": "update", "namespaceMapping": {"a": "b"}, "preserveNodePorts": False}),
    restore(policy={"resourceFilter": {"labelSelector": {}, "orLabelSelectors": []}}),
    sourced({"schedule": "s"}),
    sourced({"backup": "b" * 253}),
    selecting(matchLabels={"app.kubernetes.io/name": "A_b.c", "x": ""}),
    expression(key="a", operator="In", values=["x", ""]),
    expression(key="a", operator="Exists", values=[]),
    an("Backup", {"destination": {"fleet": "q"}}, namespace="n", labels={"x": "y"}, annotations={}),
]
BAD = [
    an("AttachedCluster", {"kubeconfig": {}}),
    an("AttachedCluster", {"kubeconfig": {"name": "s", "key": "a/b"}}),
    fleet(backup={"storage": {"location": {**LOCATION, "provider": "other"}, "secretName": "s"}}),
    fleet(backup={"storage": {"location": LOCATION, "secretName": "s"}, "extra": 1}),
    an("Fleet", {"clusters": [{"kind": "cluster", "name": "c"}]}),
    an("Backup", {}),
    backup(schedule="0 3 * *"),
    backup(schedule="@yearl"),
    backup(schedule="@daily", attempt=2),
    backup(schedule="@daily", rerun="All"),
    backup(attempt=0),
    backup(attempt="1"),
    backup(suspend="true"),
    backup(rerun="Failed"),
    backup(policy=None),
    backup(startWithin="30d"),
    backup(startWithin="0s"),
    backup(shedule="@daily"),
    backup(policy={"ttl": 720}),
    restore(source={"backup": "b"}, destination={"fleet": "q"}),
    restore(before="2026-11-23"),
    restore(before="2026-11-23T03:00:00"),
    restore(policy={"existingResourcePolicy": "recreate"}),
    restore(policy={"namespaceMapping": {"A": "b"}}),
    restore(policy={"namespaceMapping": {"a": "b_"}}),
    restore(policy={"resourceFilter": {"includedClusterScopedResources": ["a"]}}),
    an("Restore", {"destination": {"fleet": "q"}}),
    an("Restore", {"source": {"backup": "b"}}),
    sourced({}),
    sourced({"backup": "b", "schedule": "s"}),
    sourced({"schedule": "s" * 64}),
    selecting(matchLabels={"a b": "c"}),
    selecting(matchLabels={"a": "c d"}),
    expression(key="a", operator="In"),
    expression(key="a", operator="NotIn", values=[]),
    expression(key="a", operator="Exists", values=["x"]),
    expression(key="a", operator="Is"),
    an("Backup", {"destination": {"fleet": "q"}}, name="A"),
    an("Backup", {"destination": {"fleet": "q"}}, namespace="a.b"),
    an("Backup", {"destination": {"fleet": "q"}}, generateName="a-"),
    an("Backup", {"destination": {"fleet": "q"}}, labels={"x": 1}),
    {**backup(), "status": {}},
    {**backup(), "apiVersion": "backup.kurator.dev/v1"},
]


@pytest.mark.parametrize("document", SOUND, ids=json.dumps)
def test_what_is_sound_is_accepted_by_both(document: dict[str, Any]) -> None:
    assert accepted_by_schema(document)
    assert accepted_by_reader(document)


@pytest.mark.parametrize("document", BAD, ids=json.dumps)
def test_what_is_wrong_is_refused_by_both(document: dict[str, Any]) -> None:
    assert not accepted_by_schema(document)
    assert not accepted_by_reader(document)


def test_both_kinds_of_selectors_are_refused_as_velero_refuses_them() -> None:
    both = {"labelSelector": {}, "orLabelSelectors": [{"matchLabels": {"a": "b"}}]}
    assert not accepted_by_schema(restore(policy={"resourceFilter": both}))
    assert not accepted_by_schema(backup(policy={"resourceFilter": both}))


@pytest.mark.parametrize(
    "document",
    [
        backup(schedule="0 24 * * *"),
        backup(schedule="0 0 31 2 *"),
        backup(startWithin="9999999h"),
        restore(before="2026-02-30T03:00:00Z"),
        an("AttachedCluster", {"kubeconfig": {"name": "s", "key": ".."}}),
    ],
    ids=json.dumps,
)
def test_what_only_the_reader_can_tell(document: dict[str, Any]) -> None:
    assert accepted_by_schema(document)
    assert not accepted_by_reader(document)


_TEXTS = st.sampled_from(
    [
        "",
        "a",
        "A",
        "a.b",
        "a" * 64,
        "24h",
        "0s",
        "1x",
        "2026-11-23T03:00:00Z",
        "2026",
        "0 3 * * *",
        "@daily",
        "All",
        "x y",
    ]
)
_VALUES = st.recursive(
    _TEXTS | st.integers(0, 2) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["fleet", "clusters", "backup", "schedule", "kind", "name", "a"]), inner, max_size=3
        )
    ),
    max_leaves=4,
)
_FIELDS = (
    "schedule destination policy attempt rerun suspend startWithin backupName source before maxSkew allowSkipped other"
)
_SPECS = st.fixed_dictionaries({}, optional=dict.fromkeys(_FIELDS.split(), _VALUES))


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(["Backup", "Restore"]), _SPECS, st.booleans())
def test_reader_and_schema_agree_on_whatever_comes(kind: str, spec: dict[str, Any], sound: bool) -> None:
    """With these values nothing is left to the reader alone."""
    if sound:
        spec = {**spec, "destination": {"fleet": "q"}}
    document = an(kind, spec)
    assert accepted_by_schema(document) == accepted_by_reader(document)
