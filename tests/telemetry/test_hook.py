"""The webhook, as each forge calls it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from multidict import CIMultiDict

from reconciler.errors import SettingsError
from reconciler.telemetry.hook import Hook, Verdict

SECRET = b"a secret of thirty characters!"
PUSH = json.dumps({"ref": "refs/heads/main"}).encode()


def signature(body: bytes = PUSH, secret: bytes = SECRET) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


class Bell:
    """Counts how often it was stirred."""

    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(SECRET + b"\n")
    return path


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def hook(secret: Path, bell: Bell) -> Hook:
    return Hook(secret, bell, ("main",))


def call(hook: Hook, headers: Mapping[str, str], body: bytes = PUSH) -> Verdict:
    return hook.call(CIMultiDict(headers), body)


def test_the_known_example_of_github(tmp_path: Path, bell: Bell) -> None:
    """docs.github.com, "Validating webhook deliveries": the test values that it gives."""
    (tmp_path / "secret").write_text("It's a Secret to Everybody")
    told = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert call(Hook(tmp_path / "secret", bell), {"X-Hub-Signature-256": told}, b"Hello, World!") is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Hub-Signature-256": f"sha256={signature()}", "X-GitHub-Event": "push"},
        {"x-hub-signature-256": f"sha256={signature()}"},
        {"X-Gitlab-Token": SECRET.decode(), "X-Gitlab-Event": "Push Hook"},
        {"X-Gitea-Signature": signature(), "X-Gitea-Event": "push"},
        {"X-Forgejo-Signature": signature()},
        {"X-Gogs-Signature": signature()},
        {"X-Hub-Signature": f"sha256={signature()}"},
        {"X-Hub-Signature": "sha1=" + "0" * 40, "X-Hub-Signature-256": f"sha256={signature()}"},
    ],
    ids=["github", "lower case", "gitlab", "gitea", "forgejo", "gogs", "bitbucket", "github with its old one"],
)
def test_each_forge_is_believed(hook: Hook, bell: Bell, headers: dict[str, str]) -> None:
    assert call(hook, headers) is Verdict.ACCEPTED
    assert bell.rung == 1
    assert hook.may_be_genuine(CIMultiDict(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": signature()},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": f"sha256={signature()[:-1]}"},
        {"X-Hub-Signature-256": f"sha256={signature(secret=b'another')}"},
        {"X-Hub-Signature-256": f"sha256={signature(b'another body')}"},
        {"X-Hub-Signature": "sha1=" + hmac.new(SECRET, PUSH, hashlib.sha1).hexdigest()},
        {"X-Gitea-Signature": f"sha256={signature()}"},
        {"X-Gitlab-Token": ""},
        {"X-Gitlab-Token": SECRET.decode() + " "},
        {"X-Gitlab-Token": signature()},
        {"X-Gitlab-Token": "\udcff\udcfe ünïcode"},
        {"Authorization": f"Bearer {SECRET.decode()}"},
    ],
)
def test_nobody_else_is(hook: Hook, bell: Bell, headers: dict[str, str]) -> None:
    assert call(hook, headers) is Verdict.DENIED
    assert bell.rung == 0


def signed(body: bytes, **headers: str) -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={signature(body)}", **headers}


@pytest.mark.parametrize(
    ("body", "stirs"),
    [
        (b'{"ref": "refs/heads/main"}', True),
        (b'{"ref": "refs/heads/other"}', False),
        (b'{"ref": "refs/heads/main2"}', False),
        (b'{"ref": "refs/tags/main"}', False),
        (b'{"ref": 5}', True),
        (b'{"ref": "main"}', True),
        (b'{"push": {"changes": []}}', True),
        (b'["ref"]', True),
        (b"", True),
        (b"{", True),
        (b"\xff\xfe", True),
        (b"[" * 100_000, True),
        (b"payload=%7B%7D", True),
        (b'{"ref": ' + b"9" * 5000 + b"}", True),
    ],
)
def test_a_push_to_another_branch_is_ignored_and_what_cannot_be_read_is_not(
    hook: Hook, bell: Bell, body: bytes, stirs: bool
) -> None:
    assert call(hook, signed(body), body) is (Verdict.ACCEPTED if stirs else Verdict.IGNORED)
    assert bell.rung == stirs


def test_without_branches_every_push_counts(secret: Path, bell: Bell) -> None:
    body = b'{"ref": "refs/heads/other"}'
    assert call(Hook(secret, bell), signed(body), body) is Verdict.ACCEPTED


def test_a_ping_is_answered_and_stirs_nothing_and_only_when_it_is_genuine(hook: Hook, bell: Bell) -> None:
    body = b'{"zen": "Design for failure."}'
    ping = {"X-GitHub-Event": "ping"}
    assert call(hook, signed(body, **ping), body) is Verdict.IGNORED
    assert call(hook, ping, body) is Verdict.DENIED
    assert bell.rung == 0


def test_the_secret_is_read_again_when_its_file_changes(hook: Hook, secret: Path) -> None:
    old, new = {"X-Gitlab-Token": SECRET.decode()}, {"X-Gitlab-Token": "new"}
    assert call(hook, new) is Verdict.DENIED
    fresh = secret.with_name("fresh")
    fresh.write_text("new")
    os.replace(fresh, secret)  # as a mounted Secret changes: at once
    assert call(hook, new) is Verdict.ACCEPTED
    assert call(hook, old) is Verdict.DENIED


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "empty"])
def test_a_secret_that_vanishes_closes_the_hook(hook: Hook, secret: Path, gone: bool) -> None:
    if gone:
        secret.unlink()
    else:
        secret.write_bytes(b"")
    for headers in ({"X-Gitlab-Token": SECRET.decode()}, {"X-Gitlab-Token": ""}, signed(PUSH)):
        assert call(hook, headers) is Verdict.DENIED
    nobody = {"X-Hub-Signature-256": f"sha256={signature(secret=b'')}"}
    assert call(hook, nobody) is Verdict.DENIED
    secret.write_bytes(SECRET)
    assert call(hook, signed(PUSH)) is Verdict.ACCEPTED


@pytest.mark.parametrize("content", [b"", b"\n", b"  \r\n\n"])
def test_an_empty_secret_is_refused(tmp_path: Path, bell: Bell, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SettingsError, match="is empty"):
        Hook(tmp_path / "secret", bell)


def test_so_are_no_file_and_a_huge_one(tmp_path: Path, bell: Bell) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        Hook(tmp_path / "none", bell)
    (tmp_path / "huge").write_bytes(b"x" * 70_000)
    with pytest.raises(SettingsError, match="64 KiB"):
        Hook(tmp_path / "huge", bell)
