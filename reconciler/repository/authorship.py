"""Who our commits are by, and with which key they are signed.

Made by `cli`, kept in `Tracked`; `location` and `mirror` put it beside what the user's git configuration says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import SettingsError
from reconciler.repository.access import Pairs, exposed, unreadable

_PERSON: Final = re.compile(r"([^<>\n]*[^<>\s])\s*<([^<>\s]+)>")
_FORMATS: Final = {"ssh": "ssh", "gpg": "openpgp"}
"""Ours, and git's word for it (`gpg.format`)."""


@dataclass(frozen=True, slots=True)
class Authorship:
    """The options. `signing_key`: for ssh the file of a private key, or a public key that the agent has; for gpg an id.

    Empty means: as git is configured, and not signed.
    """

    committer: str = ""
    signing_key: str = ""
    signing_format: str = "ssh"

    def __post_init__(self) -> None:
        if self.committer and not (_PERSON.fullmatch(self.committer) and self.committer.isprintable()):
            raise SettingsError(f"--committer {self.committer!r}: write 'Name <mail>'")
        if self.signing_format not in _FORMATS:
            raise SettingsError(f"--signing-format {self.signing_format!r}: choose ssh or gpg")
        if self.signing_key.startswith("-") or not self.signing_key.isprintable():
            raise SettingsError("--signing-key is refused: it would be read as an option, or can't be shown")

    def check(self) -> None:
        """Raise SettingsError where the file of the key is missing, unreadable, or may be read by others."""
        if self._file is None:
            return
        wrong = unreadable(self._file) or exposed(self._file)
        if wrong:
            raise SettingsError(f"--signing-key {self._file}: {wrong}")

    def signing(self) -> Pairs:
        """The configuration of git that signs with the key; empty where nothing is to be signed."""
        if not self.signing_key:
            return ()
        key = str(self._file.absolute()) if self._file else self.signing_key
        return ("gpg.format", _FORMATS[self.signing_format]), ("user.signingKey", key)

    def identity(self, settings: Mapping[str, list[str]]) -> dict[str, str]:
        """Variables for `commit-tree`: the option, else the environment and `settings`, git's configuration by key, as
        git has it, else `reconciler <reconciler@localhost>`.
        """
        person = _PERSON.fullmatch(self.committer)
        found = {}
        for role in ("author", "committer"):
            for part, default in (("name", "reconciler"), ("email", "reconciler@localhost")):
                variable = f"GIT_{role.upper()}_{part.upper()}"
                if person:
                    found[variable] = person[1].strip() if part == "name" else person[2]
                    continue
                configured = [*settings.get(f"user.{part}", []), *settings.get(f"{role}.{part}", [])]
                value = os.environ.get(variable) or next((text for text in reversed(configured) if text), "")
                found[variable] = value or (os.environ.get("EMAIL", "") if part == "email" else "") or default
        return found

    @property
    def _file(self) -> Path | None:
        key = self.signing_key
        is_public = key.startswith(("key::", "ssh-"))  # as git tells them apart
        return Path(key).expanduser() if key and self.signing_format == "ssh" and not is_public else None
