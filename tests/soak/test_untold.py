"""What landed although its pass was cut short is told by the next one, and once."""

from __future__ import annotations

import pytest

from reconciler.passed import Pass
from reconciler.resources import Identity
from tests.soak.changing import change
from tests.soak.drawn import at
from tests.soak.gates import LOST
from tests.soak.people import OBJECTS
from tests.soak.stage import Stage, stage
from tests.soak.world import World

R1 = Identity("Restore", "default", "r1")


def test_a_record_on_its_own_branch_beside_which_the_files_moved_on() -> None:
    with stage() as there:
        world = _asked(there, apart=True)
        seat = world.seats[0].process
        seat.go(at("step recorded"), flush=True)
        assert seat.at, "it is recorded that r1 starts, and the files move on before that is seen"
        world.upstream.note()
        world.upstream.commit(change(world.upstream.tree, "add", OBJECTS["extra"]))
        seat.go()
        first = _last(world)
        assert R1 not in first.before
        assert R1 in first.state.records
        assert R1 in first.changed
        assert {Identity("Backup", "default", "extra"), R1} <= first.committed.keys()
        assert _is_told(world)


@pytest.mark.parametrize("apart", [False, True])
def test_a_record_of_which_nobody_could_say_whether_it_arrived(apart: bool) -> None:
    with stage() as there:
        world = _asked(there, apart)
        world.seats[0].process.losing = list(LOST["its answer, and the next"])
        world.seats[0].process.go(flush=True)
        assert not isinstance(world.seats[0].process.last, Pass)
        world.seats[0].process.go(flush=True)
        first = _last(world)
        assert R1 not in first.before
        assert R1 in first.state.records
        assert R1 in first.changed
        assert _is_told(world)


def test_a_record_that_did_not_arrive_is_told_when_it_has() -> None:
    with stage() as there:
        world = _asked(there, apart=False)
        world.seats[0].process.losing = [("push", False), ("ls-remote", False)]
        world.seats[0].process.go(flush=True)
        assert not isinstance(world.seats[0].process.last, Pass)
        world.seats[0].process.go(flush=True)
        assert R1 not in _last(world).state.records
        assert R1 in _last(world).changed
        assert _is_told(world)


def test_what_another_process_recorded_is_its_own_to_tell() -> None:
    with stage() as there:
        world = _asked(there, apart=False, seats=("mirror", "mirror"))
        mine, other = (seat.process for seat in world.seats)
        mine.losing = [("push", False), ("ls-remote", False)]
        mine.go(flush=True)
        world.clock.advance(2)  # or both make the very same commit
        other.go(flush=True)
        mine.go(flush=True)
        assert isinstance(other.last, Pass)
        assert R1 in other.last.changed
        assert R1 in _last(world).before


def _asked(there: Stage, apart: bool, seats: tuple[str, ...] = ("mirror",)) -> World:
    """Everybody has passed once, and somebody asks for r1."""
    world = there.world(apart=apart, local=False, seats=seats)
    for seat in world.seats:
        seat.process.go(flush=True)
    world.upstream.note()
    world.upstream.commit(change(world.upstream.tree, "add", OBJECTS["r1"]))
    return world


def _last(world: World) -> Pass:
    last = world.seats[0].process.last
    assert isinstance(last, Pass), last
    return last


def _is_told(world: World) -> bool:
    """The next pass tells nothing but what has happened since."""
    world.seats[0].process.go(flush=True)
    return _last(world).before == _last(world).state.records
