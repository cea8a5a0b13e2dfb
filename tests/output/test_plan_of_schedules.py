"""What a plan says of Schedules: when they run next, if they do, and what an update changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.output.markdown import as_markdown
from reconciler.output.plan import as_data, show_plan
from reconciler.plan.planned import Plan, Verb
from reconciler.records import Phase, Record
from tests.output.builders import BACKUP, DONE, NOW, nightly, schedule, shown
from tests.output.plans import plan, step, steps

NIGHTLY = "0 3 * * *"


def of(verb: Verb, cron: str = NIGHTLY, before: dict[str, Any] | None = None, **spec: Any) -> Plan:
    """The plan of a Backup with a Schedule on one cluster; `before`: what differs in its spec as recorded."""
    phase = {Verb.SKIP: Phase.ENABLED, Verb.REMOVE: Phase.REMOVING}.get(verb, Phase.STARTING)
    part = schedule("m1", phase, status=DONE)
    record: Record = nightly(part, cron=cron)
    record = replace(record, spec={**record.spec, **spec})
    recorded = {**record.spec, **(before or {})}
    return plan(steps(record, step(part, verb)), specs={BACKUP: {k: v for k, v in recorded.items() if v is not None}})


def item(planned: Plan) -> dict[str, Any]:
    found: dict[str, Any] = as_data(planned, NOW)["items"][0]
    return found


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        (of(Verb.CREATE), "2026-11-24T03:00:00Z"),
        (of(Verb.CREATE, "@every 1h"), "2026-11-23T13:00:00Z"),
        (of(Verb.SKIP), "2026-11-24T03:00:00Z"),
        (of(Verb.SKIP, "@every 5h"), "2026-11-23T13:00:00Z"),
        (of(Verb.UPDATE, "0 15 * * *"), "2026-11-23T15:00:00Z"),
        (of(Verb.UPDATE, suspend=True), ""),
        (of(Verb.REMOVE), ""),
        (of(Verb.WAIT), ""),
    ],
)
def test_the_next_run_is_told_where_there_is_one(
    capsys: pytest.CaptureFixture[str], planned: Plan, expected: str
) -> None:
    assert item(planned).get("nextRun", "") == expected
    assert (f"Next run {expected}." in as_markdown(planned, NOW)) == bool(expected)
    assert ("Next run" in as_markdown(planned, NOW)) == bool(expected)
    show_plan(planned, "")
    assert ("Backup default/nightly: next run 20" in shown(capsys)) == bool(expected)


@pytest.mark.parametrize(
    ("planned", "told", "edits"),
    [
        (
            of(Verb.UPDATE, before={"schedule": "0 4 * * *"}),
            "schedule 0 4 * * * → 0 3 * * *",
            [{"field": "schedule", "from": "0 4 * * *", "to": NIGHTLY}],
        ),
        (
            of(Verb.UPDATE, suspend=True, before={"suspend": None}),
            "suspend false → true",
            [{"field": "suspend", "from": None, "to": True}],
        ),
        (
            of(Verb.UPDATE, policy={"ttl": "1h"}, before={"policy": None, "schedule": "@daily"}),
            "policy changed, schedule @daily → 0 3 * * *",
            [
                {"field": "policy", "from": None, "to": {"ttl": "1h"}},
                {"field": "schedule", "from": "@daily", "to": NIGHTLY},
            ],
        ),
        (of(Verb.UPDATE), "was changed on a cluster, and is to be as its file says again", []),
        (of(Verb.CREATE, before={"schedule": "0 4 * * *"}), "", None),
    ],
)
def test_what_an_update_changes(
    capsys: pytest.CaptureFixture[str], planned: Plan, told: str, edits: list[dict[str, Any]] | None
) -> None:
    assert item(planned).get("edits") == edits
    show_plan(planned, "")
    text = shown(capsys)
    assert (f"Backup default/nightly: {told}" in text) if told else "→" not in text
    words = f"{told[:1].upper()}{told[1:]}.".replace("*", "\\*")
    assert not told or words in as_markdown(planned, NOW).replace("\u200b", "")
