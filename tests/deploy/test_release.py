"""Install, upgrade and uninstall by Helm itself, as README tells, on a real API server."""

from __future__ import annotations

import pytest

from tests.deploy.chart import CHART, EVERYTHING, MINIMUM, NAMESPACE, HelmError, on_cluster
from tests.deploy.conftest import Hub

pytestmark = pytest.mark.real
RELEASE = "second"
OURS = f"app.kubernetes.io/instance={RELEASE}"
COLLECTIONS = (
    f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments",
    f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies",
    f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets",
    f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles",
    f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/clusters-a/roles",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/clusters-b/rolebindings",
    f"/api/v1/namespaces/{NAMESPACE}/services",
    f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts",
)


def names(hub: Hub, path: str) -> list[str]:
    return sorted(item["metadata"]["name"] for item in hub.api.list(path, OURS))


def test_install_upgrade_and_uninstall(hub: Hub) -> None:
    where = f"--namespace={NAMESPACE}"
    told = on_cluster(hub.member, "install", RELEASE, str(CHART), where, values=MINIMUM)
    assert "It may read no Secret yet" in told
    assert names(hub, COLLECTIONS[0]) == ["second-reconciler"]
    told = on_cluster(hub.member, "upgrade", RELEASE, str(CHART), where, values=EVERYTHING)
    assert "It may read every Secret of namespace clusters-b" in told
    assert f"http://second-reconciler.{NAMESPACE}:80/hook" in told
    assert names(hub, COLLECTIONS[0]) == [f"second-reconciler-{shard}" for shard in (1, 2, 3)], "the one is gone"
    assert names(hub, COLLECTIONS[-1]) == ["robot"]
    assert all(names(hub, path) for path in COLLECTIONS)
    on_cluster(hub.member, "rollback", RELEASE, "1", where)
    assert names(hub, COLLECTIONS[0]) == ["second-reconciler"]
    on_cluster(hub.member, "uninstall", RELEASE, where)
    assert not any(names(hub, path) for path in COLLECTIONS)


def test_a_refused_upgrade_changes_nothing(hub: Hub) -> None:
    where = f"--namespace={NAMESPACE}"
    on_cluster(hub.member, "install", RELEASE, str(CHART), where, values=MINIMUM)
    try:
        before = hub.api.list(COLLECTIONS[0], OURS)[0]["metadata"]["generation"]
        with pytest.raises(HelmError, match="replica"):
            on_cluster(hub.member, "upgrade", RELEASE, str(CHART), where, values={**MINIMUM, "replica": 3})
        assert hub.api.list(COLLECTIONS[0], OURS)[0]["metadata"]["generation"] == before
    finally:
        on_cluster(hub.member, "uninstall", RELEASE, where)
