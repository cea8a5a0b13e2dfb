"""What people write: the files of a repository as values, their YAML, and the changes that people make to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

MEMBERS: Final = ("m1", "m2")
BROKEN: Final = "apiVersion: backup.kurator.dev/v1alpha1\nkind: [\n"
PAUSED: Final = ".reconciler-paused"
FLEET: Final = (
    "".join(
        f"""apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {{name: {name}, namespace: default}}
spec: {{kubeconfig: {{name: {name}, key: value}}}}
---
"""
        for name in MEMBERS
    )
    + """apiVersion: fleet.kurator.dev/v1alpha1
kind: Fleet
metadata: {name: f, namespace: default}
spec: {clusters: [{name: m1, kind: AttachedCluster}, {name: m2, kind: AttachedCluster}]}
"""
)


@dataclass(frozen=True, slots=True)
class Wish:
    """One Backup or Restore as its file asks for it. `edited` changes what is restored; `only`: one member, or all."""

    kind: str
    name: str
    attempt: int = 1
    edited: bool = False
    suspended: bool = False
    only: str = ""
    everywhere: bool = False
    """`rerun: All`."""
    schedule: str = ""

    @property
    def clusters(self) -> tuple[str, ...]:
        return (self.only,) if self.only else MEMBERS

    @property
    def path(self) -> str:
        """Where it is put at first."""
        return f"{self.kind.lower()}s/{self.name}.yaml"

    def asks_for(self, spec: Mapping[str, object]) -> bool:
        """Whether a Velero object with that spec is what is wanted."""
        if self.kind == "Backup":
            return spec.get("ttl") == ("48h0m0s" if self.edited else None)
        return spec.get("existingResourcePolicy") == ("update" if self.edited else None)

    def yaml(self) -> str:
        clusters = f", clusters: [{{kind: AttachedCluster, name: {self.only}}}]" if self.only else ""
        lines = [
            "apiVersion: backup.kurator.dev/v1alpha1",
            f"kind: {self.kind}",
            f"metadata: {{name: {self.name}, namespace: default}}",
            "spec:",
            "  backupName: base" if self.kind == "Restore" else "  # what is backed up",
            f"  destination: {{fleet: f{clusters}}}" if self.kind == "Backup" or self.only else "  # everywhere",
        ]
        lines += [f"  attempt: {self.attempt}"] if self.attempt > 1 else []
        lines += ["  suspend: true"] if self.suspended else []
        lines += ["  rerun: All"] if self.everywhere else []
        lines += [f'  schedule: "{self.schedule}"'] if self.schedule else []
        if self.kind == "Backup":
            ttl = ", ttl: 48h0m0s" if self.edited else ""
            lines += [f"  policy: {{resourceFilter: {{includedNamespaces: [a]}}{ttl}}}"]
        elif self.edited:
            lines += ["  policy: {existingResourcePolicy: update}"]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Tree:
    """All that people have at a commit: by path a wish, None where the file is broken."""

    files: Mapping[str, Wish | None]
    paused: bool = False

    @property
    def sound(self) -> bool:
        return all(self.files.values())

    def wish(self, kind: str, name: str) -> Wish | None:
        found = [wish for wish in self.files.values() if wish and (wish.kind, wish.name) == (kind, name)]
        return found[0] if len(found) == 1 else None

    def place(self, kind: str, name: str) -> str:
        """The file that it stands in, or where it would be put."""
        for path, wish in self.files.items():
            if wish and (wish.kind, wish.name) == (kind, name):
                return path
        return Wish(kind, name).path

    def put(self, path: str, wish: Wish | None) -> Tree:
        return replace(self, files={**self.files, path: wish})

    def without(self, path: str) -> Tree:
        return replace(self, files={name: wish for name, wish in self.files.items() if name != path})

    def text(self, path: str) -> str:
        wish = self.files[path]
        return BROKEN if wish is None else wish.yaml()

    def contents(self) -> dict[str, str]:
        """Path → content of all that people write."""
        made = {path: self.text(path) for path in self.files}
        return {"fleets/f.yaml": FLEET, **made, **({PAUSED: ""} if self.paused else {})}


BASE: Final = Wish("Backup", "base")
FIRST: Final = Tree({BASE.path: BASE})
OBJECTS: Final = {
    "r1": Wish("Restore", "r1"),
    "r2": Wish("Restore", "r2"),
    "extra": Wish("Backup", "extra"),
    "nightly": Wish("Backup", "nightly", schedule="0 3 * * *"),
}
CHANGES: Final = (
    "add", "edit", "raise", "raise on all", "raise, edited", "lower", "suspend", "narrow", "rename", "delete", "break",
    "pause", "nothing",
)  # fmt: skip


def change(tree: Tree, how: str, fresh: Wish) -> Tree:
    """The tree after a commit; as it was where the change does not fit. `fresh`: the object, as it is added."""
    path = tree.place(fresh.kind, fresh.name)
    wish = tree.files.get(path)
    if how == "pause":
        return replace(tree, paused=not tree.paused)
    if path not in tree.files:
        return tree.put(path, fresh) if how in ("add", "rename", "raise") else tree
    if wish is None:
        return tree.put(path, fresh) if how in ("add", "edit") else tree
    if wish.schedule and how.startswith(("raise", "lower")):
        return tree  # a Schedule has no attempts
    changed = {
        "edit": replace(wish, edited=not wish.edited),
        "raise": replace(wish, attempt=wish.attempt + 1),
        "raise on all": replace(wish, attempt=wish.attempt + 1, everywhere=True),
        "raise, edited": replace(wish, attempt=wish.attempt + 1, edited=not wish.edited),
        "lower": replace(wish, attempt=max(1, wish.attempt - 1)),
        "suspend": replace(wish, suspended=not wish.suspended),
        "narrow": replace(wish, only="" if wish.only else MEMBERS[wish.attempt % 2]),
    }
    if how in changed:
        return tree.put(path, changed[how])
    match how:
        case "rename":
            other = fresh.path if path != fresh.path else fresh.path.replace(".yaml", "-moved.yaml")
            return tree.without(path).put(other, wish)
        case "delete":
            return tree.without(path)
        case "break":
            return tree.put(path, None)
    return tree
