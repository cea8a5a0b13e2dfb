"""Options of a command, frozen and checked once. Made by `cli`, read by everything that touches the outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import SettingsError
from reconciler.names import LABEL, duration


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """How members are reached: a directory of mounted Secrets, or the user's own kubeconfig with named contexts."""

    kubeconfig_dir: Path | None = None
    kubeconfig: str = ""
    """Path of the user's own file, several joined by ':', empty for kubectl's default."""
    contexts: Mapping[str, str] = field(default_factory=dict)
    """cluster name → context, where they differ."""
    insecure_exec: bool = False
    velero_namespace: str = "velero"

    def __post_init__(self) -> None:
        if not LABEL.fullmatch(self.velero_namespace):
            raise SettingsError(f"--velero-namespace {self.velero_namespace!r} is no name of a namespace")
        if self.kubeconfig_dir and (self.kubeconfig or self.contexts):
            raise SettingsError("--kubeconfig-dir goes neither with --kubeconfig nor with --context; choose one")
        if self.kubeconfig_dir and not self.kubeconfig_dir.is_dir():
            raise SettingsError(f"--kubeconfig-dir {self.kubeconfig_dir} is no directory")


def parse_contexts(pairs: tuple[str, ...]) -> dict[str, str]:
    """`CLUSTER=CONTEXT` options. Raises SettingsError where one has no '=' or a cluster is named twice."""
    contexts: dict[str, str] = {}
    for pair in pairs:
        cluster, separator, context = pair.partition("=")
        if not (separator and cluster and context):
            raise SettingsError(f"--context {pair!r}: write CLUSTER=CONTEXT")
        if cluster in contexts:
            raise SettingsError(f"--context names {cluster} twice")
        contexts[cluster] = context
    return contexts


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What a pass may do."""

    velero_namespace: str = "velero"
    allow_mass_removal: bool = False
    accept_rewrite: bool = False
    """The history was rewritten, so what is on the members is listed again."""


@dataclass(frozen=True, slots=True)
class OnceSettings:
    """How long `sync --once` goes on."""

    wait: bool = True
    timeout_seconds: float = 1800.0


def parse_timeout(text: str) -> float:
    """Seconds from a duration as in 90s, 30m, 2h. Raises SettingsError."""
    try:
        return duration(text).total_seconds()
    except ValueError as error:
        raise SettingsError(f"--timeout: {error}") from error
