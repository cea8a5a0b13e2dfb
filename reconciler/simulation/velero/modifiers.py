"""Resource modifiers: rules in a ConfigMap by which a restore changes objects before it creates them.

Called by `restores` (reading) and `restoring` (applying). Facts: `internal/resourcemodifiers`. A strategic patch is
applied as a merge patch, which differs for lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

import yaml

from reconciler.simulation.cluster import Object
from reconciler.simulation.velero import patches
from reconciler.simulation.velero.filters import Filter, selected

_VERSION: Final = "v1"
_RULE: Final = {"conditions", "patches", "mergePatches", "strategicPatches"}
_OPERATIONS: Final = ("add", "remove", "replace", "test", "move", "copy")


class ModifierError(Exception):
    """What is wrong with the ConfigMap; the text goes into the restore's validation errors."""


def read(config: Object, where: str) -> tuple[dict[str, Any], ...]:
    """The rules."""
    before = f"Error in parsing resource modifiers provided in configmap {where}: "
    data = config.get("data") or {}
    if len(data) != 1:
        raise ModifierError(f"{before}illegal resource modifiers {where} configmap")
    failed = f"{before}failed to decode yaml data into resource modifiers, err: "
    try:
        found = yaml.safe_load(next(iter(data.values())))
    except yaml.YAMLError as error:
        raise ModifierError(failed + " ".join(str(error).split())) from error
    rules = found.get("resourceModifierRules") if isinstance(found, dict) else None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) and set(rule) <= _RULE for rule in rules):
        raise ModifierError(f"{failed}error unmarshaling JSON")
    _validate(found, rules, f"Validation error in resource modifiers provided in configmap {where}: ")
    return tuple(rules)


def _validate(found: Mapping[str, Any], rules: list[Any], before: str) -> None:
    if found.get("version") != _VERSION:
        raise ModifierError(f"{before}unsupported resource modifier version {found.get('version') or ''}")
    for rule in rules:
        conditions = rule.get("conditions") or {}
        if not conditions.get("groupResource"):
            raise ModifierError(f"{before}groupkResource cannot be empty")
        if sum(bool(rule.get(kind)) for kind in ("patches", "mergePatches", "strategicPatches")) > 1:
            raise ModifierError(f"{before}only one of patches, mergePatches, strategicPatches can be specified")
        for patch in rule.get("patches") or ():
            if patch.get("operation") not in _OPERATIONS:
                raise ModifierError(f"{before}invalid operation: {patch.get('operation')}")


def apply(rules: tuple[dict[str, Any], ...], obj: Object, resource: str) -> tuple[Object, list[str]]:
    """The object as the rules leave it, and what went wrong."""
    origin, wrong = obj, []
    for rule in rules:
        try:
            if _matches(rule.get("conditions") or {}, origin, resource):
                obj = _patched(rule, obj)
        except patches.PatchError as error:
            wrong.append(f"error in applying patch {error}")
    return obj, wrong


def _matches(conditions: Mapping[str, Any], obj: Object, resource: str) -> bool:
    metadata = obj["metadata"]
    namespace = metadata.get("namespace", "")
    if namespace and namespace not in Filter(tuple(conditions.get("namespaces") or ())):
        return False
    if not fnmatchcase(resource, conditions["groupResource"]):
        return False
    if not re.search(conditions.get("resourceNameRegex") or "", metadata["name"]):
        return False
    if not selected(metadata.get("labels") or {}, conditions.get("labelSelector")):
        return False
    try:
        for match in conditions.get("matches") or ():
            patches.apply(obj, "test", match["path"], _value(match.get("value", "")), "")
    except patches.TestFailed:
        return False
    return True


def _patched(rule: Mapping[str, Any], obj: Object) -> Object:
    changed: Object = yaml.safe_load(yaml.safe_dump(obj))
    for patch in rule.get("patches") or ():
        value, source = _value(patch.get("value", "")), patch.get("from", "")
        patches.apply(changed, patch["operation"], patch["path"], value, source)
    for patch in (*(rule.get("mergePatches") or ()), *(rule.get("strategicPatches") or ())):
        changed = patches.merged(changed, yaml.safe_load(patch.get("patchData", "")) or {})
    return changed


def _value(text: Any) -> Any:
    """Values are strings; one that is a number, a truth value, null, or quoted JSON is taken for that."""
    if not isinstance(text, str):
        return text
    if text == "null" or re.fullmatch(r"-?\d+(\.\d+)?|true|false", text) or text[:1] in ('"', "{", "["):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError:
            return text
    return text
