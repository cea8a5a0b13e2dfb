"""What must have been done once nobody comes between: all that is asked for, and all that became of it is recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Final

from reconciler.records import Phase, Record, Run
from reconciler.resources import Identity
from tests.soak.attempts import fresh
from tests.soak.cluster import TERMINAL
from tests.soak.people import FIRST_MEMBERS, Wish
from tests.soak.world import World

START_WITHIN: Final = timedelta(hours=24)


def owed(world: World, healthy: Collection[str]) -> list[str]:
    """What the files ask for, on healthy members, and is not done although nothing stands against it."""
    tree = world.upstream.tree
    recorded = world.upstream.recorded(world.upstream.ledger.tip).records
    found: list[str] = []
    for wish in tree.wishes():
        record = recorded.get(Identity(wish.kind, "default", wish.name))
        if record is None and tree.clusters(wish):
            found.append(f"{wish} is not recorded")
        elif record is not None and tree.clusters(wish):
            found += _of_wish(world, wish, record, healthy)
    for identity, record in recorded.items():
        for run in record.runs:
            name = run.cluster.name
            if run.phase is Phase.PENDING and tree.withdraws(identity.kind, identity.name, name):
                found.append(f"{identity} waits though nobody asks for it: {run}")
            if run.phase.open and tree.sound and name not in tree.declared:
                found.append(f"{identity} is open on a cluster that is gone: {run}")
        found += _leftover(world, identity, record, healthy)
    return found


def _of_wish(world: World, wish: Wish, record: Record, healthy: Collection[str]) -> Iterator[str]:
    tree = world.upstream.tree
    if wish.schedule:
        yield from _timers(world, wish, record, healthy) if not record.runs and not tree.paused else ()
    elif record.schedules or record.attempt > wish.attempt:
        return
    elif record.attempt < wish.attempt:
        under_way = [run for run in record.runs if run.phase.open]
        if all(run.cluster.name in healthy and not _excused(world, wish, record, run) for run in under_way):
            yield f"{wish} is recorded as attempt {record.attempt}: {under_way}"
    else:
        yield from _attempt(world, wish, record, healthy)


def _attempt(world: World, wish: Wish, record: Record, healthy: Collection[str]) -> Iterator[str]:
    tree = world.upstream.tree
    for run in record.runs:
        if run.attempt != wish.attempt or run.cluster.name not in tree.clusters(wish):
            continue
        if world.contents.get(run.what) != wish.content:
            if fresh(record):
                yield f"{wish} was edited before it began, and it is recorded as it was: {run}"
        elif wish.suspended or tree.paused or run.cluster.name not in healthy:
            continue
        elif not run.settled and not _excused(world, wish, record, run):
            yield f"{wish} is not done: {run}"


def _excused(world: World, wish: Wish, record: Record, run: Run) -> bool:
    """Whether what came between explains that the run waits, is held or failed before it began."""
    name, history = run.cluster.name, world.upstream.history
    if run.run_id in world.forgiven:
        if run.phase.terminal:
            return True
    elif any(made.run_id == run.run_id for made in world.made):
        return run.phase.terminal  # and `outcomes` knows better
    match run.reason:
        case "BackupMissing" | "BackupFailed" | "BackupNotFound" | "BackupDeleting" | "BackupExpired" | "BackupRunning":
            return not _restorable(world, wish.of, name)
        case "NameConflict":
            return run.object_name in world.clusters[name].taken
        case "Expired":
            return world.skewed or world.age(record) > START_WITHIN
        case "Abandoned":
            return any(name not in tree.declared for tree in history)
        case "Withdrawn":
            return any(not tree.asks(wish.kind, wish.name, name) for tree in history)
        case "SpecChanged":
            wishes = [found for tree in history if (found := tree.wish(wish.kind, wish.name))]
            return any(each.attempt != run.attempt or each.content != wish.content for each in wishes)
    return False


def _restorable(world: World, backup: str, name: str) -> bool:
    """Whether a Restore from that Backup can begin there, and could all the time."""
    if backup != "base":
        return False  # people change it as they like
    return name in FIRST_MEMBERS and f"{name}-backup-default-base" not in world.clusters[name].bad


def _timers(world: World, wish: Wish, record: Record, healthy: Collection[str]) -> Iterator[str]:
    """Schedules are level-triggered: as the file says, on all clusters that the fleet has now."""
    known = {schedule.cluster.name: schedule for schedule in record.schedules}
    for name in world.upstream.tree.clusters(wish):
        schedule = known.get(name)
        if schedule is None:
            yield f"{wish} has no Schedule on {name} in its record"
        elif name in healthy and not world.clusters[name].foreign("Schedule", schedule.object_name):
            there = world.clusters[name].find("Schedule", schedule.object_name)
            spec = there["spec"] if there else {}
            right = bool(there) and wish.asks_for(spec["template"]) and spec.get("schedule") == wish.schedule
            if not right or bool(spec.get("paused")) != wish.suspended:
                yield f"{wish} is not so on {name}: {spec}"
            elif schedule.phase is not (Phase.PAUSED if wish.suspended else Phase.ENABLED):
                yield f"{wish} is recorded as {schedule}"


def _leftover(world: World, identity: Identity, record: Record, healthy: Collection[str]) -> Iterator[str]:
    """Where nobody asks for a Schedule any more it is gone, and recorded so; and none is there that is called gone."""
    tree = world.upstream.tree
    for schedule in record.schedules:
        name = schedule.cluster.name
        cluster, timer = world.clusters[name], schedule.object_name
        there = cluster.find("Schedule", timer) is not None and not cluster.foreign("Schedule", timer)
        unwanted = tree.removes(identity.name, name) and not tree.paused
        if name in healthy and unwanted and (there or schedule.phase is not Phase.REMOVED):
            yield f"{identity} is not asked for on {name}: {schedule}, {'there' if there else 'gone'}"


def outcomes(world: World) -> None:
    """Every Restore that was ever created is recorded as what became of it, and nothing holds it."""
    recorded = {run.run_id: run for run in world.runs(world.upstream.ledger.tip)}
    for made in world.made:
        if made.kind != "Restore" or (made.gone and made.run_id in world.forgiven):
            continue
        run = recorded.get(made.run_id)
        assert run is not None, f"{made} is recorded nowhere"
        true = made.phase if made.phase in TERMINAL else "Failed"  # deleted before Velero took it up
        unknown = made.freed and run.reason in ("Vanished", "Abandoned")
        assert run.phase == true or unknown, f"{made} is recorded as {run}"
        world.figures.outcomes += 1
    known = {made.run_id for made in world.made}
    backups = {made.run_id for made in world.made if made.kind == "Backup" and made.gone}  # nothing holds those
    freed = {made.run_id for made in world.made if made.freed} | backups | world.forgiven
    for run in recorded.values():
        assert not run.settled or run.run_id in known or run.backup_name == "", f"{run} was never created"
        assert run.reason != "Vanished" or run.run_id in freed, f"{run} can't have vanished"
    counts = Counter(made.name for made in world.made if made.kind == "Restore" and made.run_id not in world.forgiven)
    assert all(count == 1 for count in counts.values()), counts
    for cluster in world.clusters.values():
        assert not cluster.held(), f"{cluster.held()} on {cluster.name} carry our finalizer for ever"


def unfinished(world: World) -> list[Run]:
    """Runs that may still go on by themselves."""
    return [run for run in world.runs(world.upstream.ledger.tip) if run.phase.open]
