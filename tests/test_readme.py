"""What the README names is there: options, metrics, files, links inside of it."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from reconciler.cli import main
from reconciler.telemetry.metrics import Metrics

TOP = Path(__file__).resolve().parent.parent
TEXT = (TOP / "README.md").read_text("utf-8")
OF_OTHERS = {"--context", "--cluster", "--set", "--set-file", "--values", "--type", "--from-literal", "--version-sort"}


def own_lines() -> str:
    """Without lines that call a program of others."""
    calls = ("kubectl", "helm", "git ", "ssh-keyscan", "docker", "velero ", "pip ", "podman")
    return "\n".join(line for line in TEXT.splitlines() if not any(call in line for call in calls))


def options() -> set[str]:
    found = {"--help", "--version"}
    for command in main.commands.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def test_every_option_that_is_named_is_there() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", own_lines()))
    assert len(named) > 25
    assert named - options() - OF_OTHERS == set()


def test_every_option_of_the_daemon_is_named() -> None:
    known = [(*param.opts, *param.secondary_opts) for param in main.commands["sync"].params]
    assert [names for names in known if not any(f"`{name}" in TEXT for name in names)] == []


def test_every_metric_that_is_named_is_there_and_the_other_way_round() -> None:
    exported = set(re.findall(r"^# TYPE (reconciler_\w+) ", Metrics().text().decode(), re.MULTILINE))
    named = set(re.findall(r"`(reconciler_\w+)", TEXT))
    assert {name for name in exported if not name.endswith("_created")} == named


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(((?!https?://)[^)]+)\)", TEXT))))
def test_every_link_leads_somewhere(target: str) -> None:
    path, _, anchor = target.partition("#")
    there = TOP / path
    assert there.exists()
    text = there.read_text("utf-8") if there.is_file() else TEXT
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert not anchor or anchor in anchors
