"""Removes a namespace with everything in it at once.

Kubernetes' own namespace controller waits five seconds first, for the sake of clusters with several API servers;
between tests that is most of the time. Called by `member.py` and `reset.py`, which pause that controller meanwhile:
still at work on a namespace that is gone, it could take things out of the next one of that name.
"""

from functools import partial

from tests.real.api import Api, ApiError, Object
from tests.real.processes import wait_for

Kind = tuple[str, str]  # root of the API group's path, resource name


def remove_namespaces(api: Api, names: list[str]) -> None:
    """As the controller does it: forbid anything new, delete what is there, then say that it is done."""
    terminating = [name for name in names if api.delete(f"/api/v1/namespaces/{name}")]
    if not terminating:
        return
    kinds = deletable_kinds(api)
    for name in terminating:
        wait_for(partial(is_empty, api, kinds, name), 30, f"namespace {name} to be empty")
        finalize(api, name)
        api.wait_gone(f"/api/v1/namespaces/{name}")


def deletable_kinds(api: Api) -> list[Kind]:
    """Every kind of object that a namespace can hold."""
    groups: list[Object] = api.request("GET", "/apis")["groups"]
    roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    return [
        (root, resource["name"])
        for root in roots
        for resource in api.request("GET", root)["resources"]
        if resource["namespaced"] and {"list", "deletecollection"} <= set(resource["verbs"])
    ]


def is_empty(api: Api, kinds: list[Kind], name: str) -> bool:
    """Whether nothing was left; asks for the deletion of what was."""
    left = 0
    for root, resource in kinds:
        path = f"{root}/namespaces/{name}/{resource}"
        for obj in api.list(path):
            left += 1
            if obj["metadata"].get("finalizers"):
                strip_finalizers(api, f"{path}/{obj['metadata']['name']}")
            api.delete(f"{path}/{obj['metadata']['name']}")
    return left == 0


def strip_finalizers(api: Api, path: str) -> None:
    try:
        api.patch_merge(path, {"metadata": {"finalizers": None}})
    except ApiError as error:
        if error.status != 404:
            raise


def finalize(api: Api, name: str) -> None:
    path = f"/api/v1/namespaces/{name}"
    found = api.get(path)
    if found is None:
        return
    try:
        api.request("PUT", f"{path}/finalize", {**found, "spec": {"finalizers": []}})
    except ApiError as error:
        if error.status not in (404, 409):  # the controller was there first
            raise
