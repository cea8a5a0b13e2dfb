"""What `sync --once` ends with, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from reconciler.once import Verdict
from reconciler.output.console import err, machine, out, phase, show, table
from reconciler.plan.summary import counted
from reconciler.plan.verdict import Exit
from reconciler.records import Phase, Record, Run, Texts, as_object, load_texts, texts_path

LINES_OF_A_RUN = 10


def report(verdict: Verdict, form: str) -> None:
    """Results on stdout; refusals and remarks on stderr."""
    _notices(verdict.last.state.snapshot.unpushed, verdict.put_back)
    if form:
        out().print(machine(_as_data(verdict), form), soft_wrap=True)
        return
    shown = [record for record in verdict.last.committed.values() if _is_news(record, verdict)]
    if shown:
        _table(shown)
        _texts(shown, verdict)
    for problem in verdict.last.desired.problems:
        err().print(Text(f"refused: {problem}", style="red"))
    out().print(_last_line(verdict, shown))


def _notices(unpushed: tuple[str, ...], tampered: tuple[str, ...]) -> None:
    """Local commits that do not count, and records that were changed by hand."""
    for commit in unpushed:
        err().print(f"note: local commit {commit} is not on the upstream, so it does not count; push it")
    for path in tampered:
        err().print(Text(f"note: {path} was changed by hand; put back as it was recorded", style="yellow"))


def _table(records: list[Record]) -> None:
    told = any(run.reason or run.message for record in records for run in record.runs)
    grid = table("CLUSTER", "OBJECT", "PHASE", *(("REASON", "MESSAGE") if told else ()))
    for record in records:
        for run in record.runs:
            why = (run.reason if run.reason != run.phase else "", Text(run.message)) if told else ()
            grid.add_row(run.cluster.name, str(record.identity), phase(run.phase), *why)
    show(grid)


def _texts(records: list[Record], verdict: Verdict) -> None:
    for record in records:
        for run in record.runs:
            lines = tuple(_lines(texts)) if (texts := _texts_of(record, run, verdict)) else ()
            for line in lines[:LINES_OF_A_RUN]:
                out().print(Text(f"{run.cluster.name}: {record.identity}: {line}"))
            if len(lines) > LINES_OF_A_RUN:
                where = texts_path(record.identity, run)
                out().print(Text(f"{run.cluster.name}: {len(lines) - LINES_OF_A_RUN} more in {where}"))


def _lines(texts: Texts) -> Iterator[str]:
    for word, found in (("error", texts.errors), ("warning", texts.warnings)):
        yield from (f"{word} in {where}: {text}" for where, text in found)
    if texts.note:
        yield texts.note


def _texts_of(record: Record, run: Run, verdict: Verdict) -> Texts | None:
    if not run.phase.terminal:
        return None
    content = verdict.last.state.snapshot.recorded.get(texts_path(record.identity, run))
    return load_texts(content) if content else verdict.texts.get(run.run_id)


def _is_news(record: Record, verdict: Verdict) -> bool:
    wanted = record.identity in verdict.last.desired.wanted
    return record.identity in verdict.touched or (wanted and record.phase is not Phase.COMPLETED)


def _last_line(verdict: Verdict, shown: list[Record]) -> Text:
    if verdict.timed_out:
        return Text("Timed out; what runs goes on, and the next sync records it.", style="yellow")
    match verdict.exit_code:
        case Exit.SUCCEEDED if not shown:
            return Text(f"Nothing to do: {len(verdict.last.committed)} objects recorded.")
        case Exit.SUCCEEDED:
            lines = [f"{record.identity}: {counted(record.runs)}" for record in shown[:10]]
            lines += [f"and {len(shown) - 10} more"] if len(shown) > 10 else []
            return Text("\n".join(lines), style="green")
        case Exit.WAITING:
            return Text("Not done: something is still running, or waits for a change outside.", style="yellow")
        case _:
            return Text("Not all succeeded: something failed, is held or was refused.", style="red")


def _as_data(verdict: Verdict) -> dict[str, Any]:
    return {
        "exitCode": int(verdict.exit_code),
        "revision": verdict.last.state.snapshot.tip.commit,
        "timedOut": verdict.timed_out,
        "problems": [str(problem) for problem in verdict.last.desired.problems],
        "items": [as_object(record) for record in verdict.last.committed.values()],
        "changed": [str(identity) for identity in sorted(verdict.touched)],
    }
