"""URLs of repositories: which are allowed, which spell the same repository, and how to show one without its password.

Called by `location` for `--repo` and for the remotes that a user's repository names.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler.errors import RepositoryError

_PORTS: Final = {"https": 443, "ssh": 22}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_SCP = re.compile(r"(?:([^@/:\s]+)@)?(\[[0-9A-Fa-f:.]+\]|[^@/:\s\[\]]+):([^:].*|)")
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://)([^/\s'\"]*)@")
_ALLOWED: Final = "use https://, ssh://, file:// or host:path"


@dataclass(frozen=True, slots=True)
class Url:
    """One allowed URL.

    `given` is what git gets: without user and password where there is a password over https, which go by a credential
    helper. `key` is equal for two spellings of one repository. `shown` is for people.
    `origin` is `https://host[:port]`, to which alone a password goes; `host` that host, of https alone.
    """

    given: str
    key: str
    shown: str
    origin: str = ""
    username: str = ""
    password: str = ""
    host: str = ""


def is_url(location: str) -> bool:
    """Whether `location` is meant as a URL, by git's own rule: `scheme://`, or a colon before the first slash."""
    if _SCHEME.match(location) or _HELPER.match(location):
        return True
    return _SCP.fullmatch(location) is not None and not os.path.exists(location)


def mask(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without the user part of https URLs, any password in a URL, and the given secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _USERINFO.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    scheme, userinfo = match.groups()
    plain = scheme.lower() == "ssh://" and ":" not in userinfo
    return match.group(0) if plain else f"{scheme}***@"


def secrets_of(url: str) -> tuple[str, ...]:
    """The password in a URL, as it stands there and decoded; empty where there is none."""
    match = _SCHEME.match(url)
    if match is None:
        return ()
    userinfo = url[match.end() :].partition("/")[0].rpartition("@")[0]
    password = userinfo.partition(":")[2]
    return tuple({password, unquote(password)} - {""})


def check(url: str, what: str) -> None:
    """Refuse what `parse` refuses; a plain path (a remote may be one) passes unless it begins with `-`.

    Raises RepositoryError; `what` names the URL in it.
    """
    if not is_url(url):
        if url.startswith("-") or not url.isprintable():
            raise RepositoryError(f"{what} {mask(url)!r} is refused: it would be read as an option; {_ALLOWED}")
        return
    parse(url, what)


def parse(url: str, what: str = "the URL") -> Url:
    """Check and take apart a URL: https, ssh, file or scp-like (`user@host:path`).

    Raises RepositoryError for any other scheme, transport helpers (`ext::`), and parts that begin with `-`.
    """
    shown = mask(url)
    if url.startswith("-") or not url.isprintable() or " " in url:
        raise RepositoryError(f"{what} {shown!r} is refused: {_ALLOWED}")
    scheme = _SCHEME.match(url)
    if scheme is None:
        return _scp(url, what)
    if scheme[1].lower() not in ("https", "ssh", "file"):
        raise RepositoryError(f"{what} {shown!r} is refused: {scheme[1]} is not allowed; {_ALLOWED}")
    try:
        parts = urlsplit(url)
        host, port, user, password = parts.hostname or "", parts.port, parts.username or "", parts.password or ""
    except ValueError:
        raise RepositoryError(f"{what} {shown!r} is not a URL; {_ALLOWED}") from None
    if parts.scheme == "file":
        return _file(parts, what)
    if not host or any(unquote(part).startswith("-") for part in (host, user)) or parts.path.startswith("/-"):
        raise RepositoryError(f"{what} {shown!r} is refused: no host, or a part that would be read as an option")
    site = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[parts.scheme]:
        site += f":{port}"
    owner = _owner(user) if parts.scheme == "ssh" else ""
    key = f"{parts.scheme}://{owner}{site}/{_repository(parts.path)}"
    if parts.scheme == "https" and password:
        given = f"https://{site}{parts.path}"
        return Url(given, key, given, f"https://{site}", unquote(user), unquote(password), host)
    if parts.scheme == "ssh" and password:  # ssh takes no password from a URL
        given = f"ssh://{user}@{site}{parts.path}"
        return Url(given, key, given)
    shown = mask(f"{parts.scheme}://{parts.netloc}{parts.path}")
    if parts.scheme == "https":
        return Url(url, key, shown, f"https://{site}", unquote(user), host=host)
    return Url(url, key, shown)


def _scp(url: str, what: str) -> Url:
    match = None if _HELPER.match(url) else _SCP.fullmatch(url)
    if match is None:
        raise RepositoryError(f"{what} {mask(url)!r} is refused: {_ALLOWED}")
    user, host, path = match[1] or "", match[2].lower(), match[3]
    if any(part.startswith("-") for part in (user, host, path)) or not path:
        raise RepositoryError(f"{what} {url!r} is refused: a part of it would be read as an option, or is missing")
    home = "~/" if _owner(user) and not path.startswith(("/", "~")) else ""
    return Url(url, f"ssh://{_owner(user)}{host}/{home}{_repository(path)}", url)


def _owner(user: str) -> str:
    """Paths of a plain ssh server may begin at the user's home; at a forge all are `git`, and have one root."""
    return "" if user in ("", "git") else f"{user}@"


def _file(parts: SplitResult, what: str) -> Url:
    if parts.netloc not in ("", "localhost"):
        raise RepositoryError(f"{what} names a file on another host; {_ALLOWED}")
    path = unquote(parts.path)
    real = os.path.realpath(path if os.path.isdir(path) else path.rstrip("/") + ".git")
    return Url(f"file://{parts.path}", f"file://{real}", f"file://{parts.path}")


def _repository(path: str) -> str:
    return unquote(path).strip("/").removesuffix(".git").rstrip("/")
