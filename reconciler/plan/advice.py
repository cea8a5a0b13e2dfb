"""What to do next about an object: the reasons that runs and Schedules give, and in one place what helps for each.

Called by `output` for `describe`. README's table of reasons says the same words; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.plan.asks import RESUMABLE
from reconciler.plan.runs import DOUBTED, NOT_RESTORED
from reconciler.plan.summary import GOOD, OF_FILE
from reconciler.records import Part, Phase, Record, Schedule

REASONS: Final = (
    (
        ("Unreachable", "Unauthorized", "Forbidden", "ServerError"),
        "mend the member or its credentials; it goes on by itself",
    ),
    (
        ("SecretMissing", "InvalidKubeconfig", "KubeconfigMissing", "KubeconfigRefused"),
        "mend the kubeconfig; it goes on by itself",
    ),
    (("SameCluster", "ClusterChanged"), "mend the kubeconfig: it leads to another cluster than it should"),
    (
        ("VeleroMissing", "StorageUnavailable", "Rejected", "NotFound"),
        "mend Velero there; the message has the API server's words",
    ),
    (("Unknown", "Conflict", "Stale", "Deleting"), "nothing: it is looked at again at the next sync"),
    (("BackupRunning",), "nothing: the Backup has not ended on this cluster"),
    (
        ("BackupNotFound",),
        "it waits, since a rebuilt cluster learns of its backups when Velero has synced them; if it was deleted,"
        " restore from another",
    ),
    (
        ("BackupFailed", "BackupMissing", "BackupDeleting", "BackupExpired", "BackupReplaced"),
        "restore from another Backup",
    ),
    (("BackupTooOld", "BackupTooNew"), "restore from another Backup, or change `spec.maxBackupAge` or `spec.before`"),
    (("FleetNotReady",), "mend the cluster that the message names: `spec.maxSkew` starts all of them or none"),
    (("SkewExceeded",), "restore from backups that lie closer together, or raise `spec.maxSkew`"),
    (("NameConflict",), "somebody else's object has that name: delete that one, or use a new name"),
    (
        ("NotRestored",),
        "objects that were there and differ are as they were: restore with `policy.existingResourcePolicy: update`, or"
        " accept it with `spec.allowSkipped: true`",
    ),
    (
        ("NotVerified",),
        "Velero warned, and nobody could read of what: see `velero restore describe --details` there, then accept it"
        " with `spec.allowSkipped: true`, or restore again",
    ),
    (("PartiallyFailed", "Failed", "FailedValidation"), "mend what Velero's message says"),
    (("Suspended",), "remove `spec.suspend`; it goes on by itself"),
    (("Paused",), "remove `.reconciler-paused`; it goes on by itself"),
    (("PausedThere",), "somebody paused the Schedule on the cluster: ask them; `velero schedule unpause` ends it"),
    (("Existing",), "held: it was there before the ledger"),
    (("Withdrawn",), "held: its file, or the cluster in its destination, is gone"),
    (("SpecChanged",), "held: its file was edited after it was recorded"),
    (("Expired",), "it waited longer than `spec.startWithin`: see that it is still wanted"),
    (("Abandoned",), "its cluster is declared nowhere any more: declare it again, or leave it"),
    (("Vanished",), "its Velero object was deleted and it may have run: look at the cluster first"),
    (("Deleted",), "its Velero object was deleted before Velero took it up: it never ran"),
)
"""Each sort of reason with what to do."""
_TEXTS: Final = {reason: text for reasons, text in REASONS for reason in reasons}
_NAMED: Final = 3


def advice(record: Record, gone: bool = False) -> tuple[str, ...]:
    """What to do next, one sentence at least, the worst first. `gone`: no file asks for it any more."""
    parts = [part for part in record.parts if _matters(part, record)]
    parts.sort(key=lambda part: part.phase in GOOD or part.phase.open)  # what has gone wrong, then what waits
    found = [*_of_reasons(parts), *_of_latest_backups(record.schedules), *_of_file(record), *_again(record, gone)]
    return tuple(found) or (_idle(record, gone),)


def ready(record: Record) -> bool:
    """What the record's own condition says."""
    return any(condition.type == "Ready" and condition.status for condition in record.conditions)


def _matters(part: Part, record: Record) -> bool:
    return bool(part.reason) and not (part.phase is Phase.COMPLETED and ready(record))


def _of_reasons(parts: Iterable[Part]) -> Iterator[str]:
    """A sentence for each reason, with the clusters that give it."""
    clusters: dict[str, list[str]] = {}
    for part in parts:
        clusters.setdefault(part.reason, []).append(part.cluster.name)
    for reason, names in clusters.items():
        yield f"{_listed(names)} ({reason}): {_TEXTS.get(reason, 'see the message')}."


def _of_latest_backups(schedules: Iterable[Schedule]) -> Iterator[str]:
    for schedule in schedules:
        phase = str(schedule.status.get("phase") or "")
        if schedule.phase is not Phase.REMOVED and ("Failed" in phase):
            yield (
                f"{schedule.cluster.name}: the latest backup is {phase}; there, `velero backup describe "
                f"{schedule.backup_name} --details` tells why."
            )


def _of_file(record: Record) -> Iterator[str]:
    for condition in record.conditions:
        if condition.type in OF_FILE and condition.status:
            yield f"{record.source}: {condition.message}."


def _again(record: Record, gone: bool) -> Iterator[str]:
    """How to run it again, where that is what is left to do."""
    if any(run.phase.open or run.reason in RESUMABLE for run in record.latest):
        return
    left = [run for run in record.latest if run.phase is not Phase.COMPLETED]
    doubted = any(run.reason in DOUBTED for run in record.latest) and not ready(record)
    given_up = [run.cluster.name for run in left if run.reason == "Abandoned"]
    raising = f"raise spec.attempt to {record.attempt + 1} in {record.source} and have it merged"
    if gone and (left or doubted):
        yield f"Its file is gone: {_added(record)}."
    elif left and len(given_up) == len(left):
        yield f"To go on without {_listed(given_up)}, {raising}."
    elif left:
        left = [run for run in left if run.reason != "Abandoned"]
        wish = "To run it after all" if all(run.phase is Phase.HELD for run in left) else "Then, to run it again"
        yield f"{wish}, {raising}: it runs on {_listed([run.cluster.name for run in left])}."
    elif doubted:
        changed = any(run.reason == NOT_RESTORED for run in record.latest)
        wish = "To restore with another policy, change it and" if changed else "To restore again, set `rerun: All`,"
        yield f"{wish} {raising}; `spec.allowSkipped` needs no new attempt."


def _added(record: Record) -> str:
    """What to do about an object that no file asks for."""
    who = f"{record.identity.kind.lower()} {record.identity.namespace}/{record.identity.name}"
    done = all(run.phase is Phase.COMPLETED for run in record.latest)  # with the same content none of it would run
    again = f"`attempt: {record.attempt + 1}`" + (" and `rerun: All`" if done else "")
    return f"to run it again, add {record.source} again with {again}; `reconciler forget {who}` drops the record"


def _idle(record: Record, gone: bool) -> str:
    """Where nothing is wrong."""
    if any(part.phase.open for part in record.parts):
        return "Nothing: it is under way; `reconciler sync` records how it ends."
    if record.schedules and all(schedule.phase is Phase.REMOVED for schedule in record.schedules):
        return "Nothing: its Schedules are removed; their backups stay until they expire."
    if gone:
        return f"Nothing: it is done, and its file is gone; {_added(record)}."
    if record.identity.kind == "Backup":
        return f"Nothing: it is in order. To restore, add a Restore with `backupName: {record.identity.name}`."
    return f"Nothing: it is done. To run it again, raise spec.attempt to {record.attempt + 1} with `rerun: All`."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
