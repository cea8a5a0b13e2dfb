"""Two objects that want one place, and what Velero would refuse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired import resolve
from reconciler.manifests import Position, SourceFile, read
from reconciler.resources import Identity
from tests.desired.builders import (
    CLUSTERS,
    FLEET,
    M2,
    a_backup,
    a_restore,
    backup_id,
    resolved,
    restore_id,
    told,
    with_fleet,
)


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
