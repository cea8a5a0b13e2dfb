"""What Velero wrote about a run into the object storage: error and warning texts, and what became of each object.

Called by `members` with what it downloaded. Facts: Velero's `pkg/util/results` and, for the resource list,
`pkg/restore/request.go`; "skipped" and a "failed" that is only a warning were seen on a 1.18.3 server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from reconciler.records import Items, Texts
from reconciler.velero.plainly import line, mapping, sequence, word

_TEXT_LIMIT: Final = 1000
_LIMIT: Final = 100
_ENTRY: Final = re.compile(r"(?P<name>.+)\((?P<action>[a-z]+)\)", re.DOTALL)
_ACTIONS: Final = {"created": "created", "updated": "updated", "skipped": "equal"}
# `could not restore, ConfigMap:plain already exists. Warning: the in-cluster version is different …`; with a policy
# the object reads `ConfigMap "plain"`.
_DIFFERS: Final = re.compile(r"(\w+)(?::| \")([^\s\"]+)\"? already exists\. Warning: the in-cluster version")
# `error getting resource from lister for serviceaccounts, copy/default: serviceaccounts "default" not found`: the
# create found it there, the server's cache not yet (pkg/restore/restore.go; a race with the cluster's controllers).
_UNSEEN: Final = re.compile(r"error getting resource from lister for (\w+), (?:[^\s/]+/)?([^\s:]+): ")


def texts(results: Mapping[str, Any], resources: Mapping[str, Any] | None = None) -> Texts:
    """Errors and warnings out of a results file: `{"errors": {"velero": [], "cluster": [], "namespaces": {}}, …}`.

    With the resource list of a Restore, `{"v1/ConfigMap": ["namespace/name(created)"]}`, also what became of each
    object. At most 100 texts and names of each sort are kept, each text at most 1,000 characters; what was left out is
    said in the note, and all objects are counted.
    """
    errors, warnings = list(_lines(results.get("errors"))), list(_lines(results.get("warnings")))
    dropped = sum(max(0, len(lines) - _LIMIT) for lines in (errors, warnings))
    note = f"{dropped} more; `velero restore describe --details` on the cluster shows all" if dropped else ""
    found = Texts(_capped(errors), _capped(warnings), note)
    return found if resources is None else _with_items(found, resources, warnings)


def _lines(result: Any) -> Iterator[tuple[str, str]]:
    told = mapping(result)
    groups = [("velero", told.get("velero")), ("cluster", told.get("cluster"))]
    groups += sorted(mapping(told.get("namespaces")).items())
    return ((word(where), str(text)) for where, found in groups for text in sequence(found))


def _capped(lines: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((where, line(text, _TEXT_LIMIT)) for where, text in lines[:_LIMIT])


def _with_items(found: Texts, resources: Mapping[str, Any], warnings: list[tuple[str, str]]) -> Texts:
    """An object that is there and differs is listed as failed, like one that could not be restored or compared; a
    warning tells them apart."""
    differing = {(kind, where, name) for where, text in warnings for kind, name in _DIFFERS.findall(text)}
    unseen = {(plural, where, name) for where, text in warnings for plural, name in _UNSEEN.findall(text)}
    names: dict[str, list[str]] = {}
    for kind, namespace, name, action in _entries(resources):
        where = namespace or "cluster"
        left = "not_restored" if (kind, where, name) in differing else "failed"
        if any((plural, where, name) in unseen for plural in _plurals(kind)):
            left = "not_compared"
        sort = _ACTIONS.get(action, left)
        names.setdefault(sort, []).append(line(f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"))
    counts = {sort: len(all_names) for sort, all_names in names.items()}
    kept = {sort: tuple(sorted(all_names)[:_LIMIT]) for sort, all_names in sorted(names.items())}
    return replace(found, items=Items(**counts), names=kept)


def _plurals(kind: str) -> tuple[str, ...]:
    """What the API may call objects of a kind."""
    lowered = kind.lower()
    return f"{lowered}s", f"{lowered}es", f"{lowered.removesuffix('y')}ies"


def _entries(resources: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """(kind, namespace, name, action) of each object; names in full, which may be longer than a line."""
    for kind, entries in sorted(resources.items()):
        for entry in sequence(entries):
            found = _ENTRY.fullmatch(entry) if isinstance(entry, str) else None
            if found:
                namespace, _, name = found["name"].rpartition("/")
                yield word(kind).rpartition("/")[2], namespace, name, found["action"]
