"""Records as files, in the shape of `kubectl get -o yaml` of a Kurator object."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from reconciler.errors import RecordError
from reconciler.records.model import (
    LEDGER_PATH,
    PLURALS,
    RECORD_VERSION,
    Ledger,
    Phase,
    Record,
    Recorded,
    path_of,
)
from reconciler.records.parts import (
    dump_condition,
    dump_run,
    dump_schedule,
    parse_condition,
    parse_run,
    parse_schedule,
)
from reconciler.records.yamls import dump_yaml, load_yaml
from reconciler.resources import BACKUP_GROUP, VERSION, Identity

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
    data = load_yaml(LEDGER_PATH, content)
    try:
        ledger = Ledger(
            id=str(data["id"]),
            branch=str(data["branch"]),
            path=str(data["path"]),
            status_branch=str(data.get("statusBranch", "")),
            version=int(data["version"]),
        )
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
    return dump_yaml(data | ({"statusBranch": ledger.status_branch} if ledger.status_branch else {}))


def dump(record: Record) -> bytes:
    """A record's file, the same bytes for the same record."""
    return dump_yaml(as_object(record))


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
            **({"mergedBy": record.merged_by} if record.merged_by else {}),
            **({"approvedBy": list(record.approved_by)} if record.approved_by else {}),
            "recordedTimestamp": record.recorded_at,
            "conditions": [dump_condition(condition) for condition in record.conditions],
            f"{kind.lower()}Details": [
                *(dump_run(kind.lower(), run) for run in record.runs),
                *(dump_schedule(schedule) for schedule in record.schedules),
            ],
        },
    }


@lru_cache(maxsize=8192)
def _parse(path: str, content: bytes) -> Record:
    data = load_yaml(path, content)
    try:
        metadata, status = data["metadata"], data["status"]
        identity = Identity(data["kind"], metadata["namespace"], metadata["name"])
        prefix = identity.kind.lower()
        details = status[f"{prefix}Details"]
        record = Record(
            identity=identity,
            spec=data["spec"],
            attempt=status["attempt"],
            source=status["source"],
            revision=status["revision"],
            requested_by=status["requestedBy"],
            recorded_at=status["recordedTimestamp"],
            phase=Phase(status["phase"]),
            conditions=tuple(parse_condition(item) for item in status["conditions"]),
            runs=tuple(parse_run(prefix, identity.namespace, i) for i in details if "scheduleNameInCluster" not in i),
            schedules=tuple(parse_schedule(identity.namespace, i) for i in details if "scheduleNameInCluster" in i),
            merged_by=status.get("mergedBy", ""),
            approved_by=tuple(status.get("approvedBy", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{path}: not a record of this version ({error!r}); restore the file from git") from error
    if identity.kind not in PLURALS or path_of(identity) != path:
        raise RecordError(f"{path}: holds the record of {identity}; restore the file from git")
    return record
