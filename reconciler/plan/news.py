"""What people are told: a Restore, or a Backup that failed, has ended; something needs a person.

Derived from what a commit of ours changed and from nothing else, so each change of state is told once: not again at the
next pass, nor after a restart. (A process that is killed between its commit and the message tells nothing; the record
and the metrics do.) A run that waits for what may mend by itself, an unreachable member for one, is not told here,
since no commit marks how long it has waited: the alert on the age of the oldest waiting run is.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reconciler.manifests import Problem
from reconciler.plan.advice import advice, ready
from reconciler.plan.asks import RESUMABLE
from reconciler.plan.runs import DOUBTED
from reconciler.plan.summary import counted
from reconciler.records import Part, Phase, Record, Run, Schedule
from reconciler.resources import Identity

LONGEST: Final = 4000
"""Characters of title and body together."""
_TITLE: Final = 250
_LINE: Final = 300
_NAMED: Final = 20
# Held by what a person did on purpose.
_MEANT: Final = (*RESUMABLE, "Withdrawn", "Existing")
# Why a run or a Schedule waits, where nothing but a person mends it.
_PERSON: Final = frozenset(
    (
        *("Unauthorized", "Forbidden", "SecretMissing", "InvalidKubeconfig", "KubeconfigMissing", "KubeconfigRefused"),
        *("SameCluster", "ClusterChanged", "VeleroMissing", "Rejected", "NameConflict"),
    )
)


@dataclass(frozen=True, slots=True)
class News:
    """One message. `identity` is the object, None where it is about files that could not be read as one."""

    kind: Literal["ended", "attention"]
    identity: Identity | None
    title: str
    body: str
    severity: Literal["success", "warning", "failure"]


def news(
    before: Mapping[Identity, Record], after: Mapping[Identity, Record], gone: Container[Identity] = frozenset()
) -> tuple[News, ...]:
    """What is to be told of the step from one committed state to the next; at most one message an object.

    `gone` are those that no file asks for any more.
    """
    changed = ((before.get(i), record, i in gone) for i, record in after.items() if before.get(i) != record)
    return tuple(told for step in changed if (told := _ended(*step) or _attention(*step)))


def refusals(before: Iterable[Problem] | None, after: Iterable[Problem]) -> tuple[News, ...]:
    """Files that are newly in error, in one message. `before` None: nothing is known of it, so nothing is told."""
    known = None if before is None else {(p.position.file, p.what, p.todo) for p in before}
    new = [p for p in after if known is not None and (p.position.file, p.what, p.todo) not in known]
    if not new:
        return ()
    count = f"{len(new)} error{'' if len(new) == 1 else 's'} in the files"
    title = f"refused: {count}; nothing of what they are about is started or removed"
    identity = new[0].identity if len(new) == 1 else None
    return (_news("attention", identity, title, _capped([str(problem) for problem in new]), "failure"),)


def _ended(before: Record | None, after: Record, gone: bool) -> News | None:
    """All runs have ended, and one of them not before this step."""
    if _unfinished(after) or not any(run.phase.terminal for run in after.latest):
        return None
    if before and not _unfinished(before) and _states(before.latest) == _states(after.latest):
        return None
    bad = [run for run in after.latest if run.phase is not Phase.COMPLETED or (run.reason and not ready(after))]
    if after.identity.kind == "Backup" and not bad:
        return None
    failed = any(run.phase.terminal and run.phase is not Phase.COMPLETED for run in bad)
    severity: Literal["success", "warning", "failure"] = "failure" if failed else "warning" if bad else "success"
    return _news("ended", after.identity, _title(after), _body(after, bad, gone), severity)


def _attention(before: Record | None, after: Record, gone: bool) -> News | None:
    """Something that only a person mends, and that was not so before this step."""
    known = {part.run_id: part for part in before.everything} if before else {}
    parts = [part for part in after.parts if _needs_a_person(part) and _state(part) != _known(known, part)]
    failed = [s for s in after.schedules if _backup_failed(s) and _backup(s) != _known_backup(known, s)]
    told = _conditions(after) - (_conditions(before) if before else frozenset())
    if not parts and not failed and not told:
        return None
    why = ", ".join(sorted({part.reason for part in parts} | {reason for reason, _ in told}))
    if failed and not why:
        of = f"{len(failed)} of {len(after.schedules)} cluster{'' if len(after.schedules) == 1 else 's'}"
        return _news(
            "ended",
            after.identity,
            f"{_name(after)}: the latest backup failed on {of}",
            _body(after, failed, gone),
            "failure",
        )
    worst = any(part.phase.terminal for part in parts) or bool(failed)
    title = f"{_name(after)} needs a person: {why}"
    shown = [*parts, *(schedule for schedule in failed if schedule not in parts)]
    return _news("attention", after.identity, title, _body(after, shown, gone), "failure" if worst else "warning")


def _unfinished(record: Record) -> bool:
    """Something of it goes on by itself, or once a suspension ends."""
    return not record.latest or any(
        run.phase.open or (run.phase is Phase.HELD and run.reason in RESUMABLE) for run in record.latest
    )


def _needs_a_person(part: Part) -> bool:
    if part.phase is Phase.HELD:
        return part.reason not in _MEANT
    if part.phase.open:
        return part.reason in _PERSON
    return part.phase is Phase.FAILED and isinstance(part, Schedule)


def _conditions(record: Record) -> frozenset[tuple[str, str]]:
    """Of the object as a whole, by reason and text: its file was edited in vain; what was not restored, or not
    verified, is not allowed any more."""
    return frozenset(
        (c.reason, c.message)
        for c in record.conditions
        if (c.type == "SpecChanged" and c.status) or (c.type == "Ready" and not c.status and c.reason in DOUBTED)
    )


def _state(part: Part) -> tuple[Phase, str]:
    return part.phase, part.reason


def _states(parts: Iterable[Part]) -> dict[str, tuple[Phase, str]]:
    return {part.run_id: _state(part) for part in parts}


def _known(known: Mapping[str, Part], part: Part) -> tuple[Phase, str] | None:
    return _state(known[part.run_id]) if part.run_id in known else None


def _backup(schedule: Schedule) -> tuple[str, str]:
    return schedule.backup_name, str(schedule.status.get("phase") or "")


def _known_backup(known: Mapping[str, Part], schedule: Schedule) -> tuple[str, str] | None:
    old = known.get(schedule.run_id)
    return _backup(old) if isinstance(old, Schedule) else None


def _backup_failed(schedule: Schedule) -> bool:
    """Velero's phases that tell a failure for good; `FinalizingPartiallyFailed` goes on."""
    return schedule.phase is not Phase.REMOVED and _backup(schedule)[1] in (
        *("Failed", "PartiallyFailed", "FailedValidation"),
    )


def _title(record: Record) -> str:
    attempt = f" (attempt {record.attempt})" if record.attempt > 1 else ""
    return f"{_name(record)}{attempt}: {counted(record.parts)}"


def _body(record: Record, parts: Sequence[Part], gone: bool) -> str:
    """Which clusters and why, what to do next, and whose wish it was."""
    lines = [_line(part) for part in parts[:_NAMED]]
    if len(parts) > _NAMED:
        lines.append(f"- and {len(parts) - _NAMED} more clusters")
    lines += [_short(text) for text in advice(record, gone)]
    asked = f", asked for by {record.requested_by}" if record.requested_by else ""
    lines.append(_short(f"{record.source} at {record.revision[:12]}{asked}"))
    return _capped(lines)


def _line(part: Part) -> str:
    because = ": ".join(text for text in (part.reason, part.message) if text)
    if isinstance(part, Schedule) and _backup_failed(part):
        because = f"{part.backup_name}: {_backup(part)[1]}"
    backup = f", from {part.backup_name}" if isinstance(part, Run) and part.backup_name else ""
    return _short(f"- {part.cluster.name}: {part.phase}" + (f" ({because})" if because else "") + backup)


def _news(
    kind: Literal["ended", "attention"],
    identity: Identity | None,
    title: str,
    body: str,
    severity: Literal["success", "warning", "failure"],
) -> News:
    return News(kind, identity, _short(title, _TITLE), body, severity)


def _capped(lines: Iterable[str]) -> str:
    """As many whole lines as go into one message, and a word where some did not."""
    kept: list[str] = []
    room = LONGEST - _TITLE - len("\n…")
    for line in _fitting(lines):
        if len(line) + 1 > room:
            return "\n".join([*kept, "…"])
        kept.append(line)
        room -= len(line) + 1
    return "\n".join(kept)


def _fitting(lines: Iterable[str]) -> Iterator[str]:
    return (_short(line, 3 * _LINE) for line in lines)


def _short(text: str, limit: int = 2 * _LINE) -> str:
    """One line without control characters: a member's words, and a file's, reach chats and mails."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _name(record: Record) -> str:
    return f"{record.identity.kind.lower()} {record.identity.namespace}/{record.identity.name}"
