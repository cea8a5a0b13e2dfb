"""The options of access and authorship reach git's door, by flag and by variable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from reconciler.cli.options import repository_options, tracked
from reconciler.errors import ReconcilerError
from reconciler.repository import Access, Authorship, Tracked

GIVEN = {
    "--git-token-file": "/t", "--git-username": "bot", "--git-ca-file": "/ca", "--ssh-key-file": "/key",
    "--ssh-known-hosts": "/hosts", "--committer": "R <r@x>", "--signing-key": "/sign", "--signing-format": "gpg",
}  # fmt: skip
WANTED = (
    Access(Path("/t"), "bot", Path("/ca"), Path("/key"), Path("/hosts")),
    Authorship("R <r@x>", "/sign", "gpg"),
)


def parsed(arguments: list[str], variables: dict[str, str]) -> Tracked:
    found: list[Tracked] = []

    @click.command()
    @repository_options
    def command(**where: Any) -> None:
        found.append(tracked(where))

    done = CliRunner().invoke(command, arguments, env=variables, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return found[0]


def test_by_flag() -> None:
    made = parsed([word for pair in GIVEN.items() for word in pair], {})
    assert (made.access, made.authorship) == WANTED


def test_by_variable() -> None:
    variables = {f"RECONCILER_{name[2:].replace('-', '_').upper()}": value for name, value in GIVEN.items()}
    made = parsed([], variables)
    assert (made.access, made.authorship) == WANTED


def test_without_any_git_is_left_alone() -> None:
    assert parsed([], {}) == Tracked(".")


def test_mistake_is_told() -> None:
    with pytest.raises(ReconcilerError, match="write 'Name <mail>'"):
        parsed(["--committer", "robot"], {})
