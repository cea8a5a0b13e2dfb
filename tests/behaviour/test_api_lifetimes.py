"""How objects go: finalizers, owners, namespaces; and who may look and write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.http import JSON_PATCH, MERGE_PATCH, Http, in_a_namespace
from tests.fleets import Member
from tests.real.processes import wait_for

SPACE = "/api/v1/namespaces/space"
MAPS = f"{SPACE}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/space/deployments"
REPLICA_SETS = "/apis/apps/v1/namespaces/space/replicasets"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/space"
HELD = {"metadata": {"name": "held", "finalizers": ["example.com/a"]}}


@pytest.fixture
def http(member: Member, tmp_path: Path) -> Iterator[Http]:
    """As the user of the member's kubeconfig, with a namespace `space`."""
    yield from in_a_namespace(member, tmp_path)


def deployment(name: str = "web", replicas: int = 2) -> dict[str, Any]:
    labels = {"app": name}
    pod = {"containers": [{"name": "web", "image": "busybox"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name}, "spec": spec}


def wait_for_items(http: Http, path: str, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 20
    while len(found := http("GET", path).body["items"]) != count:
        assert time.monotonic() < end, f"{path}: {len(found)} instead of {count}"
        time.sleep(0.05)
    return list(found)


def test_what_is_not_there(http: Http) -> None:
    for path, group, kind in (
        (f"{MAPS}/none", {}, "configmaps"),
        ("/apis/velero.io/v1/namespaces/velero/backups/none", {"group": "velero.io"}, "backups"),
        ("/api/v1/namespaces/none", {}, "namespaces"),
    ):
        missing = http("GET", path)
        resource = ".".join([kind, *group.values()])
        assert missing.refusal == (404, "NotFound", f'{resource} "none" not found')
        assert missing.body["details"] == {"name": "none", "kind": kind, **group}
        assert http("DELETE", path).body == missing.body


def test_a_deletion(http: Http) -> None:
    made = http("POST", MAPS, {"metadata": {"name": "a"}}).body["metadata"]
    other = http("DELETE", f"{MAPS}/a", {"preconditions": {"uid": "other"}})
    assert (other.code, other.body["reason"]) == (409, "Conflict")
    gone = http("DELETE", f"{MAPS}/a", {"preconditions": {"uid": made["uid"]}})
    assert gone.body["status"] == "Success"
    assert gone.body["details"] == {"name": "a", "kind": "configmaps", "uid": made["uid"]}
    assert http("GET", f"{MAPS}/a").code == 404


def test_finalizers_keep_an_object(http: Http) -> None:
    http("POST", MAPS, HELD)
    deleted = http("DELETE", f"{MAPS}/held").body
    assert deleted["metadata"]["deletionTimestamp"]
    assert deleted["metadata"]["deletionGracePeriodSeconds"] == 0
    assert http("DELETE", f"{MAPS}/held").body == deleted
    more = http("PATCH", f"{MAPS}/held", {"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}, MERGE_PATCH)
    assert more.code == 422
    text = (
        'no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}'
    )
    assert text in more.body["message"]
    freed = http("PATCH", f"{MAPS}/held", [{"op": "remove", "path": "/metadata/finalizers/0"}], JSON_PATCH)
    assert freed.code == 200
    assert http("GET", f"{MAPS}/held").code == 404


def test_a_namespace_has_a_service_account(http: Http) -> None:
    assert [each["metadata"]["name"] for each in wait_for_items(http, f"{SPACE}/serviceaccounts", 1)] == ["default"]
    found = http("GET", SPACE).body
    assert found["metadata"]["labels"] == {"kubernetes.io/metadata.name": "space"}
    assert (found["spec"], found["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})


def test_without_its_namespace_nothing_is_made(http: Http) -> None:
    refused = http("POST", "/api/v1/namespaces/none/configmaps", {"metadata": {"name": "a"}})
    assert refused.refusal == (404, "NotFound", 'namespaces "none" not found')
    assert refused.body["details"] == {"name": "none", "kind": "namespaces"}
    elsewhere = http("POST", MAPS, {"metadata": {"name": "a", "namespace": "default"}})
    text = "the namespace of the provided object does not match the namespace sent on the request"
    assert elsewhere.refusal == (400, "BadRequest", text)


def test_a_namespace_ends_with_what_is_in_it(http: Http) -> None:
    http("POST", MAPS, HELD)
    http("POST", MAPS, {"metadata": {"name": "free"}})
    ending = http("DELETE", SPACE).body
    assert ending["status"]["phase"] == "Terminating"
    http.until(f"{MAPS}/free", 404)
    refused = http("POST", MAPS, {"metadata": {"name": "late"}})
    why = "unable to create new content in namespace space because it is being terminated"
    assert refused.refusal == (403, "Forbidden", f'configmaps "late" is forbidden: {why}')
    assert refused.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    assert http("GET", SPACE).code == 200
    http("PATCH", f"{MAPS}/held", {"metadata": {"finalizers": None}}, MERGE_PATCH)
    http.until(SPACE, 404)


def test_namespaces_that_stay(http: Http) -> None:
    refused = http("DELETE", "/api/v1/namespaces/kube-system")
    text = 'namespaces "kube-system" is forbidden: this namespace may not be deleted'
    assert refused.refusal == (403, "Forbidden", text)


def test_a_deployment_brings_pods_and_takes_them_along(http: Http) -> None:
    http("POST", DEPLOYMENTS, deployment())
    (replica_set,) = wait_for_items(http, REPLICA_SETS, 1)
    pods = wait_for_items(http, f"{SPACE}/pods", 2)
    mark = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"web-{mark}"
    assert {each["status"]["phase"] for each in pods} == {"Pending"}
    for pod in pods:
        (owner,) = pod["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"], owner["controller"]) == (
            "ReplicaSet",
            replica_set["metadata"]["uid"],
            True,
        )
    http("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": "Background"})
    wait_for_items(http, REPLICA_SETS, 0)
    wait_for_items(http, f"{SPACE}/pods", 0)


def test_a_rollout_goes_as_far_as_pods_that_are_not_ready_let_it(http: Http) -> None:
    http("POST", DEPLOYMENTS, deployment(replicas=4))
    wait_for_items(http, f"{SPACE}/pods", 4)
    container = {"name": "web", "image": "busybox:2"}
    http("PATCH", f"{DEPLOYMENTS}/web", {"spec": {"template": {"spec": {"containers": [container]}}}}, MERGE_PATCH)
    wait_for_items(http, REPLICA_SETS, 2)
    wait_for_items(http, f"{SPACE}/pods", 5)

    def replicas() -> dict[str, int]:
        items = http("GET", REPLICA_SETS).body["items"]
        revision = "deployment.kubernetes.io/revision"
        return {each["metadata"]["annotations"][revision]: each["spec"]["replicas"] for each in items}

    wait_for(lambda: replicas() == {"1": 3, "2": 2}, 10, "3 old and 2 new replicas")


def test_what_was_orphaned_is_adopted(http: Http) -> None:
    http("POST", DEPLOYMENTS, deployment(replicas=1))
    (pod,) = wait_for_items(http, f"{SPACE}/pods", 1)
    http("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": "Orphan"})
    http.until(f"{DEPLOYMENTS}/web", 404)
    (orphan,) = wait_for_items(http, REPLICA_SETS, 1)
    assert "ownerReferences" not in orphan["metadata"]
    uid = http("POST", DEPLOYMENTS, deployment(replicas=1)).body["metadata"]["uid"]
    end = time.monotonic() + 20
    while not (owners := http("GET", REPLICA_SETS).body["items"][0]["metadata"].get("ownerReferences")):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert owners[0]["uid"] == uid
    assert [each["metadata"]["name"] for each in wait_for_items(http, f"{SPACE}/pods", 1)] == [pod["metadata"]["name"]]


def test_owners_take_others_along(http: Http) -> None:
    owner = http("POST", MAPS, {"metadata": {"name": "owner"}}).body["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    http("POST", MAPS, {"metadata": {"name": "owned", "ownerReferences": [reference]}})
    assert http("GET", f"{MAPS}/owned").code == 200
    http("DELETE", f"{MAPS}/owner")
    http.until(f"{MAPS}/owned", 404)
    http("POST", MAPS, {"metadata": {"name": "late", "ownerReferences": [reference]}})
    http.until(f"{MAPS}/late", 404)


def test_a_wrong_token_and_none(http: Http) -> None:
    http.token = "wrong"
    assert http("GET", MAPS).refusal == (401, "Unauthorized", "Unauthorized")
    http.token = None
    who = 'User "system:anonymous" cannot'
    listed = http("GET", MAPS)
    text = f'configmaps is forbidden: {who} list resource "configmaps" in API group "" in the namespace "space"'
    assert listed.refusal == (403, "Forbidden", text)
    assert listed.body["details"] == {"kind": "configmaps"}
    got = http("GET", "/apis/velero.io/v1/namespaces/velero/restores/x").refusal[2]
    why = f'{who} get resource "restores" in API group "velero.io" in the namespace "velero"'
    assert got == f'restores.velero.io "x" is forbidden: {why}'
    assert http("GET", "/api").refusal == (403, "Forbidden", f'forbidden: {who} get path "/api"')
    assert http("GET", "/version").code == 200


def test_roles_give_rights(http: Http, member: Member) -> None:
    http("POST", f"{SPACE}/serviceaccounts", {"metadata": {"name": "reader"}})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    token = http("POST", f"{SPACE}/serviceaccounts/reader/token", request).body["status"]["token"]
    admin, http.token = http.token, token
    user = 'User "system:serviceaccount:space:reader"'
    why = f'{user} cannot list resource "configmaps" in API group "" in the namespace "space"'
    assert http("GET", MAPS).refusal == (403, "Forbidden", f"configmaps is forbidden: {why}")
    http.token = admin
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}
    http("POST", f"{RBAC}/roles", {"metadata": {"name": "read"}, "rules": [rule]})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "read"}
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": "space"}
    http("POST", f"{RBAC}/rolebindings", {"metadata": {"name": "read"}, "roleRef": role, "subjects": [subject]})
    http.token, end = token, time.monotonic() + 10
    while http("GET", MAPS).code != 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert http("POST", MAPS, {"metadata": {"name": "a"}}).code == 403
    assert http("GET", "/api/v1/configmaps").code == 403


def test_writes_are_told_by_the_user(http: Http, member: Member) -> None:
    before = len(member.writes())
    http("POST", MAPS, {"metadata": {"name": "a"}}, dryRun="All")
    http("DELETE", f"{MAPS}/none")
    member.api.create(MAPS, {"metadata": {"name": "by-the-rig"}})
    time.sleep(0.2)
    first, second = member.writes()[before:]
    assert (first["verb"], first["objectRef"]["name"], first["responseStatus"]["code"]) == ("create", "a", 201)
    assert "dryRun=All" in first["requestURI"]
    assert (second["verb"], second["objectRef"]["namespace"], second["responseStatus"]["code"]) == (
        "delete",
        "space",
        404,
    )
