"""Two machines on one ledger whose clocks differ, by a little or by a year, and are set back in the midst of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from reconciler.records import Phase
from tests.plan import builders as b
from tests.plan.members import Member
from tests.plan.world import Machine, World, minutes_later

SKEWS = [timedelta(days=-400), timedelta(hours=-25), timedelta(minutes=-2), timedelta(), timedelta(hours=25)]
SKEWS += [timedelta(days=400)]
BACKUP = b.backup(b.M1, b.M2)
ASKED = b.ask(BACKUP, b.restore(b.M1, b.M2))


def work(world: World) -> None:
    """Velero brings all that is there to its end."""
    for member in world.members.values():
        for name in member.objects:
            member.work(name, "Completed", 0)
            member.work(name, "Completed", 0)


def created(world: World) -> list[int]:
    """How often each Restore was created."""
    made = [each for member in world.members.values() for each in member.created if each.kind == "Restore"]
    return sorted(Counter(each.run_id for each in made).values())


@pytest.mark.case("clocks", "nothing runs twice")
@pytest.mark.parametrize("other_ahead", SKEWS, ids=str)
@pytest.mark.parametrize("one_ahead", SKEWS, ids=str)
def test_whatever_their_clocks_say_each_restore_is_created_once(one_ahead: timedelta, other_ahead: timedelta) -> None:
    """The other may think that it is too late, and record that, while the first one's create is on its way."""
    world = World(b.ask(BACKUP), {b.M1: Member("uid-1"), b.M2: Member("uid-2")})
    one, other = Machine(world), Machine(world)
    one.ahead, other.ahead = one_ahead, other_ahead
    one.a_pass()
    work(world)
    one.a_pass()
    world.desired = ASKED
    world.ledger.moved += 1
    one.observe()
    one.decide()
    other.a_pass()
    one.act()
    assert created(world) == [1, 1]
    work(world)
    for machine in (other, one, other):
        machine.a_pass()
    assert {run.phase for run in world.ledger.records[b.RESTORE].runs} == {Phase.COMPLETED}

    minutes_later(world, [one, other], 3)
    for member in world.members.values():
        for name in [name for name in member.objects if name[0] == "Restore"]:
            member.delete(name)  # by hand: its backup is there yet, and could be restored once more
        assert {kind for kind, _ in member.objects} == {"Backup"}, "nothing is held any more"
    for back in (timedelta(), timedelta(days=-800), timedelta(days=1600)):
        world.now += back
        one.ahead, other.ahead = other.ahead, one.ahead
        for machine in (one, other):
            machine.a_pass()
        other.lose()
        other.a_pass()
    assert created(world) == [1, 1]
