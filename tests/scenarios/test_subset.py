"""A Restore of one member, by label."""

from __future__ import annotations

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS, NAMESPACE
from tests.scenarios.workspace import Workspace


def test_only_labelled_objects_come_back_and_only_there(fleet: Fleet, backed_up: Workspace) -> None:
    untouched, restored = fleet.members
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    written = len(untouched.writes())

    by_label = 'resourceFilter: {labelSelector: {matchLabels: {keep: "yes"}}}'
    backed_up.commit(
        {"restores/some.yaml": objects.restore("some", "before", more=objects.only(MEMBERS[1]), policy=by_label)},
        "Bring back what is labelled, on member 2",
    )
    done = backed_up.sync()

    assert done.code == 0, done.text
    assert set(objects.config_maps(restored)) == {"marked"}
    assert objects.deployments(restored) == set()
    assert untouched.writes()[written:] == []
    assert untouched.api.get(f"/api/v1/namespaces/{NAMESPACE}") is None
    assert set(backed_up.runs("restores", "some")) == {MEMBERS[1]}
