"""A plan as a comment on a pull request: a summary line, a table per object, details folded, short for any fleet."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
_LISTED: Final = 50
_OF_TABLE: Final = 12
_TOGETHER: Final = 25
"""Clusters of which the same is to be said that share a row of the details."""
_WHY: Final = 200
"""Characters of a reason there."""
_BACKUP: Final = ("backup", "age", "items", "kept for")
_FRAME: Final = 400
"""Characters of the details of an object without their rows, at most."""
_MATTERS: Final = {Verb.REFUSE: 0, Verb.HOLD: 1, Verb.WAIT: 2}
"""What a reader looks for first, in this order."""
_REST: Final = len(_MATTERS)
_MARK: Final = "<!-- reconciler plan -->"
"""So that a CI job finds its own comment again and replaces it."""


def as_markdown(plan: Plan, now: datetime) -> str:
    """At most 60,000 characters; what is left out is said, and details go before tables.

    Objects and clusters that are refused, held or that wait come first, in tables and details alike.
    """
    busy = sorted((steps for steps in plan.objects if steps.changes), key=_first_rank)
    head, tables = _head(plan), [_object(plan, steps, now) for steps in busy]
    idle = _idle([steps for steps in plan.objects if not steps.changes])
    room = _ROOM - sum(map(len, (*head, *tables, *idle)))
    details = [_details(steps, rows) for steps, rows in zip(busy, _dealt(busy, now, room), strict=True)]
    return _fitted([*head, *(f"{table}{more}" for table, more in zip(tables, details, strict=True)), *idle])


def _rank(step: Step) -> int:
    return _MATTERS.get(step.verb, _REST)


def _first_rank(steps: Steps) -> int:
    return min(map(_rank, steps.steps), default=_REST)


def _head(plan: Plan) -> list[str]:
    parts = [f"{_MARK}\n**{summary(plan)}** Revision `{plan.revision[:10]}`" + _compared(plan) + "\n"]
    parts += ["\nThe repository is paused (`.reconciler-paused`): nothing new starts.\n"] if plan.paused else []
    parts += _listed("Put back as recorded, since changed by hand", plan.put_back)
    return parts + _listed("Refused", plan.problems)


def _compared(plan: Plan) -> str:
    return f", what is new since {_plain(plan.base)}." if plan.base else "."


def _listed(title: str, lines: Sequence[object]) -> list[str]:
    if not lines:
        return []
    shown = [f"- {_plain(str(line))}\n" for line in lines[:_LISTED]]
    more = [f"- and {len(lines) - _LISTED} more\n"] if len(lines) > _LISTED else []
    return [f"\n### {title}\n\n" + "".join(shown + more)]


def _object(plan: Plan, steps: Steps, now: datetime) -> str:
    title = f"\n### {steps.record.identity}{attempt(steps)}\n\n"
    title += "".join(f"{_plain(line[0].upper() + line[1:])}.\n\n" for line in scheduling(plan, steps, now))
    title += f"{_plain(steps.why)}\n\n" if steps.why else ""
    head = "| what | clusters | backup age | items | why |\n|---|---|---|---|---|\n"
    return title + head + "".join(_groups(steps, now))


def _groups(steps: Steps, now: datetime) -> Iterator[str]:
    """A row for all clusters that the same becomes of, for the same reason."""
    groups: dict[tuple[Verb, str], list[Step]] = defaultdict(list)
    for step in sorted(steps.steps, key=_rank):
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


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the details, of so many clusters."""

    rank: int
    clusters: int
    text: str


def _dealt(busy: Sequence[Steps], now: datetime, room: int) -> list[list[_Row]]:
    """Rows for the details of each object, as many as there is room for.

    They are dealt like cards, so that no object takes all of the room, and those that matter before all others.
    """
    decks = [_rows(steps, now) for steps in busy]
    tops = [next(deck, None) for deck in decks]
    dealt: list[list[_Row]] = [[] for _ in busy]
    for rank in range(_REST + 1):
        players = list(range(len(busy)))
        while players:
            going = []
            for number in players:
                row = tops[number]
                cost = len(row.text) + (0 if dealt[number] else _FRAME) if row else 0
                if row and row.rank == rank and cost <= room:
                    room -= cost
                    dealt[number].append(row)
                    tops[number] = next(decks[number], None)
                    going.append(number)
            players = going
    return dealt


def _rows(steps: Steps, now: datetime) -> Iterator[_Row]:
    """Made one by one, as few of a thousand may fit. None where the table says all there is to say."""
    named = _named(steps)
    if len(named) < 2 and not any(step.backup for step in named):
        return
    pinned, told = _columns(named)
    alike: dict[tuple[Verb, str, str], list[Step]] = defaultdict(list)
    for step in sorted(named, key=_rank):
        alike[step.verb, _why(step), step.backup.name if step.backup else ""].append(step)
    for (verb, why, _), group in alike.items():
        said = (str(verb), *(backup_columns(group[0].backup, now) if pinned else ()), *((why,) if told else ()))
        for first in range(0, len(group), _TOGETHER):
            some = group[first : first + _TOGETHER]
            names = ", ".join(_plain(step.part.cluster.name) for step in some)
            yield _Row(_rank(some[0]), len(some), f"| {' | '.join((names, *map(_plain, said)))} |\n")


def _named(steps: Steps) -> list[Step]:
    return [step for step in steps.steps if step.verb is not Verb.SKIP]


def _columns(named: Sequence[Step]) -> tuple[bool, bool]:
    """Whether there are any backups to show, and any reasons."""
    return any(step.backup for step in named), any(_why(step) for step in named)


def _why(step: Step) -> str:
    why = ": ".join(part for part in (step.reason, step.message) if part)
    return why if len(why) <= _WHY else f"{why[:_WHY]}…"


def _details(steps: Steps, rows: Sequence[_Row]) -> str:
    if not rows:
        return ""
    named = _named(steps)
    pinned, told = _columns(named)
    columns = ["cluster", "what", *(_BACKUP if pinned else ()), *(("why",) if told else ())]
    head = f"\n<details><summary>Clusters</summary>\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    more = len(named) - sum(row.clusters for row in rows)
    left = f"| … and {more} more; `reconciler plan` shows all |{' |' * (len(columns) - 1)}\n" if more else ""
    return f"{head}{''.join(row.text for row in rows)}{left}\n</details>\n"


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
