"""The words for what a record says of one cluster: a run, or a Schedule. The same in every table and report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.plan.message import items_in_words
from reconciler.plan.runs import DOUBTED
from reconciler.records import Items, Part, Phase, Run, Schedule

Status = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BackupWords:
    """A backup by its name, when its content was taken and when it was complete (RFC 3339), and Velero's phase."""

    name: str = ""
    started: str = ""
    completed: str = ""
    phase: str = ""


def why(part: Part) -> str:
    """`Reason: message`; a reason that only repeats the phase is left out."""
    reason = part.reason if part.reason != part.phase else ""
    return ": ".join(text for text in (reason, part.message) if text)


def troubled(part: Part) -> bool:
    """It is not as it was asked for, or not yet."""
    return part.reason in DOUBTED or part.phase not in (Phase.COMPLETED, Phase.ENABLED, Phase.REMOVED)


def backup(part: Part, kind: str) -> BackupWords:
    """The one that a Restore takes, that a Backup's run makes, or that a Schedule made last."""
    status = part.status
    started, completed, phase = (str(status.get(k) or "") for k in ("startTimestamp", "completionTimestamp", "phase"))
    if isinstance(part, Schedule):
        return BackupWords(part.backup_name, started, completed, phase) if part.backup_name else BackupWords()
    if kind == "Restore":
        return BackupWords(part.backup_name, part.backup_started, part.backup_completed)
    return BackupWords(part.object_name, started, completed, phase) if status else BackupWords()


def items(part: Part) -> str:
    """What became of the objects, or as long as that is not known, how many there were."""
    if isinstance(part, Run) and part.items is not None:
        return items_in_words(part.items)
    return progress(part.status)


def progress(status: Status) -> str:
    """`3 of 12 items`, by Velero's own count; empty where it gives none."""
    told = status.get("progress")
    if not isinstance(told, Mapping) or not told.get("totalItems"):
        return ""
    done = told.get("itemsBackedUp", told.get("itemsRestored")) or 0
    return f"{done} of {told['totalItems']} items"


def plain(items: Items | None) -> bool:
    """Nothing to remark: all that the backup holds is there now, and nothing that was there was touched."""
    return items is None or (items != Items() and not items.left and not items.updated)


def counts(items: Items | None) -> dict[str, int] | None:
    """For machines, in the words of the record."""
    if items is None:
        return None
    return {
        "created": items.created,
        "updated": items.updated,
        "equal": items.equal,
        "notRestored": items.not_restored,
        "notCompared": items.not_compared,
        "failed": items.failed,
    }
