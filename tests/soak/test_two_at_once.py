"""Two reconcilers, one of which stands still between its reading of the ledger and its create."""

from __future__ import annotations

import pytest

from tests.soak.changing import change
from tests.soak.drawn import at
from tests.soak.people import OBJECTS
from tests.soak.stage import Stage, stage


@pytest.mark.parametrize("seconds", [1, 20, 55])
def test_what_ended_and_was_deleted_meanwhile_is_not_created_again(seconds: int) -> None:
    """Everything else is over: run, recorded, deleted. Only our finalizer keeps the name taken."""
    with stage() as there:
        _one_stands_still(there, seconds)


def _one_stands_still(there: Stage, seconds: int) -> None:
    world = there.world(apart=False, local=False, seats=("mirror", "mirror"))
    quick, slow = (seat.process for seat in world.seats)
    for process in (quick, slow):
        process.go(flush=True)
    world.upstream.note()
    world.upstream.commit(change(world.upstream.tree, "add", OBJECTS["r1"]))
    quick.go(at("act Create"), flush=True)
    slow.go(at("before POST restores"), flush=True)
    assert slow.at, "it has seen the ledger say Starting, and nothing there"
    quick.go()
    for cluster in world.clusters.values():
        cluster.finish()
    world.clock.advance(seconds)
    for _ in range(3):
        quick.go(flush=True)
    world.upstream.note()
    assert {run.phase for run in world.runs(world.upstream.ledger.tip)} == {"Completed"}
    for cluster in world.clusters.values():
        for obj in cluster.objects("Restore"):
            cluster.delete("Restore", obj["metadata"]["name"])
    slow.go()
    world.judge()
    assert world.violations == []
    assert sorted(made.member for made in world.made if made.kind == "Restore") == ["m1", "m2"], "once each"
    for _ in range(3):
        world.clock.advance(91)
        for process in (quick, slow):
            process.go(flush=True)
    assert [cluster.held() for cluster in world.clusters.values()] == [[] for _ in world.clusters]
    for process in (quick, slow):
        process.kill()
