"""YAML in, resources or `file:line: what; todo` out. One rule a test."""

from __future__ import annotations

import time
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests import MAX_FILE_BYTES, MAX_FILES, Manifests, Position, Problem, SourceFile, read
from reconciler.resources import Backup, Cluster, Fleet, Identity, Restore

BACKUP = """\
apiVersion: backup.kurator.dev/v1alpha1
kind: Backup
metadata:
  name: nightly
spec:
  destination:
    fleet: quickstart
"""  # 7 lines; a line added to it is line 8 and belongs to `spec` where indented by two

RESTORE = """\
apiVersion: backup.kurator.dev/v1alpha1
kind: Restore
metadata:
  name: minimal
spec:
  backupName: nightly
"""

A_BACKUP = Identity("Backup", "default", "nightly")


def read_all(**files: str | bytes) -> Manifests:
    """Reads files named `<keyword>.yaml`."""
    return read(SourceFile(f"{name}.yaml", _bytes(content)) for name, content in files.items())


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def told(content: str | bytes) -> list[str]:
    """The problems of one file, without its name: `line: what; todo`."""
    return [str(problem).removeprefix("a.yaml:") for problem in read_all(a=content).problems]


def one(content: str | bytes) -> str:
    problems = told(content)
    assert len(problems) == 1, problems
    return problems[0]


def spec(line: str) -> str:
    """A Backup with one more line, the eighth, in its spec."""
    return f"{BACKUP}  {line}\n"


# ---------------------------------------------------------------- what is read


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


def test_a_missing_namespace_is_default() -> None:
    (document,) = read_all(a=BACKUP).documents
    assert document.identity.namespace == "default"


@pytest.mark.parametrize("empty", ["", "# only a comment\n", "---\n", "---\n---\n", "---\nnull\n", "---\n~\n...\n"])
def test_empty_documents_are_skipped(empty: str) -> None:
    found = read_all(a=empty)
    assert (found.documents, found.problems) == ((), ())


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


# ---------------------------------------------------------------- one bad document stops only itself


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
    found = read([SourceFile("backups/link.yaml", None, "the file is a symbolic link")])
    assert [str(problem) for problem in found.problems] == [
        "backups/link.yaml:1: the file is a symbolic link; put a plain YAML file in its place"
    ]
    assert found.unread == {"backups/link.yaml"}


def test_a_file_name_with_control_characters_is_shown_escaped() -> None:
    assert str(Position("a\nb.yaml", 1)) == r"a\nb.yaml:1"


# ---------------------------------------------------------------- limits


def test_billion_laughs_costs_nothing() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    head = "apiVersion: v1\nkind: ConfigMap\n"
    before = time.perf_counter()
    problems = told(head + "\n".join(lines))
    assert time.perf_counter() - before < 2
    assert problems[0].startswith("3: `&a0` is an anchor, and anchors are not read; ")
    assert len(problems) == 50, "as many as are of use"


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


def test_fifty_levels_are_read_and_more_are_refused() -> None:
    def nested(levels: int) -> str:
        return "apiVersion: v1\nkind: ConfigMap\na: " + "[" * (levels - 1) + "]" * (levels - 1) + "\n"

    assert told(nested(50)) == []
    assert one(nested(51)) == "3: nested deeper than 50 levels; write it flatter"
    before = time.perf_counter()
    assert one("[" * (MAX_FILE_BYTES - 1)).startswith("1: nested deeper")
    assert one("- " * (MAX_FILE_BYTES // 2 - 1)).startswith("1: nested deeper")
    assert time.perf_counter() - before < 2


def test_a_file_over_one_mebibyte_is_refused_and_the_others_go_on() -> None:
    found = read_all(a=b"#" * MAX_FILE_BYTES + b"\n", b=BACKUP)
    assert [str(problem) for problem in found.problems] == [
        "a.yaml:1: the file has 1,048,577 bytes, and the limit is 1 MiB; split it"
    ]
    assert [document.identity for document in found.documents] == [A_BACKUP]


def test_all_files_together_have_at_most_64_mebibytes() -> None:
    content = b"\0" * MAX_FILE_BYTES  # refused at once, so that the test is quick
    found = read(SourceFile(f"{number:02}.yaml", content) for number in range(66))
    limited = [problem.position.file for problem in found.problems if "limit of 64 MiB" in problem.what]
    assert limited == ["64.yaml", "65.yaml"]


def test_there_are_at_most_50000_files() -> None:
    found = read(SourceFile(f"{number:05}.yaml", b"\0") for number in range(MAX_FILES + 1))
    assert [problem.position.file for problem in found.problems if "50,000 files" in problem.what] == ["50000.yaml"]


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: b\nc: \xe9\n", "2: the byte 0xe9 is not UTF-8; save the file as UTF-8 (it may be Latin-1 or UTF-16)"),
        (b"a: b\r\nc: \0\r\n", "2: a NUL byte stands in the file; save it as plain UTF-8 text"),
        (b"a: b\n\nc: \x1b\n", "3: a control character stands in the file; remove it"),
        ("a: b".encode("utf-16"), "1: a NUL byte stands in the file; save it as plain UTF-8 text"),
    ],
)
def test_bytes_that_are_no_text(content: bytes, problem: str) -> None:
    assert one(content) == problem


@pytest.mark.parametrize("text", ["spec:\n\tfleet: a\n", "a: 1\n\tb: 2\n", "a:\n- 1\n\t- 2\nb:\n"])
def test_tabs_as_indentation_are_refused(text: str) -> None:
    assert one(text).endswith(": a tab stands where YAML allows only spaces; use spaces")


def test_an_escape_for_half_a_character_is_refused() -> None:
    assert one(spec(r'schedule: "\ud800"')) == (
        "8: an escape in this text stands for half a character; write the character itself"
    )


def test_an_escape_for_no_character_is_refused() -> None:
    assert one(spec(r'schedule: "\UFFFFFFFF"')).startswith("8: this is not YAML; ")


def test_syntax_errors_have_their_line() -> None:
    assert one(spec("schedule: a: b")).startswith("8: this is not YAML: mapping values are not allowed here; mend ")
    assert one(spec("schedule: @daily")).endswith("quote text that begins with it")


def test_lines_are_counted_as_editors_do() -> None:
    assert one(f"apiVersion: v1\nkind: 'a\u2028b\x85c'\n---\n{spec('attempt: 0')}").startswith("11: ")


# ---------------------------------------------------------------- structure


@pytest.mark.parametrize(("text", "what"), [("- a\n- b\n", "a list"), ("abc\n", "a single value")])
def test_a_document_that_is_no_object_is_an_error(text: str, what: str) -> None:
    assert one(text) == (
        f"1: the document is {what}, not an object; write each object as a document of its own, with `---` between them"
    )


def test_duplicate_keys_name_both_lines() -> None:
    assert one(BACKUP + "    fleet: other\n") == "8: `fleet` stands twice, first in line 7; keep one"


@pytest.mark.parametrize("value", ["!!str 5", "!foo a", "! a", "!!binary aGk="])
def test_tags_are_refused(value: str) -> None:
    problem = one(spec(f"schedule: {value}"))
    assert problem == f"8: the tag `{value.split()[0]}` is not read; remove it, and quote what must be text"


def test_merge_keys_are_refused() -> None:
    assert one(spec("<<: {suspend: true}")) == "8: `<<` is a merge key, and these are not read; write the fields out"


@pytest.mark.parametrize("key", ["on", "1", "true", "~", "1.5", "2024-01-01"])
def test_keys_must_be_text(key: str) -> None:
    assert one(spec(f"{key}: 1")) == f"8: the key '{key}' must be text; quote it: \"{key}\""


def test_a_key_is_no_list() -> None:
    assert one(spec("? [a]\n  : b")) == "8: a key must be text, not a list or mapping; write `name: value`"


# ---------------------------------------------------------------- scalars


@pytest.mark.parametrize(
    "value",
    [
        "on",
        "On",
        "OFF",
        "yes",
        "no",
        "y",
        "N",
        "1e3",
        "1.5e3",
        "0o17",
        "017",
        "09",
        "0x1F",
        "0b1",
        "1_000",
        "12:30",
        "12:30:00",
        "2024-01-01",
        ".inf",
        "-.INF",
        ".nan",
        "=",
        "2024-01-01T10:00:00Z",
        "1234567890123456789012",
    ],
)
def test_what_versions_of_yaml_dispute_must_be_quoted_where_text_is_wanted(value: str) -> None:
    assert one(spec(f"schedule: {value}")) == (
        f'8: `spec.schedule` must be text, not `{value}`, which versions of YAML read differently; quote it: "{value}"'
    )


@pytest.mark.parametrize(
    ("value", "described", "quoted"),
    [
        ("5", "the number 5", "5"),
        ("1.10", "the number 1.10", "1.10"),
        ("true", "true", "true"),
        ("False", "false", "false"),
    ],
)
def test_numbers_and_booleans_must_be_quoted_where_text_is_wanted(value: str, described: str, quoted: str) -> None:
    problem = one(spec(f"schedule: {value}"))
    assert problem == f'8: `spec.schedule` must be text, not {described}; quote it: "{quoted}"'


@pytest.mark.parametrize("value", ["", "null", "~"])
def test_an_empty_value_is_never_taken_for_one_that_was_left_out(value: str) -> None:
    for field in ("schedule", "policy", "suspend", "attempt"):
        assert one(spec(f"{field}: {value}")) == (
            f"8: `spec.{field}` is empty; write a value (in quotes if the text `null` is meant), or remove the line"
        )


@pytest.mark.parametrize("value", ["1.23.0", "v1", "720h", "10.0.0.0/8", "1d", "yes please", "::1", "'on'", '"1"'])
def test_all_else_is_text(value: str) -> None:
    (document,) = read_all(a=spec(f"schedule: {value}")).documents
    assert isinstance(document.resource, Backup)
    assert document.resource.spec.schedule == value.strip("'\"")


@pytest.mark.parametrize(
    ("value", "described"),
    [
        ("yes", "`yes`, which versions of YAML read differently"),
        ('"true"', "the text 'true'"),
        ("1", "the number 1"),
        ("[]", "a list"),
    ],
)
def test_a_boolean_is_true_or_false(value: str, described: str) -> None:
    assert one(spec(f"suspend: {value}")) == (
        f"8: `spec.suspend` must be true or false, not {described}; write true or false, without quotes"
    )


def test_true_and_false_are_read() -> None:
    (document,) = read_all(a=spec("suspend: true")).documents
    assert isinstance(document.resource, Backup)
    assert document.resource.spec.suspend is True


@pytest.mark.parametrize("value", ["0x1", "'1'", "1.5", "true", "1_0", "{}"])
def test_a_whole_number_is_written_in_digits(value: str) -> None:
    problem = one(spec(f"attempt: {value}"))
    assert problem.startswith("8: `spec.attempt` must be a whole number, not ")
    assert problem.endswith("; write decimal digits, without quotes")


def test_an_attempt_is_at_least_one() -> None:
    assert one(spec("attempt: 0")) == "8: `spec.attempt` is 0, which is too low; write 1 or more"


# ---------------------------------------------------------------- kinds


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


# ---------------------------------------------------------------- fields


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


# ---------------------------------------------------------------- whatever comes


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_reading_never_raises_whatever_the_bytes(content: bytes) -> None:
    found = read([SourceFile("a.yaml", content)])
    assert all(
        1 <= problem.position.line <= content.count(b"\n") + content.count(b"\r") + 1 for problem in found.problems
    )


_PIECES = st.sampled_from(
    [
        *"-:?[]{},&*!|>%@`'\"#\n\t ~=<.\\\ufeff\x85\u2028",
        "\r\n",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "a",
        "on",
        "0x1",
        "  ",
        "<<",
        '"\\u',
        "apiVersion: backup.kurator.dev/v1alpha1\n",
        "kind: Backup\n",
        "metadata: {name: x}\n",
        "spec:\n",
    ]
)


@settings(max_examples=600, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_reading_never_raises_whatever_the_yaml(text: str) -> None:
    for problem in read([SourceFile("a.yaml", text.encode())]).problems:
        assert str(problem).isprintable()
        assert problem.what
        assert problem.todo


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.lists(_PIECES, max_size=20).map(lambda pieces: "".join(pieces).encode()))
def test_no_file_hides_another(content: bytes) -> None:
    found = read([SourceFile("x.yaml", content), SourceFile("y.yaml", RESTORE.encode())])
    assert Identity("Restore", "default", "minimal") in {
        document.identity for document in found.documents if document.position.file == "y.yaml"
    }


@settings(max_examples=100, deadline=None)
@given(before=st.lists(st.sampled_from(["", "# comment", "   "]), max_size=6), documents=st.integers(0, 3))
def test_lines_are_right_wherever_the_document_stands(before: list[str], documents: int) -> None:
    head = "".join(f"{line}\n" for line in before) + "---\n"
    text = head + "".join(f"{BACKUP}---\n" for _ in range(documents)) + spec("attempt: 0")
    assert one(text).startswith(f"{text[: text.index('attempt')].count(chr(10)) + 1}: ")


def test_two_thousand_documents_are_read_in_seconds_and_again_in_no_time() -> None:
    files = [
        SourceFile(f"{number}.yaml", f"{BACKUP.replace('nightly', f'a{number}')}---\n{BACKUP}".encode())
        for number in range(1000)
    ]
    before = time.perf_counter()
    assert len(read(files).documents) == 2000
    middle = time.perf_counter()
    assert len(read(files).documents) == 2000
    assert middle - before < 20
    assert time.perf_counter() - middle < 0.5
