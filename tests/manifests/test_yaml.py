"""Bytes, structure and scalars: what YAML may look like here."""

from __future__ import annotations

import pytest

from reconciler.resources import Backup
from tests.manifests.builders import BACKUP, anything, one, read_all, spec


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: b\nc: \xe9\n", "2: the byte 0xe9 is not UTF-8; save the file as UTF-8 (it may be Latin-1 or UTF-16)"),
        (b"a: b\r\nc: \0\r\n", "2: a NUL byte stands in the file; save it as plain UTF-8 text"),
        (b"a: b\n\nc: \x1b\n", "3: a control character stands in the file; remove it"),
        ("a: b".encode("utf-16"), "1: a NUL byte stands in the file; save it as plain UTF-8 text"),
    ],
)
@pytest.mark.case("documents", "NUL", "latin-1")
def test_bytes_that_are_no_text(content: bytes, problem: str) -> None:
    assert one(content) == problem


@pytest.mark.parametrize("text", ["spec:\n\tfleet: a\n", "a: 1\n\tb: 2\n", "a:\n- 1\n\t- 2\nb:\n"])
@pytest.mark.case("documents", "tabs")
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


@pytest.mark.parametrize(("text", "what"), [("- a\n- b\n", "a list"), ("abc\n", "a single value")])
@pytest.mark.case("documents", "list document")
def test_a_document_that_is_no_object_is_an_error(text: str, what: str) -> None:
    assert one(text) == (
        f"1: the document is {what}, not an object; write each object as a document of its own, with `---` between them"
    )


@pytest.mark.case("documents", "duplicate keys")
def test_duplicate_keys_name_both_lines() -> None:
    assert one(BACKUP + "    fleet: other\n") == "8: `fleet` stands twice, first in line 7; keep one"


@pytest.mark.parametrize("value", ["!!str 5", "!foo a", "! a", "!!binary aGk="])
@pytest.mark.case("documents", "tags")
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
@pytest.mark.case("scalars", "words", "numbers", "times", "dates", "told to quote it")
def test_what_versions_of_yaml_dispute_must_be_quoted_where_text_is_wanted(value: str) -> None:
    assert one(anything(value)) == (
        f"10: `spec.policy.orderedResources.pods` must be text, not `{value}`, "
        f'which versions of YAML read differently; quote it: "{value}"'
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
@pytest.mark.case("scalars", "numbers", "told to quote it")
def test_numbers_and_booleans_must_be_quoted_where_text_is_wanted(value: str, described: str, quoted: str) -> None:
    assert one(anything(value)) == (
        f'10: `spec.policy.orderedResources.pods` must be text, not {described}; quote it: "{quoted}"'
    )


@pytest.mark.parametrize("value", ["30", "1.5", "true", "1e3"])
def test_what_would_be_refused_in_quotes_too_is_not_told_to_be_quoted(value: str) -> None:
    assert one(spec(f"startWithin: {value}")).endswith("; write it as in 90m, 24h or 720h0m0s")


@pytest.mark.parametrize("value", ["", "null", "~"])
@pytest.mark.case("scalars", "null")
def test_an_empty_value_is_never_taken_for_one_that_was_left_out(value: str) -> None:
    for field in ("schedule", "policy", "suspend", "attempt"):
        assert one(spec(f"{field}: {value}")) == (
            f"8: `spec.{field}` is empty; write a value (in quotes if the text `null` is meant), or remove the line"
        )


@pytest.mark.parametrize("value", ["1.23.0", "v1", "720h", "10.0.0.0/8", "1d", "yes please", "::1", "'on'", '"1"'])
def test_all_else_is_text(value: str) -> None:
    (document,) = read_all(a=spec(f"policy:\n    orderedResources:\n      a: {value}")).documents
    assert isinstance(document.resource, Backup)
    assert document.resource.spec.policy is not None
    assert document.resource.spec.policy.ordered_resources == {"a": value.strip("'\"")}


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
