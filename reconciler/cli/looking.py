"""Commands for the files alone: whether they are valid, and what they may say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

_SCHEMAS: Final = [
    name for kind in ("attachedcluster", "backup", "cluster", "fleet", "restore") for name in (kind, f"{kind}s")
]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def validate(paths: tuple[Path, ...]) -> None:
    """Check the work tree's files, or those of PATHs (folders that hold fleets/, backups/, restores/). No cluster."""
    from reconciler.validate import validate as check

    valid = [check(path) for path in paths or (Path(),)]
    sys.exit(0 if all(valid) else 1)


@click.command()
@click.argument("kind", required=False, metavar="[KIND]", type=click.Choice(_SCHEMAS, case_sensitive=False))
def schema(kind: str | None) -> None:
    """Print the JSON Schema of KIND (backup, fleet, …), or of all kinds together: for editors, and for CI."""
    from reconciler.schema import schema as made

    click.echo(made(kind or ""), nl=False)
