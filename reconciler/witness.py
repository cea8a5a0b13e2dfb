"""What the daemon tells the outside of each pass: logs, metrics, health, notifications, Events. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from reconciler.errors import ReconcilerError, RepositoryError
from reconciler.passed import Pass
from reconciler.plan.asks import gone
from reconciler.plan.news import News, news, refusals
from reconciler.plan.verdict import Standing, standing
from reconciler.records import Part, Record
from reconciler.resources import Identity
from reconciler.telemetry.logs import logger

if TYPE_CHECKING:
    from reconciler.hub import Events
    from reconciler.manifests import Problem
    from reconciler.telemetry.health import Health
    from reconciler.telemetry.metrics import Metrics

log = logger("reconciler")


class Witness:
    """Told by the daemon, in its event loop; nothing here waits. Each piece of news is given once to `notify` and to
    the hub's Events."""

    def __init__(
        self, metrics: Metrics, health: Health, notify: Callable[[News], None], events: Events | None = None
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._notify = notify
        self._events = events
        self._standing: Standing | None = None
        self._trouble = ""
        self._problems: tuple[Problem, ...] | None = None

    def beat(self) -> None:
        """The loop lives."""
        self._health.beat()

    def unmoved(self) -> None:
        """The branch stands where the last pass saw it."""
        self._metrics.unmoved()

    def unwatched(self, why: str) -> None:
        """Moved refs don't wake it any more; it looks every `--interval` all the same."""
        log.warning("refs not watched", why=why)

    def passed(self, done: Pass, seconds: float) -> None:
        """A pass was made to its end."""
        self._metrics.pass_ended(seconds, True)
        self._metrics.records(done.committed, datetime.now(UTC))
        self._metrics.members(done.answers, done.desired.members)
        self._health.ready(True, "")
        if self._trouble:
            log.info("passes succeed again")
            self._trouble = ""
        for path in done.state.snapshot.tampered if done.commit else ():
            log.warning("record put back", path=path)
        for identity, record in done.committed.items():
            self._tell_changes(identity, record, done.before.get(identity))
        if done.commit:
            log.info("records committed", commit=done.commit[:10], seconds=round(seconds, 2))
        left = {identity for identity in done.committed if gone(identity, done.desired)}
        self._tell(news(done.before, done.committed, left))
        if done.desired.problems != self._problems:
            self._tell(refusals(self._problems, done.desired.problems))
            for problem in done.desired.problems:
                log.warning("refused", problem=str(problem))
            self._problems = done.desired.problems
        for outcome in done.outcomes:
            if outcome.failure:
                log.warning(
                    "action failed",
                    action=str(outcome.action),
                    reason=outcome.failure.reason,
                    message=outcome.failure.message,
                )
        self._tell_standing(done)

    def failed(self, error: ReconcilerError, seconds: float, again_in: float) -> None:
        """A pass, or the question where the branch stands, could not be made: one line a trouble, not a line a try."""
        cause = str(error.cause) if isinstance(error, RepositoryError) else type(error).__name__
        self._metrics.pass_ended(seconds, False)
        self._health.ready(False, str(error))
        if str(error) != self._trouble:
            log.error("pass failed", cause=cause, error=str(error), again_in_seconds=round(again_in, 1))
        self._trouble = str(error)

    def _tell(self, pieces: Iterable[News]) -> None:
        for piece in pieces:
            self._notify(piece)
            if self._events:
                self._events.post(*_event(piece))

    def _tell_changes(self, identity: Identity, record: Record, before: Record | None) -> None:
        known = {part.run_id: part for part in before.everything} if before else {}
        for part in record.everything:
            was = known.get(part.run_id)
            if was is None or (was.phase, was.reason) != (part.phase, part.reason):
                _log_part(identity, part)

    def _tell_standing(self, done: Pass) -> None:
        found = standing(done.desired, done.decided, done.answers, done.open_watch)
        if found is not self._standing:
            log.info("standing", now=str(found), problems=len(done.desired.problems))
        self._standing = found


def _event(piece: News) -> tuple[Literal["Normal", "Warning"], str, str]:
    """Type, reason and note of a Kubernetes Event."""
    reason = {"ended": "Ended", "attention": "NeedsAttention"}[piece.kind]
    return "Normal" if piece.severity == "success" else "Warning", reason, f"{piece.title}\n{piece.body}"


def _log_part(identity: Identity, part: Part) -> None:
    level = log.warning if part.reason and not part.phase.open else log.info
    level(
        "run changed",
        object=str(identity),
        cluster=part.cluster.name,
        phase=str(part.phase),
        reason=part.reason,
        message=part.message,
        run_id=part.run_id,
    )
