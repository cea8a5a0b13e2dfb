"""Where the kubeconfig of a member comes from, and what is refused in one that is not the user's own.

A kubeconfig can run programs and read files (CVE-2022-24817), so one that came out of a Secret may do neither unless
the operator says so; in the user's own file they work as in kubectl.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from reconciler.desired import Member
from reconciler.errors import KubeconfigError
from reconciler.settings import MemberSettings
from reconciler.velero.plainly import mapping, sequence, text

_RUNS_OR_READS = {
    "user": ("exec", "auth-provider", "tokenFile", "client-certificate", "client-key"),
    "cluster": ("certificate-authority",),
}
_SIZE_LIMIT = 1 << 20
_NAME_ONE = "name one with --kubeconfig, or a folder with --kubeconfig-dir"


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """`content` as the kubernetes client's loader takes it; `context` None is the current one.

    `fingerprint` changes when the credentials may have.
    """

    fingerprint: str
    context: str | None
    content: Any


def find(member: Member, settings: MemberSettings) -> Kubeconfig:
    """The kubeconfig of a member. Raises KubeconfigError with the reason that its runs then give."""
    if settings.kubeconfig_dir:
        return _from_directory(member, settings.kubeconfig_dir, settings.insecure_exec)
    return _from_own_file(member, settings)


def _from_directory(member: Member, directory: Path, insecure_exec: bool) -> Kubeconfig:
    namespace, secret, key = member.id.namespace, member.secret, member.key
    places = [directory / namespace / secret / key]
    if namespace == "default":
        places.append(directory / secret / key)
    what = f"Secret {namespace}/{secret}, key {key}"
    try:
        path = next((place for place in places if place.is_file()), None)
        content = path.read_bytes()[: _SIZE_LIMIT + 1] if path else b""
    except OSError as error:  # a folder that may not be entered, a file system that is gone
        raise KubeconfigError("SecretMissing", f"{what}: {error.filename} can't be read: {error.strerror}") from error
    if path is None:
        tried = " or ".join(str(place) for place in places)
        raise KubeconfigError("SecretMissing", f"{what}: no file {tried}; mount the Secret there")
    return of_secret(content, what, insecure_exec)


def of_secret(content: bytes, what: str, insecure_exec: bool) -> Kubeconfig:
    """The kubeconfig that a Secret holds; `what` is how errors call it. Raises KubeconfigError."""
    data = _parse(content, what)
    forbidden = sorted(set(_forbidden(data)))
    if forbidden and not insecure_exec:
        raise KubeconfigError(
            "KubeconfigRefused",
            f"{what}: {', '.join(forbidden)} would run a program or read a file here; put the credentials into the "
            "Secret, or allow it with --insecure-kubeconfig-exec",
        )
    return Kubeconfig(fingerprint=hashlib.sha256(content).hexdigest(), context=None, content=data)


def _parse(content: bytes, what: str) -> dict[str, Any]:
    """Never tells what is in it: it may be somebody's credentials."""
    try:
        if len(content) > _SIZE_LIMIT:
            raise ValueError("too large")
        data = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not all(isinstance(data.get(part), list) for part in ("clusters", "contexts")):
        raise KubeconfigError(
            "InvalidKubeconfig", f"{what} is no kubeconfig (no YAML with clusters and contexts); write one there"
        )
    if not data.get("current-context"):
        raise KubeconfigError("InvalidKubeconfig", f"{what}: the kubeconfig has no current-context; set one")
    return data


def _forbidden(data: dict[str, Any]) -> Iterator[str]:
    for part, names in _RUNS_OR_READS.items():
        for entry in data.get(f"{part}s") or ():
            fields = entry.get(part) if isinstance(entry, dict) else None
            yield from (name for name in names if isinstance(fields, dict) and name in fields)


def _from_own_file(member: Member, settings: MemberSettings) -> Kubeconfig:
    files = settings.kubeconfig or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    return own_file(files, settings.contexts.get(member.id.name, member.id.name))


def own_file(files: str, context: str | None, todo: str = _NAME_ONE) -> Kubeconfig:
    """A kubeconfig of the user's own, several files joined by ':'. Raises KubeconfigError; `todo`: where none is."""
    paths = [Path(part).expanduser() for part in files.split(os.pathsep) if part]
    try:
        stamp = ":".join(str(path.stat().st_mtime_ns) for path in paths if path.is_file())
    except OSError as error:
        raise KubeconfigError(
            "KubeconfigMissing", f"{error.filename} can't be read: {error.strerror}; {todo}"
        ) from error
    if not stamp:
        raise KubeconfigError("KubeconfigMissing", f"no file {files}; {todo}")
    return Kubeconfig(f"{files}:{stamp}:{context}", context, _merged(files, stamp))


def namespace_of(kubeconfig: Kubeconfig) -> str:
    """The namespace of its current context."""
    content = mapping(getattr(kubeconfig.content, "value", kubeconfig.content))
    for entry in (mapping(getattr(each, "value", each)) for each in sequence(content.get("contexts"))):
        if entry.get("name") == content.get("current-context"):
            return text(mapping(entry.get("context")).get("namespace")) or "default"
    return "default"


@lru_cache(maxsize=2)
def _merged(files: str, stamp: str) -> Any:
    """Several files as one, as kubectl merges them; read again when their `stamp` changes."""
    from kubernetes.aio.config.kube_config import KubeConfigMerger

    try:
        return KubeConfigMerger(files).config
    except Exception as error:  # whatever a library makes of the user's file, the file is to blame
        paths = [Path(part).expanduser() for part in files.split(os.pathsep) if part]
        why = next(filter(None, map(_flaw, paths)), f"{files} is no kubeconfig that can be read")
        raise KubeconfigError("InvalidKubeconfig", f"{why}; mend it, or name another with --kubeconfig") from error


def _flaw(file: Path) -> str:
    """What is wrong with a file of the user's own; never tells what is in it."""
    try:
        data = yaml.safe_load(file.read_bytes())
    except OSError as error:
        return "" if isinstance(error, FileNotFoundError) else f"{file} can't be read: {error.strerror}"
    except (yaml.YAMLError, ValueError, RecursionError):
        return f"{file} is no kubeconfig: it is no YAML"
    if not isinstance(data, dict):
        return f"{file} is no kubeconfig: it is {'empty' if data is None else 'no mapping with clusters and contexts'}"
    for part in ("clusters", "contexts", "users"):
        entries = data.get(part) or []
        if not isinstance(entries, list) or not all(isinstance(each, dict) and each.get("name") for each in entries):
            return f"{file} is no kubeconfig: its `{part}` are no list of entries with a name"
    return ""
