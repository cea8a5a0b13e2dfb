"""The webhook: a forge says that something was pushed, and the daemon looks at once instead of at the next poll.

It carries no information (a wake-up is a hint: the pass reads the tip itself), so a replayed or invented call costs one
`ls-remote` at most, and needs no nonce and no clock. The signature keeps strangers from causing even that.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from reconciler.errors import SettingsError
from reconciler.telemetry.logs import logger

_LARGEST_SECRET: Final = 64 * 1024
_log = logger("hook")


class Verdict(Enum):
    """Of one call, with its HTTP status."""

    ACCEPTED = 202
    IGNORED = 200
    """Genuine, and no push to a branch that is tracked."""
    DENIED = 401


class Hook:
    """Checks a call against the secret in `secret_file`, which is read again whenever the file changes.

    `stir` is called for a genuine push and must return at once. `branches` are those that matter; none named: all do.
    Raises SettingsError where the file can't be read or is empty.
    """

    def __init__(self, secret_file: Path, stir: Callable[[], None], branches: Collection[str] = ()) -> None:
        self._file = secret_file
        self._stir = stir
        self.heed(branches)
        self._secret, self._read_at = _read(secret_file), _stamp(secret_file)

    def call(self, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Of one POST: `headers` without regard to case, the body as it came. Never blocks, never raises."""
        if not self._genuine(headers, body):
            return Verdict.DENIED
        if _event(headers) == "ping" or not self._concerns(body):
            return Verdict.IGNORED
        self._stir()
        return Verdict.ACCEPTED

    def heed(self, branches: Collection[str]) -> None:
        """From now on pushes to these branches alone matter; none named: all do."""
        self._refs = frozenset(f"refs/heads/{branch}" for branch in branches)

    def may_be_genuine(self, headers: Mapping[str, str]) -> bool:
        """Whether it carries any proof at all; otherwise its body need not be read."""
        return any(headers.get(name) for name in (*_SIGNED, *_TOKENS))

    def _genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        """One right proof suffices: who has it knows the secret. All comparisons take the same time."""
        secret = self._current()
        if not secret:
            return False
        right = hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
        proofs = [(_bytes(headers.get(name, "")), prefix + right) for name, prefix in _SIGNED.items()]
        proofs += [(_bytes(headers.get(name, "")), secret) for name in _TOKENS]
        return sum(hmac.compare_digest(given, wanted) for given, wanted in proofs) > 0

    def _concerns(self, body: bytes) -> bool:
        """Anything but a push to another branch, as far as the body tells: what can't be read may be of concern."""
        if not self._refs:
            return True
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return True
        ref = told.get("ref") if isinstance(told, dict) else None
        return not (isinstance(ref, str) and ref.startswith("refs/")) or ref in self._refs

    def _current(self) -> bytes:
        """The secret as the file has it now; where it has none, nobody is believed."""
        stamp = _stamp(self._file)
        if stamp != self._read_at:
            self._read_at = stamp
            try:
                self._secret = _read(self._file)
            except SettingsError as error:
                self._secret = b""
                _log.error("the webhook is closed until its secret can be read", why=str(error))
        return self._secret


# GitHub, Forgejo and Gitea sign with the first; Gitea, Forgejo and Gogs also in bare hex; Bitbucket has another name.
_SIGNED: Final = {
    "X-Hub-Signature-256": b"sha256=",
    "X-Gitea-Signature": b"",
    "X-Forgejo-Signature": b"",
    "X-Gogs-Signature": b"",
    "X-Hub-Signature": b"sha256=",
}
_TOKENS: Final = ("X-Gitlab-Token",)
_EVENTS: Final = ("X-GitHub-Event", "X-Gitea-Event", "X-Forgejo-Event", "X-Gogs-Event")


def _event(headers: Mapping[str, str]) -> str:
    return next((headers[name] for name in _EVENTS if name in headers), "")


def _bytes(header: str) -> bytes:
    """As it came over the wire: a header may hold bytes that are no text."""
    return header.encode("utf-8", "surrogateescape")


def _stamp(path: Path) -> tuple[int, int, int]:
    """Changes with the file, also where a mounted Secret is swapped by its symlink."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path) -> bytes:
    """Raises SettingsError."""
    try:
        with path.open("rb") as file:
            secret = file.read(_LARGEST_SECRET + 1).rstrip(b"\r\n")
    except OSError as error:
        raise SettingsError(f"--webhook-secret-file {path}: {error.strerror or error}") from error
    if not secret.strip():
        raise SettingsError(f"--webhook-secret-file {path} is empty; write the secret that the forge has into it")
    if len(secret) > _LARGEST_SECRET:
        raise SettingsError(f"--webhook-secret-file {path} is larger than 64 KiB; it holds the secret and nothing else")
    return secret
