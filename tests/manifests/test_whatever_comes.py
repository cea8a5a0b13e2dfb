"""Properties that hold for any bytes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests import SourceFile, read
from reconciler.resources import Identity
from tests.manifests.builders import BACKUP, RESTORE, one, spec


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
