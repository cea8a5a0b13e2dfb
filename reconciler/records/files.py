"""Records as YAML, in the shape of `kubectl get -o yaml` of a Kurator object: Kurator's fields first, then ours.

libyaml by PyYAML does the work: records of 1,000 clusters are read at every pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import yaml

from reconciler.errors import RecordError
from reconciler.records.model import (
    LEDGER_PATH,
    PLURALS,
    RECORD_VERSION,
    Condition,
    Ledger,
    Phase,
    Record,
    Recorded,
    Run,
    Texts,
    path_of,
)
from reconciler.resources import BACKUP_GROUP, VERSION, ClusterId, Identity

HEADER: Final = "# Written by reconciler. Do not edit: this is the record of what ran.\n"
# So that no GitOps tool that reads the whole repository applies a record.
ANNOTATIONS: Final = {"argocd.argoproj.io/hook": "Skip", "kustomize.toolkit.fluxcd.io/reconcile": "disabled"}


def load(files: Mapping[str, bytes]) -> Recorded | None:
    """All records of a commit from its files under `status/` (path → content); None without a ledger.

    Raises RecordError where a file is none of ours or of a newer version.
    """
    if LEDGER_PATH not in files:
        return None
    ledger = parse_ledger(files[LEDGER_PATH])
    parsed = (_parse(path, files[path]) for path in sorted(files) if path != LEDGER_PATH and ".d/" not in path)
    return Recorded(ledger, {record.identity: record for record in parsed}, frozenset(files))


def parse_ledger(content: bytes) -> Ledger:
    """The ledger from its file. Raises RecordError."""
    data = _load_yaml(LEDGER_PATH, content)
    try:
        ledger = Ledger(str(data["id"]), str(data["branch"]), str(data["path"]), int(data["version"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{LEDGER_PATH}: {error!r} is missing or wrong; restore the file from git") from error
    if ledger.version > RECORD_VERSION:
        raise RecordError(
            f"{LEDGER_PATH}: version {ledger.version} was written by a newer reconciler; upgrade this one"
        )
    return ledger


def dump_ledger(ledger: Ledger) -> bytes:
    """The ledger's file."""
    data = {"version": ledger.version, "id": ledger.id, "branch": ledger.branch, "path": ledger.path}
    return _dump_yaml(data)


def dump_texts(texts: Texts) -> bytes:
    """The file of Velero's error and warning texts of one run."""
    data: dict[str, Any] = {
        name: [{"in": where, "text": text} for where, text in lines]
        for name, lines in (("errors", texts.errors), ("warnings", texts.warnings))
        if lines
    }
    return _dump_yaml(data | ({"note": texts.note} if texts.note else {}))


def load_texts(content: bytes) -> Texts:
    """The texts from their file."""
    data = _load_yaml("texts", content) or {}

    def lines(name: str) -> tuple[tuple[str, str], ...]:
        return tuple((str(item["in"]), str(item["text"])) for item in data.get(name, ()))

    return Texts(lines("errors"), lines("warnings"), str(data.get("note", "")))


def dump(record: Record) -> bytes:
    """A record's file, the same bytes for the same record."""
    return _dump_yaml(as_object(record))


def as_object(record: Record) -> dict[str, Any]:
    """A record as plain data, in the shape of `kubectl get -o yaml` of a Kurator object."""
    kind = record.identity.kind
    return {
        "apiVersion": f"{BACKUP_GROUP}/{VERSION}",
        "kind": kind,
        "metadata": {
            "name": record.identity.name,
            "namespace": record.identity.namespace,
            "annotations": dict(ANNOTATIONS),
        },
        "spec": dict(record.spec),
        "status": {
            "phase": str(record.phase),
            "attempt": record.attempt,
            "source": record.source,
            "revision": record.revision,
            "requestedBy": record.requested_by,
            "recordedTimestamp": record.recorded_at,
            "conditions": [_dump_condition(condition) for condition in record.conditions],
            f"{kind.lower()}Details": [_dump_run(kind.lower(), run) for run in record.runs],
        },
    }


def _dump_condition(condition: Condition) -> dict[str, Any]:
    return {
        "type": condition.type,
        "status": str(condition.status),
        "reason": condition.reason,
        "message": condition.message,
        "lastTransitionTime": condition.since,
    }


def _dump_run(prefix: str, run: Run) -> dict[str, Any]:
    kurators = {
        "clusterName": run.cluster.name,
        "clusterKind": run.cluster.kind,
        f"{prefix}NameInCluster": run.object_name,
        f"{prefix}StatusInCluster": dict(run.status),
    }
    ours = {
        "phase": str(run.phase),
        "reason": run.reason,
        "message": run.message,
        "attempt": run.attempt,
        "runID": run.run_id,
        "what": run.what,
        "clusterUID": run.cluster_uid,
        "backupNameInCluster": run.backup_name,
        "backupCompletionTimestamp": run.backup_completed,
        "errors": run.errors,
        "warnings": run.warnings,
    }
    return {
        name: value for name, value in (*kurators.items(), *(i for i in ours.items() if i[0] not in kurators)) if value
    }


@lru_cache(maxsize=8192)
def _parse(path: str, content: bytes) -> Record:
    data = _load_yaml(path, content)
    try:
        metadata, status = data["metadata"], data["status"]
        identity = Identity(data["kind"], metadata["namespace"], metadata["name"])
        prefix = identity.kind.lower()
        record = Record(
            identity=identity,
            spec=data["spec"],
            attempt=status["attempt"],
            source=status["source"],
            revision=status["revision"],
            requested_by=status["requestedBy"],
            recorded_at=status["recordedTimestamp"],
            phase=Phase(status["phase"]),
            conditions=tuple(_parse_condition(item) for item in status["conditions"]),
            runs=tuple(_parse_run(prefix, identity.namespace, item) for item in status[f"{prefix}Details"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{path}: not a record of this version ({error!r}); restore the file from git") from error
    if identity.kind not in PLURALS or path_of(identity) != path:
        raise RecordError(f"{path}: holds the record of {identity}; restore the file from git")
    return record


def _parse_condition(item: Mapping[str, Any]) -> Condition:
    return Condition(
        item["type"], item["status"] == "True", item["reason"], item["message"], item["lastTransitionTime"]
    )


def _parse_run(prefix: str, namespace: str, item: Mapping[str, Any]) -> Run:
    return Run(
        cluster=ClusterId(namespace, item["clusterKind"], item["clusterName"]),
        phase=Phase(item["phase"]),
        object_name=item[f"{prefix}NameInCluster"],
        run_id=item["runID"],
        what=item["what"],
        attempt=item["attempt"],
        reason=item.get("reason", ""),
        message=item.get("message", ""),
        cluster_uid=item.get("clusterUID", ""),
        backup_name="" if prefix == "backup" else item.get("backupNameInCluster", ""),
        backup_completed=item.get("backupCompletionTimestamp", ""),
        status=item.get(f"{prefix}StatusInCluster", {}),
        errors=item.get("errors", 0),
        warnings=item.get("warnings", 0),
    )


class _Loader(yaml.CSafeLoader):
    """libyaml, with every timestamp left as the text it is."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.CSafeDumper):
    """libyaml, without anchors for values that occur twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _load_yaml(path: str, content: bytes) -> Any:
    try:
        return yaml.load(content, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise RecordError(f"{path}: not YAML ({error}); restore the file from git") from error


def _dump_yaml(data: Any) -> bytes:
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 16)
    return (HEADER + text).encode()
