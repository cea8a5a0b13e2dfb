"""Stories played by themselves show the rules that chance hardly ever does, once those are broken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.soak.breaking import BREAKS
from tests.soak.machine import Soak
from tests.soak.mutants import RULES
from tests.soak.stage import stage
from tests.soak.world import SPARE

Story = Callable[[Soak], None]
ASTRAY = "one member: that a kubeconfig leads elsewhere tells nothing of it"
KNOWN = "one member: is known by what it told before"
CONFIRMED = "creates: where nothing was pushed, the tip is asked for once more"


def astray(soak: Soak) -> None:
    soak.a_kubeconfig_is_wrong(which=0, name="r1", raised="raise", alone=True, to=SPARE, since="the end")


def known(soak: Soak) -> None:
    soak.a_kubeconfig_is_wrong(which=0, name="extra", raised="add", alone=True, to="m1", since="the start")


def confirmed(soak: Soak) -> None:
    soak.second_thoughts_after_a_death(
        which=0, gate="act Create", again="before save_state", raised="raise", how="delete", name="r1", seconds=61
    )


@pytest.mark.parametrize(("rule", "story"), [(ASTRAY, astray), (KNOWN, known), (CONFIRMED, confirmed)])
def test_a_story_shows_the_rule_that_it_is_about(rule: str, story: Story) -> None:
    assert RULES, "they fill `BREAKS`"
    with stage() as there:
        there.prepare()

        class Played(Soak):
            pass

        Played.stage = there
        assert violations(Played(), story) == []
        with BREAKS[rule]():
            assert violations(Played(), story) != []


def violations(soak: Soak, story: Story) -> list[str]:
    soak.begin(setup=("mirror",), apart=False, wanted=False, timed=1, taken=False)
    soak.pass_to_its_end(which=0, flush=True, times=1)
    story(soak)
    soak.world.judge()
    for seat in soak.world.seats:
        seat.process.kill()
    return soak.world.violations
