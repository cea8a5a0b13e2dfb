"""Removal as a policy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Unsafe
from reconciler.plan.drafts import hold
from reconciler.plan.safety import refuse_mass_removal
from reconciler.records import Phase, Record
from reconciler.resources import Identity
from tests.plan import builders as b


def records(count: int, phase: Phase = Phase.PENDING) -> dict[Identity, Record]:
    named = [Identity("Restore", "default", f"r{number}") for number in range(count)]
    return b.by_identity(*(b.record(b.restore(identity=identity), phase) for identity in named))


def withdrawn(before: dict[Identity, Record], count: int, reason: str = "Withdrawn") -> dict[Identity, Record]:
    taken = list(before)[:count]
    return {**before, **{identity: hold(before[identity], reason, "") for identity in taken}}


@pytest.mark.parametrize(("waiting", "gone"), [(6, 6), (10, 6), (11, 6), (1000, 501)])
def test_more_than_five_and_more_than_half_is_refused(waiting: int, gone: int) -> None:
    before = records(waiting)
    with pytest.raises(Unsafe, match=f"{gone} of {waiting} objects .* --allow-mass-removal"):
        refuse_mass_removal(before, withdrawn(before, gone))


@pytest.mark.parametrize(("waiting", "gone"), [(5, 5), (12, 6), (1000, 500), (3, 0)])
def test_few_or_at_most_half_goes_through(waiting: int, gone: int) -> None:
    before = records(waiting)
    refuse_mass_removal(before, withdrawn(before, gone))


def test_what_has_ended_does_not_hide_how_much_is_removed() -> None:
    ended = {Identity("Restore", "old", key.name): record for key, record in records(50, Phase.COMPLETED).items()}
    before = records(6)
    with pytest.raises(Unsafe):
        refuse_mass_removal(before | ended, withdrawn(before, 6) | ended)


def test_what_was_withdrawn_before_is_not_counted_again() -> None:
    before = withdrawn(records(10), 10)
    refuse_mass_removal(before, before)


def test_what_is_held_for_another_reason_is_no_removal() -> None:
    before = records(10)
    refuse_mass_removal(before, withdrawn(before, 10, "SpecChanged"))


def test_new_objects_are_no_removal() -> None:
    refuse_mass_removal({}, records(10))


def test_one_more_cluster_withdrawn_of_an_object_counts_the_object() -> None:
    before = {i: replace(r, runs=b.record(b.restore(b.M1, b.M2, identity=i)).runs) for i, r in records(6).items()}
    after = {i: replace(r, runs=(r.runs[0], hold(r, "Withdrawn", "").runs[1])) for i, r in before.items()}
    with pytest.raises(Unsafe):
        refuse_mass_removal(before, after)
