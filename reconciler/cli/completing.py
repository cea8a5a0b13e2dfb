"""Shell completion: the script for a shell, and the names that are recorded, for arguments."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import get_completion_class

from reconciler.cli.options import KINDS, tracked


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and recorded names in SHELL.

    bash: eval "$(reconciler completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc; fish: reconciler completion
    fish > ~/.config/fish/completions/reconciler.fish
    """
    made = get_completion_class(shell)
    assert made is not None  # click has these three
    root = context.find_root().command
    click.echo(made(root, {}, "reconciler", "_RECONCILER_COMPLETE").source())


def names(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The recorded objects that an argument may mean; none where anything is wrong, and nothing is fetched."""
    try:
        found = _recorded(context.params)
    except Exception:  # whatever it is, the user is typing, and the command itself will tell
        return []
    namespace = str(context.params.get("namespace") or "default")
    full = "/" in begun or context.params.get("all_namespaces") or "namespace" not in context.params
    shown = [f"{space}/{name}" if full else name for space, name in found if full or space == namespace]
    return [name for name in shown if name.startswith(begun)]


def _recorded(given: dict[str, Any]) -> list[tuple[str, str]]:
    """(namespace, name) of what is recorded of the kind that stands before the argument."""
    from reconciler.repository import record_paths

    defaults = {"repo": ".", "branch": "", "path": "", "local": False, "accept_rewrite": False, "status_branch": ""}
    where = {name: given.get(name) or default for name, default in defaults.items()}
    paths = [
        path.split("/") for path in record_paths(tracked(where, pinned="HEAD"), f"{KINDS[given['kind']].lower()}s")
    ]
    return [(parts[2], parts[3].removesuffix(".yaml")) for parts in paths if len(parts) == 4]
