"""When the Schedules of each member were looked at last: those that need nothing only once in a while, and at first."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from reconciler.plan.answers import Answer
from reconciler.plan.questions import Looking
from reconciler.records import Record
from reconciler.resources import ClusterId, Identity

LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Looks:
    """Remembered for the life of the process; a new one looks at once."""

    def __init__(self, refresh: timedelta) -> None:
        self._refresh = refresh
        self._looked_at: dict[ClusterId, datetime] = {}

    def looking(self, members: Collection[ClusterId], now: datetime) -> Looking:
        """Which members' Schedules are due for a look."""
        due = frozenset(c for c in members if now - self._looked_at.get(c, LONG_AGO) >= self._refresh)
        return Looking(now, self._refresh, due)

    def looked(self, looking: Looking, answers: Mapping[ClusterId, Answer]) -> None:
        """Those that answered are not due for a while."""
        there = looking.due & answers.keys()
        self._looked_at |= {cluster: looking.at for cluster in there if not answers[cluster].failure}

    def next_in(self, records: Mapping[Identity, Record], members: Collection[ClusterId], now: datetime) -> float:
        """Seconds until the Schedules of some member are due; infinite where there are none, below 0 if overdue."""
        clusters = {schedule.cluster for record in records.values() for schedule in record.schedules}
        due = (self._looked_at.get(c, LONG_AGO) + self._refresh for c in clusters.intersection(members))
        return min(((at - now).total_seconds() for at in due), default=math.inf)
