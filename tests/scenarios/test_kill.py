"""`kill -9` at each step of a pass: the next pass goes on from there, and each restore still runs exactly once."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.workspace import Workspace, audited_creates

ROOT = Path(__file__).parents[2]

# In the order in which a restore on two members comes by them.
STEPS = [
    ("preflight:1", "before"),
    ("read:1", "after"),
    ("observe:1", "before"),
    ("observe:1", "after"),
    ("save_state:1", "before"),
    ("save_state:1", "after"),
    ("record:1", "before"),
    ("commit-built:1", "after"),
    ("move-noted:1", "after"),
    ("branch-moved:1", "after"),
    ("index-moved:1", "after"),
    ("file-moved:1", "after"),
    ("checkout-moved:1", "after"),
    ("record:1", "after"),
    ("create:1", "before"),
    ("create:1", "after"),
    ("create:2", "after"),
    ("save_state:2", "after"),
    ("observe:2", "after"),
    ("record:2", "before"),
    ("commit-built:2", "after"),
    ("branch-moved:2", "after"),
    ("index-moved:2", "after"),
    ("record:2", "after"),
    ("release:1", "before"),
    ("release:1", "after"),
    ("release:2", "after"),
]


@pytest.mark.timeout(900)
def test_each_step(fleet: Fleet, backed_up: Workspace) -> None:
    """One repository for all steps, so that what one kill leaves behind meets the next one too."""
    for number, (step, when) in enumerate(STEPS):
        name = f"copy-{number}"
        policy = objects.to_namespace(name)
        backed_up.commit({f"restores/{name}.yaml": objects.restore(name, "before", policy=policy)}, f"Restore {name}")
        killed = subprocess.run(
            [sys.executable, "-m", "tests.scenarios.killed", str(backed_up.root), step, when],
            cwd=ROOT,
            env=backed_up.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert killed.returncode == -signal.SIGKILL, f"{step} was not reached: {killed.stderr}"
        done = backed_up.sync()
        assert done.code == 0, f"killed {when} {step}: {done.text}"
        _assert_once(fleet, backed_up, name, f"killed {when} {step}")


def _assert_once(fleet: Fleet, workspace: Workspace, name: str, when: str) -> None:
    for member in fleet.members:
        full = f"{member.name}-restore-default-{name}"
        assert audited_creates(member, "restores").count(full) == 1, when
        made = member.restore(full)
        assert made is not None, when
        assert "reconciler/recorded" not in made["metadata"].get("finalizers", []), when
        assert set(objects.config_maps(member, name)) == {"plain", "marked"}, when
    assert {run["phase"] for run in workspace.runs("restores", name).values()} == {"Completed"}, when
    assert workspace.git("status", "--porcelain") == "", when
