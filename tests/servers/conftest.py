"""Servers for the tests here, on an empty git configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.builders import Work
from tests.repository.conftest import _own_git_configuration
from tests.servers.https import Https, https
from tests.servers.writers import served

__all__ = ["_own_git_configuration"]


@pytest.fixture
def bare(tmp_path: Path) -> Work:
    """The repository that is served, with a ledger in it."""
    return served(tmp_path / "served")


@pytest.fixture
def server(bare: Work) -> Iterator[Https]:
    with https(bare.top.parent) as started:
        yield started
