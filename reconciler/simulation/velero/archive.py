"""The file in which Velero keeps a backup's objects: a gzipped tar with a file of JSON for each (`pkg/archive`)."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from typing import Final

from reconciler.simulation.cluster import Object

Contents = dict[str, dict[str, dict[str, Object]]]
"""Resource name, namespace ("" for cluster-scoped), object name."""

_TOP: Final = "resources"
_QUICK: Final = 1


def pack(items: Iterable[tuple[str, Object]]) -> bytes:
    """Objects with their resource's name, e.g. `deployments.apps`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=_QUICK) as tar:
        _write(tar, "metadata/version", b"1.1.0\n")
        for resource, obj in items:
            content = json.dumps(obj, separators=(",", ":")).encode()
            path, version = _path(obj), str(obj.get("apiVersion", "v1")).rpartition("/")[2]
            _write(tar, f"{_TOP}/{resource}/{path}", content)
            _write(tar, f"{_TOP}/{resource}/{version}-preferredversion/{path}", content)
    return packed.getvalue()


def unpack(packed: bytes) -> Contents:
    """The objects under the names that lie directly below their resource; versions beside them are left out."""
    found: Contents = {}
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        for member in tar:
            top, *parts = member.name.split("/")
            match parts:
                case [resource, "namespaces", namespace, file] if top == _TOP:
                    pass
                case [resource, "cluster", file] if top == _TOP:
                    namespace = ""
                case _:
                    continue
            content = tar.extractfile(member)
            if content is not None:
                names = found.setdefault(resource, {}).setdefault(namespace, {})
                names[file.removesuffix(".json")] = json.load(content)
    return found


def _path(obj: Object) -> str:
    metadata = obj["metadata"]
    namespace = metadata.get("namespace")
    return f"namespaces/{namespace}/{metadata['name']}.json" if namespace else f"cluster/{metadata['name']}.json"


def _write(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o755
    tar.addfile(info, io.BytesIO(content))
