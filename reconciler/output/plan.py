"""What `plan` shows: a table for people, data for machines. `markdown` has the form for a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from reconciler.output.console import machine, out, show, table
from reconciler.output.markdown import as_markdown
from reconciler.output.steps import attempt, backup_columns, edits, next_run, only_recorded, scheduling, summary
from reconciler.plan.planned import Plan, Step, Steps, Verb
from reconciler.plan.points import started
from reconciler.records import Schedule, moment
from reconciler.velero.status import Seen

STYLES: Final = {
    Verb.START: "green",
    Verb.AFTER: "green",
    Verb.CREATE: "green",
    Verb.UPDATE: "cyan",
    Verb.FOLLOW: "cyan",
    Verb.REMOVE: "yellow",
    Verb.WAIT: "yellow",
    Verb.HOLD: "yellow",
    Verb.REFUSE: "red",
    Verb.SKIP: "dim",
}


def show_plan(plan: Plan, form: str) -> None:
    """On stdout, as text, `json`, `yaml` or `markdown`."""
    now = datetime.now(UTC)
    if form == "markdown":
        out().print(Text(as_markdown(plan, now)), soft_wrap=True, end="")
        return
    if form:
        out().print(machine(as_data(plan, now), form), soft_wrap=True)
        return
    _table(plan, now)
    for line in _skipped(plan):
        out().print(Text(line, style="dim"), soft_wrap=True)
    for steps in plan.objects:
        if steps.why:
            out().print(Text(f"{steps.record.identity}: {steps.why}", style="yellow"), soft_wrap=True)
        elif only_recorded(steps):
            out().print(Text(f"{steps.record.identity}: its record is brought up to date"), soft_wrap=True)
        for line in scheduling(plan, steps, now):
            out().print(Text(f"{steps.record.identity}: {line}"), soft_wrap=True)
    for path in plan.put_back:
        out().print(Text(f"{path} was changed by hand; it is put back as it was recorded", style="yellow"))
    for problem in plan.problems:
        out().print(Text(f"refused: {problem}", style="red"), soft_wrap=True)
    if plan.paused:
        out().print(Text("The repository is paused (.reconciler-paused): nothing new starts.", style="yellow"))
    out().print(Text(summary(plan)), soft_wrap=True)


def as_data(plan: Plan, now: datetime) -> dict[str, Any]:
    """As `-o json` has it."""
    return {
        "revision": plan.revision,
        "base": plan.base,
        "paused": plan.paused,
        "newLedger": plan.new_ledger,
        "exitCode": int(plan.changes),
        "summary": {str(verb): count for verb in Verb if (count := plan.count(verb))},
        "problems": [str(problem) for problem in plan.problems],
        "putBack": list(plan.put_back),
        "items": [_object(plan, steps, now) for steps in plan.objects],
    }


def _object(plan: Plan, steps: Steps, now: datetime) -> dict[str, Any]:
    record = steps.record
    following, changed = next_run(steps, now), edits(plan, steps)
    return {
        "kind": record.identity.kind,
        "namespace": record.identity.namespace,
        "name": record.identity.name,
        "attempt": record.attempt,
        "source": record.source,
        "why": steps.why,
        "recordChanges": steps.moved,
        **({"nextRun": following} if following else {}),
        **({"edits": _edits(changed)} if changed is not None else {}),
        "clusters": [_step(step, record.identity.kind, now) for step in steps.steps],
    }


def _edits(changed: Mapping[str, tuple[Any, Any]]) -> list[dict[str, Any]]:
    return [{"field": name, "from": old, "to": new} for name, (old, new) in changed.items()]


def _step(step: Step, kind: str, now: datetime) -> dict[str, Any]:
    data: dict[str, Any] = {
        "clusterName": step.part.cluster.name,
        "clusterKind": step.part.cluster.kind,
        "action": str(step.verb),
        "objectKind": "Schedule" if isinstance(step.part, Schedule) else kind,
        "objectName": step.part.object_name,
        "phase": str(step.part.phase),
        "reason": step.reason,
        "message": step.message,
    }
    if step.backup:
        data["backup"] = {
            "name": step.backup.name,
            "startTimestamp": started(step.backup),
            "completionTimestamp": step.backup.completed_at,
            "ageSeconds": _age_seconds(step.backup, now),
            "items": step.backup.progress[1] if step.backup.progress else None,
            "expiration": step.backup.expires_at,
        }
    return data


def _table(plan: Plan, now: datetime) -> None:
    rows = [(steps, step) for steps in plan.objects for step in steps.steps if step.verb is not Verb.SKIP]
    if not rows:
        return
    pinned = any(step.backup for _, step in rows)
    told = any(step.reason or step.message for _, step in rows)
    columns = [*(("BACKUP", "AGE", "ITEMS", "EXPIRES IN") if pinned else ()), *(("WHY",) if told else ())]
    grid = table("CLUSTER", "OBJECT", "ACTION", *columns)
    for steps, step in rows:
        why = ": ".join(part for part in (step.reason, step.message) if part)
        grid.add_row(
            step.part.cluster.name,
            f"{steps.record.identity}{attempt(steps)}",
            Text(str(step.verb), style=STYLES[step.verb]),
            *(backup_columns(step.backup, now) if pinned else ()),
            *((Text(why),) if told else ()),
        )
    show(grid)


def _skipped(plan: Plan) -> Iterator[str]:
    """A line for each object, and why, of which nothing is to be done on some cluster."""
    for steps in plan.objects:
        idle = [step for step in steps.steps if step.verb is Verb.SKIP]
        clusters = f"{len(steps.steps)} cluster{'' if len(steps.steps) == 1 else 's'}"
        for message, count in Counter(step.message for step in idle).items():
            yield f"{steps.record.identity}: skipped on {count} of {clusters}: {message}"


def _age_seconds(backup: Seen, now: datetime) -> int | None:
    at = moment(started(backup))
    return max(0, int((now - at).total_seconds())) if at else None
