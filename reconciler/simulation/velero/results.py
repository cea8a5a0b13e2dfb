"""Errors and warnings of a backup or restore, in the shape of Velero's results files (`pkg/util/results`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Texts:
    """Texts about Velero itself, about cluster-scoped objects, and by namespace."""

    velero: list[str] = field(default_factory=list)
    cluster: list[str] = field(default_factory=list)
    namespaces: dict[str, list[str]] = field(default_factory=dict)

    def add(self, namespace: str, text: str) -> None:
        (self.namespaces.setdefault(namespace, []) if namespace else self.cluster).append(text)

    def __len__(self) -> int:
        return len(self.velero) + len(self.cluster) + sum(map(len, self.namespaces.values()))

    def plain(self) -> dict[str, Any]:
        """Without what is empty."""
        found = {"velero": self.velero, "cluster": self.cluster, "namespaces": self.namespaces}
        return {name: texts for name, texts in found.items() if texts}


@dataclass(slots=True)
class Results:
    """Both kinds, and the log that is kept with them."""

    errors: Texts = field(default_factory=Texts)
    warnings: Texts = field(default_factory=Texts)
    lines: list[str] = field(default_factory=list)

    def log(self, when: str, level: str, message: str) -> None:
        """A line as logrus writes it."""
        quoted = message.replace("\\", "\\\\").replace('"', '\\"')
        self.lines.append(f'time="{when}" level={level} msg="{quoted}"')

    def plain(self) -> dict[str, Any]:
        return {"errors": self.errors.plain(), "warnings": self.warnings.plain()}

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)
