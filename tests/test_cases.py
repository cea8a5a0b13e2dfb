"""Every case that others got wrong has a test for each thing that it demands here (`tests.cases`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cases import CASES, CLUSTERS, GIT, YAML, Case

TOP = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Marked:
    """One marker: where it stands (`file.py::test`), its case, and the demands that it names."""

    where: str
    key: str
    demands: tuple[str, ...]


def marked() -> Iterator[Marked]:
    """All markers in the tests' own sources, also those of tests that this machine can't run."""
    for path in sorted(TOP.rglob("*.py")):
        for function in _functions(ast.parse(path.read_text("utf-8"))):
            for decorator in function.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.case":
                    key, *demands = (ast.literal_eval(argument) for argument in decorator.args)
                    yield Marked(f"{path.relative_to(TOP)}::{function.name}", key, tuple(demands))


def _functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


MARKED = tuple(marked())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_demand_has_a_test(case: Case) -> None:
    held = {demand for mark in MARKED if mark.key == case.key for demand in mark.demands or case.demands}
    assert set(case.demands) - held == set()


@pytest.mark.parametrize("mark", MARKED, ids=lambda mark: f"{mark.where}-{mark.key}")
def test_every_marker_names_a_case_and_its_demands(mark: Marked) -> None:
    assert mark.key in CASES, f"{mark.where}: there is no case {mark.key}"
    assert set(mark.demands) <= set(CASES[mark.key].demands), mark.where
    assert mark.where.partition("::")[2].startswith("test_"), f"{mark.where} is no test"


def test_every_case_is_there_once_and_says_where_it_was_seen() -> None:
    assert len(CASES) == len(GIT) + len(YAML) + len(CLUSTERS) == 32
    for case in CASES.values():
        assert case.what
        assert case.seen_in
        assert case.demands
        assert len(set(case.demands)) == len(case.demands)
