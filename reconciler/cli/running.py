"""Commands that change something: the repository, or what runs on the members."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.completing import names
from reconciler.cli.options import (
    KINDS,
    daemon_options,
    daemon_settings,
    machine_output,
    member_options,
    member_settings,
    open_repository,
    option,
    repository_options,
    sync_options,
    sync_settings,
    tracked,
)

if TYPE_CHECKING:
    from reconciler.once import Verdict
    from reconciler.repository import Repository
    from reconciler.settings import MemberSettings, OnceSettings, SyncSettings


@click.command()
@repository_options
@option("--run-existing", is_flag=True, help="Run the Backups and Restores that are there already.")
def init(run_existing: bool, **where: Any) -> None:
    """Make a repository ours: its folders, and the ledger of what runs.

    Restores and immediate Backups that are there already are recorded as Held and not run.
    """
    from reconciler.gather import gather
    from reconciler.initialise import initialise

    repository = open_repository(where)
    repository.preflight()
    state = gather(repository)
    if state.recorded:
        click.echo(f"There is a ledger already: {state.recorded.ledger.id}. Nothing to do.")
        return
    made = initialise(repository, state, run_existing)
    click.echo(f"Ledger {made.ledger.id}, commit {made.commit[:7]}.")
    for record in made.held:
        click.echo(f"Held: {record.identity}, {record.source}")


@click.command()
@repository_options
@option("--once", is_flag=True, help="One run: until everything has ended or waits for the outside.")
@option("--wait/--no-wait", default=True, show_default=True, help="With --once: wait until what was started has ended.")
@option("--timeout", default="30m", show_default=True, help="With --once: how long to wait.")
@member_options
@sync_options
@daemon_options
@machine_output
def sync(once: bool, output: str | None, **options: Any) -> None:
    """Run what the files ask for and the ledger does not know yet, and record it: from now on, or --once.

    Without --once it goes on until SIGTERM, and waits for commits, members and times.
    Exit codes of --once: 0 all succeeded; 1 something failed, is held or was refused; 2 could not run; 3 still running,
    or waiting for what only an outside change mends.
    """
    import asyncio

    if not once:
        _go_on(options)
        return
    members, passes, patience = member_settings(options), sync_settings(options), _once_settings(options)
    told: list[Verdict] = []
    try:
        asyncio.run(_sync(open_repository(options), members, passes, patience, output or "", told))
    except KeyboardInterrupt:
        if not told:
            raise
    sys.exit(int(told[0].exit_code))


@click.command()
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("name", metavar="NAMESPACE/NAME", shell_complete=names)
@repository_options
def forget(kind: str, name: str, **where: Any) -> None:
    """Drop the record of an object whose file is gone and whose runs have ended."""
    from reconciler.forget import forget as drop
    from reconciler.gather import gather
    from reconciler.resources import Identity

    namespace, _, short = name.rpartition("/")
    repository = open_repository(where)
    repository.preflight()
    identity = Identity(KINDS[kind], namespace or "default", short)
    commit = drop(repository, gather(repository), identity)
    click.echo(f"{identity}: forgotten, commit {commit[:7]}.")


@click.command()
@option("--keep", is_flag=True, help="Leave the fleet and the repository up, to try by hand, until Ctrl-C.")
def demo(keep: bool) -> None:
    """See the whole job in under a minute, on a fleet in this process."""
    from reconciler.demo.story import tell

    tell(keep)


def _go_on(options: dict[str, Any]) -> None:
    """The daemon, whose first line says what it watches."""
    import asyncio

    from reconciler.errors import ReconcilerError
    from reconciler.repository import Repository
    from reconciler.service import Service
    from reconciler.telemetry import logs

    settings, where = daemon_settings(options), tracked(options)
    logs.configure(settings.log_format, settings.log_level)
    service = Service(
        lambda timed: Repository.open(where, timed=timed), member_settings(options), sync_settings(options), settings
    )
    try:
        asyncio.run(service.run())
    except ReconcilerError as error:
        logs.logger("reconciler").error("ended by an error", error=str(error))
        sys.exit(error.exit_code)
    except Exception as error:
        logs.logger("reconciler").exception("ended by an error", error=f"{type(error).__name__}: {error}")
        sys.exit(1)


def _once_settings(options: dict[str, Any]) -> OnceSettings:
    from reconciler.settings import OnceSettings, parse_timeout

    return OnceSettings(wait=options["wait"], timeout_seconds=parse_timeout(options["timeout"]))


async def _sync(
    repository: Repository,
    members: MemberSettings,
    passes: SyncSettings,
    patience: OnceSettings,
    output: str,
    told: list[Verdict],
) -> None:
    """Adds the verdict to `told` once it is printed; what follows may be cut off."""
    from reconciler.members import Members
    from reconciler.once import let_go, settle
    from reconciler.output.progress import Progress
    from reconciler.output.report import letting_go, report
    from reconciler.passed import Pass
    from reconciler.reconcile import Reconciler
    from reconciler.settings import undeclared

    door = Members(members)
    try:
        with Progress() as progress:

            def show(done: Pass) -> None:
                progress.remark(undeclared(members.contexts, (each.name for each in done.desired.members)))
                progress.show(done)

            verdict = await settle(Reconciler(repository, door, passes), patience, show)
        report(verdict, output)
        told.append(verdict)
        if patience.wait and verdict.last.waiting:
            letting_go(verdict.last.waiting)
            await let_go(repository, door, verdict.last, passes.shard.file)
    finally:
        await door.close()
