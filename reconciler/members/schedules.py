"""Velero's Schedules on one member, and the Backups that they made: looked at, changed and deleted.

Called by `observe` and `apply`. A Schedule is created as any object is, by `velero`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from reconciler.errors import Refused, Unclear
from reconciler.members.client import JSON_PATCH
from reconciler.members.velero import OURS, STRICT, Velero, is_absent
from reconciler.plan.actions import Delete, Update
from reconciler.plan.answers import Failure
from reconciler.velero import status
from reconciler.velero.objects import REVISION, RUN_ID, SCHEDULE_NAME, SOURCE, SUSPENDED
from reconciler.velero.plainly import mapping, text
from reconciler.velero.status import Seen, SeenSchedule

LONGEST_LABEL: Final = 63
"""Of a Schedule with a longer name there are no backups: Velero can't label them with it (its #9531)."""


async def get(velero: Velero, name: str) -> SeenSchedule | None:
    """The Schedule, ours or not; None only where it is proven that it is not there."""
    raw = await velero.read("Schedule", name)
    return None if raw is None else status.seen_schedule(raw)


async def ours(velero: Velero) -> dict[str, SeenSchedule]:
    """All Schedules that carry our label, by name."""
    found = [status.seen_schedule(raw) async for raw in velero.pages("Schedule", OURS)]
    return {seen.name: seen for seen in found}


async def backups_of(velero: Velero, name: str) -> tuple[Seen, ...]:
    """All Backups that say they are of that Schedule, whoever made them."""
    selector = f"{SCHEDULE_NAME}={name}"
    return tuple([status.seen("Backup", raw) async for raw in velero.pages("Backup", selector)])


async def backups_of_all(velero: Velero) -> dict[str, tuple[Seen, ...]]:
    """All Backups of Schedules, by the Schedule's name."""
    found: dict[str, list[Seen]] = defaultdict(list)
    async for raw in velero.pages("Backup", SCHEDULE_NAME):
        labels = mapping(mapping(raw.get("metadata")).get("labels"))
        found[text(labels.get(SCHEDULE_NAME))].append(status.seen("Backup", raw))
    return {name: tuple(backups) for name, backups in found.items()}


async def update(velero: Velero, action: Update) -> Failure | None:
    """Makes that very Schedule what the manifest says, and pauses or resumes it where the action says so."""
    patch = [*_still_ours(action), *_changes(action)]
    path = velero.path("Schedule", action.name)
    try:
        await velero.client.request("PATCH", path, STRICT, patch, JSON_PATCH)
    except Refused as error:
        # a server does not tell a test that fails from a change that it does not accept
        if error.code == 422 and await _is_another(velero, action):
            why = f"Schedule {action.name} is not as it was when it was looked at; it is looked at again"
            return Failure("Conflict", why)
        raise
    return None


async def delete(velero: Velero, action: Delete) -> Failure | None:
    """Deletes that very Schedule; one that is gone already is success."""
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": action.uid}}
    try:
        await velero.client.request("DELETE", velero.path("Schedule", action.name), body=options)
    except Refused as error:
        if not is_absent(error, "Schedule", action.name):
            raise
    except Unclear as error:
        if error.reason != "Conflict":
            raise
        return Failure("Conflict", f"Schedule {action.name} is another one now and stays: {error}")
    return None


def _still_ours(action: Update) -> list[dict[str, Any]]:
    tests = {"/metadata/uid": action.uid, _annotation(RUN_ID): action.run_id}
    return [{"op": "test", "path": path, "value": value} for path, value in tests.items()]


def _changes(action: Update) -> list[dict[str, Any]]:
    """`add` replaces what is there; what the manifest does not speak of, like somebody else's pause, stays."""
    spec, annotations = action.manifest["spec"], action.manifest["metadata"]["annotations"]
    values = {f"/spec/{field}": spec[field] for field in ("schedule", "template")}
    values |= {_annotation(name): annotations[name] for name in (SOURCE, REVISION)}
    if action.paused is not None:
        values["/spec/paused"] = action.paused
    if action.paused:
        values[_annotation(SUSPENDED)] = "true"
    changes = [{"op": "add", "path": path, "value": value} for path, value in values.items()]
    if action.paused is False:  # where our mark is gone this fails, and with it the whole patch: the pause is not ours
        changes.append({"op": "remove", "path": _annotation(SUSPENDED)})
    return changes


def _annotation(name: str) -> str:
    """Its JSON pointer (RFC 6901)."""
    return "/metadata/annotations/" + name.replace("~", "~0").replace("/", "~1")


async def _is_another(velero: Velero, action: Update) -> bool:
    there = await get(velero, action.name)
    same = there is not None and (there.uid, there.run_id) == (action.uid, action.run_id)
    return not same or (action.paused is False and there is not None and not there.suspended)
