"""Every object is one shard's, and stays there: whatever is edited, removed, recorded or forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired import Wanted
from reconciler.plan.shards import MOST, WHOLE, FleetId, Shard, fleet_of, holds, lease_name, ours, shard
from reconciler.records import Record
from reconciler.resources import Destination, Identity
from tests.plan.builders import BACKUP, RESTORE, backup, drafted, restore, restore_of

WHOSE = {"quickstart": 2, "production": 2, "staging": 1, "edge-eu": 2, "edge-us": 3}
names = st.from_regex(r"[a-z]{1,20}", fullmatch=True)


@given(namespace=names, name=names, count=st.integers(1, 50))
def test_each_fleet_is_exactly_one_shards(namespace: str, name: str, count: int) -> None:
    holding = [index for index in range(1, count + 1) if holds(Shard(index, count), FleetId(namespace, name))]
    assert len(holding) == 1


def test_what_is_whose_never_changes_between_versions() -> None:
    """These are written down: a new version that put fleets elsewhere would work against the old one in a rollout."""
    fleets = [FleetId("default", name) for name in ("quickstart", "production", "staging", "edge-eu", "edge-us")]
    whose = {each.name: next(i for i in (1, 2, 3) if holds(Shard(i, 3), each)) for each in fleets}
    assert whose == WHOSE


def test_fleets_spread() -> None:
    counts = [
        sum(holds(Shard(index, 4), FleetId("default", f"fleet-{n}")) for n in range(1000)) for index in range(1, 5)
    ]
    assert min(counts) > 200


@pytest.mark.parametrize(("written", "expected"), [("1/1", WHOLE), ("1/3", Shard(1, 3)), ("3/3", Shard(3, 3))])
def test_written(written: str, expected: Shard) -> None:
    assert shard(written) == expected
    assert str(expected) == written


@pytest.mark.parametrize(
    "written",
    ["", "1", "/", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "01/3", "a/b", " 1/3", "1/3\n", "１/３", f"1/{MOST + 1}"],
)
def test_what_is_no_shard_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="write I/N"):
        shard(written)


def test_leases() -> None:
    assert lease_name(WHOLE) == "reconciler"
    assert lease_name(Shard(2, 3)) == "reconciler-2"
    assert lease_name(Shard(2, 3), "west") == "west-2"


# ---------------------------------------------------------------- the fleet of an object


def elsewhere(wanted: Wanted) -> Wanted:
    """As the file would be for the fleet `other`."""
    spec = wanted.spec.model_copy(update={"destination": Destination(fleet="other")})
    return replace(wanted, spec=spec, fleet="other")


QUICKSTART = FleetId("default", "quickstart")
BOTH = [backup(), restore(), restore_of(source={"backup": "before"})]


@pytest.mark.parametrize("wanted", BOTH, ids=["backup", "restore", "source"])
def test_what_is_not_recorded_yet_goes_by_its_file(wanted: Wanted) -> None:
    assert fleet_of(wanted.identity, {wanted.identity: wanted}, {}) == QUICKSTART


@pytest.mark.parametrize("wanted", BOTH, ids=["backup", "restore", "source"])
def test_a_record_goes_by_what_it_says_with_its_file_or_without(wanted: Wanted) -> None:
    records = drafted(backup(), wanted)
    assert fleet_of(wanted.identity, {}, records) == QUICKSTART
    edited = {each.identity: elsewhere(each) for each in (backup(), wanted)}
    assert fleet_of(wanted.identity, edited, records) == QUICKSTART


def test_a_restore_without_a_destination_goes_with_its_backup() -> None:
    """Its own record does not say its fleet."""
    records = drafted(backup(), restore())
    assert "destination" not in records[RESTORE].spec
    assert fleet_of(RESTORE, {}, records) == fleet_of(BACKUP, {}, records) == QUICKSTART
    forgotten: dict[Identity, Record] = {RESTORE: records[RESTORE]}
    assert fleet_of(RESTORE, {BACKUP: backup()}, forgotten) == QUICKSTART
    assert fleet_of(RESTORE, {}, forgotten) == FleetId("default", BACKUP.name)


def test_a_restore_and_its_backup_are_one_shards() -> None:
    for count in range(1, 20):
        wanted = {each.identity: each for each in (backup(), restore())}
        for found in (ours(Shard(index, count), wanted, {}) for index in range(1, count + 1)):
            assert found in (frozenset(), frozenset({BACKUP, RESTORE}))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_all_shards_together_have_each_object_once(count: int) -> None:
    kept = [backup(identity=Identity("Backup", "default", f"b{number}")) for number in range(30)]
    wanted = {each.identity: replace(each, fleet=f"fleet-{number}") for number, each in enumerate(kept)}
    records = drafted(backup(), restore())
    parts = [ours(Shard(index, count), wanted, records) for index in range(1, count + 1)]
    assert sum(map(len, parts)) == 32
    assert frozenset().union(*parts) == wanted.keys() | records.keys()
