"""What this version can't run is refused in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.desired import Wanted
from reconciler.plan.support import refuse_unsupported
from reconciler.resources import Identity
from tests.plan import builders as b


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        (b.backup(attempt=2), "spec.attempt above 1"),
        (b.backup(rerun="All"), "spec.rerun"),
        (b.backup(suspend=True), "spec.suspend"),
        (b.backup(schedule="0 2 * * *"), "spec.schedule"),
        (b.restore(attempt=2), "spec.attempt above 1"),
        (b.restore(rerun="All"), "spec.rerun"),
        (b.restore(suspend=True), "spec.suspend"),
    ],
)
def test_refused_with_what_and_where(wanted: Wanted, what: str) -> None:
    after = refuse_unsupported(b.ask(wanted))
    assert wanted.identity not in after.wanted
    (problem,) = after.refused[wanted.identity]
    assert what in problem.what
    assert "not supported yet" in problem.what
    assert problem.todo
    assert (problem.position, problem.identity) == (b.HERE, wanted.identity)
    assert after.problems == (problem,)


def test_a_restore_from_a_scheduled_backup_is_refused_with_it() -> None:
    after = refuse_unsupported(b.ask(b.backup(schedule="0 2 * * *"), b.restore()))
    assert not after.wanted
    assert "restores from a scheduled Backup" in after.refused[b.RESTORE][0].what


@pytest.mark.parametrize("spec", [{"suspend": True}, {"attempt": 2}])
def test_a_restore_waits_for_a_backup_that_is_refused_and_does_not_fail(spec: dict[str, Any]) -> None:
    after = refuse_unsupported(b.ask(b.backup(**spec), b.restore()))
    assert not after.wanted
    (problem,) = after.refused[b.RESTORE]
    assert str(problem).endswith("depends on Backup default/nightly, which has an error; see restores/minimal.yaml:1")


def test_everything_else_is_left_as_it_is() -> None:
    desired = b.ask(b.backup(), b.restore(startWithin="1h", allowPartiallyFailed=True), refused=[b.BACKUP])
    assert refuse_unsupported(desired) is desired


def test_the_other_problems_stay() -> None:
    other = Identity("Fleet", "default", "x")
    after = refuse_unsupported(b.ask(b.restore(suspend=True), refused=[other]))
    assert set(after.refused) == {other, b.RESTORE}
    assert len(after.problems) == 2
