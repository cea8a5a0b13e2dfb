"""Why a remote refused a push or a fetch: what git, ssh, curl and the forges say, as a cause and what to do.

Pure; called by `commit`, `mirror` and `git` with what git printed (in English, which `Git` asks for). What is known is
in `messages`: the first row with all its signs in one line, whatever the case, decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import Cause
from reconciler.repository.messages import TABLE


@dataclass(frozen=True, slots=True)
class Rejection:
    """`words`: what it means and what to do, empty where that is not known; `line`: the one that told."""

    cause: Cause
    words: str
    line: str


def classify(text: str) -> Rejection:
    """What git's output says. `OTHER` without words where no line is known."""
    lines = [(line.strip(), line.lower()) for line in text.splitlines() if line.strip()]
    for signs, cause, words in TABLE:
        for line, lowered in lines:
            if all(sign in lowered for sign in ((signs,) if isinstance(signs, str) else signs)):
                return Rejection(cause, words, line)
    return Rejection(Cause.OTHER, "", "")
