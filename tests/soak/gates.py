"""The places where a process stops, waits or dies, and the answers of git's server that get lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from reconciler.errors import Cause, RepositoryError
from reconciler.repository.git import Git
from tests.soak.breaking import put
from tests.soak.clock import HERE

LOST: Final = {
    "the push": [("push", False)],
    "its answer": [("push", True)],
    "its answer, and the next": [("push", True), ("ls-remote", False)],
}
"""What of the next push gets lost: the commands that fail, in this order, and whether they take effect."""


def gate(label: str) -> None:
    """A call of git or of a cluster comes here first, and some afterwards."""
    if HERE.process is not None:
        HERE.process.reached(label)


@contextmanager
def gated() -> Iterator[None]:
    """Within it every git command of a process is a gate, and what it says may get lost."""
    start, run = Git._start, Git.run

    def stop_first(self: Git, args: tuple[str, ...], env: Any, piped: bool) -> Any:
        gate(f"git {args[0]}")
        return start(self, args, env, piped)

    def lose(self: Git, *args: str, **options: Any) -> Any:
        losing = HERE.process.losing if HERE.process else []
        if not losing or losing[0][0] != args[0]:
            return run(self, *args, **options)
        _, takes_effect = losing.pop(0)
        if takes_effect:
            run(self, *args, **options)
        raise RepositoryError(f"git {args[0]} did not finish within 60 s and was stopped", Cause.NETWORK)

    with put((Git, "_start", stop_first), (Git, "run", lose)):  # the seam: nothing else starts git
        yield
