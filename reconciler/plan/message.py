"""The commit message: what happened in the subject, a line per run, trailers that say who asked and what ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.plan.summary import counted
from reconciler.records import Record, Run
from reconciler.resources import Identity

LEDGER_TRAILER = "Reconciler-Ledger"


def commit_message(
    ledger: str,
    revision: str,
    before: Mapping[Identity, Record],
    changed: Iterable[Record],
    put_back: tuple[str, ...] = (),
) -> str:
    """`restore default/minimal: Completed on 2 of 2 clusters`, and so on. `revision` is the commit that was read."""
    records = tuple(changed)
    body = [line for record in records for line in _lines(record, before.get(record.identity), len(records) > 1)]
    body += [f"{_one_line(path)}: changed by hand, put back" for path in put_back]
    trailers = [f"{LEDGER_TRAILER}: {ledger}", f"Reconciled-Revision: {revision}"]
    trailers += [f"Requested-By: {who}" for who in dict.fromkeys(_one_line(r.requested_by) for r in records) if who]
    trailers += [f"Run-Id: {run.run_id}" for r in records for run in _changed(r, before.get(r.identity))]
    return "\n".join([_subject(records), "", *body, *([""] if body else []), *trailers]) + "\n"


def _subject(records: tuple[Record, ...]) -> str:
    if not records:
        return "status: put back what was changed by hand"
    first = f"{_name(records[0])}: {counted(records[0].runs)}"
    return first if len(records) == 1 else f"{first}, and {len(records) - 1} more"


def _lines(record: Record, before: Record | None, titled: bool) -> Iterator[str]:
    if titled:
        yield f"{_name(record)}: {counted(record.runs)}"
    for run in _changed(record, before):
        because = ": ".join(_one_line(part) for part in (run.reason, run.message) if part)
        yield f"- {run.cluster.name}: {run.phase}" + (f" ({because})" if because else "")


def _changed(record: Record, before: Record | None) -> tuple[Run, ...]:
    known = {run.run_id: run for run in before.runs} if before else {}
    return tuple(run for run in record.runs if known.get(run.run_id) != run)


def _name(record: Record) -> str:
    return f"{record.identity.kind.lower()} {record.identity.namespace}/{record.identity.name}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
