"""deploy/alerts.yaml asks for metrics and labels that there are, in the shape of a rule file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from reconciler.records import Phase
from reconciler.telemetry.metrics import CAUSES, Metrics
from tests.plan import builders as b

FILE = Path(__file__).resolve().parent.parent.parent / "deploy" / "alerts.yaml"
RULES: list[dict[str, Any]] = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]
SELECTOR = re.compile(r"\b(reconciler_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!=|!~|=)"([^"]*)"')
TARGET = {"job", "instance"}
DURATION = re.compile(r"\d+[smhd]")
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])


def exported() -> dict[str, dict[str, set[str]]]:
    """Each sample's labels, with all the values that a lively process gave them."""
    metrics = Metrics()
    metrics.records(b.by_identity(b.record(b.restore()), b.record(b.backup())), b.LATER)
    metrics.members({b.M1: b.answer()}, (b.M1,))
    metrics.pass_ended(1, True)
    metrics.notification(True)
    metrics.hook("denied")
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


EXPORTED = exported()


def test_it_has_the_shape_of_a_rule_file() -> None:
    file = yaml.safe_load(FILE.read_text())
    assert set(file) == {"groups"}
    assert all(set(group) == {"name", "rules"} for group in file["groups"])
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


@each_rule
def test_a_rule_says_what_is_wrong_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Reconciler[A-Za-z]+", rule["alert"])
    assert "for" not in rule or DURATION.fullmatch(rule["for"])
    assert rule["labels"]["severity"] in ("page", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "action"}
    assert all(isinstance(text, str) and len(text) > 20 for text in rule["annotations"].values())


@each_rule
def test_its_expression_is_promql(rule: dict[str, Any]) -> None:
    promql_parser.parse(rule["expr"])


@each_rule
def test_it_asks_for_what_is_exported(rule: dict[str, Any]) -> None:
    selectors = SELECTOR.findall(rule["expr"])
    assert selectors
    for name, matchers in selectors:
        assert name in EXPORTED
        for label, operator, value in MATCHER.findall(matchers):
            assert label in EXPORTED[name]
            wanted = set(value.split("|")) if operator == "=~" else {value}
            assert wanted <= EXPORTED[name][label], f"{name}: no series has {label}={value}"


@each_rule
def test_it_groups_by_and_speaks_of_labels_that_are_there(rule: dict[str, Any]) -> None:
    there = TARGET.union(*(EXPORTED[name] for name, _ in SELECTOR.findall(rule["expr"])))
    grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", rule["expr"])
    assert {label.strip() for labels in grouped for label in labels.split(",")} <= there
    spoken = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    kept = [{label.strip() for label in labels.split(",")} for labels in re.findall(r"\bby \(([^)]*)\)", rule["expr"])]
    assert spoken <= (kept[0] if kept else there)
    assert "absent(" not in rule["expr"] or not spoken


def test_all_that_the_specification_names_is_watched() -> None:
    asked = " ".join(rule["expr"] for rule in RULES)
    for name in (
        *("last_success_timestamp_seconds", "git_rejections_total", "oldest_waiting_run_age_seconds"),
        *("member_reachable", "runs", "notifications_total", "leader"),
    ):
        assert f"reconciler_{name}" in asked
    assert set(map(str, Phase)) >= {"Failed", "PartiallyFailed", "FailedValidation"}
    assert "race" in CAUSES


def test_every_flag_that_an_action_names_is_spelled_as_in_the_errors() -> None:
    told = " ".join(text for rule in RULES for text in rule["annotations"].values())
    sources = " ".join(path.read_text() for path in (FILE.parent.parent / "reconciler").rglob("*.py"))
    flags = set(re.findall(r"--[a-z-]+", told))
    assert flags
    assert {flag for flag in flags if flag not in sources} == set()
