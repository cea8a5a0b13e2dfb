"""Restores of Velero's own objects: no Backup says where, so their destination must."""

from __future__ import annotations

from tests.desired.builders import CLUSTERS, FLEET, M1, M2, a_cluster, of, resolved, restore_id, told, with_fleet


def a_sourced(fleet: str = "q", clusters: str = "", more: str = "") -> str:
    """`fleet` in line 8, `clusters` in 9 where there are any, then `more`."""
    listed = f"    clusters: {clusters}\n" if clusters else ""
    return f"""\
apiVersion: backup.kurator.dev/v1alpha1
kind: Restore
metadata:
  name: r
spec:
  source: {{schedule: nightly}}
  destination:
    fleet: {fleet}
{listed}{more}"""


def test_it_has_the_clusters_of_its_destination_and_no_backup() -> None:
    desired = with_fleet(r=a_sourced())
    assert told(desired) == []
    wanted = desired.wanted[restore_id()]
    assert (wanted.clusters, wanted.fleet, wanted.backup) == ((M2, M1), "q", None)
    assert with_fleet(r=a_sourced(clusters=of("m1"))).wanted[restore_id()].clusters == (M1,)


def test_its_fleet_must_be_there_and_have_clusters() -> None:
    assert told(with_fleet(r=a_sourced("qq"))) == ["r.yaml:8: there is no Fleet default/qq; did you mean `q`?"]
    empty = "apiVersion: fleet.kurator.dev/v1alpha1\nkind: Fleet\nmetadata: {name: e}\nspec: {}\n"
    assert told(with_fleet(e=empty, r=a_sourced("e"))) == [
        "r.yaml:8: Fleet default/e has no clusters; add clusters to the fleet"
    ]


def test_its_clusters_must_be_in_its_fleet_once() -> None:
    assert told(with_fleet(r=a_sourced(clusters=of("m1", "m1", "m3")))) == [
        "r.yaml:9: AttachedCluster m1 stands twice, first in line 9; keep one",
        "r.yaml:9: AttachedCluster m3 is not in Fleet default/q; remove it, or add it there",
    ]


def test_a_cluster_that_nobody_declared_stops_what_is_restored_to_it() -> None:
    fleet = {"fleets/q.yaml": FLEET["fleets/q.yaml"] + "  - {kind: Cluster, name: gone}\n"}
    desired = resolved(
        CLUSTERS | fleet | {"r.yaml": a_sourced(), "s.yaml": a_sourced(clusters=of("m1")).replace(": r", ": s")}
    )
    assert "r.yaml:8: depends on Cluster default/gone, declared nowhere without error" in told(desired)[1]
    assert [str(who) for who in desired.wanted] == ["Restore default/s"]


def test_two_clusters_of_one_name_are_refused() -> None:
    """Their results lie in one place in the storage, their texts in one file beside the record."""
    files = {
        "c.yaml": a_cluster("m1"),
        "fleets/q.yaml": FLEET["fleets/q.yaml"] + "  - {kind: Cluster, name: m1}\n",
    }
    assert told(resolved(CLUSTERS | files | {"r.yaml": a_sourced()})) == [
        "r.yaml:8: the restores of two clusters named m1 would have the same name in the storage; "
        "list only one of them in `destination.clusters`"
    ]
    assert told(resolved(CLUSTERS | files | {"r.yaml": a_sourced(clusters=of("m1"))})) == []


def test_what_velero_refuses_in_it_is_refused_too() -> None:
    policy = "  policy:\n    resourceFilter:\n      includedResources: [nodes]\n"
    assert told(with_fleet(r=a_sourced("x", more=policy))) == [
        "r.yaml:8: there is no Fleet default/x; add a file with this Fleet, or name another",
        "r.yaml:11: `resourceFilter.includedResources`: Velero never restores nodes; remove it",
    ]
