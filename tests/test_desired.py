"""References, subsets and collisions across files. Every file here is one object, so that lines are easy to count."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired import Desired, Member, resolve
from reconciler.manifests import Position, SourceFile, read
from reconciler.resources import ClusterId, Identity

M1 = ClusterId("default", "AttachedCluster", "m1")
M2 = ClusterId("default", "AttachedCluster", "m2")

CLUSTERS = {
    "fleets/m1.yaml": """\
apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {name: m1}
spec: {kubeconfig: {name: m1, key: m1.config}}
""",
    "fleets/m2.yaml": """\
apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {name: m2}
spec: {kubeconfig: {name: m2}}
""",
}
FLEET = {
    "fleets/q.yaml": """\
apiVersion: fleet.kurator.dev/v1alpha1
kind: Fleet
metadata: {name: q}
spec:
  clusters:
  - {kind: AttachedCluster, name: m2}
  - {kind: AttachedCluster, name: m1}
"""
}


def a_cluster(name: str) -> str:
    return f"apiVersion: cluster.kurator.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {name}}}\n"


def a_backup(name: str = "b", namespace: str = "default", more: str = "", clusters: str = "", fleet: str = "q") -> str:
    """Name in line 4, `fleet` in 8, `clusters` in 9 where there are any, then `more`."""
    listed = f"    clusters: {clusters}\n" if clusters else ""
    return f"""\
apiVersion: backup.kurator.dev/v1alpha1
kind: Backup
metadata:
  name: {name}
  namespace: {namespace}
spec:
  destination:
    fleet: {fleet}
{listed}{more}"""


def a_restore(name: str = "r", backup: str = "b", more: str = "") -> str:
    """Name in line 4, `backupName` in 6, then `more`."""
    return f"""\
apiVersion: backup.kurator.dev/v1alpha1
kind: Restore
metadata:
  name: {name}
spec:
  backupName: {backup}
{more}"""


def of(*names: str, kind: str = "AttachedCluster") -> str:
    return f"[{', '.join(f'{{kind: {kind}, name: {name}}}' for name in names)}]"


def resolved(files: Mapping[str, str], recorded: Mapping[Identity, str] | None = None) -> Desired:
    return resolve(read(SourceFile(path, text.encode()) for path, text in files.items()), recorded or {})


def with_fleet(recorded: Mapping[Identity, str] | None = None, **files: str) -> Desired:
    """The two clusters, their fleet, and files named `<keyword>.yaml`."""
    return resolved(CLUSTERS | FLEET | {f"{name}.yaml": text for name, text in files.items()}, recorded)


def told(desired: Desired) -> list[str]:
    return [str(problem) for problem in desired.problems]


def backup_id(name: str = "b", namespace: str = "default") -> Identity:
    return Identity("Backup", namespace, name)


def restore_id(name: str = "r") -> Identity:
    return Identity("Restore", "default", name)


# ---------------------------------------------------------------- what is sound


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


# ---------------------------------------------------------------- files with errors


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


# ---------------------------------------------------------------- references


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


# ---------------------------------------------------------------- destinations


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


# ---------------------------------------------------------------- two for one


def test_two_documents_with_one_identity_are_an_error_on_both() -> None:
    desired = with_fleet(a=a_backup(), b=a_backup(), r=a_restore())
    assert told(desired) == [
        "a.yaml:4: Backup default/b stands also at b.yaml:4; keep one of them, or rename it",
        "b.yaml:4: Backup default/b stands also at a.yaml:4; keep one of them, or rename it",
        "r.yaml:6: depends on Backup default/b, which has an error; see a.yaml:4",
    ]
    assert desired.wanted == {}
    assert set(desired.refused) == {backup_id(), restore_id()}


def test_what_is_recorded_goes_before_a_newcomer() -> None:
    desired = with_fleet({backup_id(): "b.yaml"}, a=a_backup(more="  attempt: 7\n"), b=a_backup())
    assert told(desired) == ["a.yaml:4: Backup default/b stands also at b.yaml:4; keep one of them, or rename it"]
    assert desired.wanted[backup_id()].position.file == "b.yaml"
    assert desired.refused == {}


def test_twice_in_the_recorded_file_is_an_error_on_both() -> None:
    desired = with_fleet({backup_id(): "b.yaml"}, b=f"{a_backup()}---\n{a_backup()}")
    assert len(told(desired)) == 2
    assert set(desired.refused) == {backup_id()}


def test_a_sound_document_does_not_stand_in_for_a_broken_one() -> None:
    desired = with_fleet(a=a_backup(), b=a_backup(more="  attempt: 0\n  rerun: x\n"))
    assert told(desired) == [
        "a.yaml:4: Backup default/b stands also at b.yaml:9; keep one of them, or rename it",
        "b.yaml:9: Backup default/b stands also at a.yaml:4; keep one of them, or rename it",
        "b.yaml:9: `spec.attempt` is 0, which is too low; write 1 or more",
        "b.yaml:10: `spec.rerun` can't be the text 'x'; write All",
    ]
    assert desired.wanted == {}


def test_clusters_and_fleets_are_not_declared_twice_either() -> None:
    desired = resolved(CLUSTERS | FLEET | {"f.yaml": FLEET["fleets/q.yaml"], "c.yaml": CLUSTERS["fleets/m1.yaml"]})
    assert [problem.position for problem in desired.problems if "stands also at" in problem.what] == [
        Position("c.yaml", 3),
        Position("f.yaml", 3),
        Position("fleets/m1.yaml", 3),
        Position("fleets/q.yaml", 3),
    ]
    assert set(desired.members) == {M2}
    assert not desired.complete, "m1 is declared, only not well: its open runs are not abandoned"


def joined_files() -> dict[str, str]:
    """Two Backups whose objects would both be named `<cluster>-backup-a-b-c`."""
    fleets = {}
    for namespace in ("a", "a-b"):
        for path, text in (CLUSTERS | FLEET).items():
            fleets[f"{namespace}/{path}"] = text.replace("metadata: {", f"metadata: {{namespace: {namespace}, ")
    return fleets | {"x.yaml": a_backup("b-c", "a"), "y.yaml": a_backup("c", "a-b")}


def test_names_that_collide_once_joined_are_refused() -> None:
    desired = resolved(joined_files())
    assert told(desired) == [
        "x.yaml:4: the objects of Backup a/b-c on the clusters would have the same name, …-a-b-c, "
        "as those of Backup a-b/c (y.yaml:1); rename it",
        "y.yaml:4: the objects of Backup a-b/c on the clusters would have the same name, …-a-b-c, "
        "as those of Backup a/b-c (x.yaml:1); rename it",
    ]
    assert desired.wanted == {}


def test_of_names_that_collide_the_recorded_one_goes_on() -> None:
    desired = resolved(joined_files(), {backup_id("c", "a-b"): "y.yaml"})
    assert set(desired.wanted) == {backup_id("c", "a-b")}
    assert set(desired.refused) == {backup_id("b-c", "a")}


def test_names_collide_with_what_is_recorded_and_gone_too() -> None:
    files = joined_files()
    del files["y.yaml"]
    desired = resolved(files, {backup_id("c", "a-b"): "y.yaml"})
    assert told(desired)[0].endswith("as those of Backup a-b/c (recorded from y.yaml); rename it")


def test_a_backup_and_a_restore_of_one_name_do_not_collide() -> None:
    assert told(with_fleet(b=a_backup("same"), r=a_restore("same", backup="same"))) == []


# ---------------------------------------------------------------- Velero's limits


def test_the_name_of_a_schedule_has_at_most_63_characters() -> None:
    schedule = '  schedule: "0 3 * * *"\n'
    fits = "b" * (63 - len("m1-backup-default-"))
    assert told(with_fleet(b=a_backup(fits, more=schedule))) == []
    long = fits + "b"
    assert told(with_fleet(b=a_backup(long, more=schedule))) == [
        f"b.yaml:4: the Schedule on AttachedCluster default/m2 would be named m2-backup-default-{long}, 64 characters, "
        "and Velero never backs up for one over 63; take 1 characters off the name or namespace"
    ]
    assert told(with_fleet(b=a_backup(long))) == [], "only a Schedule's name goes into a label as it is"


def filtered(content: str, make: str = "backup") -> list[str]:
    """The problems, without their place, of a resourceFilter in flow style, on a Backup or on a Restore."""
    more = {make: f"  policy: {{resourceFilter: {{{content}}}}}\n"}
    desired = with_fleet(b=a_backup(more=more.get("backup", "")), r=a_restore(more=more.get("restore", "")))
    who = backup_id() if make == "backup" else restore_id()
    return [f"{problem.what}; {problem.todo}" for problem in desired.refused.get(who, ())]


@pytest.mark.parametrize("make", ["backup", "restore"])
def test_one_kind_of_label_selector_only(make: str) -> None:
    assert filtered("labelSelector: {}, orLabelSelectors: [{matchLabels: {a: b}}]", make)[0] == (
        "`resourceFilter.orLabelSelectors`: `labelSelector` and `orLabelSelectors` stand together; keep one"
    )


@pytest.mark.parametrize("make", ["backup", "restore"])
@pytest.mark.parametrize("name", ["Namespaces", "Resources"])
def test_includes_and_excludes_do_not_contradict(make: str, name: str) -> None:
    at = "`resourceFilter."
    assert filtered(f"included{name}: ['*', a]", make)[0] == (
        f"{at}included{name}`: `*` stands beside other items; keep `*` alone, or remove it"
    )
    assert filtered(f"excluded{name}: ['*']", make)[0] == (
        f"{at}excluded{name}`: `*` would exclude everything; remove it"
    )
    assert filtered(f"included{name}: [a, b], excluded{name}: [b]", make)[0] == (
        f"{at}excluded{name}`: 'b' is both included and excluded; remove it from one of the lists"
    )
    assert filtered(f"included{name}: ['*'], excluded{name}: [b]", make) == []


@pytest.mark.parametrize("scope", ["Cluster", "Namespace"])
def test_scoped_lists_of_a_backup_may_exclude_everything_but_not_more(scope: str) -> None:
    name = f"{scope}ScopedResources"
    assert filtered(f"excluded{name}: ['*']") == []
    assert "`*` excludes everything" in filtered(f"excluded{name}: ['*', a]")[0]
    assert "`*` excludes everything" in filtered(f"included{name}: [a], excluded{name}: ['*']")[0]
    assert "both included and excluded" in filtered(f"included{name}: [a], excluded{name}: [a]")[0]
    assert "stands beside other items" in filtered(f"included{name}: ['*', a]")[0]


@pytest.mark.parametrize("old", ["includedResources: [a]", "excludedResources: [a]", "includeClusterResources: false"])
def test_old_and_new_filters_are_not_mixed(old: str) -> None:
    (problem,) = filtered(f"{old}, excludedNamespaceScopedResources: [secrets]")
    assert problem.startswith("`resourceFilter.excludedNamespaceScopedResources`: ")
    assert problem.endswith("; use either those or the …ScopedResources fields")


@pytest.mark.parametrize("pattern", ["prod-*", "team-?", "[ab]-x", "a", "*"])
def test_namespaces_and_their_patterns_are_accepted(pattern: str) -> None:
    assert filtered(f"includedNamespaces: ['{pattern}']") == []


@pytest.mark.parametrize("pattern", ["a**", "{a,b}", "A", "a_b", "[", "[]", "a]", "x" * 64])
def test_other_namespaces_of_a_backup_are_refused(pattern: str) -> None:
    (problem,) = filtered(f"excludedNamespaces: ['{pattern}']")
    assert "is neither a namespace nor a pattern that Velero takes" in problem


@pytest.mark.parametrize(
    "kind",
    [
        "nodes",
        "events",
        "events.events.k8s.io",
        "backups.velero.io",
        "restores.velero.io",
        "resticrepositories.velero.io",
        "backuprepositories.velero.io",
        "csinodes.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
    ],
)
def test_what_velero_never_restores_cannot_be_asked_for(kind: str) -> None:
    assert filtered(f"includedResources: [{kind}]", "restore") == [
        f"`resourceFilter.includedResources`: Velero never restores {kind}; remove it"
    ]
    assert filtered(f"includedResources: [{kind}]") == [], "a Backup may have it"


def test_all_that_is_wrong_with_an_object_is_told_at_once() -> None:
    restore = a_restore(backup="x", more="  policy:\n    resourceFilter:\n      includedResources:\n      - nodes\n")
    assert [problem.position.line for problem in with_fleet(r=restore).problems] == [6, 10]


# ---------------------------------------------------------------- whatever comes

_NAMES = st.sampled_from(["a", "b", "a-b", "b-c"])
_SPECS = st.one_of(
    st.builds(a_backup, _NAMES, more=st.sampled_from(["", "  attempt: 0\n", "  schedule: '* * * * *'\n"])),
    st.builds(a_restore, _NAMES, _NAMES),
    st.sampled_from([*FLEET.values(), *CLUSTERS.values(), "a: [\n", ""]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_SPECS, max_size=8), st.dictionaries(st.builds(backup_id, _NAMES), st.just("3.yaml"), max_size=3))
def test_every_object_is_either_wanted_or_refused_with_a_reason(
    texts: list[str], recorded: dict[Identity, str]
) -> None:
    files = [SourceFile(f"{number}.yaml", text.encode()) for number, text in enumerate(texts)]
    manifests = read(files)
    desired = resolve(manifests, recorded)
    present = {document.identity for document in manifests.documents if document.identity.kind in ("Backup", "Restore")}
    assert not desired.wanted.keys() & desired.refused.keys()
    assert present <= desired.wanted.keys() | desired.refused.keys()
    assert all(desired.refused.values())
    assert all(wanted.clusters for wanted in desired.wanted.values())
    assert list(desired.problems) == sorted(set(desired.problems))
    assert {problem for problems in desired.refused.values() for problem in problems} <= set(desired.problems)
