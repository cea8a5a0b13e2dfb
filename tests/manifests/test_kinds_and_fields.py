"""Kinds and fields, each error with the nearest right name."""

from __future__ import annotations

import pytest

from tests.manifests.builders import A_BACKUP, BACKUP, RESTORE, one, read_all, spec, told


def test_kinds_of_others_are_ignored_with_a_note() -> None:
    found = read_all(a="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: on, a: off, b: !x y}\n")
    assert found.problems == ()
    assert found.notes == ("a.yaml:1: ConfigMap ignored: not one of Kurator's kinds",)
    assert found.unread == frozenset()


@pytest.mark.parametrize(
    "api_version",
    ["velero.io/v1", "cluster.x-k8s.io/v1beta1", "cluster.karmada.io/v1", "apps.kurator.dev/v1alpha1"],
)
def test_our_kinds_in_foreign_groups_are_foreign(api_version: str) -> None:
    found = read_all(a=BACKUP.replace("backup.kurator.dev/v1alpha1", api_version))
    assert (found.documents, found.problems) == ((), ())
    assert len(found.notes) == 1


@pytest.mark.parametrize("kind", ["CustomCluster", "CustomMachine"])
def test_other_kinds_of_kurators_cluster_group_are_ignored(kind: str) -> None:
    found = read_all(a=f"apiVersion: cluster.kurator.dev/v1alpha1\nkind: {kind}\n")
    assert found.problems == ()
    assert found.notes == (f"a.yaml:1: {kind} ignored: not one of the kinds of Kurator that are read here",)


def test_missing_api_version_and_kind() -> None:
    assert one("kind: Fleet\n") == "1: `apiVersion` is missing; write `apiVersion: fleet.kurator.dev/v1alpha1`"
    assert one("apiVersion: backup.kurator.dev/v1alpha1\n").startswith("1: `kind` is missing; write one of ")
    assert one("kind: 1\napiVersion: v1\n").startswith("1: `kind` must be text; ")


def test_an_unknown_kind_gets_the_nearest_known_name() -> None:
    problem = one(BACKUP.replace("kind: Backup", "kind: Bakcup"))
    assert problem == "2: backup.kurator.dev has no kind 'Bakcup'; did you mean `Backup`?"


@pytest.mark.parametrize(
    "api_version", ["backup.kurator.dev/v1beta1", "fleet.kurator.dev/v1alpha1", "backup.kurator.dev"]
)
def test_a_known_kind_of_another_group_or_version_gets_the_right_one(api_version: str) -> None:
    problem = one(BACKUP.replace("backup.kurator.dev/v1alpha1", api_version))
    assert problem == f"1: Backup is no kind of {api_version}; write `apiVersion: backup.kurator.dev/v1alpha1`"


@pytest.mark.parametrize("group", ["backups.kurator.dev", "backup.kurator.de", "kurator.dev", "backup.Kurator.dev"])
def test_a_slip_in_the_group_is_an_error_and_no_note(group: str) -> None:
    found = read_all(a=BACKUP.replace("backup.kurator.dev", group))
    assert [str(problem) for problem in found.problems] == [
        f"a.yaml:1: there is no API group '{group}'; write backup.kurator.dev/v1alpha1"
    ]
    assert found.problems[0].identity == A_BACKUP


@pytest.mark.parametrize(("api_version", "kind"), [("v1", "List"), ("backup.kurator.dev/v1alpha1", "BackupList")])
def test_a_list_is_told_to_be_written_as_documents(api_version: str, kind: str) -> None:
    problem = one(f"apiVersion: {api_version}\nkind: {kind}\nitems: []\n")
    assert problem == f"2: a '{kind}' is not read; write its items as documents"


def test_migrate_is_not_supported() -> None:
    problem = one("apiVersion: backup.kurator.dev/v1alpha1\nkind: Migrate\nmetadata: {name: x}\n")
    assert problem == "2: a Migrate is not supported by this version; use a Backup and a Restore"


def test_an_unknown_field_gets_the_nearest_known_name() -> None:
    problem = one(RESTORE.replace("backupName", "backupName: x\n  backupNme"))
    assert problem == "7: unknown field `backupNme` in spec; did you mean `backupName`?"


def test_an_unknown_field_like_no_other_gets_all_known_names() -> None:
    problem = one(BACKUP + "    zzz: 1\n")
    assert problem == "8: unknown field `zzz` in spec.destination; known here: clusters, fleet"


def test_a_missing_field_is_told_at_the_line_of_its_parent() -> None:
    assert one(BACKUP.replace("    fleet: quickstart\n", "    clusters: []\n")) == (
        "6: `spec.destination.fleet` is missing; add it below `spec.destination`"
    )
    assert one("---\n" + BACKUP[: BACKUP.index("spec:")]) == "2: `spec` is missing; add it to the document"


@pytest.mark.parametrize("field", ["included", "excluded"])
@pytest.mark.parametrize("scope", ["Cluster", "Namespace"])
def test_scoped_resources_on_a_restore_have_a_text_of_their_own(field: str, scope: str) -> None:
    name = f"{field}{scope}ScopedResources"
    assert one(f"{RESTORE}  policy:\n    resourceFilter:\n      {name}: [a]\n") == (
        f"9: Velero's Restore has no `{name}`; use includedResources or excludedResources, with includeClusterResources"
    )
    assert told(f"{BACKUP}  policy:\n    resourceFilter:\n      {name}: [a]\n") == []


@pytest.mark.case("nameless", "generateName")
def test_generate_name_is_refused_and_says_it_once() -> None:
    assert one(BACKUP.replace("name: nightly", "generateName: nightly-")) == (
        "4: `metadata.generateName` would give a new object at every reading; write `metadata.name`"
    )


@pytest.mark.parametrize(
    "field",
    [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
        "ownerReferences",
        "finalizers",
        "selfLink",
        "deletionTimestamp",
    ],
)
def test_what_api_servers_set_is_refused(field: str) -> None:
    assert one(BACKUP.replace("  name: nightly\n", f"  name: nightly\n  {field}: null\n")) == (
        f"5: `metadata.{field}` is set by API servers; remove it: a file says only what is wanted"
    )


def test_a_status_is_refused() -> None:
    assert one(BACKUP + "status: {phase: Completed}\n") == (
        "8: `status` is not for users to write; remove it: what ran is recorded under status/ in the repository"
    )


def test_a_cluster_of_another_namespace_cannot_be_named() -> None:
    problem = one(BACKUP + "    clusters:\n    - {kind: Cluster, name: a, namespace: b}\n")
    assert problem.startswith("9: unknown field `namespace` in spec.destination.clusters[0]; remove it: ")


def test_a_wrong_word_gets_the_right_one() -> None:
    assert one(BACKUP + "    clusters:\n    - name: a\n      kind: attachedcluster\n") == (
        "10: `spec.destination.clusters[0].kind` can't be the text 'attachedcluster'; did you mean `AttachedCluster`?"
    )
    assert one(spec("rerun: Failed")) == "8: `spec.rerun` can't be the text 'Failed'; write All"


def test_lists_and_mappings_are_told_apart() -> None:
    assert one(BACKUP + "    clusters: m1\n") == (
        "8: `spec.destination.clusters` must be a list, not the text 'm1'; write a list, each item after `- `"
    )
    assert one(spec("policy: []")) == (
        "8: `spec.policy` must be a mapping, not a list; write `name: value` lines below it"
    )


@pytest.mark.parametrize("name", ["Nightly", "../../etc/passwd", "a" * 64])
@pytest.mark.case("names", "checked as RFC 1123")
def test_names_are_checked_as_rfc_1123(name: str) -> None:
    assert one(BACKUP.replace("nightly", name)).startswith(f"4: `metadata.name`: '{name}' is no RFC 1123 name")


def test_a_ttl_is_a_duration() -> None:
    assert one(spec("policy: {ttl: 30d}")) == (
        "8: `spec.policy.ttl`: '30d' is not a duration; write it as in 90m, 24h or 720h0m0s"
    )


def test_no_more_than_eighty_characters_of_a_value_are_echoed() -> None:
    for line in (f"rerun: {'x' * 500}", f"{'x' * 500}: 1", f"schedule: {'1' * 500}", f"attempt: {'x' * 500}"):
        problem = one(spec(line))
        assert "x" * 81 not in problem
        assert "1" * 81 not in problem


def test_control_characters_of_a_value_are_escaped() -> None:
    assert r"\x1b[2J" in one(spec(r'rerun: "\e[2J"'))
