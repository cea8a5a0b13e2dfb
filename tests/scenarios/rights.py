"""The rights that `deploy/member.yaml` gives on a member, and kubeconfigs that have these and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.fleets import Member

MANIFEST = Path(__file__).parents[2] / "deploy" / "member.yaml"
USER = "system:serviceaccount:velero:reconciler"
_ACCOUNT = "/api/v1/namespaces/velero/serviceaccounts/reconciler"


def manifest() -> list[dict[str, Any]]:
    """Its objects."""
    return list(yaml.safe_load_all(MANIFEST.read_text()))


def token_of(member: Member, verbs: Sequence[str] = ()) -> str:
    """A token with these rights; with `verbs` with those of them alone."""
    for item in manifest():
        for rule in item.get("rules", ()):
            rule["verbs"] = [verb for verb in rule["verbs"] if not verbs or verb in verbs]
        if "rules" in item:
            item["rules"] = [rule for rule in item["rules"] if rule["verbs"]]
        member.api.apply(item)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return str(member.api.request("POST", f"{_ACCOUNT}/token", request)["status"]["token"])


def kubeconfig(member: Member, token: str) -> str:
    """As the member's own, with that token."""
    data = yaml.safe_load(member.kubeconfig_text)
    data["users"] = [{"name": user["name"], "user": {"token": token}} for user in data["users"]]
    return yaml.safe_dump(data)


def merged_kubeconfig(members: Iterable[Member]) -> str:
    """One file with a context for each member, in each of which these rights are all there is."""
    configs = [yaml.safe_load(kubeconfig(member, token_of(member))) for member in members]
    merged = dict(configs[0])
    for section in ("clusters", "users", "contexts"):
        merged[section] = [entry for config in configs for entry in config[section]]
    return yaml.safe_dump(merged, sort_keys=False)
