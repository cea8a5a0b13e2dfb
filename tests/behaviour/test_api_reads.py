"""Lists, selectors, pages, watches, discovery and server-side apply of an API server, real and simulated alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.http import APPLY, MERGE_PATCH, Http, in_a_namespace
from tests.fleets import Member

SPACE = "/api/v1/namespaces/space"
MAPS = f"{SPACE}/configmaps"


@pytest.fixture
def http(member: Member, tmp_path: Path) -> Iterator[Http]:
    """As the user of the member's kubeconfig, with a namespace `space`."""
    yield from in_a_namespace(member, tmp_path)


@pytest.fixture
def three(http: Http) -> Http:
    """Three ConfigMaps, two of them labelled."""
    for name, labels in (("a", {"tier": "web", "keep": "yes"}), ("b", {"tier": "db"}), ("c", {})):
        assert http("POST", MAPS, {"metadata": {"name": name, "labels": labels}}).code == 201
    return http


def names(items: list[dict[str, Any]]) -> list[str]:
    return [each["metadata"]["name"] for each in items]


def test_a_list(three: Http) -> None:
    found = three("GET", MAPS).body
    assert (found["kind"], found["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(found["metadata"]["resourceVersion"]) > 0
    assert names(found["items"]) == ["a", "b", "c"]
    assert not {"kind", "apiVersion"} & set(found["items"][0]), "items of built-in kinds do not say what they are"
    locations = three("GET", "/apis/velero.io/v1/backupstoragelocations").body
    assert locations["items"][0]["kind"] == "BackupStorageLocation"
    assert three("GET", "/api/v1/namespaces/none/configmaps").body["items"] == []


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("tier=web", "a"),
        ("tier==web,keep=yes", "a"),
        ("tier!=web", "bc"),
        ("tier in (web,db)", "ab"),
        ("tier notin (web)", "bc"),
        ("tier", "ab"),
        ("!tier", "c"),
        ("tier,!keep", "b"),
        ("", "abc"),
    ],
)
def test_label_selectors(three: Http, selector: str, selected: str) -> None:
    assert names(three("GET", MAPS, labelSelector=selector).body["items"]) == list(selected)


def test_field_selectors(three: Http) -> None:
    assert names(three("GET", MAPS, fieldSelector="metadata.name=b").body["items"]) == ["b"]
    assert names(three("GET", MAPS, fieldSelector="metadata.name!=b").body["items"]) == ["a", "c"]
    refused = three("GET", MAPS, fieldSelector="data.k=v").body["message"]
    assert refused == '"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"'
    custom = three("GET", "/apis/velero.io/v1/backups", fieldSelector="spec.x=v").body["message"]
    assert custom == "field label not supported: spec.x"


@pytest.mark.parametrize(
    ("selector", "refusal"),
    [
        ("tier=(", "unable to parse requirement: found '(', expected: identifier"),
        ("tier in web", "unable to parse requirement: found 'web' expected: '('"),
        ("tier in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("tier=web=db", "found '=', expected: ',' or 'end of string'"),
        ("tier,,keep", "found ',', expected: identifier after ','"),
        ("=web", "found '=', expected: !, identifier, or 'end of string'"),
    ],
)
def test_selectors_that_make_no_sense(three: Http, selector: str, refusal: str) -> None:
    assert three("GET", MAPS, labelSelector=selector).refusal == (400, "BadRequest", refusal)
    assert three("GET", MAPS, limit="x").refusal == (400, "BadRequest", 'strconv.ParseInt: parsing "x": invalid syntax')


def test_pages(three: Http) -> None:
    first = three("GET", MAPS, limit="2").body
    assert names(first["items"]) == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 1
    rest = three("GET", MAPS, **{"limit": "2", "continue": first["metadata"]["continue"]}).body
    assert names(rest["items"]) == ["c"]
    assert not rest["metadata"].get("continue")
    assert three("GET", MAPS, **{"continue": "bad"}).code == 400


def test_collections_are_deleted_by_selector(three: Http) -> None:
    assert names(three("DELETE", MAPS, labelSelector="tier").body["items"]) == ["a", "b"]
    assert names(three("GET", MAPS).body["items"]) == ["c"]
    assert three("DELETE", "/api/v1/configmaps").refusal[:2] == (405, "MethodNotAllowed")


def test_a_watch_goes_on_from_a_list(three: Http) -> None:
    version = three("GET", MAPS).body["metadata"]["resourceVersion"]
    three("PATCH", f"{MAPS}/a", {"data": {"k": "v"}}, MERGE_PATCH)
    three("POST", MAPS, {"metadata": {"name": "d"}})
    three("DELETE", f"{MAPS}/b")
    events = three.watch(MAPS, resourceVersion=version)
    assert [(each["type"], each["object"]["metadata"]["name"]) for each in events] == [
        ("MODIFIED", "a"),
        ("ADDED", "d"),
        ("DELETED", "b"),
    ]
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in events]
    assert versions == sorted(set(versions))
    assert versions[0] > int(version)


def test_a_watch_without_a_version_begins_with_what_is_there(three: Http) -> None:
    events = three.watch(MAPS)
    assert [(each["type"], each["object"]["metadata"]["name"]) for each in events] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("ADDED", "c"),
    ]


def test_what_a_selector_no_longer_selects_is_deleted_for_a_watch(three: Http) -> None:
    version = three("GET", MAPS).body["metadata"]["resourceVersion"]
    three("PATCH", f"{MAPS}/b", {"metadata": {"labels": {"tier": "web"}}}, MERGE_PATCH)
    three("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"tier": "db"}}}, MERGE_PATCH)
    three("PATCH", f"{MAPS}/c", {"metadata": {"labels": {"tier": "db"}}}, MERGE_PATCH)
    events = three.watch(MAPS, resourceVersion=version, labelSelector="tier=web")
    assert [(each["type"], each["object"]["metadata"]["name"]) for each in events] == [("ADDED", "b"), ("DELETED", "a")]
    one = three.watch(MAPS, resourceVersion=version, fieldSelector="metadata.name=c")
    assert [each["type"] for each in one] == ["MODIFIED"]


def test_a_watch_that_asks_for_the_first_events(three: Http) -> None:
    events = three.watch(
        MAPS, sendInitialEvents="true", resourceVersionMatch="NotOlderThan", allowWatchBookmarks="true"
    )
    assert [each["type"] for each in events][:4] == ["ADDED", "ADDED", "ADDED", "BOOKMARK"]
    assert events[3]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_events_come_while_it_is_watched(three: Http) -> None:
    version = three("GET", MAPS).body["metadata"]["resourceVersion"]
    events = three.events(MAPS, resourceVersion=version, timeoutSeconds="10")
    three("POST", MAPS, {"metadata": {"name": "d"}})
    assert next(events)["object"]["metadata"]["name"] == "d"
    events.close()  # type: ignore[attr-defined] # a generator


def test_discovery(http: Http) -> None:
    assert http("GET", "/readyz").body == "ok"
    assert http("GET", "/version").body["gitVersion"].startswith("v1.")
    assert http("GET", "/api").body["versions"] == ["v1"]
    groups = {group["name"]: group["preferredVersion"] for group in http("GET", "/apis").body["groups"]}
    assert groups["velero.io"] == {"groupVersion": "velero.io/v1", "version": "v1"}
    resources = {each["name"]: each for each in http("GET", "/apis/velero.io/v1").body["resources"]}
    assert (resources["restores"]["kind"], resources["restores"]["namespaced"]) == ("Restore", True)
    assert "restores/status" not in resources
    assert resources["backupstoragelocations"]["shortNames"] == ["bsl"]
    sort = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    every = http("GET", "/apis", accept=sort).body
    (velero,) = [each for each in every["items"] if each["metadata"]["name"] == "velero.io"]
    assert "restores" in {each["resource"] for version in velero["versions"] for each in version["resources"]}


def test_paths_that_are_not_there(http: Http) -> None:
    unknown = (404, "NotFound", "the server could not find the requested resource")
    for path in ("/api/v1/things", "/apis/apps/v1/things", f"{MAPS}/a/thing", "/apis/apps/v9/deployments"):
        assert http("GET", path).refusal == unknown
    for path in ("/nope", "/apis/nope.io/v1/things", "/apis/velero.io/v1/things"):
        assert (http("GET", path).code, http("GET", path).body) == (404, "404 page not found\n")
    for method, path in (("POST", f"{MAPS}/a"), ("PUT", MAPS), ("POST", "/api/v1/configmaps"), ("POST", "/version")):
        assert http(method, path, {}).refusal[:2] == (405, "MethodNotAllowed")


def test_what_a_client_accepts(three: Http) -> None:
    assert three("GET", f"{MAPS}/a", accept="application/yaml").body.startswith("apiVersion: v1\n")
    assert three("GET", f"{MAPS}/a", accept="text/html").refusal[:2] == (406, "NotAcceptable")
    table = three("GET", MAPS, accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json").body
    assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [each["cells"][:2] for each in table["rows"]] == [["a", 0], ["b", 0], ["c", 0]]
    where = "/apis/velero.io/v1/namespaces/velero/backupstoragelocations"
    table = three("GET", where, accept="application/json;as=Table;v=v1;g=meta.k8s.io").body
    assert [each["name"] for each in table["columnDefinitions"]] == [
        "Name",
        "Phase",
        "Last Validated",
        "Age",
        "Default",
    ]


def test_server_side_apply(http: Http) -> None:
    def apply(manager: str, data: dict[str, str], **query: str) -> Any:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": data}
        return http("PATCH", f"{MAPS}/applied", body, APPLY, fieldManager=manager, **query)

    assert apply("one", {"a": "1"}).code == 201
    assert apply("one", {"b": "1"}).body["data"] == {"b": "1"}, "what it applies no more goes"
    clash = apply("two", {"b": "2", "c": "3"})
    assert clash.refusal == (409, "Conflict", 'Apply failed with 1 conflict: conflict with "one": .data.b')
    assert clash.body["details"]["causes"][0]["field"] == ".data.b"
    assert apply("two", {"b": "2", "c": "3"}, force="true").body["data"] == {"b": "2", "c": "3"}
    assert apply("one", {"d": "4"}).body["data"] == {"b": "2", "c": "3", "d": "4"}, "it owns b no more"
    nobody = apply("", {})
    assert nobody.code == 422
    assert "fieldManager: Required value: is required for apply patch" in nobody.body["message"]
