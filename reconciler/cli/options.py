"""Options that several commands have, each also an environment variable, and how a repository is opened from them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from reconciler.repository import Repository, Tracked
    from reconciler.settings import DaemonSettings, MemberSettings, SyncSettings

F = TypeVar("F", bound=Callable[..., Any])
KINDS: Final = {"backup": "Backup", "backups": "Backup", "restore": "Restore", "restores": "Restore"}
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


def options(*several: Callable[[F], F]) -> Callable[[F], F]:
    """Several as one decorator, shown in this order."""

    def decorate(function: F) -> F:
        for one in reversed(several):
            function = one(function)
        return function

    return decorate


def option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """An option that is also RECONCILER_<NAME>, the same for every command."""
    variable = max(names, key=len).split("/")[0].lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=f"RECONCILER_{variable}", **attributes)


repository_options = options(
    option("--repo", default=".", show_default=True, metavar="PATH|URL", help="The repository."),
    option("--branch", default="", help="The tracked branch (default: the one checked out; of a URL, its default)."),
    option("--path", default="", help="The folder that holds fleets/, backups/, restores/ (default: the root)."),
    option("--status-branch", default="", metavar="NAME", help="Keep status/ on a branch of its own, not on --branch."),
    option("--local", is_flag=True, help="Ignore the branch's upstream: the local branch is the ledger."),
    option("--accept-rewrite", is_flag=True, help="Go on although the history that was recorded was rewritten."),
    option("--git-token-file", type=_FILE, help="A token for https, or user:password; read anew for each git call."),
    option(
        "--git-username", default="", metavar="NAME", help="What goes with the token (default: as the forge has it)."
    ),
    option("--git-ca-file", type=_FILE, help="The CA of the https server, as PEM."),
    option("--ssh-key-file", type=_FILE, help="The private key for ssh, and no other; without a passphrase."),
    option("--ssh-known-hosts", type=_FILE, help="The host keys of ssh servers, and no others."),
    option("--committer", default="", metavar="'NAME <MAIL>'", help="Who our commits are by (default: as git has it)."),
    option(
        "--signing-key", default="", metavar="FILE|ID", help="Sign our commits: an ssh key's file, or a gpg key's id."
    ),
    option(
        "--signing-format", type=click.Choice(["ssh", "gpg"]), default="ssh", show_default=True, help="Of that key."
    ),
)
member_options = options(
    option(
        "--kubeconfig-dir", type=click.Path(path_type=Path), help="Mounted Secrets: DIR/<namespace>/<secret>/<key>."
    ),
    option(
        "--hub-kubeconfig",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="For the cluster whose Secrets hold the kubeconfigs (in a pod the default: the cluster that it runs on).",
    ),
    option(
        "--kubeconfig", default="", help="Your own kubeconfig (default: as kubectl), contexts named as the clusters."
    ),
    option("--context", multiple=True, metavar="CLUSTER=CONTEXT", help="The context of a cluster, where names differ."),
    option("--insecure-kubeconfig-exec", is_flag=True, help="Let kubeconfigs of Secrets run programs and read files."),
    option("--velero-namespace", default="velero", show_default=True, help="Where Velero is on the members."),
)
sync_options = options(
    option("--allow-mass-removal", is_flag=True, help="Withdraw many waiting runs, or remove many Schedules, at once."),
    option(
        "--schedule-refresh",
        default="1h",
        show_default=True,
        help="How often Schedules that need nothing are looked at.",
    ),
    option(
        "--release-after",
        default="90s",
        show_default=True,
        help="How long a Restore keeps our finalizer, lest another reconciler start it again; 0s if there is no other.",
    ),
    option("--shard", default="", metavar="I/N", help="Look after the I-th of N shares of the fleets alone."),
)
daemon_options = options(
    option("--interval", default="30s", show_default=True, help="How often a remote is asked for new commits."),
    option("--listen", default="", metavar="HOST:PORT", help="Serve /metrics, /healthz, /readyz and the webhook."),
    option(
        "--webhook-secret-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Take POST /hook, signed with the secret in this file.",
    ),
    option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the logs."),
    option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        help="What is logged.",
    ),
    option(
        "--notify-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="URLs, one a line, that are told when a restore ends or needs a person (see apprise).",
    ),
    option("--leader-elect", is_flag=True, help="Work only while holding the Lease on the hub."),
    option("--lease-namespace", default="", help="Where the Lease is (default: the pod's or the context's namespace)."),
    option("--events", is_flag=True, help="Post Events on the hub."),
)
machine_output = option("-o", "--output", type=click.Choice(["json", "yaml"]), help="For machines.")


def tracked(where: dict[str, Any], pinned: str = "") -> Tracked:
    """What the options of `repository_options` name; all imports of git wait until here."""
    from reconciler.repository import Access, Authorship, Tracked

    return Tracked(
        location=where["repo"],
        branch=where["branch"],
        path=where["path"],
        local=where["local"],
        accept_rewrite=where["accept_rewrite"],
        status_branch=where["status_branch"],
        pinned=pinned,
        access=Access(
            token_file=where.get("git_token_file"),  # shell completion knows none of these
            username=where.get("git_username", ""),
            ca_file=where.get("git_ca_file"),
            ssh_key_file=where.get("ssh_key_file"),
            ssh_known_hosts=where.get("ssh_known_hosts"),
        ),
        authorship=Authorship(
            committer=where.get("committer", ""),
            signing_key=where.get("signing_key", ""),
            signing_format=where.get("signing_format", "ssh"),
        ),
    )


def open_repository(
    where: dict[str, Any], pinned: str = "", timed: Callable[[str, float, str], None] | None = None
) -> Repository:
    """The repository that the options name.

    `pinned`: read-only at this revision where no branch is checked out, as in a CI job. `timed`: told of git's
    operations, as `Repository.open` has it.
    """
    from reconciler.repository import Repository

    opened = tracked(where, pinned)
    return Repository.open(opened, timed=timed) if timed else Repository.open(opened)


def member_settings(where: dict[str, Any]) -> MemberSettings:
    """How members are reached, as the options say. Raises SettingsError."""
    from reconciler.settings import MemberSettings, default_hub, parse_contexts

    settings = MemberSettings(
        kubeconfig_dir=where["kubeconfig_dir"],
        kubeconfig=where["kubeconfig"],
        contexts=parse_contexts(where["context"]),
        insecure_exec=where["insecure_kubeconfig_exec"],
        velero_namespace=where["velero_namespace"],
        hub=where["hub_kubeconfig"],
    )
    return default_hub(settings, os.environ)


def sync_settings(where: dict[str, Any]) -> SyncSettings:
    """What a pass may do, as the options say. Raises SettingsError."""
    from reconciler.plan.shards import WHOLE
    from reconciler.settings import SyncSettings, parse_refresh, parse_release, parse_shard

    return SyncSettings(
        velero_namespace=where["velero_namespace"],
        allow_mass_removal=where["allow_mass_removal"],
        accept_rewrite=where["accept_rewrite"],
        schedule_refresh=parse_refresh(where["schedule_refresh"]),
        release_after=parse_release(where["release_after"]),
        shard=parse_shard(where["shard"]) if where["shard"] else WHOLE,
    )


def daemon_settings(where: dict[str, Any]) -> DaemonSettings:
    """How the daemon goes on, as the options say. Raises SettingsError."""
    from reconciler.settings import DaemonSettings, parse_interval

    return DaemonSettings(
        interval_seconds=parse_interval(where["interval"]),
        listen=where["listen"],
        webhook_secret_file=where["webhook_secret_file"],
        log_format=where["log_format"],
        log_level=where["log_level"],
        notify_file=where["notify_file"],
        leader_elect=where["leader_elect"],
        lease_namespace=where["lease_namespace"],
        events=where["events"],
    )
