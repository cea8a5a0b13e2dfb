"""Options of a command, frozen and checked once. Made by `cli`, read by everything that touches the outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal

from reconciler.errors import SettingsError
from reconciler.names import LABEL, duration
from reconciler.plan.shards import WHOLE, Shard, shard

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the credentials of its service account, and its namespace."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What a pod finds of the cluster that it runs on: the API server's URL, and a folder with `token` and `ca.crt`."""

    server: str
    directory: Path = SERVICE_ACCOUNT


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """How members are reached: a directory of mounted Secrets, the hub's Secrets, or the user's own kubeconfig."""

    kubeconfig_dir: Path | None = None
    kubeconfig: str = ""
    """Path of the user's own file, several joined by ':', empty for kubectl's default."""
    contexts: Mapping[str, str] = field(default_factory=dict)
    """cluster name → context, where they differ."""
    insecure_exec: bool = False
    velero_namespace: str = "velero"
    hub: Path | ServiceAccount | None = None
    """The cluster whose Secrets hold the kubeconfigs, by a kubeconfig for it, or from a pod that runs there."""

    def __post_init__(self) -> None:
        if not LABEL.fullmatch(self.velero_namespace):
            raise SettingsError(f"--velero-namespace {self.velero_namespace!r} is no name of a namespace")
        if self.kubeconfig_dir and (self.kubeconfig or self.contexts):
            raise SettingsError("--kubeconfig-dir goes neither with --kubeconfig nor with --context; choose one")
        if self.kubeconfig_dir and not self.kubeconfig_dir.is_dir():
            raise SettingsError(f"--kubeconfig-dir {self.kubeconfig_dir} is no directory")
        if self.hub and (self.kubeconfig_dir or self.kubeconfig or self.contexts):
            raise SettingsError(
                "--hub-kubeconfig goes with none of --kubeconfig-dir, --kubeconfig and --context; choose one"
            )
        if isinstance(self.hub, Path) and not self.hub.is_file():
            raise SettingsError(f"--hub-kubeconfig {self.hub} is no file")


def service_account(environment: Mapping[str, str], directory: Path = SERVICE_ACCOUNT) -> ServiceAccount | None:
    """That of the pod in which we run; None where we run in none, or it has no token."""
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    port = environment.get("KUBERNETES_SERVICE_PORT", "")
    if not (host and port and (directory / "token").is_file()):
        return None
    return ServiceAccount(f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}", directory)


def default_hub(
    settings: MemberSettings, environment: Mapping[str, str], directory: Path = SERVICE_ACCOUNT
) -> MemberSettings:
    """With the hub on which this pod runs, where nothing says how members are reached. KUBECONFIG says it, too."""
    said = settings.hub or settings.kubeconfig_dir or settings.kubeconfig or settings.contexts
    if said or environment.get("KUBECONFIG"):
        return settings
    return replace(settings, hub=service_account(environment, directory))


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


def undeclared(contexts: Mapping[str, str], clusters: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each cluster that `--context` names and that is none of these: a slip of the pen, most likely."""
    known = sorted(set(clusters))
    missing = [name for name in contexts if name not in known]
    near = {name: get_close_matches(name, known, 1) for name in missing}
    return tuple(
        f"--context {name}={contexts[name]} is for nothing: no cluster {name} is declared"
        + (f"; did you mean {near[name][0]}?" if near[name] else "")
        for name in missing
    )


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What a pass may do."""

    velero_namespace: str = "velero"
    allow_mass_removal: bool = False
    accept_rewrite: bool = False
    """The history was rewritten, so what is on the members is listed again."""
    schedule_refresh: timedelta = timedelta(hours=1)
    """How often Schedules that need nothing are looked at, and their latest backups recorded."""
    release_after: timedelta = timedelta(seconds=90)
    """How long a Restore keeps our finalizer after the ledger called it begun: longer than another process can still
    send a create for what it read before (60 s, and 20 s for the request)."""
    shard: Shard = WHOLE
    """Which objects are looked after: those of some fleets, the others being another process's."""


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """How `sync` goes on for months: what wakes it, and where it shows how it fares."""

    interval_seconds: float = 30.0
    """How often a remote is asked where the branch stands, give or take a tenth."""
    listen: str = ""
    """`HOST:PORT` of metrics, health and webhook; empty for none."""
    webhook_secret_file: Path | None = None
    log_format: Literal["text", "json"] = "text"
    log_level: str = "info"
    notify_file: Path | None = None
    """A file of URLs that notifications go to."""
    leader_elect: bool = False
    lease_namespace: str = ""
    events: bool = False
    """Post Events on the hub."""

    def __post_init__(self) -> None:
        if self.interval_seconds < 1:
            raise SettingsError("--interval is at least 1s")
        if self.webhook_secret_file and not self.listen:
            raise SettingsError("--webhook-secret-file goes with --listen HOST:PORT, where the webhook is served")


@dataclass(frozen=True, slots=True)
class OnceSettings:
    """How long `sync --once` goes on."""

    wait: bool = True
    timeout_seconds: float = 1800.0


def parse_shard(text: str) -> Shard:
    """`I/N`, as in 1/3. Raises SettingsError."""
    try:
        return shard(text)
    except ValueError as error:
        raise SettingsError(f"--shard: {error}") from error


def parse_timeout(text: str) -> float:
    """Seconds from a duration as in 90s, 30m, 2h. Raises SettingsError."""
    return _parse("--timeout", text).total_seconds()


def parse_interval(text: str) -> float:
    """As `parse_timeout`."""
    return _parse("--interval", text).total_seconds()


def parse_refresh(text: str) -> timedelta:
    """As `parse_timeout`."""
    return _parse("--schedule-refresh", text)


def parse_release(text: str) -> timedelta:
    """As `parse_timeout`, and 0 for at once."""
    return timedelta() if text in ("0", "0s") else _parse("--release-after", text)


def _parse(option: str, text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise SettingsError(f"{option}: {error}") from error
