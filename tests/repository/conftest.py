"""Repositories of each form, on an empty git configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.apart import protect
from tests.repository.builders import Work, bare_of, clone, new


@pytest.fixture(autouse=True)
def _own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_CONFIG_GLOBAL", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "GIT_DIR", "GIT_AUTHOR_NAME", "EMAIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A repository without a remote, main checked out, one restore in it."""
    return new(tmp_path / "work")


@pytest.fixture
def remote(tmp_path: Path) -> Work:
    """A bare repository with the same content, to be cloned."""
    return bare_of(new(tmp_path / "seed"), tmp_path / "remote.git")


@pytest.fixture
def cloned(remote: Work, tmp_path: Path) -> Work:
    """A clone of `remote` whose main has an upstream."""
    return clone(remote, tmp_path / "cloned")


@pytest.fixture
def protected(remote: Work) -> Work:
    """`remote`, which takes no push to main any more."""
    protect(remote)
    return remote
