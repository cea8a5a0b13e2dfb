"""What a human takes back with `git revert`: files are the human's, records are not."""

from __future__ import annotations

import pytest

from tests.fleets import Fleet
from tests.scenarios import objects
from tests.scenarios.objects import MEMBERS
from tests.scenarios.workspace import Workspace

COPY = objects.to_namespace("copied")
RECORD = "status/restores/default/copy.yaml"


@pytest.mark.case("rollback", "a revert of a restore file is obeyed")
def test_a_revert_of_a_restore_that_waits_is_obeyed(fleet: Fleet, backed_up: Workspace) -> None:
    """argocd-image-updater #1249: it was brought about again, against the human."""
    away = fleet.members[0]
    away.stop_apiserver()
    asked = backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    assert backed_up.sync().code == 3
    backed_up.git("revert", "--no-edit", asked)
    away.start_apiserver()
    backed_up.sync()

    run = backed_up.runs("restores", "copy")[MEMBERS[0]]
    assert (run["phase"], run["reason"]) == ("Held", "Withdrawn")
    assert not (backed_up.root / "restores/copy.yaml").exists(), "what was reverted stays so"
    head = backed_up.head()
    backed_up.sync()
    assert backed_up.head() == head
    assert away.restores() == []


@pytest.mark.case("rollback", "a revert of a restore file is obeyed", "nothing runs twice")
def test_a_revert_of_a_raised_attempt_is_obeyed(fleet: Fleet, backed_up: Workspace) -> None:
    """It ran once and runs no second time; the file stays as the human has it."""
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    assert backed_up.sync().code == 0
    for member in fleet.members:
        member.stop_apiserver()
    again = objects.restore("copy", "before", more="attempt: 2\n  rerun: All", policy=COPY)
    raised = backed_up.commit({"restores/copy.yaml": again}, "Once more")
    assert backed_up.sync().code == 3
    backed_up.git("revert", "--no-edit", raised)
    for member in fleet.members:
        member.start_apiserver()
    assert backed_up.sync().code == 1, "it is told that attempt 2 is recorded"
    assert "attempt" not in (backed_up.root / "restores/copy.yaml").read_text()
    assert [len(member.restores()) for member in fleet.members] == [1, 1]


@pytest.mark.case("rollback", "a revert of a record is put back and reported", "nothing runs twice")
def test_a_revert_of_a_record_is_put_back_and_reported(fleet: Fleet, backed_up: Workspace) -> None:
    backed_up.commit({"restores/copy.yaml": objects.restore("copy", "before", policy=COPY)}, "Copy")
    assert backed_up.sync().code == 0
    record = backed_up.record("restores", "copy")
    own = backed_up.git("log", "--format=%H", "--", RECORD).splitlines()
    backed_up.git("revert", "--no-edit", *own)
    assert not (backed_up.root / RECORD).exists()

    done = backed_up.sync()
    assert done.code == 0, done.text
    assert f"{RECORD} was changed by hand" in done.err
    assert backed_up.record("restores", "copy") == record
    assert "put back" in backed_up.git("log", "-1", "--format=%B")
    assert [len(member.restores()) for member in fleet.members] == [1, 1]
