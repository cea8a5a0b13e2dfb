"""What a pass commits, and whether it is time to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler import records
from reconciler.plan.answers import Answer
from reconciler.plan.message import commit_message
from reconciler.records import Phase, Record, Recorded, path_of, texts_path
from reconciler.resources import ClusterId, Identity


@dataclass(frozen=True, slots=True)
class Changes:
    """One commit: files under `status/` (path → content) and its message."""

    files: Mapping[str, bytes]
    message: str


def due(before: Mapping[Identity, Record], decided: Mapping[Identity, Record]) -> bool:
    """What starts or came to light, what others wait for and the end of it all is committed at once; the rest can wait
    for company."""
    known = {part.run_id: part for record in before.values() for part in record.everything}
    runs = [part for record in decided.values() for part in record.everything]
    news = [run for run in runs if known.get(run.run_id) != run]
    awaited = {run.cluster for run in runs if run.reason == "BackupRunning"}
    found = any(run.run_id not in known and run.phase is Phase.IN_PROGRESS for run in news)
    starting = any(run.phase is Phase.STARTING for run in news)
    ended = any(run.phase.terminal and run.cluster in awaited for run in news)
    under_way = any(run.phase in (Phase.STARTING, Phase.IN_PROGRESS) for run in runs)
    return starting or found or ended or not under_way


def changes(
    recorded: Recorded,
    wanted: Mapping[Identity, Record],
    answers: Mapping[ClusterId, Answer],
    revision: str,
    put_back: tuple[str, ...],
) -> Changes | None:
    """The commit that makes `status/` say what is wanted; None where it says so already.

    `revision` is the commit that was read, `put_back` the paths that somebody changed by hand.
    """
    changed = [record for identity, record in wanted.items() if recorded.records.get(identity) != record]
    if not changed and not put_back:
        return None
    files = {path_of(record.identity): records.dump(record) for record in changed}
    for record in changed:
        files |= dict(_texts(record, recorded, answers))
    return Changes(files, commit_message(recorded.ledger.id, revision, recorded.records, changed, put_back))


def _texts(record: Record, recorded: Recorded, answers: Mapping[ClusterId, Answer]) -> Iterator[tuple[str, bytes]]:
    """Velero's own words about runs that have ended, written once."""
    for run in record.runs:
        answer, path = answers.get(run.cluster), texts_path(record.identity, run)
        texts = answer.texts.get((record.identity.kind, run.object_name)) if answer else None
        if texts and run.phase.terminal and path not in recorded.paths:
            yield path, records.dump_texts(texts)
