"""What people write: the files of a repository as values, their YAML, and what they ask for taken together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from tests.scenarios import objects

FIRST_MEMBERS: Final = ("m1", "m2")
LATER: Final = "m3"
"""It is declared by no file at first."""
MEMBERS: Final = (*FIRST_MEMBERS, LATER)
FLEET_PATH: Final = "fleets/f.yaml"
BROKEN: Final = "apiVersion: backup.kurator.dev/v1alpha1\nkind: [\n"
PAUSED: Final = ".reconciler-paused"
DAILY: Final = "0 3 * * *"


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
    of: str = ""
    """The Backup that a Restore restores."""

    @property
    def path(self) -> str:
        """Where it is put at first."""
        return f"{self.kind.lower()}s/{self.name}.yaml"

    @property
    def content(self) -> tuple[str, ...]:
        """What is backed up or restored, whatever its destination and attempt."""
        return (self.kind, self.of, self.schedule, "edited" if self.edited else "")

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
            f"  backupName: {self.of}" if self.kind == "Restore" else "  # what is backed up",
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
    """All that people have at a commit: by path the wishes of a file, None where it is broken.

    `declared`: the AttachedClusters, and `fleet` those of them that are in it; all in one file, which may be `lost`.
    """

    files: Mapping[str, tuple[Wish, ...] | None]
    paused: bool = False
    declared: tuple[str, ...] = FIRST_MEMBERS
    fleet: tuple[str, ...] = FIRST_MEMBERS
    lost: bool = False
    """The file of the fleet is broken."""

    @property
    def sound(self) -> bool:
        return all(self.files.values()) and not self.lost

    def wishes(self) -> Iterator[Wish]:
        for wishes in self.files.values():
            yield from wishes or ()

    def wish(self, kind: str, name: str) -> Wish | None:
        return next((wish for wish in self.wishes() if (wish.kind, wish.name) == (kind, name)), None)

    def clusters(self, wish: Wish) -> tuple[str, ...]:
        """Where it is to run; nowhere where what it names is not there."""
        if wish.kind == "Backup":
            known = () if self.lost else self.fleet
        else:
            of = self.wish("Backup", wish.of)
            known = self.clusters(of) if of else ()
        return tuple(cluster for cluster in known if wish.only in ("", cluster))

    def asks(self, kind: str, name: str, cluster: str) -> bool:
        wish = self.wish(kind, name)
        return wish is not None and cluster in self.clusters(wish)

    def withdraws(self, kind: str, name: str, cluster: str) -> bool:
        """Whether it is told beyond doubt that this is not to be there. What has an error tells nothing."""
        wish = self.wish(kind, name)
        if wish is None:
            return self.sound
        there = self.clusters(wish)
        return bool(there) and cluster not in there

    def removes(self, name: str, cluster: str) -> bool:
        """Whether it is told beyond doubt that no Schedule of that Backup is to be there: in no file is an error."""
        wish = self.wish("Backup", name)
        scheduled = wish is None or bool(wish.schedule)  # else its file is refused, and nothing is told
        return self.sound and scheduled and self.withdraws("Backup", name, cluster)

    def place(self, kind: str, name: str) -> str:
        """The file that it stands in, or where it would be put."""
        for path, wishes in self.files.items():
            if any((wish.kind, wish.name) == (kind, name) for wish in wishes or ()):
                return path
        return Wish(kind, name).path

    def put(self, path: str, *wishes: Wish) -> Tree:
        """With a file of these; without any, with one that is broken."""
        return replace(self, files={**self.files, path: wishes or None})

    def without(self, path: str) -> Tree:
        return replace(self, files={name: wishes for name, wishes in self.files.items() if name != path})

    def contents(self) -> dict[str, str]:
        """Path → content of all that people write."""
        made = {
            path: BROKEN if wishes is None else "---\n".join(wish.yaml() for wish in wishes)
            for path, wishes in self.files.items()
        }
        fleet = BROKEN if self.lost else _fleet(self.declared, self.fleet)
        return {FLEET_PATH: fleet, **made, **({PAUSED: ""} if self.paused else {})}


BASE: Final = Wish("Backup", "base")
FIRST: Final = Tree({BASE.path: (BASE,)})
OBJECTS: Final = {
    "r1": Wish("Restore", "r1", of="base"),
    "r2": Wish("Restore", "r2", of="base"),
    "r3": Wish("Restore", "r3", of="extra"),
    "extra": Wish("Backup", "extra"),
    "nightly": Wish("Backup", "nightly", schedule=DAILY),
}
CROWDS: Final = {
    "restores/crowd.yaml": tuple(Wish("Restore", f"c{number}", only="m2", of="base") for number in range(6)),
    "backups/crowd.yaml": tuple(Wish("Backup", f"c{number}", only="m2", schedule=DAILY) for number in range(6)),
}
"""More than five objects, so many that their removal at one stroke needs a word."""


@lru_cache
def _fleet(declared: tuple[str, ...], fleet: tuple[str, ...]) -> str:
    named = ", ".join(f"{{name: {name}, kind: AttachedCluster}}" for name in fleet)
    return f"""{objects.clusters(declared)}apiVersion: fleet.kurator.dev/v1alpha1
kind: Fleet
metadata: {{name: f, namespace: default}}
spec: {{clusters: [{named}]}}
"""
