"""What may never happen on a member: each write of ours is judged as it takes effect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reconciler.records import Phase
from reconciler.resources import Identity
from reconciler.simulation.cluster import Object
from reconciler.velero.objects import FINALIZER, RUN_ID
from tests.soak.cluster import GOING, Cluster
from tests.soak.people import Tree, Wish
from tests.soak.upstream import Stand

if TYPE_CHECKING:
    from tests.soak.world import World

FRESH_SECONDS: Final = 60.0
LATEST_START: Final = timedelta(hours=24, minutes=3)
"""`startWithin`, and as long as a plan of that moment may take."""


def watch(world: World, cluster: Cluster, verb: str, plural: str, obj: Object, before: Object | None) -> None:
    """Judges a write that has just taken effect; `before`: what was there."""
    match verb, plural:
        case "create", "restores" | "backups":
            _created(world, cluster, obj)
        case "delete" | "deletecollection", "restores" | "backups":
            world.violations.append(f"{plural} of {cluster.name} were deleted by us")
        case "create", "deletebackuprequests":
            world.violations.append(f"the data of a Backup of {cluster.name} were deleted by us")
        case "patch", "restores":
            _released(world, cluster, obj)
        case "delete", "schedules":
            _timer_deleted(world, cluster, before or {})
        case "create" | "patch", "schedules":
            _timer_written(world, cluster, obj, before)


def _created(world: World, cluster: Cluster, obj: Object) -> None:
    kind, meta = obj["kind"], obj["metadata"]
    run_id, name = meta["annotations"][RUN_ID], meta["name"]
    held = FINALIZER in meta.get("finalizers", ())
    if kind == "Restore":
        world.figures.creates += 1
        twice = [made for made in cluster.made if made.name == name and made.kind == kind]
        if len(twice) > 1 and run_id not in world.forgiven:
            world.violations.append(f"Restore {name} was created {len(twice)} times")
        world.violations += _unfit(cluster, obj)
    if held != (kind == "Restore"):
        world.violations.append(f"{kind} {name} was created with{'' if held else 'out'} our finalizer")
    if not name.startswith(f"{cluster.name}-"):
        world.violations.append(f"{kind} {name} was created on {cluster.name}")
    identity = Identity(kind, "default", meta["labels"][f"kurator.dev/{kind.lower()}-name"])
    why = "nobody asked"
    for stand in world.upstream.asked(FRESH_SECONDS):
        tree = world.upstream.trees[stand.files]
        wish = tree.wish(kind, identity.name)
        record = world.upstream.recorded(stand.ledger).records.get(identity)
        run = next((run for run in record.runs if run.run_id == run_id), None) if record else None
        if not _asked(tree, wish, cluster):
            why = f"{wish or 'no file'} at {stand.files[:7]}{', which is paused' if tree.paused else ''}"
        elif wish and (run is None or run.attempt != wish.attempt or not wish.asks_for(obj["spec"])):
            why = f"{wish} at {stand.files[:7]} is not {obj['spec']} of {run}"
        elif run and (run.phase is not Phase.STARTING or run.cluster.name != cluster.name):
            why = f"the ledger called it {run.phase} at {stand.ledger[:7]}"
        elif run and kind == "Restore" and run.backup_name != obj["spec"]["backupName"]:
            why = f"the ledger says it is from {run.backup_name}"
        elif run and record and any(each.attempt < run.attempt and each.phase.open for each in record.runs):
            why = f"an earlier attempt had not ended at {stand.ledger[:7]}"
        elif record and not world.skewed and world.age(record) > LATEST_START:
            why = f"it was first recorded at {record.recorded_at}"
        else:
            return
    world.violations.append(f"{identity} was started on {cluster.name}, and {why}")


def _asked(tree: Tree, wish: Wish | None, cluster: Cluster) -> bool:
    if wish is None or wish.suspended or wish.schedule or tree.paused:
        return False
    return cluster.name in tree.clusters(wish)


def _unfit(cluster: Cluster, restore: Object) -> Iterator[str]:
    """What is wrong with the Backup that a Restore takes, if that is there yet."""
    name = restore["spec"]["backupName"]
    found = cluster.find("Backup", name)
    phase = found.get("status", {}).get("phase", "") if found else ""
    if found is not None and phase not in ("Completed", GOING):
        yield f"Restore {restore['metadata']['name']} was created from {name}, which is {phase or 'New'}"


def _released(world: World, cluster: Cluster, obj: Object) -> None:
    """Whoever lets go of an outcome has recorded it, where everybody can see it."""
    meta, phase = obj["metadata"], obj.get("status", {}).get("phase", "")
    run_id = meta["annotations"][RUN_ID]
    deleted = phase in ("", "New") and bool(meta.get("deletionTimestamp"))
    world.upstream.note()
    for commit in dict.fromkeys(stand.ledger for stand in reversed(world.upstream.stands)):
        for run in world.runs(commit):
            if run.run_id == run_id and run.phase.terminal and (deleted or run.phase == phase):
                return
    world.violations.append(f"Restore {meta['name']} on {cluster.name} was released before {phase!r} was recorded")


def _timer_deleted(world: World, cluster: Cluster, before: Object) -> None:
    name = _timer_of(cluster, before)
    if not name:
        world.violations.append(f"a Schedule of {cluster.name} was deleted that is not ours")
    for stand in world.upstream.asked(FRESH_SECONDS) if name else ():
        tree = world.upstream.trees[stand.files]
        if not tree.paused and tree.removes(name, cluster.name) and _removing(world, stand, name, cluster):
            return
    world.violations.append(f"Schedule {name} of {cluster.name} was deleted, and nobody asked")


def _removing(world: World, stand: Stand, name: str, cluster: Cluster) -> bool:
    record = world.upstream.recorded(stand.ledger).records.get(Identity("Backup", "default", name))
    schedules = record.schedules if record else ()
    return any(each.cluster.name == cluster.name and each.phase is Phase.REMOVING for each in schedules)


def _timer_written(world: World, cluster: Cluster, obj: Object, before: Object | None) -> None:
    name = _timer_of(cluster, before or obj)
    if not name:
        world.violations.append(f"a Schedule of {cluster.name} was changed that is not ours")
    for stand in world.upstream.asked(FRESH_SECONDS) if name else ():
        tree = world.upstream.trees[stand.files]
        wish = tree.wish("Backup", name)
        same = wish is not None and wish.asks_for(obj["spec"]["template"]) and wish.schedule == obj["spec"]["schedule"]
        if wish and same and not tree.paused and cluster.name in tree.clusters(wish):
            return
    world.violations.append(f"Schedule {name} of {cluster.name} was written, and nobody asked")


def _timer_of(cluster: Cluster, timer: Object) -> str:
    """The name of the Backup that a Schedule of ours is for; empty where it is another's."""
    meta = timer.get("metadata", {})
    ours = RUN_ID in meta.get("annotations", {}) and meta["name"].startswith(f"{cluster.name}-")
    return str(meta["labels"]["kurator.dev/backup-name"]) if ours else ""
