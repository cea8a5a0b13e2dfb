"""When each member was looked at last although nothing is open there: once in a while, and at first.

For its Schedules, and where it seems to be another cluster than it was.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from time import monotonic

from reconciler.plan.answers import Answer
from reconciler.plan.questions import Looking
from reconciler.records import Record
from reconciler.resources import ClusterId, Identity


class Looks:
    """Remembered for the life of the process; a new one looks at once.

    By the monotonic clock: another one that was set back would put off all looks.
    """

    def __init__(self, refresh: timedelta) -> None:
        self._refresh = refresh
        self._looked_at: dict[ClusterId, float] = {}

    def looking(self, members: Collection[ClusterId], now: datetime) -> Looking:
        """Which members' Schedules are due for a look."""
        due = frozenset(c for c in members if self._due_in(c) <= 0)
        return Looking(now, self._refresh, due)

    def looked(self, looking: Looking, answers: Mapping[ClusterId, Answer]) -> None:
        """Those that answered are not due for a while."""
        there = looking.due & answers.keys()
        self._looked_at |= {cluster: monotonic() for cluster in there if not answers[cluster].failure}

    def next_in(
        self,
        records: Mapping[Identity, Record],
        members: Collection[ClusterId],
        also: frozenset[ClusterId] = frozenset(),
    ) -> float:
        """Seconds until a member with Schedules, or one of `also`, is due.

        Infinite where there is none, below 0 where one is overdue.
        """
        clusters = also.union(schedule.cluster for record in records.values() for schedule in record.schedules)
        return min((self._due_in(cluster) for cluster in clusters.intersection(members)), default=math.inf)

    def _due_in(self, cluster: ClusterId) -> float:
        return self._looked_at.get(cluster, -math.inf) + self._refresh.total_seconds() - monotonic()
