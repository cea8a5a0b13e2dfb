"""The chart on a real API server: it is taken, its pods are admitted, its account may do just what it needs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.deploy.chart import EVERYTHING, MINIMUM, NAME, NAMESPACE, of_kind, render
from tests.deploy.conftest import Hub, secret
from tests.real.api import Api, ApiError, Object
from tests.real.processes import wait_for

pytestmark = pytest.mark.real
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
EVENTS = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
SERVER_SIDE_APPLY = "application/apply-patch+yaml"


def applied(api: Api, obj: Object, **query: str) -> Object:
    """As `helm upgrade` sends it, of the same manager as before; a field that the server does not know is an error."""
    params = {"fieldManager": "real-fleet", "force": "true", "fieldValidation": "Strict", **query}
    return api.request("PATCH", api.path_of(obj), obj, params=params, content_type=SERVER_SIDE_APPLY)


@pytest.mark.parametrize("values", [MINIMUM, EVERYTHING], ids=["minimum", "everything"])
def test_every_object_is_taken(hub: Hub, values: Mapping[str, Any]) -> None:
    mine = hub.member.api
    objects = render(values)
    for obj in objects:
        applied(mine, obj, dryRun="All")
    before = {mine.path_of(obj) for obj in hub.objects}
    for obj in objects:
        applied(mine, obj)
    for obj in objects:
        if mine.path_of(obj) not in before:
            assert mine.delete(mine.path_of(obj))
    for obj in hub.objects:  # what the other tests build on
        applied(mine, obj)


@pytest.mark.parametrize("values", [MINIMUM, EVERYTHING], ids=["minimum", "everything"])
def test_pods_are_admitted_where_restricted_is_enforced(hub: Hub, values: Mapping[str, Any]) -> None:
    for deployment in of_kind(render(values), "Deployment"):
        pod = pod_of(deployment)
        assert hub.api.request("POST", PODS, pod, params={"dryRun": "All"})["kind"] == "Pod"
        weaker = copy.deepcopy(pod)
        del weaker["spec"]["containers"][0]["securityContext"]["capabilities"]
        with pytest.raises(ApiError, match='violates PodSecurity "restricted'):
            hub.api.request("POST", PODS, weaker, params={"dryRun": "All"})


def test_the_deployment_gets_its_pods(hub: Hub) -> None:
    selector = "app.kubernetes.io/instance=fleet,app.kubernetes.io/name=reconciler"
    wait_for(lambda: len(hub.api.list(PODS, selector)) == 2, 30, "two pods of the release")


def pod_of(deployment: Object) -> Object:
    template = deployment["spec"]["template"]
    metadata = {**template["metadata"], "name": "asked-for", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def lease(name: str = "reconciler") -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": {}}


def event() -> Object:
    """As `reconciler.hub.events` posts it."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"generateName": "asked-", "namespace": NAMESPACE},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "reconciler/fleet-restore",
        "reportingInstance": "one",
        "action": "Reconcile",
        "reason": "Asked",
        "type": "Normal",
        "regarding": {"kind": "Pod", "namespace": NAMESPACE, "name": "one", "apiVersion": "v1"},
    }


def test_its_account_may_do_what_it_needs(hub: Hub) -> None:
    hub.api.delete(f"{LEASES}/reconciler")
    made = hub.account.create(LEASES, lease())
    there = hub.account.get(f"{LEASES}/reconciler")
    assert there == made
    renewed = {**made, "spec": {"holderIdentity": "one"}}
    assert hub.account.request("PUT", f"{LEASES}/reconciler", renewed)["spec"]["holderIdentity"] == "one"
    assert hub.account.create(EVENTS, event())["kind"] == "Event"
    for namespace, name in (("clusters-a", "one"), ("clusters-b", "any")):
        assert hub.account.request("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")["data"]


SECRETS = "/api/v1/namespaces/{}/secrets"
RBAC = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}"
REFUSED: dict[str, tuple[str, str, Object | None]] = {
    "list Secrets": ("GET", SECRETS.format("clusters-a"), None),
    "list Secrets where all may be read": ("GET", SECRETS.format("clusters-b"), None),
    "watch Secrets": ("GET", f"{SECRETS.format('clusters-b')}?watch=1", None),
    "list Secrets everywhere": ("GET", "/api/v1/secrets", None),
    "a Secret that is not named": ("GET", f"{SECRETS.format('clusters-a')}/other", None),
    "a Secret of its own namespace": ("GET", f"{SECRETS.format(NAMESPACE)}/any", None),
    "a Secret of another namespace": ("GET", f"{SECRETS.format('velero')}/cloud-credentials", None),
    "make a Secret": ("POST", SECRETS.format("clusters-b"), secret("clusters-b", "new", "")),
    "change a Secret": ("PATCH", f"{SECRETS.format('clusters-b')}/any", {"data": {}}),
    "delete a Secret": ("DELETE", f"{SECRETS.format('clusters-b')}/any", None),
    "list ConfigMaps": ("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps", None),
    "another Lease": ("GET", f"{LEASES}/reconciler-2", None),
    "list Leases": ("GET", LEASES, None),
    "change another Lease": ("PUT", f"{LEASES}/other", lease("other")),
    "patch its Lease": ("PATCH", f"{LEASES}/reconciler", {"spec": {}}),
    "delete its Lease": ("DELETE", f"{LEASES}/reconciler", None),
    "a Lease elsewhere": ("POST", LEASES.replace(NAMESPACE, "kube-system"), lease()),
    "list Events": ("GET", EVENTS, None),
    "a pod": ("POST", PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}}),
    "list pods": ("GET", PODS, None),
    "run something in a pod": ("POST", f"{PODS}/one/exec?command=sh", None),
    "change its Deployment": ("PATCH", DEPLOYMENT, {"spec": {"replicas": 0}}),
    "read its Deployment": ("GET", DEPLOYMENT, None),
    "list nodes": ("GET", "/api/v1/nodes", None),
    "list namespaces": ("GET", "/api/v1/namespaces", None),
    "read kube-system": ("GET", "/api/v1/namespaces/kube-system", None),
    "a token": (
        "POST",
        f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    ),
    "more rights": (
        "PATCH",
        f"{RBAC}/roles/{NAME}",
        {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]},
    ),
    "another's rights": (
        "POST",
        f"{RBAC}/rolebindings",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "more"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        },
    ),
    "Velero's Restores": ("GET", "/apis/velero.io/v1/namespaces/velero/restores", None),
    "the API server's metrics": ("GET", "/metrics", None),
}


@pytest.mark.parametrize("call", REFUSED)
def test_its_account_may_do_no_more(hub: Hub, call: str) -> None:
    method, path, body = REFUSED[call]
    content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    with pytest.raises(ApiError) as refused:
        hub.account.request(method, path, body, content_type=content_type)
    assert refused.value.status == 403, refused.value


def test_its_account_can_be_nobody_else(hub: Hub) -> None:
    answer = hub.account._session.get(
        f"{hub.account.server}/api/v1/secrets", headers={"Impersonate-User": "admin"}, timeout=10
    )
    assert answer.status_code == 403
    assert "cannot impersonate" in answer.json()["message"]


WANTED = {
    NAMESPACE: {
        ("coordination.k8s.io", "leases", "", "create"),
        ("coordination.k8s.io", "leases", "reconciler", "get"),
        ("coordination.k8s.io", "leases", "reconciler", "update"),
        ("events.k8s.io", "events", "", "create"),
    },
    "clusters-a": {("", "secrets", "one", "get")},
    "clusters-b": {("", "secrets", "", "get")},
    "default": {("", "secrets", "kurator-member1", "get"), ("", "secrets", "kurator-member2", "get")},
    "kube-system": set(),
    "velero": set(),
}


@pytest.mark.parametrize("namespace", WANTED)
def test_these_are_all_its_rights(hub: Hub, namespace: str) -> None:
    """As the API server itself counts them; what every account may do, asking for its own rights, is left out."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    status = hub.account.request("POST", path, review)["status"]
    assert not status["incomplete"]
    found = {
        (group, resource, name, verb)
        for rule in status["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames") or ("",)
        for verb in rule["verbs"]
        if not resource.startswith("selfsubject")
    }
    assert found == WANTED[namespace]
