"""A hub: the first real member, with the namespaces that a release needs and the release in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy import chart
from tests.deploy.chart import NAMESPACE
from tests.real.api import Api, Object
from tests.real.fleet import RealFleet
from tests.real.member import Member

ACCOUNT = chart.NAME
NAMESPACES = (NAMESPACE, "clusters-a", "clusters-b")
VALUES = {
    **chart.MINIMUM,
    "kubeconfigSecrets": [
        {"namespace": "clusters-a", "names": ["one"]},
        {"namespace": "clusters-b"},
        {"namespace": "default", "names": ["kurator-member1", "kurator-member2"]},
    ],
}


@dataclass(frozen=True, slots=True)
class Hub:
    """The cluster, the release's objects that are on it, and a client that is its service account."""

    member: Member
    objects: tuple[Object, ...]
    account: Api

    @property
    def api(self) -> Api:
        """As an administrator."""
        return self.member.api


@pytest.fixture(scope="module")
def hub(real_fleet: RealFleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Namespaces enforce the pod security standard `restricted`; two of them hold a Secret each."""
    real_fleet.reset()
    member = real_fleet.members[0]
    for name in NAMESPACES:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        member.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    for namespace, name in (("clusters-a", "one"), ("clusters-a", "other"), ("clusters-b", "any")):
        member.api.apply(secret(namespace, name, "nothing"))
    objects = chart.render(VALUES)
    for obj in objects:
        member.api.apply(obj)
    folder: Path = tmp_path_factory.mktemp("hub")
    yield Hub(member, tuple(objects), chart.service_account(member, NAMESPACE, ACCOUNT, folder))
    for obj in objects:
        member.api.delete(member.api.path_of(obj))
    for name in NAMESPACES:
        member.remove_namespace(name)


def secret(namespace: str, name: str, value: str) -> Object:
    """A Secret with that under the key `value`."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"value": value}}
