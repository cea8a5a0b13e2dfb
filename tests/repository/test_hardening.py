"""What a repository or URL brings along does not run, and passwords show nowhere."""

from __future__ import annotations

import os
import subprocess
import traceback
from pathlib import Path

import pytest

from reconciler.errors import FetchFailed, RepositoryError
from reconciler.repository import Repository, Tracked, mask
from reconciler.repository import git as git_door
from reconciler.repository.git import Git, plain
from reconciler.repository.urls import check, parse
from tests.repository.builders import Work, init, opened, record

HOOKS = (
    *("applypatch-msg", "commit-msg", "fsmonitor-watchman", "post-applypatch", "post-checkout", "post-commit"),
    *("post-index-change", "post-merge", "post-rewrite", "pre-auto-gc", "pre-commit", "pre-merge-commit", "pre-push"),
    *("prepare-commit-msg", "push-to-checkout", "reference-transaction", "sendemail-validate"),
)


@pytest.mark.case("programs", "hooks")
def test_no_hook_of_the_repository_runs(cloned: Work, tmp_path: Path) -> None:
    sign = tmp_path / "ran"
    for folder in (".git/hooks", "hooks"):
        for name in HOOKS:
            cloned.write(f"{folder}/{name}", f"#!/bin/sh\ntouch {sign}-{name}\nexit 1\n").chmod(0o755)
    cloned.git("config", "core.fsmonitor", ".git/hooks/fsmonitor-watchman")
    repository = opened(cloned)
    init(repository)
    record(repository)
    repository.preflight()
    repository.read()
    cloned.git("config", "core.hooksPath", "hooks")
    record(opened(cloned), b"x\n", "status/x")
    assert [file.name for file in tmp_path.glob("ran-*")] == []


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x", "ext::sh", "fd::17", "http://host/x.git", "git://host/x", "ftp://host/x",
        "git+ssh://host/x", "transport::address", "-oProxyCommand=x", "--upload-pack=x", "-x:y", "user@-host:x",
        "host:-x", "ssh://-oProxyCommand=touch/x", "ssh://-host/x", "ssh://%2DoProxyCommand=x/x", "ssh://-u@host/x",
        "https://", "ssh:///x", "https://host:port/x", "file://other/x", "https://host/a b", "https://host/\nx",
        "ssh://host/-x", "host:", "javascript://x/y",
    ],
)  # fmt: skip
@pytest.mark.case("programs", "transport helpers", "schemes", "options")
def test_url_that_is_not_on_the_list_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError):
        Repository.open(Tracked(url, cache=tmp_path / "cache"))
    with pytest.raises(RepositoryError):
        parse(url)


@pytest.mark.parametrize(
    "url", ["ext::sh -c 'touch ran'", "-oProxyCommand=x", "http://host/x", "ssh://-oProxyCommand=x/y", "git://h/x"]
)
@pytest.mark.parametrize("key", ["url", "pushurl"])
@pytest.mark.case("programs", "transport helpers", "schemes", "options")
def test_remote_of_the_users_repository_is_held_to_the_same_list(cloned: Work, url: str, key: str) -> None:
    cloned.git("config", f"remote.origin.{key}", url)
    with pytest.raises(RepositoryError, match="refused"):
        opened(cloned)
    assert not (cloned.top / "ran").exists()


def test_url_rewritten_by_the_users_configuration_is_checked_again(cloned: Work, remote: Work) -> None:
    cloned.git("config", "url.ext::sh -c .insteadOf", "file:")
    with pytest.raises(RepositoryError, match="refused"):
        opened(cloned)


@pytest.mark.case("programs", "transport helpers")
def test_helper_that_the_repositorys_configuration_allows_is_not_run(cloned: Work) -> None:
    """Whatever our own list may let through: git's holds, which a repository could widen."""
    cloned.git("config", "protocol.ext.allow", "always")
    assert Git(cloned.top, cloned.top / ".git").run("ls-remote", "ext::touch ran").code
    assert not (cloned.top / "ran").exists()


@pytest.mark.parametrize(("key", "told"), [("remote", "would be read as an option"), ("merge", "not a branch")])
@pytest.mark.case("programs", "options")
def test_upstream_that_would_be_an_option_is_refused(cloned: Work, key: str, told: str) -> None:
    cloned.git("config", f"branch.main.{key}", "--upload-pack=touch ran")
    with pytest.raises(RepositoryError, match=told):
        opened(cloned)


@pytest.mark.parametrize("location", ["-x", "--help", "a\0b", "a\nb"])
@pytest.mark.case("programs", "options")
def test_location_that_would_be_an_option_is_refused(location: str) -> None:
    with pytest.raises(RepositoryError, match="refused"):
        Repository.open(Tracked(location))


def test_variables_of_a_surrounding_git_are_ignored(
    work: Work, remote: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "GIT_DIR": str(remote.top), "GIT_INDEX_FILE": str(tmp_path / "index"), "GIT_WORK_TREE": str(tmp_path),
        "GIT_TRACE": "1", "GIT_CURL_VERBOSE": "1", "GIT_EXTERNAL_DIFF": "false", "GIT_ICASE_PATHSPECS": "1",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Pod",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    repository = opened(work)
    init(repository)
    record(repository)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name)
    assert work.git("log", "-1", "--format=%an") == "Pod"
    assert work.status() == ""
    assert remote.git("rev-list", "--count", "main") == "1"


SECRET = "hunter2%21"


@pytest.mark.case("secrets", "URL with a password", "what is printed", "git configuration")
def test_password_of_a_url_shows_nowhere(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    url = f"https://ada:{SECRET}@localhost:1/team/fleet.git"
    with pytest.raises(FetchFailed) as caught:
        Repository.open(Tracked(url, cache=cache))
    shown = "".join(traceback.format_exception(caught.value))
    assert "localhost:1/team/fleet" in shown
    kept = b"".join(file.read_bytes() for file in cache.rglob("*") if file.is_file())
    for text in (SECRET, "hunter2!", "ada:"):
        assert text not in shown
        assert text.encode() not in kept
    parsed = parse(url)
    assert SECRET not in parsed.given + parsed.key + parsed.shown
    assert (parsed.username, parsed.password, parsed.origin) == ("ada", "hunter2!", "https://localhost:1")


@pytest.mark.case("secrets", "URL with a password")
def test_password_of_a_configured_remote_shows_nowhere(cloned: Work) -> None:
    cloned.git("config", "remote.origin.url", f"https://ada:{SECRET}@localhost:1/x.git")
    repository = opened(cloned)
    with pytest.raises(FetchFailed) as caught:
        repository.read()
    shown = "".join(traceback.format_exception(caught.value)) + repository.description
    assert "localhost:1/x" in shown
    assert "hunter2" not in shown


def test_password_goes_to_its_own_site_by_a_credential_helper(tmp_path: Path) -> None:
    from reconciler.repository.mirror import credential_settings

    url = parse(f"https://ada:{SECRET}@example.org/x.git")
    settings, variables = credential_settings(url)
    door = Git(tmp_path, None, config=settings, env=variables, secrets=(url.password,))
    asked = door.run("credential", "fill", stdin=b"protocol=https\nhost=example.org\n\n")
    assert asked.out.decode().splitlines()[2:] == ["username=ada", "password=hunter2!"]
    elsewhere = door.run("credential", "fill", stdin=b"protocol=https\nhost=evil.example\n\n")
    assert b"hunter2" not in elsewhere.out
    assert "hunter2" not in repr(door)


@pytest.mark.case("secrets", "URL with a password", "what is printed")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fatal: unable to access 'https://a:b@h/x'", "fatal: unable to access 'https://***@h/x'"),
        ("https://token@h/x", "https://***@h/x"),
        ("https://a:b@c@h/x", "https://***@h/x"),
        ("ssh://git@h/x", "ssh://git@h/x"),
        ("ssh://git:pw@h/x", "ssh://***@h/x"),
        ("git@h:x", "git@h:x"),
        ("two https://a:b@h and https://c:d@i", "two https://***@h and https://***@i"),
        ("https://h/x mail ada@example.org", "https://h/x mail ada@example.org"),
    ],
)
def test_mask(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_mask_of_named_secrets() -> None:
    assert mask("the key is hunter2", ("hunter2", "")) == "the key is ***"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("https://h/a/b.git", "https://H:443/a/b/"),
        ("https://ada:x@h/a", "https://h/a.git/"),
        ("git@h:a/b", "ssh://git@h/a/b.git"),
        ("ssh://git@host:22/x.git", "git@HOST:x.git"),
        ("https://HOST:443/x/", "https://ada:secret@host/x.git"),
        ("https://host/x.git/", "https://token@Host/x"),
        ("h:a/b", "ssh://H:22/a/b/"),
        ("ada@h:/a/b", "ssh://ada@H:22/a/b.git"),
        ("ada@h:a/b", "ssh://ada@h/~/a/b"),
        ("git@[::1]:a", "ssh://[::1]/a"),
        ("https://h/a%20b", "https://h/a%20b.git"),
    ],
)
@pytest.mark.case("spellings")
def test_spellings_of_one_repository_have_one_key(one: str, two: str) -> None:
    assert parse(one).key == parse(two).key


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("https://h/a", "https://h/b"),
        ("https://h/a", "https://h:444/a"),
        ("https://h/a", "https://i/a"),
        ("ada@h:a", "max@h:a"),  # each at home
        ("ada@h:a", "ada@h:/a"),
        ("ssh://ada@h/a", "ssh://max@h/a"),
    ],
)
def test_different_repositories_have_different_keys(one: str, two: str) -> None:
    assert parse(one).key != parse(two).key


def test_plain_path_as_a_remote_is_allowed() -> None:
    check("/srv/x.git", "it")
    check("../x.git", "it")
    with pytest.raises(RepositoryError):
        check("-x", "it")


def test_git_that_takes_too_long_is_stopped(work: Work) -> None:
    nap = f"sleep 60.{os.getpid()}"  # nobody else's on this machine
    work.git("config", "alias.slow", f"!{nap}")
    with pytest.raises(RepositoryError, match=r"git slow did not finish within 0 s") as caught:
        Git(work.top, work.top / ".git").run("slow", timeout=0.2)
    assert caught.value.__cause__ is None
    assert not subprocess.run(["pgrep", "-f", f"^{nap}$"], capture_output=True, check=False).stdout


def test_git_that_is_missing_is_told(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RepositoryError, match="git is not installed"):
        opened(work)


def test_network_commands_are_bounded() -> None:
    assert git_door.NETWORK == 60


def test_repository_of_another_user_is_told_plainly(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(RepositoryError, match=r"belongs to another user.*safe\.directory"):
        opened(work)


@pytest.mark.parametrize(
    ("err", "told"),
    [
        ("error: unable to write file: No space left on device\nfatal: x", "the disk is full"),
        ("fatal: sha1 file '/x/index.lock' write error. Out of diskspace", "the disk is full"),
        ("fatal: cannot update ref 'refs/heads/main': couldn't write '/x/main.lock'", "the disk takes no more"),
        ("error: insufficient permission for adding an object to repository database objects\n", "no permission"),
        ("warning: x\nfatal: bad\nmore", "fatal: bad"),
        ("", "git said nothing"),
    ],
)
@pytest.mark.case("unfit", "read-only", "full disk")
def test_gits_words_made_plain(err: str, told: str) -> None:
    assert plain(err).startswith(told)
    assert "\n" not in plain(err)


def test_git_that_is_killed_is_told_from_git_that_says_nothing(work: Work, tmp_path: Path) -> None:
    killed = tmp_path / "git"
    killed.write_text("#!/bin/sh\nkill -KILL $$\n")
    killed.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        with pytest.raises(RepositoryError, match=r"^git gc failed: signal 9 ended it \(killed\)$"):
            Git(work.top).out("gc")


def test_disk_that_is_full_leaves_the_repository_unharmed(work: Work) -> None:
    repository = opened(work)
    init(repository)
    before = work.head()
    folder = work.top / ".git/reconciler"
    folder.rename(work.top / ".git/kept")
    folder.write_text("a file in the way, as a full disk would be")
    with pytest.raises(RepositoryError, match="can't write into"):
        record(repository)
    with pytest.raises(RepositoryError, match="can't write into"):
        repository.save_state({})
    assert repository.read().own_commit == before  # reading goes on
    assert work.head() == before
    assert work.status() == ""
