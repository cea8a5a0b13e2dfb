"""What must not be read in logs and notifications: passwords in URLs, tokens, control characters. Pure.

The git door masks its own messages by itself (`repository.urls`), since it knows its secrets and none of these modules.
This is the second line: it knows no secret, only what secrets look like.
"""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = "***"
# Bounded: otherwise a long text without spaces would take the square of its length.
_USERINFO: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://)[^/\s'\"]*@")
_BEARER: Final = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE)
_WORDS: Final = (
    "(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signature|credential|authorization)s?"
)
_VALUE: Final = r"\"[^\"]*\"|'[^']*'|[^\s,;&'\"]+"
_ASSIGNED: Final = re.compile(rf"({_WORDS}['\"]?\s{{0,3}}[=:]\s{{0,3}})(?!\*\*\*)({_VALUE})", re.IGNORECASE)
_NAME: Final = re.compile(rf"[a-z0-9_-]*?{_WORDS}", re.IGNORECASE)
_KEY_BLOCK: Final = re.compile(r"-----BEGIN [^-]*PRIVATE KEY-----.*?(-----END [^-]*-----|\Z)", re.DOTALL)


def mask(text: str) -> str:
    """The text without what looks like a secret. `ssh://git@host` keeps its user, who is none."""
    text = _KEY_BLOCK.sub(_HIDDEN, text)
    text = _USERINFO.sub(_without_userinfo, text)
    text = _BEARER.sub(lambda match: f"{match[1]} {_HIDDEN}", text)
    return _ASSIGNED.sub(lambda match: f"{match[1]}{_HIDDEN}", text)


def is_secret_name(name: str) -> bool:
    """Whether what goes by that name is shown to nobody."""
    return _NAME.fullmatch(name) is not None


def escaped(text: str) -> str:
    """One line: what a terminal would obey, or what would begin a forged line, is written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def _without_userinfo(match: re.Match[str]) -> str:
    plain = match[1].lower() == "ssh://" and ":" not in match[0][len(match[1]) :]
    return match[0] if plain else f"{match[1]}{_HIDDEN}@"
