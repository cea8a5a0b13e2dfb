"""`--shard I/N`: each process looks after its fleets alone; together they leave nothing out and run nothing twice."""

from __future__ import annotations

import hashlib

import pytest

from tests.fleets import Fleet
from tests.real.processes import wait_for
from tests.scenarios import objects
from tests.scenarios.daemons import Daemon
from tests.scenarios.workspace import Workspace, audited_creates

SELDOM = ("--interval", "1h")


def fleet_of(shard: int, of: int = 2) -> str:
    """The name of a fleet in namespace `default` that is that shard's, by the rule that is documented."""
    names = (f"fleet-{number}" for number in range(100))
    return next(
        name
        for name in names
        if int.from_bytes(hashlib.sha256(f"default/{name}".encode()).digest()[:8], "big") % of == shard - 1
    )


def files(name: str) -> dict[str, str]:
    """A Fleet of that name, a Backup on it, and a Restore from that."""
    return {
        f"fleets/{name}.yaml": f"""apiVersion: fleet.kurator.dev/v1alpha1
kind: Fleet
metadata: {{name: {name}, namespace: default}}
spec:
  clusters: [{", ".join(f"{{name: {member}, kind: AttachedCluster}}" for member in objects.MEMBERS)}]
""",
        f"backups/{name}.yaml": objects.backup(f"of-{name}").replace("quickstart", name),
        f"restores/{name}.yaml": objects.restore(f"r-{name}", f"of-{name}", policy=objects.to_namespace(f"to-{name}")),
    }


def test_each_shard_leaves_the_others_fleets_alone(fleet: Fleet, workspace: Workspace) -> None:
    first, second = fleet_of(1), fleet_of(2)
    workspace.commit({**files(first), **files(second)}, "Two fleets")
    done = workspace.sync("--shard", "1/2", disturbed="plan knows no shards")
    assert done.code == 0, done.text
    assert set(workspace.recorded()) >= {f"status/restores/default/r-{first}.yaml"}
    assert not [path for path in workspace.recorded() if second in path]
    assert second not in done.out
    done = workspace.sync("--shard", "2/2", disturbed="plan knows no shards")
    assert done.code == 0, done.text
    for name in (first, second):
        assert {run["phase"] for run in workspace.runs("restores", f"r-{name}").values()} == {"Completed"}
    head = workspace.head()
    assert workspace.sync().code == 0
    assert workspace.head() == head


@pytest.mark.case("outage", "mass removal needs a word")
def test_many_removals_need_a_word_however_many_shards_share_them(fleet: Fleet, workspace: Workspace) -> None:
    """Three a shard are few; six of six are what an emptied repository looks like."""
    shards = ("1/2", "2/2")
    names = [fleet_of(1), fleet_of(2)]
    nightly = {
        f"backups/{name}-{number}.yaml": objects.scheduled(f"{name}-{number}").replace("quickstart", name)
        for name in names
        for number in range(3)
    }
    fleets = {path: text for name in names for path, text in files(name).items() if path.startswith("fleets/")}
    workspace.commit({**fleets, **nightly}, "Back up every night")
    for shard in shards:
        assert workspace.sync("--shard", shard, disturbed="plan knows no shards").code == 0
    head = workspace.commit(dict.fromkeys(nightly), "Away with all of it")
    for shard in shards:
        done = workspace.sync("--shard", shard, disturbed="plan knows no shards")
        assert done.code == 2, done.text
        assert "6 of 6 scheduled Backups would be removed from clusters" in done.err
    assert workspace.head() == head
    for shard in shards:
        meant = workspace.sync("--shard", shard, "--allow-mass-removal", disturbed="plan knows no shards")
        assert meant.code == 0, meant.text


def test_two_daemons_of_two_shards_on_one_repository(fleet: Fleet, workspace: Workspace) -> None:
    names = [fleet_of(1), fleet_of(2)]
    before = {member.name: len(audited_creates(member, "restores")) for member in fleet.members}
    with Daemon(workspace, *SELDOM, "--shard", "1/2") as one, Daemon(workspace, *SELDOM, "--shard", "2/2") as other:
        for daemon in (one, other):
            daemon.settled()
        workspace.commit({**files(names[0]), **files(names[1])}, "Two fleets")

        def all_ended() -> bool:
            recorded = workspace.recorded()
            return all(f"status/restores/default/r-{name}.yaml" in recorded for name in names) and all(
                {run["phase"] for run in workspace.runs("restores", f"r-{name}").values()} == {"Completed"}
                for name in names
            )

        wait_for(all_ended, 90, "both Restores")
        for daemon, name in zip((one, other), names, strict=True):
            daemon.settled(2)
            told = {event["object"] for event in daemon.events("run changed")}
            assert told == {f"Backup default/of-{name}", f"Restore default/r-{name}"}
            daemon.end()
    for member in fleet.members:
        created = audited_creates(member, "restores")[before[member.name] :]
        assert [created.count(f"{member.name}-restore-default-r-{name}") for name in names] == [1, 1]


def test_a_shard_that_is_none_is_refused(fleet: Fleet, workspace: Workspace) -> None:
    for text in ("0/2", "3/2", "1", "a/b", "1/0"):
        done = workspace.run("sync", "--once", "--shard", text)
        assert done.code == 2
        assert "--shard" in done.text
