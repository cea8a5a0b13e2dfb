"""A repository over https: a token from a file, an own CA, a proxy, and what goes wrong there."""

from __future__ import annotations

import os
import stat
import subprocess
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from reconciler.errors import Cause, FetchFailed, PushFailed, RepositoryError
from reconciler.repository import Access, Repository, Tracked
from tests.repository.builders import RECORD, Work, record
from tests.servers.https import PASSWORD, Fault, Https, proxy, strangers_authority

TOKEN = "glpat-0123456789abcdef"


@pytest.fixture
def access(server: Https, tmp_path: Path) -> Access:
    return server.access(tmp_path / "access")


def opened(server: Https, access: Access, tmp_path: Path) -> Repository:
    return Repository.open(Tracked(server.url(), cache=tmp_path / "cache", access=access))


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def kept(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.case("secrets", "git configuration")
def test_read_and_record_by_a_mirror(server: Https, access: Access, bare: Work, tmp_path: Path) -> None:
    repository = opened(server, access, tmp_path)
    tip = record(repository)
    assert bare.head("main") == tip.commit
    snapshot = opened(server, access, tmp_path).read()
    assert snapshot.recorded[RECORD] == b"phase: Starting\n"
    assert PASSWORD.encode() not in kept(tmp_path / "cache")
    assert str(access.token_file).encode() not in kept(tmp_path / "cache")
    assert PASSWORD not in repr(repository.__dict__) + repository.description


def test_clone_of_a_user_gets_there_by_the_same_options(
    server: Https, access: Access, bare: Work, tmp_path: Path
) -> None:
    top = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", server.url(), str(top)], check=True, env={**os.environ, **server.human()})
    before = (top / ".git/config").read_bytes()
    tip = record(Repository.open(Tracked(str(top), access=access)))
    assert bare.head("main") == Work(top).head() == tip.commit
    assert (top / ".git/config").read_bytes() == before


def test_no_argument_of_any_process_holds_the_secret(
    server: Https, access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each git is started through a program that writes down its arguments."""
    folder, log = tmp_path / "bin", tmp_path / "arguments"
    folder.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "git").write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    record(opened(server, access, tmp_path))
    assert " push " in log.read_text()
    assert PASSWORD not in log.read_text()


@pytest.mark.parametrize(
    ("text", "username", "in_url", "sent"),
    [
        (TOKEN, "", "", ("x-access-token", TOKEN)),
        (TOKEN + "\n", "", "", ("x-access-token", TOKEN)),
        (TOKEN, "bot", "", ("bot", TOKEN)),
        (TOKEN, "", "deploy", ("deploy", TOKEN)),
        ("ada:s3:same", "", "", ("ada", "s3:same")),
        ("ada:s3same", "bot", "", ("bot", "ada:s3same")),
    ],
)
def test_token_and_basic_auth(
    text: str, username: str, in_url: str, sent: tuple[str, str], server: Https, access: Access, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(text)
    server.credentials = {sent}
    given = replace(access, token_file=tmp_path / "secret", username=username)
    tracked = Tracked(server.url(user=in_url), cache=tmp_path / "cache", access=given)
    assert Repository.open(tracked).read().files
    assert set(server.asked) <= {("", ""), (in_url, ""), sent}


def test_token_rotated_while_the_repository_is_open(server: Https, access: Access, bare: Work, tmp_path: Path) -> None:
    repository = opened(server, access, tmp_path)
    record(repository)
    server.credentials = {("x-access-token", TOKEN)}
    with pytest.raises(FetchFailed) as caught:
        repository.read()
    assert caught.value.cause is Cause.PERMISSION
    assert access.token_file is not None
    access.token_file.write_text(TOKEN)
    assert record(repository, b"phase: Completed\n").commit == bare.head("main")


@pytest.mark.case("secrets", "what is printed", "git configuration")
def test_wrong_token_is_told_and_shows_nowhere(server: Https, access: Access, tmp_path: Path) -> None:
    assert access.token_file is not None
    access.token_file.write_text(TOKEN)
    with pytest.raises(FetchFailed, match="the credentials are not accepted; renew them") as caught:
        opened(server, access, tmp_path)
    assert caught.value.cause is Cause.PERMISSION
    assert TOKEN not in shown(caught.value)
    assert TOKEN.encode() not in kept(tmp_path / "cache")


@pytest.mark.case("secrets", "what is printed")
def test_secret_that_the_server_repeats_is_masked(server: Https, access: Access, bare: Work, tmp_path: Path) -> None:
    bare.write("hooks/pre-receive", f"#!/bin/sh\necho 'error: hello {PASSWORD}' >&2\nexit 1\n").chmod(0o755)
    with pytest.raises(PushFailed, match=r"a hook of the remote declined it.*hello \*\*\*") as caught:
        record(opened(server, access, tmp_path))
    assert caught.value.cause is Cause.HOOK
    assert PASSWORD not in shown(caught.value)


def test_wrong_authority_is_told(server: Https, access: Access, tmp_path: Path) -> None:
    strange = replace(access, ca_file=strangers_authority(tmp_path / "strangers"))
    for one in (strange, replace(access, ca_file=None)):
        with pytest.raises(FetchFailed, match=r"certificate is not trusted; give the CA.*--git-ca-file") as caught:
            opened(server, one, tmp_path)
        assert caught.value.cause is Cause.PERMISSION
    assert not server.asked


def test_authority_is_checked_whatever_the_environment_says(
    server: Https, access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    (tmp_path / "home/.gitconfig").write_text("[http]\nsslVerify = false\n")
    with pytest.raises(FetchFailed, match="not trusted"):
        opened(server, replace(access, ca_file=strangers_authority(tmp_path / "strangers")), tmp_path)


@pytest.mark.parametrize(
    ("kind", "cause", "words"),
    [
        ("401", Cause.PERMISSION, "the credentials are not accepted"),
        ("403", Cause.PERMISSION, "no permission"),
        ("404", Cause.PERMISSION, "the account may not see it"),
        ("429", Cause.NETWORK, "asks to slow down"),
        ("500", Cause.NETWORK, "the server is in trouble"),
        ("503", Cause.NETWORK, "the server is in trouble"),
        ("cut", Cause.NETWORK, "the connection ended before its time"),
    ],
)
@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
def test_answer_of_the_server_is_classified(
    kind: str, cause: Cause, words: str, service: str, server: Https, access: Access, bare: Work, tmp_path: Path
) -> None:
    repository = opened(server, access, tmp_path)
    snapshot, before = repository.read(), bare.head("main")
    server.faults = [Fault(kind, service)]
    ask = repository.read if service == "git-upload-pack" else partial(record, repository, snapshot=snapshot)
    with pytest.raises(RepositoryError, match=words) as caught:
        ask()
    assert caught.value.cause is cause
    assert bare.head("main") == before
    server.faults = []
    assert record(repository).commit == bare.head("main")
    assert bare.head("main^") == before


@pytest.mark.case("outage", "a partial fetch does nothing")
def test_fetch_that_is_cut_half_way_leaves_what_is_known(
    server: Https, access: Access, bare: Work, tmp_path: Path
) -> None:
    repository = opened(server, access, tmp_path)
    known = repository.read()
    commit = bare.git("commit-tree", "main^{tree}", "-p", "main", "-m", "theirs")
    bare.git("update-ref", "refs/heads/main", commit)
    server.faults = [Fault("cut", "/git-upload-pack")]
    with pytest.raises(FetchFailed):
        repository.read()
    server.faults = []
    mirror = Work(next((tmp_path / "cache").glob("*.git")))
    assert mirror.head("refs/remotes/origin/main") == known.tip.commit
    assert repository.read().tip.commit == commit


def test_push_whose_answer_is_cut_has_landed(server: Https, access: Access, bare: Work, tmp_path: Path) -> None:
    repository = opened(server, access, tmp_path)
    snapshot = repository.read()
    server.faults = [Fault("cut", "/git-receive-pack")]
    assert record(repository, snapshot=snapshot).commit == bare.head("main")


def test_slow_server_is_waited_for(server: Https, access: Access, tmp_path: Path) -> None:
    server.faults = [Fault("slow", "upload-pack", 1, 1.0)]
    assert opened(server, access, tmp_path).read().files


def test_server_that_is_gone_is_a_matter_of_the_network(server: Https, access: Access, tmp_path: Path) -> None:
    nowhere = Tracked("https://127.0.0.1:1/fleet.git", cache=tmp_path / "cache", access=access)
    with pytest.raises(FetchFailed, match="the server is not reached") as caught:
        Repository.open(nowhere)
    assert caught.value.cause is Cause.NETWORK


def _by_variable(port: int, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")


def _by_configuration(port: int, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".gitconfig").write_text(f"[http]\nproxy = http://127.0.0.1:{port}\n")


@pytest.mark.parametrize("configure", [_by_variable, _by_configuration])
def test_proxy_of_the_user_is_used(
    configure: Callable[[int, Path, pytest.MonkeyPatch], None],
    server: Https,
    access: Access,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with proxy() as (port, through):
        configure(port, tmp_path / "home", monkeypatch)
        assert opened(server, access, tmp_path).read().files
        assert set(through) == {f"127.0.0.1:{server.port}"}
        count = len(through)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert opened(server, access, tmp_path).read().files
        assert len(through) == count


def test_credential_helper_of_the_user_works_without_an_option(server: Https, access: Access, tmp_path: Path) -> None:
    user, password = min(server.credentials)
    helper = f"!f() {{ echo username={user}; echo password={password}; }}; f"
    git = ["git", "config", "--global", "credential.helper", helper]
    subprocess.run(git, check=True)
    assert opened(server, Access(ca_file=access.ca_file), tmp_path).read().files


def test_url_with_a_password_and_a_token_file_is_refused(server: Https, access: Access, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="take the password out of --repo") as caught:
        Repository.open(Tracked(server.url(user="ada:hunter2"), cache=tmp_path / "cache", access=access))
    assert "hunter2" not in str(caught.value)


def test_idle_look_is_one_request_for_refs(server: Https, access: Access, bare: Work, tmp_path: Path) -> None:
    """What a poll costs: `ls-remote`, which over https is two requests at most, and never a pack."""
    repository = opened(server, access, tmp_path)
    assert repository.stirred()  # nothing was read yet
    repository.read()
    server.paths.clear()
    assert not repository.stirred()
    assert {path.partition("?")[0] for path in server.paths} <= {
        "/fleet.git/info/refs", "/fleet.git/git-upload-pack",
    }  # fmt: skip
    assert sum("git-upload-pack" in path and "info" not in path for path in server.paths) <= 1
    record(repository)
    assert not repository.stirred()
    bare.git("update-ref", "refs/heads/main", "main^")
    assert repository.stirred()
    assert repository.watched() == ()


def test_files_of_the_tests_are_private(access: Access) -> None:
    assert access.ca_file is not None
    assert stat.S_IMODE(access.ca_file.stat().st_mode) == 0o600
