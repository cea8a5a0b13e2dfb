"""A repository over ssh, by a key and a file of known hosts: strictly, and what goes wrong there."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import Cause, FetchFailed, SettingsError
from reconciler.repository import Access, Repository, Tracked
from tests.repository.builders import RECORD, Work, record
from tests.servers.sshd import Ssh, keypair, sshd, stranger
from tests.servers.writers import SECONDS, verify, writers

pytestmark = pytest.mark.real


@pytest.fixture
def ssh(bare: Work) -> Iterator[Ssh]:
    with sshd(bare.top.parent) as started:
        yield started


def opened(ssh: Ssh, access: Access, tmp_path: Path) -> Repository:
    return Repository.open(Tracked(ssh.url(), cache=tmp_path / "cache", access=access))


def refused(ssh: Ssh, access: Access, tmp_path: Path) -> FetchFailed:
    """The error that opening ends with, which shows nothing of a private key."""
    with pytest.raises(FetchFailed) as caught:
        opened(ssh, access, tmp_path)
    assert "PRIVATE KEY-" not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_read_and_record_by_key_and_known_hosts(ssh: Ssh, bare: Work, tmp_path: Path) -> None:
    access = ssh.access(tmp_path)
    tip = record(opened(ssh, access, tmp_path))
    assert bare.head("main") == tip.commit
    assert opened(ssh, access, tmp_path).read().recorded[RECORD] == b"phase: Starting\n"
    assert str(ssh.key).encode() not in next((tmp_path / "cache").glob("*.git/config")).read_bytes()


def test_files_with_blanks_and_percent_signs_in_their_names(ssh: Ssh, tmp_path: Path) -> None:
    folder = tmp_path / "a b%h 'c'"
    folder.mkdir()
    key, hosts = folder / "my key", folder / "known hosts"
    key.write_bytes(ssh.key.read_bytes())
    key.chmod(0o600)
    hosts.write_bytes(ssh.known_hosts.read_bytes())
    assert opened(ssh, Access(ssh_key_file=key, ssh_known_hosts=hosts), tmp_path).read().files


def test_unknown_host_key_is_refused_and_never_learnt(ssh: Ssh, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    error = refused(ssh, replace(ssh.access(tmp_path), ssh_known_hosts=tmp_path / "empty"), tmp_path)
    assert error.cause is Cause.PERMISSION
    assert "compare it, and put it into --ssh-known-hosts" in str(error)
    assert (tmp_path / "empty").read_bytes() == b""
    assert not (tmp_path / "home/.ssh/known_hosts").exists()


def test_host_that_shows_another_key_is_refused(ssh: Ssh, tmp_path: Path) -> None:
    error = refused(ssh, stranger(ssh, tmp_path / "strange").access(tmp_path), tmp_path)
    assert error.cause is Cause.PERMISSION
    assert "host key is not the known one" in str(error)


def test_known_hosts_are_checked_with_a_key_alone(ssh: Ssh, tmp_path: Path) -> None:
    assert refused(ssh, Access(ssh_key_file=ssh.key), tmp_path).cause is Cause.PERMISSION


def test_wrong_key_is_refused(ssh: Ssh, tmp_path: Path) -> None:
    error = refused(ssh, replace(ssh.access(tmp_path), ssh_key_file=keypair(tmp_path / "wrong")), tmp_path)
    assert error.cause is Cause.PERMISSION
    assert "the credentials are not accepted" in str(error)


def test_key_that_others_may_read_is_refused_before_ssh_is_asked(ssh: Ssh, tmp_path: Path) -> None:
    ssh.key.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        opened(ssh, ssh.access(tmp_path), tmp_path)


def test_repository_that_is_not_there(ssh: Ssh, tmp_path: Path) -> None:
    error = refused(replace(ssh, folder=ssh.folder / "nowhere"), ssh.access(tmp_path), tmp_path)
    assert error.cause is Cause.PERMISSION
    assert "it is not there, or the account may not see it" in str(error)


def test_server_that_is_gone_is_a_matter_of_the_network(ssh: Ssh, tmp_path: Path) -> None:
    assert refused(replace(ssh, port=1), ssh.access(tmp_path), tmp_path).cause is Cause.NETWORK


@pytest.mark.case("two-writers")
def test_twelve_writers_on_one_branch_lose_and_force_nothing(ssh: Ssh, bare: Work, tmp_path: Path) -> None:
    landed = writers(ssh.url(), ssh.access(tmp_path), ssh.human(), tmp_path / "writers", SECONDS)
    print(landed)
    verify(landed, bare)
    assert len(landed.humans) >= 6
    assert len(landed.own) >= 6
