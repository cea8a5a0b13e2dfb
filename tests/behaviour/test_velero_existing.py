"""What a Restore says of a namespace that is there already: equal, different, repaired, different by its own hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.test_velero_kinds import CONTAINERS, RBAC, apply
from tests.behaviour.test_velero_restores import DIFFERS
from tests.behaviour.velero import SPACE, back_up, download, put, restore, stock
from tests.fleets import Member

POLICIES = (None, "none", "update")
NAMESPACE = f"/api/v1/namespaces/{SPACE}"


def outcome(member: Member, name: str, policy: str | None) -> tuple[dict[str, str], list[str]]:
    """What became of each object (`Kind/name`), and the warnings."""
    spec = {"existingResourcePolicy": policy} if policy else {}
    made = restore(member, name, **spec)
    assert (made["status"]["phase"], made["status"].get("errors")) == ("Completed", None)
    listed = download(member, "RestoreResourceList", name)
    results = download(member, "RestoreResults", name)
    became = {}
    for kind, entries in listed.items():
        for entry in entries:
            name, _, action = entry.removeprefix(f"{SPACE}/").rstrip(")").partition("(")
            became[f"{kind.rpartition('/')[2]}/{name}"] = action
    texts = results["warnings"].get("namespaces", {}).get(SPACE, [])
    assert made["status"].get("warnings", 0) == len(texts)
    return became, texts


def plain_objects(member: Member) -> None:
    """What Velero puts back as it was."""
    stock(member)
    put(member, "ConfigMap", "kube-root-ca.crt", data={"ca.crt": "x"})  # no controller of the members makes it
    apply(member, "v1", "ServiceAccount", "robot", metadata={"labels": {"a": "b"}})
    apply(member, f"{RBAC}/v1", "Role", "reader", rules=[])


@pytest.mark.parametrize("policy", POLICIES)
def test_an_untouched_namespace_is_equal(member: Member, policy: str | None) -> None:
    plain_objects(member)
    back_up(member)
    became, texts = outcome(member, "again", policy)
    expected = ["ConfigMap/kube-root-ca.crt", "ConfigMap/marked", "ConfigMap/plain", "Role/reader", "Secret/secret"]
    expected += ["ServiceAccount/default", "ServiceAccount/robot"]
    assert became == dict.fromkeys(expected, "skipped"), "the namespace itself is not listed"
    assert texts == []


@pytest.mark.parametrize("policy", POLICIES)
def test_what_differs(member: Member, policy: str | None) -> None:
    plain_objects(member)
    back_up(member)
    for name in ("plain", "kube-root-ca.crt"):
        member.api.patch_merge(f"{NAMESPACE}/configmaps/{name}", {"data": {"more": "y"}})
    member.api.patch_merge(f"{NAMESPACE}/serviceaccounts/default", {"metadata": {"labels": {"more": "y"}}})
    member.api.patch_merge(f"{NAMESPACE}/serviceaccounts/robot", {"metadata": {"labels": None}})
    became, texts = outcome(member, "again", policy)
    changed = "updated" if policy == "update" else "failed"
    assert became["ConfigMap/plain"] == became["ConfigMap/kube-root-ca.crt"] == changed
    assert became["ConfigMap/marked"] == "skipped"
    assert became["ServiceAccount/default"] == "skipped", "what it has in addition is its own"
    assert became["ServiceAccount/robot"] == "updated", "whatever the policy"
    quoted = [f'ConfigMap "{name}"' if policy else f"ConfigMap:{name}" for name in ("kube-root-ca.crt", "plain")]
    left = [] if policy == "update" else [f"could not restore, {name} {DIFFERS}" for name in quoted]
    assert sorted(texts) == left


def apply_what_velero_rewrites(member: Member) -> None:
    template = {"spec": {**CONTAINERS, "restartPolicy": "Never"}}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    subjects = [{"kind": "ServiceAccount", "name": "default", "namespace": SPACE}]
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "reader"}
    objects: list[tuple[str, str, dict[str, Any]]] = [
        ("v1", "Pod", {"spec": CONTAINERS}),
        ("v1", "Service", {"spec": {"ports": [{"port": 80}], "clusterIP": "None"}}),
        ("v1", "PersistentVolumeClaim", {"spec": claim}),
        ("batch/v1", "Job", {"spec": {"template": template}}),
        (f"{RBAC}/v1", "RoleBinding", {"roleRef": reference, "subjects": subjects}),
    ]
    for group_version, kind, fields in objects:
        apply(member, group_version, kind, "one", **fields)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_velero_itself_rewrites_differs_though_nobody_touched_it(member: Member, policy: str | None) -> None:
    """Its actions for these kinds give the object an empty status before it compares."""
    stock(member)
    apply_what_velero_rewrites(member)
    if policy == "update":  # a real server refuses: a Job's selector is its own and no patch may change it
        member.api.delete(f"/apis/batch/v1/namespaces/{SPACE}/jobs/one")
        member.api.wait_gone(f"/apis/batch/v1/namespaces/{SPACE}/jobs/one")
    back_up(member)
    became, texts = outcome(member, "again", policy)
    rewritten = {name: action for name, action in became.items() if name.endswith("/one")}
    kinds = ["PersistentVolumeClaim", "Pod", "Service"] + ([] if policy == "update" else ["Job"])
    expected = dict.fromkeys(kinds, "updated" if policy == "update" else "failed") | {"RoleBinding": "skipped"}
    assert rewritten == {f"{kind}/one": action for kind, action in expected.items()}
    assert set(became.values()) <= {"updated", "failed", "skipped"}
    assert len(texts) == (0 if policy == "update" else len(kinds))


def test_what_was_updated_once_is_updated_ever_after(member: Member) -> None:
    """The labels of the Restore that did it are new each time; only ServiceAccounts get none."""
    plain_objects(member)
    back_up(member)
    outcome(member, "again", "update")
    became, _ = outcome(member, "third", "update")
    accounts = {name: action for name, action in became.items() if name.startswith("ServiceAccount/")}
    assert set(accounts.values()) == {"skipped"}
    assert {action for name, action in became.items() if name not in accounts} == {"updated"}
