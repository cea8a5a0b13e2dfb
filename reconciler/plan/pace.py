"""When the next pass is due where nothing calls for one before: soon while something happens, then ever more seldom."""

from __future__ import annotations

import math
from typing import Final

from reconciler.plan.verdict import Standing

SOON: Final = 0.05
"""Seconds after a pass that did something: what it began may be over already."""
FOLLOWED: Final = 15.0
"""The longest pause while something runs. Watches tell of changes at once; this is for those that broke."""
WAITED: Final = 60.0
"""The longest pause while only an outside change helps, as a member that comes back."""
FAILED: Final = 120.0
"""The longest pause after passes that failed as a whole, and so how late it may be seen that the remote is back."""


def pause(found: Standing, active: bool, quiet: int) -> float:
    """Seconds until the next pass; infinite where everything is settled.

    `active`: the pass committed or did something; `quiet`: how many passes in a row before it did not.
    """
    if active:
        return SOON
    if found is Standing.WORKING:
        return _growing(0.25, quiet, FOLLOWED)
    return _growing(2.0, quiet, WAITED) if found is Standing.WAITING else math.inf


def pause_after_failure(times: int) -> float:
    """Seconds, after so many failures in a row, the first of which is 1."""
    return _growing(2.0, times - 1, FAILED)


def _growing(first: float, times: int, longest: float) -> float:
    return min(longest, first * 1.5 ** min(times, 50))
