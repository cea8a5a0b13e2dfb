"""The command that shows what `sync --once` would do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import (
    member_options,
    member_settings,
    open_repository,
    option,
    repository_options,
    sync_options,
    sync_settings,
)

if TYPE_CHECKING:
    from reconciler.plan.planned import Plan
    from reconciler.repository import Repository
    from reconciler.settings import MemberSettings, SyncSettings


@click.command()
@repository_options
@option("--revision", default="", help="Plan for the files of this revision (default: the tip; in CI HEAD).")
@option("--base", default="", help="Only what the files ask for since this revision, as a pull request brings.")
@member_options
@sync_options
@option("-o", "--output", type=click.Choice(["json", "yaml", "markdown"]), help="For machines, or a pull request.")
def plan(revision: str, base: str, output: str | None, **options: Any) -> None:
    """Show what `sync --once` would do, and do nothing: credentials that may get and list are enough.

    Exit codes: 0 nothing to do; 1 changes or refusals; 2 could not plan.
    """
    import asyncio

    from reconciler.output.plan import show_plan
    from reconciler.settings import undeclared

    members, settings = member_settings(options), sync_settings(options)
    repository = open_repository(options, pinned=base or revision or "HEAD")
    found = asyncio.run(_plan(repository, members, settings, revision, base))
    for sentence in undeclared(members.contexts, (each.name for each in found.clusters)):
        click.echo(f"note: {sentence}", err=True)
    show_plan(found, output or "")
    sys.exit(int(found.changes))


async def _plan(
    repository: Repository, settings: MemberSettings, passes: SyncSettings, revision: str, base: str
) -> Plan:
    from reconciler.members import Members
    from reconciler.planning import plan as make

    door = Members(settings)
    try:
        return await make(repository, door, passes, revision, base)
    finally:
        await door.close()
