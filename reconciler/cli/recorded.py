"""Commands that show what is recorded, and what happened. They ask no cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.completing import names
from reconciler.cli.options import KINDS, machine_output, open_repository, option, options, repository_options

if TYPE_CHECKING:
    from reconciler.recall import Selection

_KIND: Final = click.Choice(sorted(KINDS))
_ONE: Final = "[NAMESPACE/]NAME"
_every_namespace = options(
    option("-n", "--namespace", default="default", show_default=True, help="The namespace."),
    option("-A", "--all-namespaces", is_flag=True, help="All namespaces."),
)


@click.command()
@click.argument("kind", type=_KIND)
@click.argument("name", default="", metavar=f"[{_ONE}]", shell_complete=names)
@repository_options
@_every_namespace
@option("-o", "--output", type=click.Choice(["wide", "json", "yaml"]), help="A row per cluster; or for machines.")
def get(kind: str, name: str, namespace: str, all_namespaces: bool, output: str | None, **where: Any) -> None:
    """List recorded Backups or Restores, or one of them."""
    from reconciler.errors import NotFound
    from reconciler.output.listing import listing
    from reconciler.recall import selected

    wanted = _selection(KINDS[kind], name, namespace, all_namespaces)
    found = selected(open_repository(where), wanted)
    if not found and output not in ("json", "yaml"):
        raise NotFound(f"no {wanted}")
    listing(found, output or "", one=bool(name) and len(found) == 1, namespaces=all_namespaces)


@click.command()
@click.argument("kind", type=_KIND)
@click.argument("name", metavar=_ONE, shell_complete=names)
@repository_options
@option("-n", "--namespace", default="default", show_default=True, help="The namespace.")
@machine_output
def describe(kind: str, name: str, namespace: str, output: str | None, **where: Any) -> None:
    """Show all that is recorded of one object, its commits, and what to do next."""
    from reconciler.output.describe import describe as show
    from reconciler.recall import known

    show(known(open_repository(where), _selection(KINDS[kind], name, namespace)), output or "")


@click.command()
@click.argument("kind", required=False, type=_KIND)
@click.argument("name", default="", metavar=f"[{_ONE}]", shell_complete=names)
@repository_options
@option("-n", "--namespace", default="", help="The namespace (default: default; without KIND all).")
@option("-A", "--all-namespaces", is_flag=True, help="All namespaces.")
@option("--since", default="", metavar="TIME", help="Only after this: 2026-01-31, an RFC 3339 time, '2 days ago'.")
@option("--limit", type=click.IntRange(0), default=0, help="So many commits at most, the newest (default: all).")
@machine_output
def history(
    kind: str | None,
    name: str,
    namespace: str,
    all_namespaces: bool,
    since: str,
    limit: int,
    output: str | None,
    **where: Any,
) -> None:
    """Tell what happened, newest first: when, who asked, who merged, what ran where, how it ended."""
    from reconciler.output.history import history as show
    from reconciler.recall import past

    wanted = _selection(KINDS[kind] if kind else "", name, namespace or ("default" if kind else ""), all_namespaces)
    show(past(open_repository(where), wanted, since, limit), output or "", one=bool(wanted.name and wanted.namespace))


def _selection(kind: str, name: str, namespace: str, all_namespaces: bool = False) -> Selection:
    """NAMESPACE/NAME says more than -n."""
    from reconciler.recall import Selection

    before, slash, short = name.rpartition("/")
    if slash:
        return Selection(kind, before, short)
    return Selection(kind, "" if all_namespaces else namespace, name)
