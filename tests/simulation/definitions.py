"""Writes the simulation's definitions from a real API server: `python -m tests.simulation.definitions`.

What the simulated API server knows of kinds and their fields is read from the real fleet, not written by hand: its
discovery and OpenAPI documents for the built-in kinds of `KINDS`, its CustomResourceDefinitions for Velero's. Texts
for people are left out. Run it again when the versions of the real fleet change.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from tests.real.api import Api
from tests.real.fleet import RealFleet
from tests.simulation.structs import Structs

FOLDER = Path(__file__).resolve().parents[2] / "reconciler/simulation/api/definitions"
KINDS = {
    "v1": "Namespace ConfigMap Secret Pod Service ServiceAccount Event Node PersistentVolume PersistentVolumeClaim"
    " Endpoints ResourceQuota LimitRange",
    "apps/v1": "Deployment ReplicaSet StatefulSet DaemonSet",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "Job CronJob",
    "coordination.k8s.io/v1": "Lease",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy",
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "storage.k8s.io/v1": "StorageClass",
}
SUBRESOURCES = ("", "status", "scale", "finalize", "token")
TEXTS = ("description", "x-kubernetes-group-version-kind", "storageVersionHash", "default")
REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def resources(api: Api) -> list[dict[str, Any]]:
    """The entries of discovery for the kinds that are served, each with its `groupVersion` and its schema's name."""
    found = []
    for version, kinds in KINDS.items():
        named = {kind: name for kind in kinds.split() for name in schemas_of(every_schema(api, version), version, kind)}
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        entries = api.request("GET", root)["resources"]
        wanted = {entry["name"] for entry in entries if entry["kind"] in kinds.split() and "/" not in entry["name"]}
        for entry in entries:
            name, _, subresource = entry["name"].partition("/")
            if name in wanted and subresource in SUBRESOURCES:
                kept = {key: value for key, value in entry.items() if key not in TEXTS}
                found.append({"groupVersion": version, "schema": named.get(entry["kind"], ""), **kept})
    return found


def schemas(api: Api) -> dict[str, Any]:
    """The schemas of the kinds, and of all that they refer to, by their names in OpenAPI."""
    found: dict[str, Any] = {}
    for version, kinds in KINDS.items():
        every = every_schema(api, version)
        wanted = [name for kind in kinds.split() for name in schemas_of(every, version, kind)]
        while wanted:
            name = wanted.pop()
            if name not in found:
                found[name] = bare_schema(every[name])
                wanted += REFERENCE.findall(json.dumps(found[name]))
    return found


def every_schema(api: Api, version: str) -> dict[str, Any]:
    root = f"/openapi/v3/apis/{version}" if "/" in version else f"/openapi/v3/api/{version}"
    found: dict[str, Any] = api.request("GET", root)["components"]["schemas"]
    return found


def schemas_of(every: dict[str, Any], version: str, kind: str) -> list[str]:
    """The name of the schema of a kind."""
    group, _, number = version.rpartition("/")
    wanted = {"group": group, "version": number, "kind": kind}
    return [name for name, schema in every.items() if schema.get("x-kubernetes-group-version-kind") == [wanted]]


def bare_schema(node: Any) -> Any:
    """Without texts, and a reference that OpenAPI wraps to give it a text unwrapped."""
    if isinstance(node, list):
        return [bare_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node.get("allOf", [])) == 1:
        return bare_schema(node["allOf"][0])
    bare = {key: bare_schema(value) for key, value in node.items() if key not in (*TEXTS, "properties")}
    if "properties" in node:
        bare["properties"] = {name: bare_schema(schema) for name, schema in node["properties"].items()}
    return bare


def without_descriptions(node: Any) -> Any:
    """A CustomResourceDefinition keeps its defaults; a property may be called `description`."""
    if isinstance(node, list):
        return [without_descriptions(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: without_descriptions(value) for key, value in node.items() if key not in ("description", "properties")}
    if "properties" in node:
        kept["properties"] = {name: without_descriptions(schema) for name, schema in node["properties"].items()}
    return kept


def definitions(api: Api) -> list[dict[str, Any]]:
    """Velero's CustomResourceDefinitions as they are applied."""
    return [
        {
            "metadata": {"name": found["metadata"]["name"]},
            "spec": without_descriptions({key: value for key, value in found["spec"].items() if key != "conversion"}),
        }
        for found in api.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        if found["spec"]["group"] == "velero.io"
    ]


def write(name: str, sections: dict[str, Any]) -> None:
    """JSON with an entry a line, so that a change of version is read as a change of some lines."""

    def line(value: Any) -> str:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))

    blocks = []
    for section, content in sections.items():
        if isinstance(content, dict):
            lines = [f"{json.dumps(key)}:{line(value)}" for key, value in sorted(content.items())]
            blocks.append(f"{json.dumps(section)}:{{\n" + ",\n".join(lines) + "\n}")
        elif isinstance(content, list):
            blocks.append(f"{json.dumps(section)}:[\n" + ",\n".join(line(value) for value in content) + "\n]")
        else:
            blocks.append(f"{json.dumps(section)}:{line(content)}")
    (FOLDER / name).write_text("{\n" + ",\n".join(blocks) + "\n}\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, RealFleet(Path(folder)) as fleet:
        api = fleet.members[0].api
        version = api.request("GET", "/version")
        write("kubernetes.json", {"version": version, "resources": resources(api), "schemas": schemas(api)})
        write("velero.json", {"definitions": definitions(api)})
        write("protobuf.json", {"messages": Structs(version["gitVersion"].replace("v1", "v0", 1)).messages()})


if __name__ == "__main__":
    main()
