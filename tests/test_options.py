"""Every option of every command is also an environment variable, one name for all commands."""

from __future__ import annotations

import click
import pytest

from reconciler.cli import main

OPTIONS = [
    (name, option)
    for name, command in main.commands.items()
    for option in command.params
    if isinstance(option, click.Option)
]


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda value: getattr(value, "name", value))
def test_an_option_is_also_a_variable_named_as_the_option(command: str, option: click.Option) -> None:
    (long,) = (name for name in option.opts if name.startswith("--"))
    assert option.envvar == f"RECONCILER_{long.removeprefix('--').replace('-', '_').upper()}"
