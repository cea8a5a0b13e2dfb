"""What an API server makes of objects that are written: real and simulated alike, often to the letter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.http import JSON_PATCH, MERGE_PATCH, STRATEGIC, Http, in_a_namespace
from tests.fleets import Member

SPACE = "/api/v1/namespaces/space"
MAPS = f"{SPACE}/configmaps"
RESTORES = "/apis/velero.io/v1/namespaces/velero/restores"
BAD_NAME = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


@pytest.fixture
def http(member: Member, tmp_path: Path) -> Iterator[Http]:
    """As the user of the member's kubeconfig, with a namespace `space`."""
    yield from in_a_namespace(member, tmp_path)


def config_map(name: str = "one", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **more}, "data": {"k": "v"}}


def restore(**spec: Any) -> dict[str, Any]:
    meta = {"name": "of-none"}
    return {"apiVersion": "velero.io/v1", "kind": "Restore", "metadata": meta, "spec": {"backupName": "none", **spec}}


def test_a_create_fills_in_what_is_the_servers(http: Http) -> None:
    made = http("POST", MAPS, config_map(uid="mine", generation=7, labels={}, finalizers=[]))
    assert made.code == 201
    meta = made.body["metadata"]
    assert meta["namespace"] == "space"
    assert meta["uid"] != "mine"
    assert int(meta["resourceVersion"]) > 0
    assert meta["creationTimestamp"].endswith("Z")
    assert not {"labels", "finalizers"} & set(meta), "what is empty is left out"
    assert meta["generation"] == 7, "the server counts those of other kinds"
    assert (made.body["kind"], made.body["apiVersion"], made.body["data"]) == ("ConfigMap", "v1", {"k": "v"})


def test_names_can_be_generated(http: Http) -> None:
    made = http("POST", MAPS, {"metadata": {"generateName": "gen-"}})
    assert made.code == 201
    assert len(made.body["metadata"]["name"]) == len("gen-") + 5


def test_a_name_that_is_taken(http: Http) -> None:
    http("POST", MAPS, config_map())
    for query in ({}, {"dryRun": "All"}):
        again = http("POST", MAPS, config_map(), **query)
        assert again.refusal == (409, "AlreadyExists", 'configmaps "one" already exists')
        assert again.body["details"] == {"name": "one", "kind": "configmaps"}


def test_a_dry_run_stores_nothing(http: Http) -> None:
    assert http("POST", MAPS, config_map(), dryRun="All").code == 201
    assert http("GET", f"{MAPS}/one").code == 404
    http("POST", MAPS, config_map())
    patch = {"data": {"k": "w"}}
    assert http("PATCH", f"{MAPS}/one", patch, MERGE_PATCH, dryRun="All").body["data"] == {"k": "w"}
    assert http("DELETE", f"{MAPS}/one", dryRun="All").code == 200
    assert http("GET", f"{MAPS}/one").body["data"] == {"k": "v"}
    refused = http("POST", MAPS, config_map(), dryRun="Some")
    assert refused.code == 422
    assert 'dryRun: Unsupported value: ["Some"]: supported values: "All"' in refused.body["message"]


def test_names_that_are_not_allowed(http: Http) -> None:
    why = f'metadata.name: Invalid value: "Bad_Name": {BAD_NAME}'
    refused = http("POST", MAPS, config_map("Bad_Name"))
    assert refused.refusal == (422, "Invalid", f'ConfigMap "Bad_Name" is invalid: {why}')
    assert refused.body["details"]["kind"] == "ConfigMap"
    body = restore() | {"metadata": {"name": "Bad_Name"}}
    assert http("POST", RESTORES, body).refusal == (422, "Invalid", f'Restore.velero.io "Bad_Name" is invalid: {why}')
    nameless = http("POST", MAPS, {"metadata": {}})
    assert nameless.body["message"].endswith("metadata.name: Required value: name or generateName is required")
    assert http("POST", MAPS, config_map("x" * 254)).code == 422


def test_an_unknown_field(http: Http) -> None:
    body = restore(nope=1, hooks={"other": 1}) | {"more": 1}
    known = 'unknown field "more", unknown field "spec.hooks.other", unknown field "spec.nope"'
    text = f'Restore in version "v1" cannot be handled as a Restore: strict decoding error: {known}'
    assert http("POST", RESTORES, body, dryRun="All", fieldValidation="Strict").refusal == (400, "BadRequest", text)
    warned = http("POST", RESTORES, body, dryRun="All")
    assert warned.code == 201
    assert warned.body["spec"] == {"backupName": "none", "hooks": {}}
    assert r'299 - "unknown field \"spec.nope\""' in warned.headers["Warning"]
    ignored = http("POST", RESTORES, body, dryRun="All", fieldValidation="Ignore")
    assert (ignored.code, ignored.headers.get("Warning")) == (201, None)
    built_in = http("POST", MAPS, config_map(bar=1) | {"foo": 1}, fieldValidation="Strict")
    assert built_in.body["message"].endswith('strict decoding error: unknown field "metadata.bar", unknown field "foo"')


@pytest.mark.parametrize(
    ("spec", "field", "message", "reason"),
    [
        (
            {"backupName": 5},
            "spec.backupName",
            'Invalid value: "integer": spec.backupName in body must be of type string: "integer"',
            "FieldValueTypeInvalid",
        ),
        (
            {"resourceModifier": {"kind": "ConfigMap"}},
            "spec.resourceModifier.name",
            "Required value",
            "FieldValueRequired",
        ),
    ],
)
def test_a_field_of_a_wrong_kind(http: Http, spec: dict[str, Any], field: str, message: str, reason: str) -> None:
    refused = http("POST", RESTORES, restore(**spec), dryRun="All")
    assert refused.refusal == (422, "Invalid", f'Restore.velero.io "of-none" is invalid: {field}: {message}')
    assert refused.body["details"] == {
        "name": "of-none",
        "group": "velero.io",
        "kind": "Restore",
        "causes": [{"reason": reason, "message": message, "field": field}],
    }


def test_built_in_kinds_are_decoded_strictly_by_type(http: Http) -> None:
    text = (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field'
    )
    refused = http("POST", MAPS, config_map() | {"data": {"k": 1}})
    assert refused.refusal == (400, "BadRequest", f"{text} ConfigMap.data of type string")


def test_custom_resources_say_what_they_are(http: Http) -> None:
    assert http("POST", RESTORES, {"metadata": {"name": "x"}, "spec": {}}).code == 400
    other = http("POST", RESTORES, restore() | {"apiVersion": "v1"}).body["message"]
    assert other == "the API version in the data (v1) does not match the expected API version (velero.io/v1)"
    assert http("POST", MAPS, {"metadata": {"name": "bare"}}).code == 201


def test_an_update_of_an_older_version_is_a_conflict(http: Http) -> None:
    first = http("POST", MAPS, config_map()).body
    second = http("PUT", f"{MAPS}/one", first | {"data": {"k": "w"}})
    assert second.code == 200
    assert second.body["metadata"]["uid"] == first["metadata"]["uid"]
    stale = http("PUT", f"{MAPS}/one", first | {"data": {"k": "x"}})
    text = 'Operation cannot be fulfilled on configmaps "one": the object has been modified;'
    text += " please apply your changes to the latest version and try again"
    assert stale.refusal == (409, "Conflict", text)
    assert http("PUT", f"{MAPS}/one", config_map() | {"data": {"k": "y"}}).body["data"] == {"k": "y"}
    assert http("PUT", f"{MAPS}/two", config_map()).code == 400
    assert http("PUT", f"{MAPS}/two", config_map("two")).code == 404


def test_an_update_of_a_custom_resource_names_the_version(http: Http) -> None:
    spec = {"provider": "x", "objectStorage": {"bucket": "x"}}
    meta = {"name": "other", "namespace": "velero"}
    body = {"apiVersion": "velero.io/v1", "kind": "BackupStorageLocation", "metadata": meta, "spec": spec}
    where = "/apis/velero.io/v1/namespaces/velero/backupstoragelocations"
    assert http("POST", where, body).code == 201
    refused = http("PUT", f"{where}/other", body)
    assert refused.code == 422
    assert "metadata.resourceVersion: Invalid value: 0: must be specified for an update" in refused.body["message"]


def test_a_write_that_changes_nothing(http: Http) -> None:
    first = http("POST", MAPS, config_map()).body["metadata"]["resourceVersion"]
    again = http("PATCH", f"{MAPS}/one", {"data": {"k": "v"}}, MERGE_PATCH)
    assert again.body["metadata"]["resourceVersion"] == first


def test_json_patches(http: Http) -> None:
    http("POST", MAPS, config_map())
    test = {"op": "test", "path": "/data/k", "value": "v"}
    done = http("PATCH", f"{MAPS}/one", [test, {"op": "remove", "path": "/data/k"}], JSON_PATCH)
    assert (done.code, "data" in done.body) == (200, False)
    for operation in (test, {"op": "remove", "path": "/data/none"}, {"op": "add", "path": "/x/y", "value": 1}):
        refused = http("PATCH", f"{MAPS}/one", [operation], JSON_PATCH)
        assert refused.refusal == (422, "Invalid", "the server rejected our request due to an error in our request")


def test_merge_patches(http: Http) -> None:
    http("POST", MAPS, config_map())
    done = http(
        "PATCH", f"{MAPS}/one", {"data": {"k": None, "n": "1"}, "metadata": {"labels": {"a": "b"}}}, MERGE_PATCH
    )
    assert done.body["data"] == {"n": "1"}
    assert done.body["metadata"]["labels"] == {"a": "b"}
    missing = http("PATCH", f"{MAPS}/none", {}, MERGE_PATCH)
    assert missing.refusal == (404, "NotFound", 'configmaps "none" not found')
    stale = http("PATCH", f"{MAPS}/one", {"metadata": {"resourceVersion": "1"}}, MERGE_PATCH)
    assert stale.body["reason"] == "Conflict"
    unknown = http("PATCH", f"{MAPS}/one", {"foo": 1}, MERGE_PATCH, fieldValidation="Strict")
    assert unknown.code == 422
    assert unknown.body["message"].endswith('strict decoding error: unknown field "foo"')


def test_strategic_patches_know_lists_with_keys(http: Http) -> None:
    containers = [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]
    http("POST", f"{SPACE}/pods", {"metadata": {"name": "pod"}, "spec": {"containers": containers}})
    patch = {"spec": {"containers": [{"name": "b", "image": "b:2"}]}}
    done = http("PATCH", f"{SPACE}/pods/pod", patch, STRATEGIC)
    assert [each["image"] for each in done.body["spec"]["containers"]] == ["a:1", "b:2"]
    assert http("PATCH", f"{RESTORES}/none", {}, STRATEGIC).code == 415


def test_secrets(http: Http) -> None:
    made = http("POST", f"{SPACE}/secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    assert (made.body["data"], made.body["type"], "stringData" in made.body) == ({"a": "Yg=="}, "Opaque", False)
    changed = http("PATCH", f"{SPACE}/secrets/s", {"type": "other"}, MERGE_PATCH)
    assert changed.body["message"] == 'Secret "s" is invalid: type: Invalid value: "other": field is immutable'
    assert http("POST", f"{SPACE}/secrets", {"metadata": {"name": "t"}, "data": {"a": "?"}}).code == 400


def test_what_is_counted_as_a_generation(http: Http) -> None:
    spec = {"provider": "x", "objectStorage": {"bucket": "x"}}
    body = {"apiVersion": "velero.io/v1", "kind": "VolumeSnapshotLocation", "metadata": {"name": "v"}, "spec": spec}
    where = "/apis/velero.io/v1/namespaces/velero/volumesnapshotlocations"
    body["spec"] = {"provider": "x"}
    assert http("POST", where, body).body["metadata"]["generation"] == 1
    for patch, generation in (
        ({"metadata": {"labels": {"a": "b"}}}, 1),
        ({"spec": {"provider": "y"}}, 2),
        ({"status": {"phase": "Available"}}, 3),  # it has no subresource for its status
    ):
        assert http("PATCH", f"{where}/v", patch, MERGE_PATCH).body["metadata"]["generation"] == generation
    assert http("GET", f"{where}/v/status").code == 404


def test_bodies_that_are_no_objects(http: Http) -> None:
    assert http("POST", MAPS, '{"a":').refusal[:2] == (400, "BadRequest")
    assert http("POST", MAPS, "[]").refusal[:2] == (400, "BadRequest")
    assert http("POST", MAPS, "x", "text/plain").refusal[:2] == (415, "UnsupportedMediaType")
    assert http("POST", MAPS, "kind: ConfigMap\nmetadata: {name: plain}\n", "application/yaml").code == 201
    twice = '{"metadata":{"name":"a","name":"b"}}'
    assert 'duplicate field "metadata.name"' in http("POST", MAPS, twice, fieldValidation="Strict").body["message"]
