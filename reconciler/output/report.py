"""What `sync --once` ends with, for people and for machines."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from reconciler.grace import Waiting
from reconciler.once import Verdict
from reconciler.output.console import err, machine, out, phase, show, table
from reconciler.output.parts import items, plain
from reconciler.output.texts import outcome_lines
from reconciler.plan.advice import ready
from reconciler.plan.same_cluster import believed
from reconciler.plan.summary import GOOD, OF_FILE, counted
from reconciler.plan.verdict import Exit
from reconciler.records import Record, Run, Texts, as_object, load_texts, texts_path


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
        _in_vain(shown)
        _unheard(shown, verdict)
    for problem in verdict.last.desired.problems:
        err().print(Text(f"refused: {problem}", style="red"))
    out().print(_last_line(verdict, shown))


def letting_go(waiting: tuple[Waiting, ...]) -> None:
    """Why the command goes on although all has ended."""
    seconds, count = max(each.seconds for each in waiting), len(waiting)
    noun = "the Restore keeps" if count == 1 else f"the {count} Restores keep"
    text = (
        f"Recorded. For {seconds:.0f} s {noun} our finalizer, lest another reconciler at work start one again; to stop "
        "here is safe, then the next sync takes it off (--release-after 0s where no other is at work)."
    )
    out().file.flush()  # who reads the results need not wait
    err().print(Text(text, style="dim"), soft_wrap=True)


def _notices(unpushed: tuple[str, ...], tampered: tuple[str, ...]) -> None:
    """Local commits that do not count, and records that were changed by hand."""
    for commit in unpushed:
        err().print(f"note: local commit {commit} is not on the upstream, so it does not count; push it")
    for path in tampered:
        err().print(Text(f"note: {path} was changed by hand; put back as it was recorded", style="yellow"))


def _table(records: list[Record]) -> None:
    parts = [part for record in records for part in record.parts]
    told = any(part.reason or part.message for part in parts)
    counted_items = any(isinstance(part, Run) and not plain(part.items) for part in parts)
    columns = (*(("ITEMS",) if counted_items else ()), *(("REASON", "MESSAGE") if told else ()))
    grid = table("CLUSTER", "OBJECT", "PHASE", *columns)
    for record in records:
        for part in record.parts:
            what = (items(part),) if counted_items else ()
            why = (part.reason if part.reason != part.phase else "", Text(part.message)) if told else ()
            grid.add_row(part.cluster.name, str(record.identity), phase(part.phase), *what, *why)
    show(grid)


def _texts(records: list[Record], verdict: Verdict) -> None:
    for record in records:
        for run in record.latest:
            texts = _texts_of(record, run, verdict)
            for line in outcome_lines(texts, run, texts_path(record.identity, run)) if texts else ():
                out().print(Text(f"{run.cluster.name}: {record.identity}: {line}"))


def _in_vain(records: list[Record]) -> None:
    """Why what a file asks for now does not run, although all that ran succeeded."""
    for record in records:
        for condition in record.conditions:
            if condition.type in OF_FILE:
                out().print(Text(f"{record.identity}: {condition.message}", style="yellow"), soft_wrap=True)


def _unheard(records: list[Record], verdict: Verdict) -> None:
    """Why it is not known how something goes on that was running on a cluster when it was last heard."""
    answers = verdict.last.answers
    parts = [part for record in records for part in record.parts if part.phase.open and not part.reason]
    heard = [(part.cluster, believed(part, answers[part.cluster])) for part in parts if part.cluster in answers]
    failures = {(cluster, answer.failure.reason, answer.failure.message) for cluster, answer in heard if answer.failure}
    for cluster, reason, message in sorted(failures):
        out().print(Text(f"{cluster.name}: {reason}: {message}", style="yellow"), soft_wrap=True)


def _texts_of(record: Record, run: Run, verdict: Verdict) -> Texts | None:
    if not run.phase.terminal:
        return None
    content = verdict.last.state.snapshot.recorded.get(texts_path(record.identity, run))
    return load_texts(content) if content else verdict.texts.get(run.run_id)


def _is_news(record: Record, verdict: Verdict) -> bool:
    wanted = record.identity in verdict.last.desired.wanted
    return record.identity in verdict.touched or (wanted and not (record.phase in GOOD and ready(record)))


def _last_line(verdict: Verdict, shown: list[Record]) -> Text:
    if verdict.timed_out:
        return Text("Timed out; what runs goes on, and the next sync records it.", style="yellow")
    match verdict.exit_code:
        case Exit.SUCCEEDED if not shown:
            return Text(f"Nothing to do: {len(verdict.last.committed)} objects recorded.")
        case Exit.SUCCEEDED:
            lines = [f"{record.identity}: {counted(record.parts)}" for record in shown[:10]]
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
