"""Files that are written to hurt, committed beside a sound one: they are named and refused, the sound one runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.workspace import Workspace

HEAD = "apiVersion: backup.kurator.dev/v1alpha1\nkind: Restore\n"
BOMB = HEAD + "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
SECRET = "hunter2-in-a-file-of-this-machine"


def sync_of(workspace: Workspace, files: dict[str, str]) -> str:
    """What a sync of these and of a sound Backup printed, which ran in spite of them and in bounded time."""
    workspace.commit({"backups/sound.yaml": objects.backup("sound"), **files}, "Hostile")
    return ran(workspace)


def ran(workspace: Workspace) -> str:
    began = time.monotonic()
    done = workspace.sync()
    assert time.monotonic() - began < 60
    assert done.code == 1, done.text
    assert {run["phase"] for run in workspace.runs("backups", "sound").values()} == {"Completed"}
    assert workspace.recorded() == ["status/backups/default/sound.yaml", "status/ledger.yaml"]
    return done.text


@pytest.mark.case("bombs", "aliases", "depth of 50", "file of 1 MiB", "the other files go on")
def test_what_costs_more_to_read_than_to_write(fleet: Fleet, workspace: Workspace) -> None:
    """CVE-2019-11253, GHSA-jhqp-vf4w-rpwq."""
    told = sync_of(
        workspace,
        {
            "restores/bomb.yaml": BOMB,
            "restores/deep.yaml": f"{HEAD}a: {'[' * 60}{']' * 60}\n",
            "restores/deepest.yaml": "[" * ((1 << 20) - 1),
            "restores/large.yaml": "#" * ((1 << 20) + 1),
        },
    )
    assert "restores/bomb.yaml:3: `&a0` is an anchor" in told
    assert "restores/deep.yaml:3: nested deeper than 50 levels" in told
    assert "restores/deepest.yaml:1: nested deeper than 50 levels" in told
    assert "restores/large.yaml:1: " in told
    assert "1 MiB" in told
    assert all(member.restores() == [] for member in fleet.members)


@pytest.mark.case("links")
def test_links_that_lead_elsewhere(fleet: Fleet, workspace: Workspace, tmp_path: Path) -> None:
    """CVE-2022-31036, GHSA-6gcg-hp2x-q54h: each is named, and nobody gets to read what it leads to."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text(f"password: {SECRET}\n")
    links = {
        "dangling.yaml": "nowhere.yaml",
        "absolute.yaml": str(outside / "secret.yaml"),
        "upwards.yaml": "../../outside/secret.yaml",
        "chained.yaml": "upwards.yaml",
        "folder": "../../outside",
    }
    (workspace.root / "restores").mkdir(exist_ok=True)
    for name, target in links.items():
        (workspace.root / "restores" / name).symlink_to(target)
    workspace.git("add", "restores")
    workspace.commit({"backups/sound.yaml": objects.backup("sound")}, "Links")
    told = ran(workspace) + workspace.run("validate").text
    for name in links:
        line = f"restores/{name}:1: a symlink; symlinks are not followed, put a file or folder here\n"
        assert told.count(line) >= 2, f"{name} is named by sync and by validate"
    assert SECRET not in told
    assert SECRET not in workspace.git("log", "-p", "--all")


@pytest.mark.case("names")
@pytest.mark.parametrize(
    "metadata",
    [
        "{name: ../../../../pwned, namespace: default}",
        "{name: pwned, namespace: ../../..}",
        "{name: ., namespace: default}",
        "{name: /tmp/pwned, namespace: default}",
        "{name: Pwned, namespace: default}",
        r'{name: "pwned\0", namespace: default}',
    ],
)
def test_names_that_would_be_paths(fleet: Fleet, workspace: Workspace, tmp_path: Path, metadata: str) -> None:
    """CVE-2022-24877."""
    before = {path for path in tmp_path.rglob("*") if "pwned" in path.name.lower()}
    file = objects.backup("x").replace("{name: x, namespace: default}", metadata)
    assert metadata in file
    told = sync_of(workspace, {"backups/pwn.yaml": file})
    assert "backups/pwn.yaml:3: " in told
    after = {path for path in tmp_path.rglob("*") if "pwned" in path.name.lower()}
    assert after == before == set()
    assert not Path("/tmp/pwned.yaml").exists()
