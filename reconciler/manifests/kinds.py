"""What a document is: one of ours, somebody else's, or a mistake in `apiVersion` and `kind`. Called by `reading`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError

from reconciler.manifests.nodes import Flaw, Null, Tree, Unusable
from reconciler.names import bare, shown
from reconciler.resources import BACKUP_GROUP, CLUSTER_GROUP, FLEET_GROUP, KINDS, VERSION, Identity, Metadata, Resource

_GROUPS: Final = (BACKUP_GROUP, FLEET_GROUP, CLUSTER_GROUP)
_OTHER_GROUPS: Final = ("apps.kurator.dev", "pipeline.kurator.dev")
_OTHER_KINDS: Final = ((CLUSTER_GROUP, "CustomCluster"), (CLUSTER_GROUP, "CustomMachine"))
_GROUP_OF: Final = {kind: group for group, kind in KINDS} | {"Migrate": BACKUP_GROUP}


@dataclass(frozen=True, slots=True)
class Foreign:
    """A document that is none of our business; `note` says so to the user."""

    note: str


def kind_of(tree: Tree) -> type[Resource] | Foreign | Flaw | None:
    """What to read the document as; None where one of the tree's flaws already says why that can't be told."""
    if not isinstance(tree.value, dict):
        what = f"the document is {_article(tree.value)}, not an object"
        return Flaw(tree.line, what, "write each object as a document of its own, with `---` between them")
    head = {name: tree.value.get(name, Null()) for name in ("apiVersion", "kind")}
    for name, value in head.items():
        if isinstance(value, Unusable):
            return None
        if name not in tree.value:
            return Flaw(tree.line, f"`{name}` is missing", _hint(name, tree.value))
        if not isinstance(value, str) or not value:
            return Flaw(tree.lines[name,], f"`{name}` must be text", _hint(name, tree.value))
    return _kind(tree, str(head["apiVersion"]), str(head["kind"]))


def identity_of(tree: Tree) -> Identity | None:
    """The identity of a document that has an error, where its kind, namespace and name can still be told."""
    if not isinstance(tree.value, dict):
        return None
    kind, metadata = tree.value.get("kind"), tree.value.get("metadata")
    if not isinstance(kind, str) or kind not in _GROUP_OF or not isinstance(metadata, dict):
        return None
    try:
        told = Metadata.model_validate({name: metadata[name] for name in ("name", "namespace") if name in metadata})
    except ValidationError:
        return None
    return Identity(kind, told.namespace, told.name)


def _kind(tree: Tree, api_version: str, kind: str) -> type[Resource] | Foreign | Flaw:
    group, _, version = api_version.partition("/")
    if kind == "List" or (kind.endswith("List") and group in _GROUPS):
        return Flaw(tree.lines["kind",], f"a {shown(kind)} is not read", "write its items as documents")
    if (group, kind) in _OTHER_KINDS or group in _OTHER_GROUPS:
        return Foreign(f"{bare(kind)} ignored: not one of the kinds of Kurator that are read here")
    if group not in _GROUPS:
        return _other_group(tree, group, kind)
    if kind == "Migrate":
        return Flaw(tree.lines["kind",], "a Migrate is not supported by this version", "use a Backup and a Restore")
    if kind not in _GROUP_OF:
        return Flaw(tree.lines["kind",], f"{group} has no kind {shown(kind)}", suggestion(kind, _GROUP_OF))
    if group != _GROUP_OF[kind] or version != VERSION:
        what = f"{kind} is no kind of {bare(api_version)}"
        return Flaw(tree.lines["apiVersion",], what, f"write `apiVersion: {_GROUP_OF[kind]}/{VERSION}`")
    return KINDS[group, kind]


def _other_group(tree: Tree, group: str, kind: str) -> Foreign | Flaw:
    """Foreign, unless the group looks like a slip of the pen: that object would never run, and nobody would know."""
    if get_close_matches(group, _GROUPS, 1, 0.85) or group.endswith("kurator.dev"):
        right = f"{_GROUP_OF[kind]}/{VERSION}" if kind in _GROUP_OF else " or ".join(_GROUPS)
        return Flaw(tree.lines["apiVersion",], f"there is no API group {shown(group)}", f"write {right}")
    return Foreign(f"{bare(kind)} ignored: not one of Kurator's kinds")


def suggestion(word: str, known: object) -> str:
    """What to write instead of a word that is not known: the nearest of the known ones, or all of them."""
    names = sorted(str(name) for name in known) if isinstance(known, list | tuple | dict | set) else []
    near = get_close_matches(word, names, 1, 0.6)
    return f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names)}"


def _hint(name: str, value: dict[object, object]) -> str:
    kind = value.get("kind")
    if name == "kind":
        return f"write one of {', '.join(sorted(KINDS[key].__name__ for key in KINDS))}"
    if isinstance(kind, str) and kind in _GROUP_OF:
        return f"write `apiVersion: {_GROUP_OF[kind]}/{VERSION}`"
    return f"write the API that the object is of, as in `apiVersion: {BACKUP_GROUP}/{VERSION}`"


def _article(value: object) -> str:
    return "a list" if isinstance(value, list) else "a single value"
