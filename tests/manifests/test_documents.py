"""What is read of files, what one bad document leaves standing, and the limits."""

from __future__ import annotations

from textwrap import dedent

import pytest

from reconciler.manifests import MAX_FILE_BYTES, MAX_FILES, Position, Problem, SourceFile, read
from reconciler.resources import Backup, Cluster, Fleet, Restore
from reconciler.resources.model import plain
from tests.manifests.builders import A_BACKUP, BACKUP, RESTORE, one, read_all, spec, told


def test_a_document_knows_its_object_and_the_line_of_every_field() -> None:
    found = read_all(a="# comment\n---\n" + BACKUP)
    (document,) = found.documents
    assert isinstance(document.resource, Backup)
    assert document.identity == A_BACKUP
    assert document.position == Position("a.yaml", 3)
    assert document.at("spec", "destination", "fleet") == Position("a.yaml", 9)
    assert document.at("spec", "destination", "clusters", 3) == Position("a.yaml", 8), "the nearest mapping around it"
    assert (found.problems, found.notes, found.unread) == ((), (), frozenset())


def test_several_documents_and_files_come_in_order_of_file_and_line() -> None:
    found = read_all(b=BACKUP, a=f"{RESTORE}---\n{BACKUP}")
    assert [str(document.position) for document in found.documents] == ["a.yaml:1", "a.yaml:8", "b.yaml:1"]


@pytest.mark.case("nameless", "namespace defaults to default")
def test_a_missing_namespace_is_default() -> None:
    (document,) = read_all(a=BACKUP).documents
    assert document.identity.namespace == "default"


@pytest.mark.parametrize("empty", ["", "# only a comment\n", "---\n", "---\n---\n", "---\nnull\n", "---\n~\n...\n"])
@pytest.mark.case("documents", "empty document")
def test_empty_documents_are_skipped(empty: str) -> None:
    found = read_all(a=empty)
    assert (found.documents, found.problems) == ((), ())


@pytest.mark.case("documents", "BOM", "CRLF")
def test_a_byte_order_mark_and_crlf_are_accepted() -> None:
    found = read_all(a=b"\xef\xbb\xbf" + BACKUP.replace("\n", "\r\n").encode())
    assert found.problems == ()
    assert found.documents[0].at("spec", "destination", "fleet").line == 7


def test_the_shapes_of_kurators_examples_are_read() -> None:
    found = read_all(
        a=dedent("""\
            apiVersion: cluster.kurator.dev/v1alpha1
            kind: AttachedCluster
            metadata: {name: kurator-member1, namespace: default}
            spec:
              kubeconfig: {name: kurator-member1, key: kurator-member1.config}
            ---
            apiVersion: fleet.kurator.dev/v1alpha1
            kind: Fleet
            metadata: {name: quickstart, namespace: default}
            spec:
              clusters:
                - name: kurator-member1
                  kind: AttachedCluster
              plugin:
                backup:
                  storage:
                    location: {bucket: velero, provider: aws, endpoint: "http://172.18.255.200:9000", region: minio}
                    secretName: minio-credentials
                grafana: {}
                submariner: {clusterCidrs: {kurator-member1: 10.10.0.0/24}, on-demand: yes, since: 2024-01-01}
            ---
            apiVersion: cluster.kurator.dev/v1alpha1
            kind: Cluster
            metadata: {name: provisioned}
            spec: {infraType: aws, version: v1.23.0, network: {podCIDRs: [192.168.0.0/16]}, replicas: 1, x: null}
            ---
            apiVersion: backup.kurator.dev/v1alpha1
            kind: Backup
            metadata: {name: schedule}
            spec:
              schedule: "*/5 * * * *" # every five minutes
              destination:
                fleet: "quickstart"
                clusters:
                  - kind: AttachedCluster
                    name: kurator-member1
              policy:
                resourceFilter: {labelSelector: {matchLabels: {app: busybox}}}
                ttl: 720h  # 30 * 24 hours
            ---
            apiVersion: backup.kurator.dev/v1alpha1
            kind: Restore
            metadata: {name: schedule}
            spec: {backupName: schedule}
            """)
    )
    assert found.problems == ()
    assert [document.identity.kind for document in found.documents] == [
        "AttachedCluster",
        "Fleet",
        "Cluster",
        "Backup",
        "Restore",
    ]
    kinds = {type(document.resource) for document in found.documents}
    assert {Fleet, Cluster, Restore} <= kinds


@pytest.mark.case("documents", "file and line")
def test_all_errors_of_all_files_are_told_at_once_and_the_rest_counts() -> None:
    found = read_all(
        a=f"{RESTORE}  backupNme: x\n  atempt: 2\n---\n{BACKUP}",
        b="a: [\n",
        c=RESTORE.replace("minimal", "other"),
    )
    assert [str(problem.position) for problem in found.problems] == ["a.yaml:7", "a.yaml:8", "b.yaml:2"]
    assert [str(document.identity) for document in found.documents] == [str(A_BACKUP), "Restore default/other"]
    assert found.unread == {"a.yaml", "b.yaml"}


def test_a_syntax_error_leaves_no_document_of_its_file() -> None:
    found = read_all(a=f"{BACKUP}---\n{RESTORE}  policy: [\n")
    assert found.documents == ()
    assert found.unread == {"a.yaml"}


def test_a_problem_names_the_object_where_it_can_still_be_told() -> None:
    (problem,) = read_all(a=spec("attempt: 0")).problems
    assert problem.identity == A_BACKUP
    (nameless,) = read_all(a=BACKUP.replace("nightly", "Nightly")).problems
    assert nameless.identity is None


def test_a_name_that_stands_twice_tells_no_identity() -> None:
    (problem,) = read_all(a=BACKUP.replace("  name: nightly\n", "  name: nightly\n  name: weekly\n")).problems
    assert str(problem) == "a.yaml:5: `name` stands twice, first in line 4; keep one"
    assert problem.identity is None


def test_problems_are_sortable_and_equal_whatever_their_identity() -> None:
    at = Position("a.yaml", 1)
    assert sorted({Problem(at, "x", "y", A_BACKUP), Problem(at, "x", "y")}) == [Problem(at, "x", "y")]


def test_a_file_that_git_could_not_give_is_a_problem() -> None:
    found = read(
        [SourceFile("backups/fifo.yaml", None, "no file"), SourceFile("backups/link.yaml", None, "a link; cut it")]
    )
    assert [str(problem) for problem in found.problems] == [
        "backups/fifo.yaml:1: no file; put a plain YAML file in its place",
        "backups/link.yaml:1: a link; cut it",
    ]
    assert found.unread == {"backups/fifo.yaml", "backups/link.yaml"}


def test_a_file_name_with_control_characters_is_shown_escaped() -> None:
    assert str(Position("a\nb.yaml", 1)) == r"a\nb.yaml:1"


@pytest.mark.case("bombs", "aliases")
def test_billion_laughs_are_never_expanded() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    head = "apiVersion: v1\nkind: ConfigMap\n"
    problems = told(head + "\n".join(lines))
    assert problems[0].startswith("3: `&a0` is an anchor, and anchors are not read; ")
    assert len(problems) == 50, "as many as are of use"


@pytest.mark.case("bombs", "aliases")
def test_aliases_and_anchors_are_refused_even_in_kinds_of_others() -> None:
    assert told("apiVersion: v1\nkind: ConfigMap\na: &x 1\nb: *x\n") == [
        "3: `&x` is an anchor, and anchors are not read; "
        'write the value without it, or quote it if it is text, as in "&"',
        "4: `*x` is an alias, and aliases are not read; "
        'write out what it stands for, or quote it if it is text, as in "*"',
    ]


@pytest.mark.parametrize("line", ["schedule: */5 * * * *", "policy: {resourceFilter: {includedNamespaces: [*]}}"])
def test_an_unquoted_star_is_told_to_be_quoted(line: str) -> None:
    assert one(spec(line)) == (
        '8: `*` or `&` begins an alias or anchor, and these are not read; quote text that begins so, as in "*"'
    )


@pytest.mark.case("bombs", "depth of 50")
def test_fifty_levels_are_read_and_more_are_refused() -> None:
    def nested(levels: int) -> str:
        return "apiVersion: v1\nkind: ConfigMap\na: " + "[" * (levels - 1) + "]" * (levels - 1) + "\n"

    assert told(nested(50)) == []
    assert one(nested(51)) == "3: nested deeper than 50 levels; write it flatter"
    assert one("[" * (MAX_FILE_BYTES - 1)).startswith("1: nested deeper")
    assert one("- " * (MAX_FILE_BYTES // 2 - 1)).startswith("1: nested deeper")


@pytest.mark.case("bombs", "file of 1 MiB", "the other files go on")
def test_a_file_over_one_mebibyte_is_refused_and_the_others_go_on() -> None:
    found = read_all(a=b"#" * MAX_FILE_BYTES + b"\n", b=BACKUP)
    assert [str(problem) for problem in found.problems] == [
        "a.yaml:1: the file has 1,048,577 bytes, and the limit is 1 MiB; split it"
    ]
    assert [document.identity for document in found.documents] == [A_BACKUP]


@pytest.mark.case("bombs", "repository of 64 MiB")
def test_all_files_together_have_at_most_64_mebibytes() -> None:
    content = b"\0" * MAX_FILE_BYTES  # refused at once, so that the test is quick
    found = read(SourceFile(f"{number:02}.yaml", content) for number in range(66))
    limited = [problem.position.file for problem in found.problems if "limit of 64 MiB" in problem.what]
    assert limited == ["64.yaml", "65.yaml"]


@pytest.mark.case("bombs", "50,000 files")
def test_there_are_at_most_50000_files() -> None:
    found = read(SourceFile(f"{number:05}.yaml", b"\0") for number in range(MAX_FILES + 1))
    assert [problem.position.file for problem in found.problems if "50,000 files" in problem.what] == ["50000.yaml"]


def test_what_is_left_of_a_document_without_its_wrong_fields() -> None:
    wrong = "  scheduel: x\n  policy:\n    ttl: 30\n    resourceFilter:\n      includedResources: [1, a]\n"
    (half,) = read_all(a=f"{BACKUP}{wrong}      labelSelector: {{matchLabels: {{a: b}}}}\n").halves
    assert half.identity == A_BACKUP
    assert half.at("spec", "policy", "resourceFilter", "labelSelector") == Position("a.yaml", 13)
    policy = plain(half.resource)["spec"]["policy"]
    assert policy == {"resourceFilter": {"labelSelector": {"matchLabels": {"a": "b"}}}}
    for whole_or_nothing in (BACKUP, f"{BACKUP}---\n- a\n", BACKUP.replace("fleet", "fleeet"), "kind: {"):
        assert read_all(a=whole_or_nothing).halves == ()
