"""Options, commands, exit codes. The only user of click; each command is a few lines over the modules that do it."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.completing import completion
from reconciler.cli.looking import schema, validate
from reconciler.cli.planning import plan
from reconciler.cli.recorded import describe, get, history
from reconciler.cli.running import demo, forget, init, sync
from reconciler.errors import ReconcilerError


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


for command in (init, plan, sync, validate, schema, get, describe, history, forget, completion, demo):
    main.add_command(command)
