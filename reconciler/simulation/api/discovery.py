"""What a server tells of itself: its version, its health, its groups, its resources and their schemas (OpenAPI 3)."""

from __future__ import annotations

import hashlib
import json

from reconciler.simulation.api import types
from reconciler.simulation.api.requests import PLAIN, Answer, Request
from reconciler.simulation.api.store import Store
from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object

_AGGREGATED = "g=apidiscovery.k8s.io"
_PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
_HEALTH = ("/healthz", "/livez", "/readyz")


def answer(store: Store, request: Request) -> Answer | None:
    """The answer for a path that is of no resource; None where there is no such path."""
    path = "/" + request.path.strip("/")
    accept = request.headers.get("accept", "")
    if path in _HEALTH:
        return Answer(200, b"ok", PLAIN)
    if path == "/version":
        return Answer.of(200, types.version())
    if path == "/":
        return Answer.of(200, {"paths": sorted(["/api", "/apis", "/version", *_HEALTH, *map(_root, _versions(store))])})
    if path in ("/api", "/apis"):
        if _AGGREGATED in accept:
            return _aggregated(store, core=path == "/api", version="v2" if "v=v2;" in f"{accept};" else "v2beta1")
        return Answer.of(200, _core() if path == "/api" else _groups(store))
    if path.startswith("/openapi/v3"):
        return _openapi(store, path.removeprefix("/openapi/v3").strip("/"))
    name = path.removeprefix("/apis/").removeprefix("/api/")
    if name in _versions(store) and path == _root(name):
        return Answer.of(200, _resources(store, name))
    group = _group(store, name)
    return Answer.of(200, {"kind": "APIGroup", "apiVersion": "v1", **group}) if group and path[:6] == "/apis/" else None


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _versions(store: Store) -> list[str]:
    """Group and version of all that is served, each once."""
    return list(dict.fromkeys(kind.type.api_version for kind in store.kinds.values()))


def _core() -> Object:
    address = {"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:443"}
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}


def _group(store: Store, name: str) -> Object | None:
    versions = sorted(version for version in _versions(store) if version.rpartition("/")[0] == name)
    if not versions or not name:
        return None
    listed = [{"groupVersion": version, "version": version.rpartition("/")[2]} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _groups(store: Store) -> Object:
    names = dict.fromkeys(version.rpartition("/")[0] for version in _versions(store))
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(store, name) for name in names if name]}


def _of_version(store: Store, version: str) -> list[Kind]:
    return [kind for kind in store.kinds.values() if kind.type.api_version == version]


def _resources(store: Store, version: str) -> Object:
    resources = []
    for kind in _of_version(store, version):
        names: Object = {"name": kind.type.plural, "singularName": kind.singular, "namespaced": kind.type.namespaced}
        entry: Object = {**names, "kind": kind.type.kind, "verbs": list(kind.verbs)}
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        hidden = ("groupVersion", "schema")
        subresources = kind.subresources.values()
        resources += [entry, *({key: each[key] for key in each if key not in hidden} for each in subresources)]
    typed = {"kind": "APIResourceList"} if version == "v1" else {"kind": "APIResourceList", "apiVersion": "v1"}
    return {**typed, "groupVersion": version, "resources": resources}


def _aggregated(store: Store, *, core: bool, version: str) -> Answer:
    """Everything in one document, as kubectl asks for it first."""
    groups: dict[str, list[Object]] = {}
    for each in _versions(store):
        group, _, number = each.rpartition("/")
        if bool(group) is not core:
            entry: Object = {"version": number, "resources": [_entry(kind) for kind in _of_version(store, each)]}
            groups.setdefault(group, []).append({**entry, "freshness": "Current"})
    items: list[Object] = []
    for name, versions in groups.items():
        newest_last = sorted(versions, key=lambda each: str(each["version"]))
        items.append({"metadata": {"name": name} if name else {}, "versions": newest_last})
    api = f"apidiscovery.k8s.io/{version}"
    found = Answer.of(200, {"kind": "APIGroupDiscoveryList", "apiVersion": api, "metadata": {}, "items": items})
    sort = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    return Answer(200, found.body, sort)


def _entry(kind: Kind) -> Object:
    of = kind.type
    entry: Object = {
        "resource": of.plural,
        "responseKind": {"group": of.group if kind.custom else "", "version": of.version, "kind": of.kind},
        "scope": "Namespaced" if of.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [
            {
                "subresource": name,
                "responseKind": {"group": each.get("group", ""), "version": "", "kind": each["kind"]},
                "verbs": each["verbs"],
            }
            for name, each in kind.subresources.items()
        ]
    return entry


def _openapi(store: Store, path: str) -> Answer | None:
    """The index; or for one group and version the schemas, and of the paths as much as kubectl looks at."""
    documents = {_root(version).strip("/"): version for version in _versions(store)}
    if not path:
        found = {}
        for each in documents:
            digest = hashlib.sha256(f"{each} {sorted(store.kinds)}".encode()).hexdigest().upper()
            found[each] = {"serverRelativeURL": f"/openapi/v3/{each}?hash={digest}"}
        return Answer.of(200, {"paths": found})
    if path not in documents:
        return None
    schemas, paths = {}, {}
    for kind in _of_version(store, documents[path]):
        gvk = {"group": kind.type.group, "version": kind.type.version, "kind": kind.type.kind}
        name = kind.schema.get("$ref", f"io.{kind.type.group}.{kind.type.version}.{kind.type.kind}").rpartition("/")[2]
        schemas[name] = {**types.resolve(kind.schema), "x-kubernetes-group-version-kind": [gvk]}
        where = "/namespaces/{namespace}" if kind.type.namespaced else ""
        paths[f"/{path}{where}/{kind.type.plural}/{{name}}"] = _operations(kind, gvk)
    info = {"title": "Kubernetes", "version": "v" + ".".join((types.version()["major"], types.version()["minor"]))}
    every = {**_referred(schemas), **schemas}
    return Answer.of(200, {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": every}})


def _operations(kind: Kind, gvk: Object) -> Object:
    parameters = [
        {"name": name, "in": "query", "schema": {"type": sort, "uniqueItems": True}}
        for name, sort in (
            ("dryRun", "string"),
            ("fieldManager", "string"),
            ("fieldValidation", "string"),
            ("force", "boolean"),
        )
    ]
    patches = _PATCHES if kind.custom else (*_PATCHES, "application/strategic-merge-patch+json")
    body = {"content": {each: {"schema": {"type": "object"}} for each in patches}}
    meta = {"x-kubernetes-group-version-kind": gvk}
    return {
        "get": {**meta, "x-kubernetes-action": "get"},
        "put": {**meta, "x-kubernetes-action": "put", "parameters": parameters},
        "patch": {**meta, "x-kubernetes-action": "patch", "parameters": parameters, "requestBody": body},
        "delete": {**meta, "x-kubernetes-action": "delete"},
    }


def _referred(schemas: dict[str, Object]) -> dict[str, Object]:
    """The schemas that these refer to, and so on."""
    found: dict[str, Object] = {}
    wanted = json.dumps(schemas).split('"#/components/schemas/')[1:]
    while wanted:
        name = wanted.pop().partition('"')[0]
        if name not in found:
            found[name] = types.schemas()[name]
            wanted += json.dumps(found[name]).split('"#/components/schemas/')[1:]
    return found
