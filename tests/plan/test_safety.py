"""Removal as a policy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Unsafe
from reconciler.plan.decide import decide
from reconciler.plan.drafts import hold
from reconciler.plan.safety import foreseen, refuse_mass_removal
from reconciler.records import Phase, Record
from reconciler.resources import ClusterId, Identity
from tests.plan import builders as b


def records(count: int, phase: Phase = Phase.PENDING) -> dict[Identity, Record]:
    named = [Identity("Restore", "default", f"r{number}") for number in range(count)]
    return b.by_identity(*(b.record(b.restore(identity=identity), phase) for identity in named))


def withdrawn(before: dict[Identity, Record], count: int, reason: str = "Withdrawn") -> dict[Identity, Record]:
    taken = list(before)[:count]
    return {**before, **{identity: hold(before[identity], reason, "") for identity in taken}}


@pytest.mark.parametrize(("waiting", "gone"), [(6, 6), (10, 6), (11, 6), (1000, 501)])
@pytest.mark.case("outage", "mass removal needs a word")
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


# ---------------------------------------------------------------- Schedules


def schedules(counts: dict[Phase, int]) -> dict[Identity, Record]:
    """That many scheduled Backups in each phase, with a Schedule on each of two clusters."""
    found = []
    for number, phase in enumerate(phase for phase, count in counts.items() for _ in range(count)):
        identity = Identity("Backup", "default", f"nightly-{number}")
        record = b.drafted(b.scheduled(b.M1, b.M2, identity=identity))[identity]
        found.append(replace(record, schedules=tuple(replace(each, phase=phase) for each in record.schedules)))
    return b.by_identity(*found)


ON, LEAVING, GONE = Phase.ENABLED, Phase.REMOVING, Phase.REMOVED


@pytest.mark.parametrize(("there", "leaving"), [(6, 6), (11, 6), (1000, 501)])
@pytest.mark.case("outage", "mass removal needs a word")
def test_many_schedules_are_not_removed_unasked(there: int, leaving: int) -> None:
    after = schedules({LEAVING: leaving, ON: there - leaving})
    with pytest.raises(Unsafe, match=f"{leaving} of {there} scheduled Backups .* --allow-mass-removal"):
        refuse_mass_removal(schedules({ON: there}), after)


@pytest.mark.parametrize(("there", "leaving"), [(5, 5), (12, 6), (7, 0)])
def test_a_few_schedules_are(there: int, leaving: int) -> None:
    refuse_mass_removal(schedules({ON: there}), schedules({LEAVING: leaving, ON: there - leaving}))


def test_one_backup_may_go_however_large_the_fleet_is() -> None:
    clusters = tuple(ClusterId("default", "AttachedCluster", f"m{number}") for number in range(1000))
    record = b.drafted(b.scheduled(*clusters))[b.BACKUP]
    gone = replace(record, schedules=tuple(replace(each, phase=LEAVING) for each in record.schedules))
    refuse_mass_removal(b.by_identity(record), b.by_identity(gone))


def test_one_cluster_that_leaves_many_backups_counts_each() -> None:
    before = schedules({ON: 6})
    after = {
        who: replace(record, schedules=(record.schedules[0], replace(record.schedules[1], phase=LEAVING)))
        for who, record in before.items()
    }
    with pytest.raises(Unsafe):
        refuse_mass_removal(before, after)


def test_what_is_leaving_already_is_not_counted_again() -> None:
    refuse_mass_removal(schedules({LEAVING: 9, ON: 1}), schedules({GONE: 9, ON: 1}))
    refuse_mass_removal(schedules({GONE: 9, ON: 1}), schedules({LEAVING: 9, ON: 1}))
    with pytest.raises(Unsafe):
        refuse_mass_removal(schedules({GONE: 50, ON: 6}), schedules({GONE: 50, LEAVING: 6}))


def test_what_was_never_made_counts_like_what_is_there() -> None:
    """A create for it may be under way."""
    with pytest.raises(Unsafe):
        refuse_mass_removal(schedules({Phase.PENDING: 6}), schedules({GONE: 6}))


def test_a_schedule_that_is_given_up_or_cannot_be_is_no_removal() -> None:
    refuse_mass_removal(schedules({ON: 9}), schedules({Phase.FAILED: 9}))
    refuse_mass_removal(schedules({ON: 9}), schedules({Phase.PAUSED: 9}))


# ---------------------------------------------------------------- shards


def gone(before: dict[Identity, Record], mine: int) -> dict[Identity, Record]:
    """What a tip without any of their files comes to, as the shard sees it that looks after the first so many."""
    decided = decide(b.ask(), dict(list(before.items())[:mine]), {}, b.LEDGER, b.NOW)
    return foreseen(b.ask(), before, decided, b.LEDGER, b.NOW)


@pytest.mark.parametrize("mine", [0, 5, 10])
@pytest.mark.parametrize("before", [schedules({ON: 10}), records(10)], ids=["schedules", "waiting"])
@pytest.mark.case("outage", "mass removal needs a word")
def test_a_mass_removal_is_one_however_many_shards_share_it(before: dict[Identity, Record], mine: int) -> None:
    with pytest.raises(Unsafe, match="10 of 10 "):
        refuse_mass_removal(before, gone(before, mine))


def test_one_fleet_may_go_where_the_other_shards_have_many() -> None:
    """The share is that of all, as it would be in one process."""
    before = schedules({ON: 20})
    stay = b.ask(*(b.scheduled(b.M1, b.M2, identity=identity) for identity in list(before)[6:]))
    decided = decide(stay, dict(list(before.items())[:6]), {}, b.LEDGER, b.NOW)
    refuse_mass_removal(before, foreseen(stay, before, decided, b.LEDGER, b.NOW))
