"""How git gets to the remote where the user's own git configuration is not to tell: tokens, CA, ssh key, known hosts.

Made by `cli`, kept in `Tracked`, and turned by `location` and `mirror` into settings of `Git`. Where an option is not
given, what the user configured (helpers, ssh's configuration, proxies) stays in force. No secret is ever an argument,
nor written to a configuration file: git's credential helper gets it by its environment, for the remote's site alone.
"""

from __future__ import annotations

import base64
import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from reconciler.errors import Cause, RepositoryError, SettingsError

_USERNAMES: Final = {"bitbucket.org": "x-token-auth", "gitlab.com": "oauth2"}
"""What goes with a token where no name is given. GitHub takes any, and this for an installation's; so does GitLab."""
_USERNAME: Final = "x-access-token"
_TOKEN_LIMIT: Final = 16384
"""Characters of a token file; a longer one is another file."""
_HELPER: Final = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" '
    '"$RECONCILER_GIT_USERNAME" "$RECONCILER_GIT_PASSWORD"; }; f'
)
_SSH: Final = (
    *("BatchMode=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no", "VerifyHostKeyDNS=no"),
    *("NumberOfPasswordPrompts=0", "ForwardAgent=no", "PermitLocalCommand=no"),
)

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Access:
    """The options. `token_file` holds a token, or `user:password` where no `username` is given."""

    token_file: Path | None = None
    username: str = ""
    ca_file: Path | None = None
    ssh_key_file: Path | None = None
    ssh_known_hosts: Path | None = None

    def __post_init__(self) -> None:
        if not self.username.isprintable():
            raise SettingsError("--git-username can't be shown; write it in printable characters")
        if self.username and self.token_file is None:
            raise SettingsError("--git-username goes with --git-token-file alone; give that, too")
        for option, file in (("--ssh-key-file", self.ssh_key_file), ("--ssh-known-hosts", self.ssh_known_hosts)):
            if file and (not str(file).isprintable() or any(char in str(file) for char in '"\\$')):
                raise SettingsError(f"{option} {str(file)!r}: ssh takes no path with a quote, $ or backslash")

    def check(self) -> None:
        """Raise SettingsError where a file is missing, unreadable, or a key that others may read."""
        problem = self.problem()
        if problem:
            raise SettingsError(problem)

    def problem(self) -> str:
        """What is wrong with the files this moment, for people; empty where nothing is."""
        for option, file in (
            ("--git-token-file", self.token_file),
            ("--git-ca-file", self.ca_file),
            ("--ssh-key-file", self.ssh_key_file),
            ("--ssh-known-hosts", self.ssh_known_hosts),
        ):
            wrong = unreadable(file) if file else ""
            if wrong:
                return f"{option} {file}: {wrong}"
        wrong = exposed(self.ssh_key_file) if self.ssh_key_file else ""
        return f"--ssh-key-file {self.ssh_key_file}: {wrong}" if wrong else ""

    def variables(self) -> Pairs:
        """The environment of git that does not change while the program runs."""
        found: Pairs = ()
        if self.ca_file:
            found += (("GIT_SSL_CAINFO", str(self.ca_file.expanduser().absolute())),)
        if self.ssh_key_file or self.ssh_known_hosts:
            found += (("GIT_SSH_COMMAND", self._ssh()), ("GIT_SSH_VARIANT", "ssh"))
        return found

    def settings(self, origins: tuple[str, ...]) -> Pairs:
        """The configuration of git for a remote at these sites (`https://host[:port]`)."""
        found: Pairs = ()
        for origin in origins:
            found += helper_settings(origin) if self.token_file else ()
            found += ((f"http.{origin}.sslVerify", "true"),) if self.ca_file else ()
        return found

    def without(self) -> tuple[str, ...]:
        """The variables that git must not inherit: a CA of one's own is there to be checked against."""
        return ("GIT_SSL_NO_VERIFY",) if self.ca_file else ()

    def _ssh(self) -> str:
        options = [*_SSH]
        if self.ssh_known_hosts:
            options += [f"UserKnownHostsFile={_ssh_path(self.ssh_known_hosts)}", "GlobalKnownHostsFile=/dev/null"]
            options += ["KnownHostsCommand=none"]
        if self.ssh_key_file:
            options += [f"IdentityFile={_ssh_path(self.ssh_key_file)}", "IdentitiesOnly=yes", "IdentityAgent=none"]
        return " ".join(["ssh", *(word for option in options for word in ("-o", shlex.quote(option)))])


@dataclass(frozen=True, slots=True)
class Live:
    """What is read anew at each git call over the network, so that files may be replaced while the program runs."""

    access: Access
    host: str = ""
    username: str = ""
    """The one in the URL, which is meant where the options name none."""

    def read(self) -> tuple[Pairs, tuple[str, ...]]:
        """Variables for one git call, and the texts of which none may be shown.

        Raises RepositoryError where a file can't be used now.
        """
        problem = self.access.problem()
        if problem:
            raise RepositoryError(problem, Cause.PERMISSION)
        if self.access.token_file is None:
            return (), ()
        username, password = self._credentials(self.access.token_file.expanduser())
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        hidden = tuple({password, quote(password, safe=""), encoded})
        return (("RECONCILER_GIT_USERNAME", username), ("RECONCILER_GIT_PASSWORD", password)), hidden

    def _credentials(self, file: Path) -> tuple[str, str]:
        try:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(_TOKEN_LIMIT + 1).strip()
        except UnicodeDecodeError:
            raise RepositoryError(f"--git-token-file {file} is no text", Cause.PERMISSION) from None
        except OSError as error:
            raise RepositoryError(f"--git-token-file {file}: {error.strerror}", Cause.PERMISSION) from error
        if not text or not text.isprintable() or len(text) > _TOKEN_LIMIT:
            raise RepositoryError(
                f"--git-token-file {file} must hold one line: a token, or user:password", Cause.PERMISSION
            )
        user, colon, password = text.partition(":")
        if colon and user and password and not self.access.username:
            return user, password
        return self.access.username or self.username or _USERNAMES.get(self.host, _USERNAME), text


def helper_settings(origin: str) -> Pairs:
    """Configuration by which a site, and no other after a redirect, gets the name and password in the environment."""
    return (f"credential.{origin}.helper", ""), (f"credential.{origin}.helper", _HELPER)


def unreadable(file: Path) -> str:
    """Why a file can't be read; empty where it can."""
    try:
        with file.expanduser().open("rb") as opened:
            opened.read(1)
    except OSError as error:
        return error.strerror or "it can't be read"
    return ""


def exposed(file: Path) -> str:
    """Whether ssh would refuse a private key as one that others may read, and what to do; empty where it wouldn't.

    ssh asks that of files of one's own alone, so that a mounted Secret, which is root's, may be readable by a group.
    """
    about = file.expanduser().stat()
    if about.st_uid == os.getuid() and stat.S_IMODE(about.st_mode) & 0o077:
        return f"others may read this private key, so ssh refuses it; run: chmod 600 {file}"
    return ""


def _ssh_path(file: Path) -> str:
    return f'"{file.expanduser().absolute()}"'.replace("%", "%%")
