"""Every reason that a run can give is explained, in README's table in the very words that `describe` advises with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.plan.advice import REASONS
from reconciler.plan.asks import Ask
from reconciler.plan.runs import DOUBTED
from reconciler.records import Phase

TOP = Path(__file__).resolve().parent.parent
EXPLAINED = {reason for reasons, _ in REASONS for reason in reasons}
# What makes a reason: constructors of failures and errors, and functions that end or hold a run.
GIVE = {
    *("Failure", "KubeconfigError", "Unreachable", "Refused", "Unclear", "AlreadyExists"),
    *("_end", "refuse", "hold"),
}
HELD = {str(ask) for ask in (Ask.SUSPENDED, Ask.PAUSED, Ask.SPEC_CHANGED, Ask.WITHDRAWN)}
WORD = re.compile(r"([A-Z][a-z]+)+")


def given() -> Iterator[str]:
    """The reasons in the sources."""
    for path in sorted((TOP / "reconciler").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GIVE:
                yield from _words(*node.args)
            if isinstance(node, ast.Call):
                yield from _words(*(keyword.value for keyword in node.keywords if keyword.arg == "reason"))
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "_REASONS":
                yield from _words(node.value) if node.value else ()


def _words(*nodes: ast.expr) -> Iterator[str]:
    for node in nodes:
        for part in () if isinstance(node, ast.JoinedStr) else ast.walk(node):  # that one is a message
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and WORD.fullmatch(part.value):
                yield part.value


def test_every_reason_in_the_sources_is_explained() -> None:
    found = set(given())
    assert {"Unreachable", "Vanished", "StorageUnavailable", "Forbidden", "Existing"} <= found, "the search works"
    found |= {*HELD, *DOUBTED}
    found |= {str(phase) for phase in Phase if phase.terminal and phase is not Phase.COMPLETED}
    assert found - EXPLAINED == set()


def test_nothing_is_explained_that_does_not_exist() -> None:
    known = {*given(), *HELD, *DOUBTED, *map(str, Phase)}
    assert EXPLAINED - known == set()


def test_readme_has_the_same_table() -> None:
    readme = (TOP / "README.md").read_text("utf-8")
    table = readme.partition("| reason | what to do |\n|---|---|\n")[2].partition("\n\n")[0]
    expected = [f"| {', '.join(f'`{reason}`' for reason in reasons)} | {text} |" for reasons, text in REASONS]
    assert table.splitlines() == expected
