"""How Kubernetes' Go structs look in protobuf, read from their source: for the definitions of the simulation.

kubectl sends what it makes itself (`kubectl create namespace`) as protobuf. Numbers and names of the fields stand in
the tags of the structs. Called by `definitions.py`; the sources are those that the real fleet is built from.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

# Whatever `kubectl create`, `run`, `expose` and `auth` send; all else comes as JSON.
ROOTS = (
    "core/v1.Namespace",
    "core/v1.ConfigMap",
    "core/v1.Secret",
    "core/v1.Pod",
    "core/v1.Service",
    "core/v1.ServiceAccount",
    "core/v1.ResourceQuota",
    "apps/v1.Deployment",
    "batch/v1.Job",
    "batch/v1.CronJob",
    "networking/v1.Ingress",
    "policy/v1.PodDisruptionBudget",
    "rbac/v1.Role",
    "rbac/v1.RoleBinding",
    "rbac/v1.ClusterRole",
    "rbac/v1.ClusterRoleBinding",
    "meta/v1.DeleteOptions",
    "authentication/v1.TokenRequest",
    "authentication/v1.SelfSubjectReview",
    "authorization/v1.SelfSubjectAccessReview",
    "autoscaling/v1.Scale",
)
GROUPS = ("apps", "authentication", "authorization", "autoscaling", "batch", "core", "networking", "policy", "rbac")
PACKAGES = {
    "k8s.io/api": tuple(f"{group}/v1" for group in GROUPS),
    "k8s.io/apimachinery": ("pkg/apis/meta/v1",),
}
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ALIAS = re.compile(r"^type (\w+) (map\[|\[\]|\*)?([\w.\]\[*]+)$", re.MULTILINE)
FIELD = re.compile(
    r'^\t(?:(?P<name>\w+)\s+)?(?P<type>[\w.*\[\]]+)\s+`json:"(?P<json>[^"]*)"[^`]*protobuf:"\w+,(?P<number>\d+),(?P<count>\w+)[^"]*"',
    re.MULTILINE,
)
IMPORT = re.compile(r'^\s+(\w+ )?"(k8s\.io/[^"]+)"', re.MULTILINE)
SCALARS = {
    "string": "string",
    "bool": "bool",
    "int32": "int",
    "int64": "int",
    "uint32": "int",
    "float64": "double",
    "[]byte": "bytes",
    "byte": "byte",
}
SPECIAL = {
    "meta/v1.Time": "time",
    "meta/v1.MicroTime": "time",
    "api/resource.Quantity": "quantity",
    "util/intstr.IntOrString": "intorstring",
    "pkg/runtime.RawExtension": "raw",
    "pkg/types.UID": "string",
    "pkg/types.NodeName": "string",
}


class Structs:
    """All structs of the packages by `<group>/<version>.<name>`, the end of their import path."""

    def __init__(self, version: str) -> None:
        cache = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True).stdout.strip()
        self._structs: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._imports: dict[str, dict[str, str]] = {}
        for module, packages in PACKAGES.items():
            for package in packages:
                self._read(short(package), Path(cache, f"{module}@{version}", package))

    def _read(self, path: str, folder: Path) -> None:
        imports = self._imports.setdefault(path, {})
        for file in sorted(folder.glob("*.go")):
            if file.name.startswith(("generated", "zz_")) or file.name.endswith("_test.go"):
                continue
            text = file.read_text()
            for name, imported in IMPORT.findall(text):
                imports[name.strip() or imported.rpartition("/")[2]] = short(imported)
            for name, body in STRUCT.findall(text):
                self._structs[f"{path}.{name}"] = body
            for name, prefix, of in ALIAS.findall(text):
                self._aliases[f"{path}.{name}"] = prefix + of

    def messages(self) -> dict[str, dict[str, list[str]]]:
        """For each message its fields by number: the name in JSON ("" where it is inlined) and the type."""
        found: dict[str, dict[str, list[str]]] = {}
        wanted = list(ROOTS)
        while wanted:
            name = wanted.pop()
            if name in found:
                continue
            found[name] = {}
            path = name.rpartition(".")[0]
            for field in FIELD.finditer(self._structs[name]):
                if (name in ROOTS and field["json"].startswith("status")) or "FieldsV1" in field["type"]:
                    continue
                sort = self._sort(path, field["type"])
                if field["count"] == "rep":  # else a list is wrapped in a message of its own
                    sort = sort.replace("items:", "[]", 1) if sort.startswith("items:") else sort
                found[name][field["number"]] = [field["json"].partition(",")[0], sort]
                bare = re.sub(r"^(\*|\[\]|map:|items:)+", "", sort)
                if "/" in bare:
                    wanted.append(bare)
        return found

    def _sort(self, path: str, go: str) -> str:
        """`*int`, `[]<message>`, `map:string`: what a Go type is in the end."""
        if go in SCALARS:
            return SCALARS[go]
        if go.startswith("*"):
            return "*" + self._sort(path, go[1:]).lstrip("*")
        if go.startswith("[]"):
            return "[]" + self._sort(path, go[2:])
        if go.startswith("map["):
            return "map:" + self._sort(path, go[go.index("]") + 1 :])
        package, _, name = go.rpartition(".")
        where = self._imports[path].get(package, path) if package else path
        if (special := SPECIAL.get(f"{where}.{name}")) is not None:
            return special
        if (alias := self._aliases.get(f"{where}.{name}")) is not None:
            sort = self._sort(where, alias)
            return f"items:{sort[2:]}" if sort.startswith("[]") else sort
        if f"{where}.{name}" in self._structs:
            return f"{where}.{name}"
        return "unknown"


def short(path: str) -> str:
    """`core/v1` of `k8s.io/api/core/v1`."""
    return "/".join(path.split("/")[-2:])
