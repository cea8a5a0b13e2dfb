"""What a commit of ours may say: each is judged against the one before it, by what the files asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reconciler.plan.asks import RESUMABLE
from reconciler.records import Phase, Record, Run, Schedule
from reconciler.resources import Identity
from tests.soak.attempts import UNKNOWN, begun, fresh
from tests.soak.people import Tree

if TYPE_CHECKING:
    from tests.soak.process import Process
    from tests.soak.world import World

STARTS: Final = 4
"""As many runs may become `Starting` in one commit; see `stage`."""
SOONEST_END: Final = timedelta(hours=23, minutes=57)
"""`startWithin`, but for what a pass may take."""
FREE_REMOVALS: Final = 5
Records = Mapping[Identity, Record]


@dataclass(frozen=True, slots=True)
class Landing:
    """A commit that `process` made: what was recorded before it, what is now, and the files that were read."""

    world: World
    process: Process
    before: Records
    after: Records
    tree: Tree


def landed(world: World, process: Process, old: str, new: str) -> Iterator[str]:
    """What is wrong with the commit `new` on `old`."""
    upstream = world.upstream
    before, after = upstream.recorded(old).records, upstream.recorded(new).records
    landing = Landing(world, process, before, after, upstream.trees[upstream.revision(new)])
    for path in upstream.taken_over(old, new):
        yield f"what people made of {path} was taken over"
    for identity in before.keys() - after.keys():
        yield f"the record of {identity} is gone"
    for identity, record in after.items():
        was = before.get(identity)
        if record != was:
            yield from _lost(was, record)
            yield from begun(world, landing.tree, identity, was, record)
            for run in record.runs:
                yield from _run(landing, identity, was, run)
            for schedule in record.schedules:
                yield from _schedule(landing, identity, schedule)
    starts = [run for identity in after for run in _started(before.get(identity), after[identity])]
    if len(starts) > STARTS:
        yield f"{len(starts)} runs became Starting in one commit"
    if not process.allowed:
        yield from _mass(before, after)


# ------------------------------------------------------------ runs


def _lost(was: Record | None, record: Record) -> Iterator[str]:
    """Velero's last word stays as it is."""
    for run in was.runs if was else ():
        if run.settled and run not in record.runs:
            yield f"{run} became {next((each for each in record.runs if each.run_id == run.run_id), None)}"


def _run(landing: Landing, identity: Identity, record: Record | None, run: Run) -> Iterator[str]:
    """The steps that a run may go, and what allows each."""
    world, was = landing.world, _was(record, run)
    before = was.phase if was else Phase.PENDING
    there = any(made.run_id == run.run_id for made in world.made) or run.run_id in world.forgiven
    told = f"{identity} on {run.cluster.name}, attempt {run.attempt}, went from {before} to {run.phase} ({run.reason})"
    if was == run or (was and was.phase is run.phase and was.reason == run.reason):
        return
    world.figures.abandoned += run.reason == "Abandoned"
    world.figures.held_back += run.phase is Phase.PENDING and bool(run.reason)
    if before.terminal and not run.phase.terminal and not there:
        yield f"{told}, and it was given up"
    if before is Phase.HELD and was and was.reason not in RESUMABLE and run.phase is not Phase.HELD and not there:
        yield f"{told}, and it was held as {was.reason}"
    if before in (Phase.STARTING, Phase.IN_PROGRESS) and run.phase is Phase.PENDING:
        yield f"{told}: backwards"
    if (run.phase is Phase.IN_PROGRESS or run.settled) and not there:
        yield f"{told}, and it was never created"
    if run.phase is Phase.STARTING and before is not Phase.STARTING and run.what != UNKNOWN:
        yield from (f"{told}: {why}" for why in _too_early(landing, before, run))
    if run.phase in (Phase.HELD, Phase.FAILED) and not run.settled:
        yield from (f"{told}: {why}" for why in _wrongly(landing, identity, record, run))


def _was(record: Record | None, run: Run) -> Run | None:
    """Under the same id; what was edited before it began is another one."""
    known = next((each for each in record.runs if each.run_id == run.run_id), None) if record else None
    return known if known and known.what == run.what else None


def _too_early(landing: Landing, before: Phase, run: Run) -> Iterator[str]:
    """Before `Starting` the last visit to the member told that it can be."""
    process, name = landing.process, run.cluster.name
    if before not in (Phase.PENDING, Phase.HELD):  # whoever decides again on what was observed may resume it as well
        yield "it did not wait"
    if not process.told.get((name, run.object_name)):
        yield "no dry run was accepted"
    if not process.told.get((name, "storage")):
        yield "nobody saw that the storage is there"
    bad_since = landing.world.clusters[name].bad.get(run.backup_name)
    if bad_since and bad_since < process.visited.get(name, 0) and not landing.world.skewed:
        yield f"{run.backup_name} could not be restored from any more"


def _wrongly(landing: Landing, identity: Identity, record: Record | None, run: Run) -> Iterator[str]:
    """What is held or given up has the reason that it names."""
    tree, world, name = landing.tree, landing.world, run.cluster.name
    wish = tree.wish(identity.kind, identity.name)
    due = wish is not None and wish.attempt == run.attempt
    same = due and wish is not None and world.contents.get(run.what) == wish.content
    applies = due and wish is not None and not wish.schedule and record is not None and fresh(record)
    match run.reason:
        case "Withdrawn" if not tree.withdraws(identity.kind, identity.name, name):
            yield "the files ask for it, or do not tell"
        case "Abandoned" if not tree.sound or name in tree.declared:
            yield "its cluster is declared, or the files do not tell"
        case "SpecChanged" if same or applies:
            yield "the files ask for just that, or may do so anew"
        case "Expired" if record and not world.skewed and world.age(record) < SOONEST_END:
            yield f"it was first recorded at {record.recorded_at}"
        case "Suspended" if not (wish and wish.suspended):
            yield "no file says so"
        case "Paused" if not tree.paused:
            yield "it is not paused"
        case "NameConflict" if not any(run.object_name in cluster.taken for cluster in world.clusters.values()):
            yield "nobody else has that name"


def _started(was: Record | None, record: Record) -> Iterator[Run]:
    for run in record.runs:
        old = _was(was, run)
        if run.phase is Phase.STARTING and run.what != UNKNOWN and (old is None or old.phase is not run.phase):
            yield run


# ------------------------------------------------------------ what goes


def _schedule(landing: Landing, identity: Identity, schedule: Schedule) -> Iterator[str]:
    was = landing.before.get(identity)
    before = next((each for each in (was.schedules if was else ()) if each.run_id == schedule.run_id), None)
    tree, name = landing.tree, schedule.cluster.name
    told = f"the Schedule of {identity} on {name} became {schedule.phase} ({schedule.reason})"
    if before is not None and before.phase is schedule.phase:
        return
    if schedule.reason == "Abandoned":
        if not tree.sound or name in tree.declared:
            yield f"{told}, and its cluster is declared, or the files do not tell"
    elif schedule.phase in (Phase.REMOVING, Phase.REMOVED) and not tree.removes(identity.name, name):
        yield f"{told}, and the files ask for it, or do not tell"


def _mass(before: Records, after: Records) -> Iterator[str]:
    """More than five objects, and more than half of them, go only with a word."""
    waiting = [each for each in before if any(run.phase.open for run in before[each].runs)]
    withdrawn = [each for each in waiting if each in after and _withdrawn(after[each]) > _withdrawn(before[each])]
    there = [each for each in before if _in_place(before[each])]
    leaving = [each for each in there if each in after and _in_place(before[each]) - _in_place(after[each])]
    for gone, known in ((withdrawn, waiting), (leaving, there)):
        if len(gone) > FREE_REMOVALS and 2 * len(gone) > len(known):
            yield f"{len(gone)} of {len(known)} objects were withdrawn at one stroke"


def _withdrawn(record: Record) -> int:
    return sum(run.reason == "Withdrawn" for run in record.runs)


def _in_place(record: Record) -> frozenset[str]:
    going = (Phase.REMOVING, Phase.REMOVED)
    return frozenset(each.cluster.name for each in record.schedules if each.phase not in going)
