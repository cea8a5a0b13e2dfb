"""Options, commands, exit codes. The only user of click; each command is a few lines over the modules that do it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.errors import NotFound, ReconcilerError

if TYPE_CHECKING:
    from reconciler.once import Verdict
    from reconciler.repository import Repository
    from reconciler.settings import MemberSettings, OnceSettings, SyncSettings

F = TypeVar("F", bound=Callable[..., Any])
KINDS = {"backup": "Backup", "backups": "Backup", "restore": "Restore", "restores": "Restore"}


class _Commands(click.Group):
    """Errors of ours end in one line and their exit code, never in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ReconcilerError as error:
            click.echo(f"reconciler: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("reconciler: interrupted; what runs goes on, and the next sync records it", err=True)
            ctx.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fleet-restore", prog_name="reconciler")
def main() -> None:
    """Fleet backup and restore as GitOps: reviewed as pull requests, run exactly once, recorded in git."""


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """An option that is also RECONCILER_<NAME>, the same for every command."""
    variable = max(names, key=len).split("/")[0].lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=f"RECONCILER_{variable}", **attributes)


_repository = _options(
    _option("--repo", default=".", show_default=True, metavar="PATH|URL", help="The repository."),
    _option("--branch", default="", help="The tracked branch (default: the one checked out; of a URL, its default)."),
    _option("--path", default="", help="The folder that holds fleets/, backups/, restores/ (default: the root)."),
    _option("--local", is_flag=True, help="Ignore the branch's upstream: the local branch is the ledger."),
    _option("--accept-rewrite", is_flag=True, help="Go on although the history that was recorded was rewritten."),
)
_output = _option("-o", "--output", type=click.Choice(["json", "yaml"]), help="For machines.")


@main.command()
@_repository
@click.option("--run-existing", is_flag=True, help="Run the Backups and Restores that are there already.")
def init(run_existing: bool, **where: Any) -> None:
    """Make a repository ours: its folders, and the ledger of what runs.

    Restores and immediate Backups that are there already are recorded as Held and not run.
    """
    from reconciler.gather import gather
    from reconciler.initialise import initialise

    repository = _open(where)
    repository.preflight()
    state = gather(repository, supported_only=False)
    if state.recorded:
        click.echo(f"There is a ledger already: {state.recorded.ledger.id}. Nothing to do.")
        return
    made = initialise(repository, state, run_existing)
    click.echo(f"Ledger {made.ledger.id}, commit {made.commit[:7]}.")
    for record in made.held:
        click.echo(f"Held: {record.identity}, {record.source}")


@main.command()
@_repository
@click.option("--once", is_flag=True, help="One run: until everything has ended or waits for the outside.")
@_option("--wait/--no-wait", default=True, show_default=True, help="Wait until what was started has ended.")
@_option("--timeout", default="30m", show_default=True, help="How long to wait.")
@_option("--kubeconfig-dir", type=click.Path(path_type=Path), help="Mounted Secrets: DIR/<namespace>/<secret>/<key>.")
@_option("--kubeconfig", default="", help="Your own kubeconfig (default: as kubectl), contexts named as the clusters.")
@_option("--context", multiple=True, metavar="CLUSTER=CONTEXT", help="The context of a cluster, where names differ.")
@_option("--insecure-kubeconfig-exec", is_flag=True, help="Let kubeconfigs of Secrets run programs and read files.")
@_option("--velero-namespace", default="velero", show_default=True, help="Where Velero is on the members.")
@_option("--allow-mass-removal", is_flag=True, help="Withdraw many waiting runs at once.")
@_output
def sync(once: bool, output: str | None, **options: Any) -> None:
    """Run what the files ask for and the ledger does not know yet, and record it (--once for one run).

    Exit codes: 0 all succeeded; 1 something failed, is held or was refused; 2 could not run; 3 still running, or
    waiting for what only an outside change mends.
    """
    if not once:
        raise click.UsageError("the daemon is not part of this version; use --once")
    import asyncio

    from reconciler.output.report import report

    members, passes, patience = _sync_settings(options)
    verdict = asyncio.run(_sync(_open(options), members, passes, patience))
    report(verdict, output or "")
    sys.exit(int(verdict.exit_code))


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def validate(paths: tuple[Path, ...]) -> None:
    """Check the work tree's files, or those of PATHs (folders that hold fleets/, backups/, restores/). No cluster."""
    from reconciler.validate import validate as check

    valid = [check(path) for path in paths or (Path(),)]
    sys.exit(0 if all(valid) else 1)


@main.command()
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("name", default="")
@_repository
@_option("-n", "--namespace", default="default", show_default=True, help="The namespace.")
@click.option("-A", "--all-namespaces", is_flag=True, help="All namespaces.")
@_output
def get(kind: str, name: str, namespace: str, all_namespaces: bool, output: str | None, **where: Any) -> None:
    """List recorded Backups or Restores, or one of them."""
    from reconciler.gather import gather
    from reconciler.output.listing import listing

    found = tuple(
        record
        for identity, record in sorted(gather(_open(where)).records.items())
        if identity.kind == KINDS[kind]
        and (all_namespaces or identity.namespace == namespace)
        and name in ("", identity.name)
    )
    if not found and (name or not output):
        of = "any namespace" if all_namespaces else f"namespace {namespace}"
        raise NotFound(f"no {KINDS[kind]} {name} is recorded in {of}".replace("  ", " "))
    listing(found, output or "", one=bool(name) and len(found) == 1, namespaces=all_namespaces)


@main.command()
@click.option("--keep", is_flag=True, help="Leave the fleet and the repository up, to try by hand, until Ctrl-C.")
def demo(keep: bool) -> None:
    """See the whole job in under a minute, on a fleet in this process."""
    from reconciler.demo.story import tell

    tell(keep)


@main.command()
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("name", metavar="NAMESPACE/NAME")
@_repository
def forget(kind: str, name: str, **where: Any) -> None:
    """Drop the record of an object whose file is gone and whose runs have ended."""
    from reconciler.forget import forget as drop
    from reconciler.gather import gather
    from reconciler.resources import Identity

    namespace, _, short = name.rpartition("/")
    repository = _open(where)
    repository.preflight()
    identity = Identity(KINDS[kind], namespace or "default", short)
    commit = drop(repository, gather(repository), identity)
    click.echo(f"{identity}: forgotten, commit {commit[:7]}.")


def _open(where: dict[str, Any]) -> Repository:
    from reconciler.repository import Repository, Tracked

    return Repository.open(
        Tracked(where["repo"], where["branch"], where["path"], where["local"], where["accept_rewrite"])
    )


def _sync_settings(options: dict[str, Any]) -> tuple[MemberSettings, SyncSettings, OnceSettings]:
    from reconciler.settings import MemberSettings, OnceSettings, SyncSettings, parse_contexts, parse_timeout

    namespace = options["velero_namespace"]
    return (
        MemberSettings(
            kubeconfig_dir=options["kubeconfig_dir"],
            kubeconfig=options["kubeconfig"],
            contexts=parse_contexts(options["context"]),
            insecure_exec=options["insecure_kubeconfig_exec"],
            velero_namespace=namespace,
        ),
        SyncSettings(namespace, options["allow_mass_removal"], options["accept_rewrite"]),
        OnceSettings(wait=options["wait"], timeout_seconds=parse_timeout(options["timeout"])),
    )


async def _sync(
    repository: Repository, members: MemberSettings, passes: SyncSettings, patience: OnceSettings
) -> Verdict:
    from reconciler.members import Members
    from reconciler.once import settle
    from reconciler.output.progress import Progress
    from reconciler.reconcile import Reconciler

    door = Members(members)
    try:
        with Progress() as progress:
            return await settle(Reconciler(repository, door, passes), patience, progress.show)
    finally:
        await door.close()


if __name__ == "__main__":
    main()
