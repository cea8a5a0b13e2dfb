"""A kubeconfig that leads to another cluster, while something carries our finalizer on the true one."""

from __future__ import annotations

import pytest

from tests.soak.changing import change
from tests.soak.people import OBJECTS
from tests.soak.stage import stage
from tests.soak.world import ROUND_SECONDS, SPARE


@pytest.mark.parametrize("fresh", [False, True], ids=["the same machine", "a new machine"])
def test_what_holds_our_finalizer_is_let_go_once_it_is_put_right(fresh: bool) -> None:
    with stage() as there:
        world = there.world(apart=False, local=False, seats=("mirror",))
        (seat,) = world.seats
        seat.process.go(flush=True)
        world.upstream.note()
        world.upstream.commit(change(world.upstream.tree, "add", OBJECTS["r1"]))
        seat.process.go(flush=True)
        for cluster in world.clusters.values():
            cluster.finish()
        seat.process.go(flush=True)
        assert world.clusters["m2"].held(), "it has ended, and another process may still create it again"
        world.leads["m2"] = SPARE
        world.restart(seat, fresh=fresh)
        for _ in range(4):
            world.everybody_passes(ROUND_SECONDS)
        assert world.clusters["m2"].held()
        world.heal("m2")
        world.clock.advance(3600)
        for _ in range(4):
            world.everybody_passes(ROUND_SECONDS)
        assert not world.clusters["m2"].held()
        assert not world.everybody_passes(3600), "and nothing is asked any more"
