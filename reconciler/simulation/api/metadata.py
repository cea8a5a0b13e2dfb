"""What holds for the metadata of every object: names, labels, finalizers, and what a client can't change.

The rules and their texts are those of apimachinery's validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reconciler.simulation.api.statuses import Cause
from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SERVICE = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_QUALIFIED})?"
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    f" an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    f" end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_SERVICE_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    f" '{_SERVICE}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    f" character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '{_VALUE}')"
)
_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")
_PATH_SEGMENTS = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
_UNQUALIFIED = "name is neither a standard finalizer name nor is it fully qualified"
_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp")


def quoted(value: object) -> str:
    """As Go's %q shows it."""
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def invalid_value(field: str, value: object, why: str) -> Cause:
    return Cause(field, f"Invalid value: {quoted(value)}: {why}")


def check(kind: Kind, metadata: Object) -> list[Cause]:
    """All that is wrong with the metadata of an object that is written."""
    causes = []
    name = metadata.get("name") or ""
    if not name:
        causes.append(Cause("metadata.name", "Required value: name or generateName is required"))
    else:
        causes += [invalid_value("metadata.name", name, why) for why in _name(kind, name)]
    for key in metadata.get("annotations") or {}:
        causes += [invalid_value("metadata.annotations", key, why) for why in qualified_name(key.lower(), key)]
    for key, value in (metadata.get("labels") or {}).items():
        causes += [invalid_value("metadata.labels", key, why) for why in qualified_name(key)]
        causes += [invalid_value("metadata.labels", value, why) for why in label_value(value)]
    for i, finalizer in enumerate(metadata.get("finalizers") or ()):
        field = f"metadata.finalizers[{i}]"
        causes += [invalid_value(field, finalizer, why) for why in qualified_name(finalizer)]
        if "/" not in finalizer and finalizer not in _FINALIZERS:
            causes.append(invalid_value(field, finalizer, _UNQUALIFIED))
    return causes


def check_change(old: Object, new: Object) -> list[Cause]:
    """What of the metadata a client tried to change and can't."""
    causes = [
        invalid_value(f"metadata.{field}", new[field], "field is immutable")
        for field in _IMMUTABLE
        if new.get(field) and new[field] != old.get(field)
    ]
    added = [each for each in new.get("finalizers") or () if each not in (old.get("finalizers") or ())]
    if old.get("deletionTimestamp") and added:
        listed = ", ".join(quoted(each) for each in added)
        text = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers"
        causes.append(Cause("metadata.finalizers", f"{text} []string{{{listed}}}"))
    return [cause for cause in causes for _ in range(2)]  # a real server runs this check twice, and says so


def _name(kind: Kind, name: str) -> Iterator[str]:
    plural = kind.type.plural
    if plural in _PATH_SEGMENTS and kind.type.group == "rbac.authorization.k8s.io":
        if name in (".", "..") or "/" in name or "%" in name:
            yield f"may not be '{name}'" if name in (".", "..") else "may not contain '/'"
    elif plural == "namespaces":
        yield from _shaped(name, 63, _LABEL, _LABEL_TEXT)
    elif plural == "services" and not kind.type.group:
        yield from _shaped(name, 63, _SERVICE, _SERVICE_TEXT)
    else:
        yield from _shaped(name, 253, _SUBDOMAIN, _SUBDOMAIN_TEXT)


def _shaped(name: str, longest: int, pattern: str, text: str) -> Iterator[str]:
    if len(name) > longest:
        yield f"must be no more than {longest} characters"
    if not re.fullmatch(pattern, name):
        yield text


def qualified_name(name: str, shown: str = "") -> Iterator[str]:
    """What is wrong with the key of a label or an annotation."""
    prefix, slash, part = name.rpartition("/")
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash:
        yield from (f"prefix part {why}" for why in _shaped(prefix, 253, _SUBDOMAIN, _SUBDOMAIN_TEXT))
    if not part:
        yield "name part must be non-empty"
    if len(part) > 63:
        yield "name part must be no more than 63 bytes"
    if not re.fullmatch(_QUALIFIED, part):
        yield _QUALIFIED_TEXT


def label_value(value: Any) -> Iterator[str]:
    """What is wrong with the value of a label."""
    if len(str(value)) > 63:
        yield "must be no more than 63 bytes"
    if not re.fullmatch(_VALUE, str(value)):
        yield _VALUE_TEXT
