"""How long git took, and how it ended: told to whoever keeps metrics, operation by operation.

Called by `door`, `branches` and `mirror` around what goes over the network, and around the making of a commit.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from reconciler.errors import RepositoryError

Timed = Callable[[str, float, str], None]
"""Called with the operation (`fetch`, `ask`, `commit` or `push`), its seconds, and a `Cause`, "" where it succeeded."""


def untimed(operation: str, seconds: float, cause: str) -> None:
    """Nobody wants to know."""


@contextlib.contextmanager
def timing(timed: Timed, operation: str) -> Iterator[None]:
    """Tell `timed` of the operation that runs inside."""
    started = time.monotonic()
    try:
        yield
    except RepositoryError as error:
        timed(operation, time.monotonic() - started, error.cause.value)
        raise
    timed(operation, time.monotonic() - started, "")
