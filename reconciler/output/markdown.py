"""A plan as a comment on a pull request: a summary line, a table per object, details folded, short for any fleet."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from reconciler.output.steps import attempt, backup_columns, scheduling, summary
from reconciler.plan.planned import Plan, Step, Steps, Verb
from reconciler.plan.points import rounded, started
from reconciler.records import moment
from reconciler.velero.status import Seen

LIMIT: Final = 60_000
"""Characters: GitHub takes 65,536, GitLab a million."""
_ROOM: Final = LIMIT - 100
"""Without the line that says what is left out."""
_FOLDED: Final = (100, 25, 5, 0)
"""Clusters named in the details of an object: as many as leave room for a table of each object."""
_LISTED: Final = 50
_OF_TABLE: Final = 12
_MARK: Final = "<!-- reconciler plan -->"
"""So that a CI job finds its own comment again and replaces it."""


def as_markdown(plan: Plan, now: datetime) -> str:
    """At most 60,000 characters; what is left out is said, and details go before tables."""
    parts: list[str] = []
    for folded in _FOLDED:
        parts = _parts(plan, now, folded)
        if sum(map(len, parts)) <= _ROOM:
            break
    return _fitted(parts)


def _parts(plan: Plan, now: datetime, folded: int) -> list[str]:
    parts = [f"{_MARK}\n**{summary(plan)}** Revision `{plan.revision[:10]}`" + _compared(plan) + "\n"]
    parts += ["\nThe repository is paused (`.reconciler-paused`): nothing new starts.\n"] if plan.paused else []
    parts += _listed("Put back as recorded, since changed by hand", plan.put_back)
    parts += _listed("Refused", plan.problems)
    busy = [steps for steps in plan.objects if steps.changes]
    parts += [_object(plan, steps, now, folded) for steps in busy]
    return parts + _idle([steps for steps in plan.objects if not steps.changes])


def _compared(plan: Plan) -> str:
    return f", what is new since {_plain(plan.base)}." if plan.base else "."


def _listed(title: str, lines: Sequence[object]) -> list[str]:
    if not lines:
        return []
    shown = [f"- {_plain(str(line))}\n" for line in lines[:_LISTED]]
    more = [f"- and {len(lines) - _LISTED} more\n"] if len(lines) > _LISTED else []
    return [f"\n### {title}\n\n" + "".join(shown + more)]


def _object(plan: Plan, steps: Steps, now: datetime, folded: int) -> str:
    title = f"\n### {steps.record.identity}{attempt(steps)}\n\n"
    title += "".join(f"{_plain(line[0].upper() + line[1:])}.\n\n" for line in scheduling(plan, steps, now))
    title += f"{_plain(steps.why)}\n\n" if steps.why else ""
    head = "| what | clusters | backup age | items | why |\n|---|---|---|---|---|\n"
    return title + head + "".join(_groups(steps, now)) + _details(steps, now, folded)


def _groups(steps: Steps, now: datetime) -> Iterator[str]:
    """A row for all clusters that the same becomes of, for the same reason."""
    groups: dict[tuple[Verb, str], list[Step]] = defaultdict(list)
    for step in steps.steps:
        groups[step.verb, step.reason].append(step)
    for number, ((verb, reason), alike) in enumerate(groups.items()):
        if number == _OF_TABLE:
            yield f"| … and {len(groups) - number} more reasons; `reconciler plan` shows all | | | | |\n"
            return
        backups = [step.backup for step in alike if step.backup]
        messages = sorted({step.message for step in alike if step.message})
        why = ": ".join(part for part in (reason, *messages[:1]) if part)
        why += f" (and {len(messages) - 1} like it)" if len(messages) > 1 else ""
        clusters = alike[0].part.cluster.name if len(alike) == 1 else f"{len(alike)} clusters"
        yield f"| {verb} | {clusters} | {_ages(backups, now)} | {_items(backups)} | {_plain(why)} |\n"


def _details(steps: Steps, now: datetime, folded: int) -> str:
    named = [step for step in steps.steps if step.verb is not Verb.SKIP]
    if not folded or (len(named) < 2 and not any(step.backup for step in named)):
        return ""
    head = "\n<details><summary>Clusters</summary>\n\n| cluster | what | backup | age | items | kept for |\n"
    head += "|---|---|---|---|---|---|\n"
    rows = [_row(step, now) for step in named[:folded]]
    more = len(named) - len(rows)
    rows += [f"| … and {more} more; `reconciler plan` shows all | | | | | |\n"] if more > 0 else []
    return head + "".join(rows) + "\n</details>\n"


def _row(step: Step, now: datetime) -> str:
    columns = (step.part.cluster.name, str(step.verb), *backup_columns(step.backup, now))
    return f"| {' | '.join(_plain(column) for column in columns)} |\n"


def _idle(objects: Iterable[Steps]) -> list[str]:
    lines = [
        f"- {steps.record.identity}: {_plain(next((step.message for step in steps.steps), 'nothing to do'))}\n"
        for steps in objects
    ]
    if not lines:
        return []
    more = [f"- and {len(lines) - _LISTED} more\n"] if len(lines) > _LISTED else []
    listed = "".join(lines[:_LISTED] + more)
    return [f"\n<details><summary>{len(lines)} with nothing to do</summary>\n\n{listed}\n</details>\n"]


def _fitted(parts: list[str]) -> str:
    """As many parts as fit, whole ones."""
    room = _ROOM
    kept: list[str] = []
    for number, part in enumerate(parts):
        if len(part) > room:
            return "".join(kept) + f"\n… and {len(parts) - number} more; `reconciler plan` shows all\n"
        kept.append(part)
        room -= len(part)
    return "".join(kept)


def _ages(backups: list[Seen], now: datetime) -> str:
    times = sorted(at for backup in backups if (at := moment(started(backup))))
    if not times:
        return ""
    newest, oldest = rounded(now - times[-1]), rounded(now - times[0])
    return newest if newest == oldest else f"{newest} to {oldest}"


def _items(backups: list[Seen]) -> str:
    counts = sorted(backup.progress[1] for backup in backups if backup.progress)
    if not counts:
        return ""
    return str(counts[0]) if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"


def _plain(text: str) -> str:
    """Text that stays text: nothing of it becomes a table, a mention, a link or markup."""
    kept = html.escape(" ".join(text.split())[:500], quote=False).replace("\\", "\\\\")
    for sign in "|`*_~[]#":
        kept = kept.replace(sign, f"\\{sign}")
    for sign in ("@", "#", "://", "www."):  # a forge looks for these in what is shown, so escaping is not enough
        kept = kept.replace(sign, f"{sign[0]}\u200b{sign[1:]}")
    return kept
