"""Who our commits are by, and their signatures, which git itself verifies."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.errors import RepositoryError, SettingsError
from reconciler.repository import Authorship, Repository, Tracked
from tests.repository.builders import Work, init, record

ROBOT = "Fleet Robot <robot@example.org>"


def by(work: Work, authorship: Authorship) -> Repository:
    return Repository.open(Tracked(str(work.top), authorship=authorship))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A private ssh key, whose public one git takes for that of the robot."""
    file = tmp_path / "a key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    (tmp_path / "signers").write_text(f"robot@example.org {(tmp_path / 'a key.pub').read_text()}")
    return file


def verified(work: Work, tmp_path: Path, commit: str) -> str:
    done = subprocess.run(
        ["git", "-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}", "verify-commit", "--raw", commit],
        cwd=work.top, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_committer_is_the_one_that_is_given(work: Work) -> None:
    tip = init(by(work, Authorship(committer=ROBOT)))
    assert work.git("log", "-1", "--format=%an <%ae>%n%cn <%ce>", tip.commit).splitlines() == [ROBOT, ROBOT]


def test_without_one_it_is_that_of_the_configuration(work: Work) -> None:
    tip = init(by(work, Authorship()))
    assert work.git("log", "-1", "--format=%an <%ae>", tip.commit) == "Ada <ada@example.org>"
    assert subprocess.run(["git", "verify-commit", tip.commit], cwd=work.top, capture_output=True).returncode


@pytest.mark.parametrize(
    "text", ["robot", "<r@x>", "Robot r@x", "a <b> <c>", "a <b c>", "a\n <b@c>", "a <b@c\n>", "a <>"]
)
def test_committer_that_is_no_name_and_mail_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="write 'Name <mail>'"):
        Authorship(committer=text)


def test_commits_are_signed_with_an_ssh_key(work: Work, key: Path, tmp_path: Path) -> None:
    repository = by(work, Authorship(ROBOT, str(key)))
    for tip in (init(repository), record(repository)):
        assert "robot@example.org" in verified(work, tmp_path, tip.commit)
    assert repository.read().own_commit == tip.commit  # a signature hides none of ours
    assert next(repository.changes()).commit == tip.commit


def test_signed_commit_that_is_changed_does_not_verify(work: Work, key: Path, tmp_path: Path) -> None:
    tip = init(by(work, Authorship(ROBOT, str(key))))
    forged = work.git("cat-file", "commit", tip.commit).replace("init", "forged", 1)
    other = work.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=forged + "\n")
    with pytest.raises(AssertionError):
        verified(work, tmp_path, other)


def test_key_with_a_passphrase_is_told_at_once(work: Work, key: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "s3same", "-f", str(key)], check=True)
    before = work.head()
    with pytest.raises(RepositoryError, match=r"can't be signed; check --signing-key"):
        init(by(work, Authorship(ROBOT, str(key))))
    assert work.head() == before


def test_signing_key_that_is_missing_or_that_others_may_read_is_refused(work: Work, key: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--signing-key .*No such file"):
        by(work, Authorship(signing_key=str(tmp_path / "nothing")))
    key.chmod(0o644)
    with pytest.raises(SettingsError, match=r"--signing-key .*chmod 600"):
        by(work, Authorship(signing_key=str(key)))


@pytest.mark.parametrize("text", ["-x", "a\nb"])
def test_signing_key_that_would_be_an_option_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--signing-key is refused"):
        Authorship(signing_key=text)


def test_format_that_git_does_not_know_is_refused() -> None:
    with pytest.raises(SettingsError, match="choose ssh or gpg"):
        Authorship(signing_format="x509")


def test_gpg_program_of_the_user_is_asked_for_the_key_by_its_id(work: Work, tmp_path: Path) -> None:
    program = tmp_path / "sign"
    program.write_text(
        f'#!/bin/sh\necho "$*" > {tmp_path}/asked\ncat > {tmp_path}/signed\n'
        "echo '[GNUPG:] SIG_CREATED ' >&2\n"
        "printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n'\n"
    )
    program.chmod(0o755)
    work.git("config", "gpg.program", str(program))
    tip = init(by(work, Authorship(ROBOT, "ABCDEF01", "gpg")))
    assert (tmp_path / "asked").read_text().split()[-1] == "ABCDEF01"
    assert b"Reconciler-Ledger" in (tmp_path / "signed").read_bytes()
    assert "gpgsig -----BEGIN PGP SIGNATURE-----" in work.git("cat-file", "commit", tip.commit)


if shutil.which("gpg"):

    def test_commits_are_signed_with_a_gpg_key(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home = Path("/tmp") / f"gpg-{os.getpid()}"  # its agent's socket wants a short path
        home.mkdir(mode=0o700)
        monkeypatch.setenv("GNUPGHOME", str(home))
        try:
            make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", ROBOT, "ed25519", "sign"]
            subprocess.run(make, check=True, capture_output=True)
            tip = init(by(work, Authorship(ROBOT, "robot@example.org", "gpg")))
            assert "GOODSIG" in verified(work, tmp_path, tip.commit)
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
            shutil.rmtree(home, ignore_errors=True)  # its agent takes its sockets away meanwhile
