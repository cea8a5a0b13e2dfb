"""On which clusters an attempt is to run, worked out anew from what people wrote; and who is said to have asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.plan.asks import RESUMABLE
from reconciler.records import Phase, Record, Run
from reconciler.resources import Identity
from tests.soak.people import Tree, Wish

if TYPE_CHECKING:
    from tests.soak.world import World

UNKNOWN = "unknown"
"""What a run does that came to light on a member and that no record knew."""


def begun(world: World, tree: Tree, identity: Identity, was: Record | None, record: Record) -> Iterator[str]:
    """What is wrong with an attempt that this commit begins, or with an edit of one that has not begun."""
    wish = tree.wish(identity.kind, identity.name)
    if not record.spec or (was and was.spec == record.spec):
        more = _drafted(record.runs) - (_drafted(was.runs) if was else set())
        if more:
            yield f"{identity} got runs on {sorted(more)} although nothing was asked anew"
        return
    if wish is None or not tree.clusters(wish):
        yield f"attempt {record.attempt} of {identity} was recorded, and no sound file asks for it"
        return
    yield from _source(world, tree, wish, record)
    if wish.schedule:
        if record.runs or (was and was.runs):
            yield f"{identity} was immediate, and its file has a schedule"
        return
    if was and was.schedules:
        yield f"{identity} has Schedules, and its file has none"
    runs = [run for run in record.runs if run.attempt == wish.attempt and run.what != UNKNOWN]
    earlier = [run for run in (was.runs if was else ()) if run.attempt < wish.attempt]
    yield from _in_turn(identity, wish, was, record)
    expected = clusters_of(world, tree, wish, earlier)
    if {run.cluster.name for run in runs} != set(expected):
        got = sorted(run.cluster.name for run in runs)
        yield f"attempt {wish.attempt} of {identity} is to run on {sorted(expected)}, and was recorded on {got}"
    for run in runs:
        if world.contents.setdefault(run.what, wish.content) != wish.content:
            yield f"{identity} is to be {wish.content}, and was recorded as {world.contents[run.what]}"


def clusters_of(world: World, tree: Tree, wish: Wish, earlier: list[Run]) -> tuple[str, ...]:
    """All of the destination; of a later attempt those whose latest run did not complete with the same content, and
    where it names none, none that the first did not run on."""
    there = tree.clusters(wish)
    if not earlier:
        return there
    ordered = sorted(earlier, key=lambda run: run.attempt)
    if not wish.only:
        there = tuple(name for name in there if any(_first(run, ordered, name) for run in ordered))
    latest = {run.cluster.name: run for run in ordered}
    done = {
        name
        for name, run in latest.items()
        if run.phase is Phase.COMPLETED and world.contents.get(run.what) == wish.content
    }
    return tuple(name for name in there if wish.everywhere or name not in done)


def fresh(record: Record) -> bool:
    """Nothing of its attempt has begun or was refused, so that edits of its file apply."""
    runs = [run for run in record.runs if run.attempt == record.attempt]
    waiting = (run.phase is Phase.PENDING or (run.phase is Phase.HELD and run.reason in RESUMABLE) for run in runs)
    return bool(runs) and all(waiting) and not any(run.cluster_uid for run in runs)


def _first(run: Run, ordered: list[Run], name: str) -> bool:
    return run.cluster.name == name and run.attempt == ordered[0].attempt


def _drafted(runs: tuple[Run, ...]) -> set[tuple[str, int]]:
    return {(run.cluster.name, run.attempt) for run in runs if run.what != UNKNOWN}


def _in_turn(identity: Identity, wish: Wish, was: Record | None, record: Record) -> Iterator[str]:
    """An attempt waits for the earlier one, none comes twice, and what has begun is not edited."""
    if was is None:
        return
    if wish.attempt < was.attempt or (wish.attempt == was.attempt and not fresh(was)):
        yield f"attempt {was.attempt} of {identity} was recorded, and {wish.attempt} was begun"
    if wish.attempt > was.attempt and any(run.phase.open for run in was.runs):
        yield f"attempt {record.attempt} of {identity} was begun before {was.attempt} had ended"


def _source(world: World, tree: Tree, wish: Wish, record: Record) -> Iterator[str]:
    """The file, the commit at which it came to say that, and who made it."""
    upstream, told = world.upstream, f"{record.identity} is said to be asked for"
    if record.source != tree.place(wish.kind, wish.name):
        yield f"{told} in {record.source}"
    if record.requested_by != "Human <human@example.org>":
        yield f"{told} by {record.requested_by!r}"
    chain = upstream.main.chain
    if record.revision not in chain:
        return  # people took it away since
    at = chain.index(record.revision)
    there = upstream.trees.get(chain[at])
    before = upstream.trees.get(chain[at - 1]) if at else None
    if there is None or wish not in (there.files.get(record.source) or ()):
        yield f"{told} at {record.revision[:7]}, which has no such file"
    elif before and wish in (before.files.get(record.source) or ()):
        yield f"{told} at {record.revision[:7]}, and it was before"
