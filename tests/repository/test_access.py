"""How git gets to the remote: what is refused, and what git is told, without any server."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from reconciler.errors import Cause, FetchFailed, RepositoryError, SettingsError
from reconciler.repository import Access, Repository, Tracked
from reconciler.repository.access import Live
from tests.repository.builders import Work


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "id key%h"
    file.write_text("key")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("option", ["token_file", "ca_file", "ssh_key_file", "ssh_known_hosts"])
def test_file_that_is_missing_or_a_folder_is_refused(option: str, work: Work, tmp_path: Path) -> None:
    name = {"token_file": "git-token-file", "ca_file": "git-ca-file"}.get(option, option.replace("_", "-"))
    for file, why in ((tmp_path / "nothing", "No such file"), (tmp_path, "Is a directory")):
        access = Access(**{option: file})  # type: ignore[arg-type]  # the option is a parameter
        with pytest.raises(SettingsError, match=f"--{name} .*{why}"):
            Repository.open(Tracked(str(work.top), access=access))


def test_private_key_that_others_may_read_is_refused(key: Path) -> None:
    Access(ssh_key_file=key).check()
    key.chmod(0o640)
    with pytest.raises(SettingsError, match=r"others may read this private key.*chmod 600"):
        Access(ssh_key_file=key).check()


def test_username_without_a_token_is_refused() -> None:
    with pytest.raises(SettingsError, match="--git-username goes with --git-token-file"):
        Access(username="bot")


@pytest.mark.parametrize("name", ['a"b', "a$b", "a\\b", "a\nb"])
def test_path_that_ssh_would_take_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="ssh takes no path"):
        Access(ssh_key_file=Path(name))


def test_ssh_is_strict_and_gets_its_files_whole(key: Path, tmp_path: Path) -> None:
    hosts = tmp_path / "known hosts"
    variables = dict(Access(ssh_key_file=key, ssh_known_hosts=hosts).variables())
    words = shlex.split(variables["GIT_SSH_COMMAND"])
    assert words[0] == "ssh"
    assert set(words[1::2]) == {"-o"}
    for option in (
        "StrictHostKeyChecking=yes", "BatchMode=yes", "UpdateHostKeys=no", "IdentitiesOnly=yes",
        f'UserKnownHostsFile="{hosts}"', f'IdentityFile="{tmp_path}/id key%%h"', "GlobalKnownHostsFile=/dev/null",
    ):  # fmt: skip
        assert option in words[2::2]


@pytest.mark.parametrize("given", [{"ssh_key_file": "k"}, {"ssh_known_hosts": "h"}])
def test_either_ssh_option_makes_it_strict(given: dict[str, str]) -> None:
    access = Access(**{name: Path(file) for name, file in given.items()})  # type: ignore[arg-type]  # as above
    assert "StrictHostKeyChecking=yes" in dict(access.variables())["GIT_SSH_COMMAND"]


def test_nothing_given_changes_nothing() -> None:
    access = Access()
    assert (access.variables(), access.settings(("https://h",)), access.without()) == ((), (), ())


@pytest.mark.parametrize(
    ("host", "name"),
    [("github.com", "x-access-token"), ("gitlab.com", "oauth2"), ("bitbucket.org", "x-token-auth"),
     ("git.example.org", "x-access-token")],
)  # fmt: skip
def test_name_that_goes_with_a_token(host: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken")
    variables, hidden = Live(Access(token_file=tmp_path / "token"), host).read()
    assert dict(variables) == {"RECONCILER_GIT_USERNAME": name, "RECONCILER_GIT_PASSWORD": "t0ken"}
    assert "t0ken" in hidden


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"a\0b", b"\xff\xfe", b"x" * 20000])
def test_token_file_that_holds_something_else_is_told_without_its_content(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(RepositoryError, match=r"--git-token-file .*(one line|no text)") as caught:
        Live(Access(token_file=tmp_path / "token")).read()
    assert caught.value.cause is Cause.PERMISSION
    assert "lines" not in str(caught.value).replace("one line", "")


def test_token_file_that_vanishes_meanwhile_is_told(cloned: Work, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken")
    repository = Repository.open(Tracked(str(cloned.top), access=Access(token_file=tmp_path / "token")))
    repository.read()
    (tmp_path / "token").unlink()
    with pytest.raises(FetchFailed, match=r"--git-token-file .*No such file") as caught:
        repository.read()
    assert caught.value.cause is Cause.PERMISSION
