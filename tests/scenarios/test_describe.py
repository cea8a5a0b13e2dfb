"""`get` and `describe` tell from the committed records what somebody who is woken up needs."""

from __future__ import annotations

import json
import subprocess

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import NAMESPACE
from tests.scenarios.workspace import RECONCILER, Workspace

TEXT = 'deployments.apps "velero" not found'


def test_a_restore_that_failed_in_part(fleet: Fleet, backed_up: Workspace) -> None:
    broken, whole = fleet.members
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    broken.delete_velero_deployment()
    asked = backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    assert backed_up.sync().code == 1

    told = backed_up.run("describe", "restore", "back")

    assert told.code == 0, told.text
    assert f"Revision:      {asked}" in told.out
    assert "Requested by:  Ada Asker <ada@example.org>" in told.out
    of_broken = told.out[told.out.index(f"  {broken.name}: PartiallyFailed") : told.out.index(f"  {whole.name}: ")]
    assert f"Object:     Restore {broken.name}-restore-default-back" in of_broken
    assert f"Backup:     {broken.name}-backup-default-before" in of_broken
    assert f"error in velero: rpc error: code = Unknown desc = {TEXT}" in of_broken
    of_whole = told.out[told.out.index(f"  {whole.name}: Completed") : told.out.index("Commits:")]
    assert "created" in of_whole[of_whole.index("Items:") :]
    head = backed_up.git("log", "-1", "--format=%h", "--", "status/restores/default/back.yaml")[:7]
    assert f"  {head}  " in told.out
    assert "PartiallyFailed on 1, Completed on 1 of 2 clusters\n" in told.out[told.out.index("Commits:") :]
    assert told.out.splitlines()[-1].endswith(
        f"raise spec.attempt to 2 in restores/back.yaml and have it merged: it runs on {broken.name}."
    )
    data = json.loads(backed_up.run("describe", "restores", "default/back", "-o", "json").out)
    assert {"texts", "commits", "advice"} <= data.keys()
    assert {name: data[name] for name in backed_up.record("restores", "back")} == backed_up.record("restores", "back")
    assert TEXT in data["texts"][0]["errors"][0]["text"]


def test_what_was_not_restored_is_named(fleet: Fleet, backed_up: Workspace) -> None:
    member = fleet.members[0]
    changed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plain", "namespace": NAMESPACE}}
    member.api.apply({**changed, "data": {"of": "somebody else"}})
    backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    synced = backed_up.sync()
    name = f"not restored though different: ConfigMap {NAMESPACE}/plain"
    assert f"{member.name}: Restore default/back: {name}" in synced.out
    assert "ITEMS" in synced.out.splitlines()[0]
    again = backed_up.sync()
    assert (again.code, name in again.out) == (1, True), "it stays to be seen to"

    _, row = backed_up.run("get", "restores").out.splitlines()
    assert row.split()[:4] == ["back", "Completed", "2/2", "False"]
    assert f"{member.name}: NotRestored: " in row
    wide = backed_up.run("get", "restores", "-o", "wide").out.splitlines()
    assert len(wide) == 3
    assert " not restored though different" in wide[1]
    told = backed_up.run("describe", "restore", "back").out
    assert name in told
    assert "existingResourcePolicy: update" in told[told.index("What to do next:") :]


def test_what_to_do_once_the_file_is_gone(fleet: Fleet, backed_up: Workspace) -> None:
    file = {"restores/back.yaml": objects.restore("back", "before", policy=objects.to_namespace("copied"))}
    fleet.members[0].delete_velero_deployment()
    backed_up.commit({**file}, "Bring it back")
    assert backed_up.sync().code == 1
    assert "raise spec.attempt to 2 in restores/back.yaml" in backed_up.run("describe", "restore", "back").out
    backed_up.commit(dict.fromkeys(file), "It is dealt with")
    assert backed_up.sync().code == 0
    told = backed_up.run("describe", "restore", "back").out
    assert "raise spec.attempt" not in told
    assert "add restores/back.yaml again with `attempt: 2`; `reconciler forget restore default/back`" in told
    assert backed_up.run("forget", "restore", "default/back").code == 0


def test_a_plain_restore_reads_as_ever(fleet: Fleet, backed_up: Workspace) -> None:
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    done = backed_up.sync()
    assert done.code == 0, done.text
    assert done.out.splitlines()[0].split() == ["CLUSTER", "OBJECT", "PHASE"]
    assert done.out.splitlines()[-1] == "Restore default/back: Completed on 2 of 2 clusters"
    assert "Completed (" in done.err, "progress has the items"


def test_a_schedule_and_its_next_run(fleet: Fleet, workspace: Workspace) -> None:
    more = 'schedule: "0 3 * * *"'
    workspace.commit({"backups/nightly.yaml": objects.backup("nightly", more=more)}, "Back up every night")
    done = workspace.sync()
    assert done.code == 0, done.text
    first, *rows = done.out.splitlines()
    assert first.split() == ["CLUSTER", "OBJECT", "PHASE"]
    assert [row.split()[-1] for row in rows[:2]] == ["Enabled", "Enabled"]
    assert rows[-1] == "Backup default/nightly: Enabled on 2 of 2 clusters"
    assert workspace.sync().out == "Nothing to do: 1 objects recorded.\n"

    told = workspace.run("describe", "backup", "nightly").out
    assert f"Object:     Schedule {fleet.members[0].name}-backup-default-nightly" in told
    assert told.count("T03:00:00Z") == 2
    assert "0/2" in workspace.run("get", "backups").out
    wide = workspace.run("get", "backups", "-o", "wide").out.splitlines()
    assert all("0 3 * * *" in row and "T03:00:00Z" in row for row in wide[1:])


def test_what_is_not_recorded(workspace: Workspace) -> None:
    assert workspace.run("describe", "restore", "none").code == 1
    missing = workspace.run("get", "restore", "none", "-n", "other")
    assert (missing.code, missing.err) == (1, "reconciler: no Restore none is recorded in namespace other\n")
    workspace.commit({"backups/b.yaml": objects.backup("b")}, "Asked for")
    told = workspace.run("describe", "backup", "b").err
    assert "no Backup b is recorded in namespace default; backups/b.yaml asks for it" in told
    workspace.commit({"backups/b.yaml": objects.backup("b").replace("quickstart", "nowhere")}, "Wrong")
    refused = workspace.run("get", "backup", "b").err
    assert "; its file is refused: backups/b.yaml:" in refused


def test_names_complete_from_what_is_recorded(backed_up: Workspace) -> None:
    def completed(*words: str) -> list[str]:
        """As bash asks for it: what could stand in place of the last word."""
        variables = {"COMP_WORDS": " ".join(("reconciler", *words)), "COMP_CWORD": str(len(words))}
        done = subprocess.run(
            [str(RECONCILER)],
            cwd=backed_up.root,
            env=backed_up.environment | variables | {"_RECONCILER_COMPLETE": "bash_complete"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return [line.removeprefix("plain,") for line in done.stdout.split()]

    assert completed("describe", "backup", "b") == ["before"]
    assert completed("history", "backups", "default/") == ["default/before"]
    assert completed("forget", "backup", "d") == ["default/before"]
    assert completed("get", "-n", "other", "backups", "b") == []
    assert completed("get", "restores", "b") == []
    assert completed("get", "--repo", "/nowhere", "backups", "b") == []
    assert completed("get", "res") == ["restore", "restores"]
    backed_up.git("checkout", "-q", "--detach")
    assert completed("describe", "backup", "b") == ["before"]


def test_the_script_for_each_shell(workspace: Workspace) -> None:
    for shell in ("bash", "zsh", "fish"):
        script = workspace.run("completion", shell)
        assert script.code == 0
        assert f"_RECONCILER_COMPLETE={shell}_complete" in script.out
    assert workspace.run("completion", "tcsh").code == 2
