"""Commands for the files alone: whether they are valid, and what they may say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from reconciler.cli.options import option

_SCHEMAS: Final = [
    name for kind in ("attachedcluster", "backup", "cluster", "fleet", "restore") for name in (kind, f"{kind}s")
]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@option("--path", default="", help="The folder that holds fleets/, backups/, restores/, from the top of a repository.")
def validate(paths: tuple[Path, ...], path: str) -> None:
    """Check the files as they lie in the work tree here, or in those of PATHs. No cluster.

    Whichever folder of a repository a PATH is: all of its files are checked, since they name each other.
    """
    from reconciler.validate import validate as check

    sys.exit(0 if check(paths or (None,), path) else 1)


@click.command()
@click.argument("kind", required=False, metavar="[KIND]", type=click.Choice(_SCHEMAS, case_sensitive=False))
def schema(kind: str | None) -> None:
    """Print the JSON Schema of KIND (backup, fleet, …), or of all kinds together: for editors, and for CI."""
    from reconciler.schema import schema as made

    click.echo(made(kind or ""), nl=False)
