"""What Velero says when a restore fails in part reaches the record and the terminal."""

from __future__ import annotations

import yaml

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import NAMESPACE
from tests.scenarios.workspace import Workspace

TEXT = 'deployments.apps "velero" not found'


def test_the_true_error_text_is_recorded_and_shown(fleet: Fleet, backed_up: Workspace) -> None:
    broken, whole = fleet.members
    for member in fleet.members:
        member.remove_namespace(NAMESPACE)
    broken.delete_velero_deployment()
    backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")

    done = backed_up.sync()

    assert done.code == 1, done.text
    runs = backed_up.runs("restores", "back")
    assert (runs[broken.name]["phase"], runs[broken.name]["errors"]) == ("PartiallyFailed", 1)
    assert TEXT in runs[broken.name]["message"]
    assert runs[whole.name]["phase"] == "Completed"
    status = backed_up.record("restores", "back")["status"]
    assert status["phase"] == "PartiallyFailed"
    assert ("Stalled", "True") in [(c["type"], c["status"]) for c in status["conditions"]]
    path = f"status/restores/default/back.d/{broken.name}-1.yaml"
    texts = yaml.safe_load(backed_up.git("show", f"HEAD:{path}"))
    assert any(TEXT in error["text"] for error in texts["errors"])
    assert TEXT in done.out
    again = backed_up.sync()
    assert again.code == 1
    assert TEXT in again.out
    assert len(broken.restores()) == 1


def test_warnings_of_objects_that_are_there_and_differ_are_kept(fleet: Fleet, backed_up: Workspace) -> None:
    """Velero says Completed and leaves them as they are; `test_existing.py` tells what becomes of that."""
    member = fleet.members[0]
    changed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plain", "namespace": NAMESPACE}}
    member.api.apply({**changed, "data": {"of": "somebody else"}})
    backed_up.commit({"restores/back.yaml": objects.restore("back", "before")}, "Bring it back")
    done = backed_up.sync()
    assert done.code == 1, done.text
    run = backed_up.runs("restores", "back")[member.name]
    assert run["warnings"] >= 1
    path = f"status/restores/default/back.d/{member.name}-1.yaml"
    text = "ConfigMap:plain already exists. Warning: the in-cluster version is different than the backed-up version"
    assert text in backed_up.git("show", f"HEAD:{path}")
    assert text in done.out
