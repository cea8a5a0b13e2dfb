"""Objects that refer to each other across files, whole or broken."""

from __future__ import annotations

from reconciler.desired import Member
from reconciler.manifests import Position
from reconciler.resources import ClusterId
from tests.desired.builders import (
    CLUSTERS,
    FLEET,
    M1,
    M2,
    a_backup,
    a_cluster,
    a_restore,
    backup_id,
    of,
    resolved,
    restore_id,
    told,
    with_fleet,
)


def test_a_backup_and_its_restore_get_the_clusters_in_the_order_of_the_fleet() -> None:
    desired = with_fleet(b=a_backup(), r=a_restore())
    assert told(desired) == []
    assert desired.complete
    assert desired.wanted[backup_id()].clusters == (M2, M1)
    restore = desired.wanted[restore_id()]
    assert (restore.clusters, restore.fleet, restore.backup) == ((M2, M1), "q", backup_id())
    assert restore.position == Position("r.yaml", 1)
    assert desired.refused == {}


def test_members_know_the_secret_of_their_kubeconfig() -> None:
    desired = resolved(CLUSTERS | {"c.yaml": a_cluster("made")})
    made = ClusterId("default", "Cluster", "made")
    assert desired.members == {
        M1: Member(M1, "m1", "m1.config", Position("fleets/m1.yaml", 1)),
        M2: Member(M2, "m2", "value", Position("fleets/m2.yaml", 1)),
        made: Member(made, "made-kubeconfig", "value", Position("c.yaml", 1)),
    }


def test_a_destination_chooses_clusters_and_a_restore_chooses_among_them() -> None:
    desired = with_fleet(
        b=a_backup(clusters=of("m1", "m2")),
        one=a_backup("one", clusters=of("m1")),
        r=a_restore(more=f"  destination: {{fleet: q, clusters: {of('m1')}}}\n"),
        all=a_restore("all", more="  destination: {fleet: q}\n"),
    )
    assert told(desired) == []
    assert desired.wanted[backup_id()].clusters == (M2, M1)
    assert desired.wanted[backup_id("one")].clusters == (M1,)
    assert desired.wanted[restore_id()].clusters == (M1,)
    assert desired.wanted[restore_id("all")].clusters == (M2, M1)


def test_the_result_does_not_depend_on_the_order_of_the_files() -> None:
    files = CLUSTERS | FLEET | {f"{n}.yaml": a_backup(f"b{n}") for n in range(8)} | {"x.yaml": a_backup("b1")}
    first, second = resolved(files), resolved({path: files[path] for path in sorted(files, reverse=True)})
    assert first == second
    assert list(first.wanted) == list(second.wanted) == sorted(first.wanted)
    assert list(first.refused) == sorted(first.refused)


def test_notes_are_handed_on_and_foreign_documents_leave_all_complete() -> None:
    desired = with_fleet(x="apiVersion: v1\nkind: ConfigMap\n")
    assert desired.notes == ("x.yaml:1: ConfigMap ignored: not one of Kurator's kinds",)
    assert desired.complete


def test_a_file_with_an_error_freezes_its_objects_and_the_rest_goes_on() -> None:
    desired = with_fleet(b=a_backup(more="  attempt: 0\n"), other=a_backup("other"))
    assert list(desired.wanted) == [backup_id("other")]
    assert [str(problem) for problem in desired.refused[backup_id()]] == told(desired)
    assert not desired.complete


def test_what_is_recorded_from_a_file_with_an_error_is_frozen() -> None:
    desired = with_fleet({backup_id(): "b.yaml", backup_id("z"): "z.yaml"}, b="a: [\n")
    assert set(desired.refused) == {backup_id()}
    assert str(desired.refused[backup_id()][0]).startswith("b.yaml:2: this is not YAML")
    assert not desired.complete


def test_an_object_that_moved_out_of_a_broken_file_counts() -> None:
    desired = with_fleet({backup_id(): "old.yaml"}, old="a: [\n", new=a_backup())
    assert set(desired.wanted) == {backup_id()}


def test_depending_on_a_broken_object_names_it_and_where_to_look() -> None:
    desired = with_fleet(b=a_backup(more="  attempt: 0\n"), r=a_restore())
    assert told(desired) == [
        "b.yaml:9: `spec.attempt` is 0, which is too low; write 1 or more",
        "r.yaml:6: depends on Backup default/b, which has an error; see b.yaml:9",
    ]
    assert set(desired.refused) == {backup_id(), restore_id()}


def test_a_broken_fleet_stops_all_that_is_on_it() -> None:
    broken = {"fleets/q.yaml": FLEET["fleets/q.yaml"] + "  - {kind: AttachedCluster, nam: m3}\n"}
    desired = resolved(CLUSTERS | broken | {"b.yaml": a_backup(), "r.yaml": a_restore()})
    assert "b.yaml:8: depends on Fleet default/q, which has an error; see fleets/q.yaml:8" in told(desired)
    assert "r.yaml:6: depends on Backup default/b, which has an error; see b.yaml:8" in told(desired)
    assert desired.wanted == {}


def test_a_restore_of_an_unknown_backup_gets_the_nearest_name() -> None:
    desired = with_fleet(b=a_backup("nightly"), r=a_restore(backup="nighty"))
    assert told(desired) == ["r.yaml:6: there is no Backup default/nighty; did you mean `nightly`?"]
    assert set(desired.refused) == {restore_id()}
    assert desired.complete, "every file was read"


def test_a_backup_of_another_namespace_is_pointed_out() -> None:
    desired = with_fleet(b=a_backup(namespace="prod"), r=a_restore())
    assert "one is in namespace prod: move it, as both must be in the same namespace" in told(desired)[1]


def test_a_missing_backup_may_stand_in_a_file_that_could_not_be_read() -> None:
    desired = with_fleet(x="a: [\n", r=a_restore())
    assert told(desired)[0] == (
        "r.yaml:6: there is no Backup default/b in the files that could be read (x.yaml has an error); "
        "add a file with this Backup, or name another"
    )


def test_a_backup_whose_file_is_gone_but_is_recorded_is_told_to_be_put_back() -> None:
    desired = with_fleet({backup_id(): "backups/b.yaml"}, r=a_restore())
    assert told(desired) == [
        "r.yaml:6: the file of Backup default/b, backups/b.yaml, is gone; put it back; nothing that ran will run again"
    ]


def test_an_unknown_fleet_gets_the_nearest_name() -> None:
    files = {"fleets/q.yaml": FLEET["fleets/q.yaml"].replace("name: q", "name: quickstart")}
    desired = resolved(CLUSTERS | files | {"b.yaml": a_backup(fleet="quikstart")})
    assert told(desired) == ["b.yaml:8: there is no Fleet default/quikstart; did you mean `quickstart`?"]


def test_an_undeclared_cluster_stops_only_what_runs_on_it() -> None:
    fleet = FLEET["fleets/q.yaml"] + "  - {kind: AttachedCluster, name: m3}\n"
    backups = {"all.yaml": a_backup("all"), "some.yaml": a_backup("some", clusters=of("m1"))}
    desired = resolved(CLUSTERS | {"fleets/q.yaml": fleet} | backups)
    assert told(desired) == [
        "all.yaml:8: depends on AttachedCluster default/m3, declared nowhere without error; "
        "see fleets/q.yaml:8, or list the other clusters in `destination.clusters`",
        "fleets/q.yaml:8: there is no AttachedCluster default/m3; "
        "add a file with this AttachedCluster, or name another",
    ]
    assert set(desired.wanted) == {backup_id("some")}
    assert set(desired.refused) == {backup_id("all")}, "the fleet itself is of use"


def test_a_cluster_with_an_error_stops_only_what_runs_on_it() -> None:
    broken = {"fleets/m2.yaml": CLUSTERS["fleets/m2.yaml"].replace("name: m2}}", "nam: m2}}")}
    desired = resolved(
        CLUSTERS | broken | FLEET | {"b.yaml": a_backup(), "one.yaml": a_backup("one", clusters=of("m1"))}
    )
    assert "fleets/q.yaml:6: depends on AttachedCluster default/m2, which has an error; see fleets/m2.yaml:4" in told(
        desired
    )
    assert set(desired.wanted) == {backup_id("one")}


def test_an_empty_fleet_is_an_error_for_what_is_on_it() -> None:
    desired = resolved(
        {"f.yaml": "apiVersion: fleet.kurator.dev/v1alpha1\nkind: Fleet\nmetadata: {name: q}\nspec: {}\n"}
        | {"b.yaml": a_backup()}
    )
    assert told(desired) == ["b.yaml:8: Fleet default/q has no clusters; add clusters to the fleet"]


def test_a_cluster_twice_in_a_fleet_refuses_the_fleet() -> None:
    fleet = FLEET["fleets/q.yaml"] + "  - {kind: AttachedCluster, name: m2}\n"
    desired = resolved(CLUSTERS | {"fleets/q.yaml": fleet, "b.yaml": a_backup()})
    assert told(desired) == [
        "b.yaml:8: depends on Fleet default/q, which has an error; see fleets/q.yaml:8",
        "fleets/q.yaml:8: AttachedCluster m2 stands twice, first in line 6; keep one",
    ]


def test_clusters_of_a_backup_must_be_in_its_fleet() -> None:
    desired = with_fleet(b=a_backup(clusters=of("m1", "m11", "zzz")))
    assert told(desired) == [
        "b.yaml:9: AttachedCluster m11 is not in Fleet default/q; did you mean AttachedCluster m1?",
        "b.yaml:9: AttachedCluster zzz is not in Fleet default/q; remove it, or add it there",
    ]


def test_a_cluster_of_the_wrong_kind_is_not_in_the_fleet() -> None:
    desired = with_fleet(b=a_backup(clusters=of("m1", kind="Cluster")))
    assert told(desired) == [
        "b.yaml:9: Cluster m1 is not in Fleet default/q; did you mean AttachedCluster m1?",
    ]


def test_a_cluster_twice_in_a_destination_is_an_error() -> None:
    desired = with_fleet(b=a_backup(clusters=of("m1", "m1")))
    assert told(desired) == ["b.yaml:9: AttachedCluster m1 stands twice, first in line 9; keep one"]


def test_a_restore_stays_in_the_fleet_of_its_backup() -> None:
    desired = with_fleet(b=a_backup(), r=a_restore(more="  destination:\n    fleet: other\n"))
    assert told(desired) == [
        "r.yaml:8: Backup default/b is of the fleet `q`, and this restores to the fleet `other`; "
        "write `fleet: q`, or leave `destination` out"
    ]


def test_a_restore_stays_among_the_clusters_of_its_backup() -> None:
    restore = a_restore(more=f"  destination:\n    fleet: q\n    clusters:\n    - {of('m2')[1:-1]}\n")
    desired = with_fleet(b=a_backup(clusters=of("m1")), r=restore)
    assert told(desired) == [
        "r.yaml:10: AttachedCluster m2 is not among the clusters of Backup default/b; remove it, or add it there"
    ]


def test_two_clusters_of_one_name_cannot_share_a_backup() -> None:
    fleet = FLEET["fleets/q.yaml"] + "  - {kind: Cluster, name: m1}\n"
    files = CLUSTERS | {"fleets/q.yaml": fleet, "c.yaml": a_cluster("m1")}
    desired = resolved(files | {"b.yaml": a_backup(), "one.yaml": a_backup("one", clusters=of("m1", kind="Cluster"))})
    assert told(desired) == [
        "b.yaml:8: the backups of two clusters named m1 would have the same name in the storage; "
        "list only one of them in `destination.clusters`"
    ]
    assert set(desired.wanted) == {backup_id("one")}
