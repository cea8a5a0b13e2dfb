"""The commit message: what happened in the subject, a line per run, trailers that say who asked and what ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.plan.events import latest_backups
from reconciler.plan.summary import counted
from reconciler.records import Items, Part, Record, Run
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
    trailers += _people("Requested-By", [record.requested_by for record in records])
    trailers += _people("Merged-By", [record.merged_by for record in records])
    trailers += _people("Approved-By", [who for record in records for who in record.approved_by])
    trailers += [f"Run-Id: {part.run_id}" for r in records for part in _changed(r, before.get(r.identity))]
    return "\n".join([_subject(records, before), "", *body, *([""] if body else []), *trailers]) + "\n"


def _subject(records: tuple[Record, ...], before: Mapping[Identity, Record]) -> str:
    """Of the first where something happened; that a Schedule has run is told where there is nothing else."""
    if not records:
        return "status: put back what was changed by hand"
    shown = next((r for r in records if not latest_backups(before.get(r.identity), r)), records[0])
    first = f"{_name(shown)}: {_what(shown, before.get(shown.identity))}"
    return first if len(records) == 1 else f"{first}, and {len(records) - 1} more"


def _lines(record: Record, before: Record | None, titled: bool) -> Iterator[str]:
    if titled:
        yield f"{_name(record)}: {_what(record, before)}"
    for part in _changed(record, before):
        because = ": ".join(_one_line(text) for text in (part.reason, part.message) if text)
        line = f"- {part.cluster.name}: {part.phase}" + (f" ({because})" if because else "")
        yield line + _backup(part)
        if isinstance(part, Run) and part.items:
            yield f"  {items_in_words(part.items)}"


def _what(record: Record, before: Record | None) -> str:
    return _one_line(latest_backups(before, record)) or counted(record.parts)


def _backup(part: Part) -> str:
    """The one that a Restore takes, or that a Schedule made last."""
    if not part.backup_name:
        return ""
    if isinstance(part, Run):
        return _one_line(f", from {part.backup_name}")
    return _one_line(f", latest backup {part.backup_name}: {part.status.get('phase') or 'New'}")


def items_in_words(items: Items) -> str:
    """`12 created, 1 not restored though different`; `nothing` where there was nothing to restore."""
    words = ("created", "updated", "equal already", "not restored though different", "not compared", "failed")
    counts = (items.created, items.updated, items.equal, items.not_restored, items.not_compared, items.failed)
    return ", ".join(f"{count} {word}" for count, word in zip(counts, words, strict=True) if count) or "nothing"


def _changed(record: Record, before: Record | None) -> tuple[Part, ...]:
    known = {part.run_id: part for part in before.everything} if before else {}
    return tuple(part for part in record.everything if known.get(part.run_id) != part)


def _people(trailer: str, names: Iterable[str]) -> list[str]:
    return [f"{trailer}: {name}" for name in dict.fromkeys(_one_line(name) for name in names) if name]


def _name(record: Record) -> str:
    return f"{record.identity.kind.lower()} {record.identity.namespace}/{record.identity.name}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
