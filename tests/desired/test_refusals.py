"""What Velero refuses in a policy is refused here, and nothing else: held to the simulated Velero's own rules.

Those in turn are held to a real server's by `tests/behaviour`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.simulation.velero.filters import mistakes, namespace_mistakes, scoped_mistakes
from tests.desired.builders import a_backup, a_restore, backup_id, restore_id, with_fleet


def refusals(kind: str, field: str, content: dict[str, Any]) -> list[str]:
    """The problems of a policy with one field; flow style is JSON."""
    more = f"  policy:\n    {field}: {json.dumps(content)}\n"
    backup, restore = (more, "") if kind == "Backup" else ("", more)
    desired = with_fleet(b=a_backup(more=backup), r=a_restore(more=restore))
    who = backup_id() if kind == "Backup" else restore_id()
    return [str(problem) for problem in desired.refused.get(who, ())]


@pytest.mark.parametrize("pattern", ["ns[a-c]", "[[a]", "a?*b", "x" * 60 + "[a]", ""])
def test_patterns_that_velero_takes(pattern: str) -> None:
    assert refusals("Backup", "resourceFilter", {"includedNamespaces": [pattern]}) == []


@pytest.mark.parametrize("pattern", ["[A-C]", "[!a]", "[a,b]", "a[]b]", "a|b", "(a)", "x" * 61 + "[a]", "-*-", "a.b"])
def test_patterns_that_velero_does_not_take(pattern: str) -> None:
    assert refusals("Backup", "resourceFilter", {"includedNamespaces": ["a", pattern]}) == [
        f"b.yaml:10: `resourceFilter.includedNamespaces`: {pattern!r} is neither a namespace nor a pattern that Velero "
        "takes; use at most 63 of a-z, 0-9, '-' and the wildcards *, ? and [abc]"
    ]
    assert refusals("Restore", "resourceFilter", {"includedNamespaces": ["a", pattern]}) == [], "not checked there"


def test_an_excluded_star_would_preserve_every_status() -> None:
    assert refusals("Restore", "preserveStatus", {"excludedResources": ["*"]}) == [
        "r.yaml:8: `preserveStatus.excludedResources`: `*` would exclude everything; remove it"
    ]
    assert refusals("Restore", "preserveStatus", {"includedResources": ["*", "a"]}) == [
        "r.yaml:8: `preserveStatus.includedResources`: `*` stands beside other items; keep `*` alone, or remove it"
    ]
    assert refusals("Restore", "preserveStatus", {"includedResources": ["a"], "excludedResources": ["b", "a"]}) == [
        "r.yaml:8: `preserveStatus.excludedResources`: 'a' is both included and excluded; "
        "remove it from one of the lists"
    ]
    assert refusals("Restore", "preserveStatus", {"includedResources": ["*"], "excludedResources": ["b"]}) == []


_ITEM = st.sampled_from(["*", "a", "b", "a*", "[ab]", "[A]", "**", "nodes", "A", ""])
_LIST = st.lists(_ITEM, max_size=3)
_SELECTOR = {"matchLabels": {"a": "b"}}
_FILTER = {
    "includedNamespaces": _LIST,
    "excludedNamespaces": _LIST,
    "includedResources": _LIST,
    "excludedResources": _LIST,
    "includeClusterResources": st.booleans(),
    "labelSelector": st.just(_SELECTOR),
    "orLabelSelectors": st.lists(st.just(_SELECTOR), max_size=1),
}
_SCOPED = {
    f"{side}{scope}ScopedResources": _LIST for side in ("included", "excluded") for scope in ("Cluster", "Namespace")
}


def both_selectors(chosen: dict[str, Any]) -> bool:
    return "labelSelector" in chosen and bool(chosen.get("orLabelSelectors"))


def lists(chosen: dict[str, Any], name: str) -> tuple[list[str], list[str]]:
    return chosen.get(f"included{name}", []), chosen.get(f"excluded{name}", [])


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({}, optional=_FILTER | _SCOPED))
def test_a_backup_is_refused_where_velero_would(chosen: dict[str, Any]) -> None:
    old = any(chosen.get(name) for name in ("includedResources", "excludedResources")) or (
        "includeClusterResources" in chosen
    )
    new = any(chosen.get(name) for name in _SCOPED)
    wrong = (
        both_selectors(chosen)
        or (old and new)
        or namespace_mistakes(*lists(chosen, "Namespaces"))
        or mistakes(*lists(chosen, "Resources"))
        or scoped_mistakes(*lists(chosen, "ClusterScopedResources"))
        or scoped_mistakes(*lists(chosen, "NamespaceScopedResources"))
    )
    assert bool(refusals("Backup", "resourceFilter", chosen)) == bool(wrong)


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({}, optional=_FILTER))
def test_a_restore_is_refused_where_velero_would(chosen: dict[str, Any]) -> None:
    wrong = (
        both_selectors(chosen)
        or "nodes" in chosen.get("includedResources", [])
        or mistakes(*lists(chosen, "Namespaces"))
        or mistakes(*lists(chosen, "Resources"))
    )
    assert bool(refusals("Restore", "resourceFilter", chosen)) == bool(wrong)
