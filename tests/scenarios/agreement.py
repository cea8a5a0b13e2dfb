"""That `plan` said just what the `sync` after it did: looked at around every sync of the scenarios, by `Workspace`.

What was done is read from the committed records and from the members' own logs of writes, never from the product.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from tests.scenarios.workspace import Result, Workspace

Key = tuple[str, str, str]
"""(cluster, kind, name of the Velero object)"""
Part = Mapping[str, Any]
"""A run or a Schedule: an entry of a record, or of a plan."""

STARTS: Final = ("start", "start after its backup")
ENDED: Final = ("Completed", "PartiallyFailed", "Failed", "FailedValidation")
IN_PLACE: Final = ("Enabled", "Paused", "FailedValidation")
NEEDS_CREATE: Final = ("Rejected", "Forbidden")
"""Why a member refuses a create, dry or not: `plan` may only read, so it can't know."""
NEEDS_WRITE: Final = (
    "index.lock",
    "under way",  # a merge, a rebase
    "only the reconciler writes there",  # a dirty `status/`
    "can't write",
    "push",
    "who asked",  # a shallow clone, in which the asking commit can't be found
)
"""Words of a sync that could not run because it may, or can, not write where a plan need not."""

count = 0
"""How many plans were compared with their sync in this process."""


@dataclass(frozen=True, slots=True)
class Stand:
    """All that a command could have changed."""

    commit: str
    """Where the branch of the ledger stands."""
    parts: Mapping[Key, Part]
    local: str
    """Branches and status of the user's own repository, and what this machine remembers beside it."""
    writes: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    """By member, what the product asked of it."""


def checked(workspace: Workspace, options: tuple[str, ...], sync: Callable[[], Result]) -> Result:
    """What `sync` returned, after a plan that changed nothing and said what would be done."""
    global count
    before = look(workspace, options)
    plan = workspace.run_here("plan", "-o", "json", *known_to_plan(options))  # starting one takes longer than planning
    between = look(workspace, options)
    assert between == before, f"plan changed something: {plan.text}"
    done = sync()
    after = look(workspace, options)
    found = list(differences(plan, before, after, done, options))
    assert not found, "\n".join(["plan and sync differ:", *found, "sync:", done.text])
    count += 1
    return done


def known_to_plan(options: Sequence[str]) -> list[str]:
    """The options of a sync without those that say how long to wait, and what to print."""
    rest, kept = iter(options), []
    for option in rest:
        if option in ("--timeout", "-o", "--output"):
            next(rest)
        elif option not in ("--wait", "--no-wait") and not option.startswith(("--timeout=", "--output=")):
            kept.append(option)
    return kept


def differences(plan: Result, before: Stand, after: Stand, done: Result, options: Sequence[str] = ()) -> Iterator[str]:
    """In words, each thing that was announced and not done, or done and not announced."""
    if 2 in (plan.code, done.code):
        if plan.code != done.code and not any(words in done.err for words in NEEDS_WRITE):
            yield f"plan ended with {plan.code}, sync with {done.code}"
        return
    items = json.loads(plan.out)["items"]
    announced = {
        (step["clusterName"], step["objectKind"], step["objectName"]): step
        for item in items
        for step in item["clusters"]
    }
    later = " ".join(item.get("why", "") for item in items)
    hurried = "--no-wait" in options or "Timed out;" in done.out or '"timedOut": true' in done.out
    if not hurried:
        for key, step in announced.items():
            yield from _not_done(key, step, before.parts.get(key, {}), after.parts.get(key, {}))
    for key, part in after.parts.items():
        if f"attempt {part.get('attempt')} waits until" in later:
            continue  # what becomes of it the outcomes of the earlier attempt tell
        yield from _not_announced(key, announced.get(key, {}), before.parts.get(key, {}), part)
    for key, verb in _written(before, after):
        wanted = {"create": (*STARTS, "create"), "patch": ("update",), "delete": ("remove",)}[verb]
        if announced.get(key, {}).get("action") not in wanted and " waits until every run" not in later:
            yield f"{verb} of {key} was sent, and the plan said {announced.get(key)}"
    changed = after.commit != before.commit or any(_written(before, after))
    if changed and plan.code == 0:
        yield f"plan ended with 0, and sync committed {before.commit[:7]}..{after.commit[:7]}"
    if plan.code == 1 and not changed and done.code == 0:
        yield "plan ended with 1, and sync changed nothing and succeeded"


def _not_done(key: Key, step: Part, before: Part, after: Part) -> Iterator[str]:
    action, phase, reason = step["action"], after.get("phase"), after.get("reason", "")
    refused = phase in ("Pending", "Starting") and reason in NEEDS_CREATE
    match action:
        case "start":
            good = refused or (started(after) and _from_that_backup(step, before, after))
        case "start after its backup":
            good = started(after) or refused or (phase in ("Failed", "Pending") and reason.startswith("Backup"))
        case "follow":
            good = phase in ("InProgress", *ENDED)
        case "create" | "update":
            good = phase in IN_PLACE or refused
        case "remove":
            good = phase in ("Removing", "Removed")
        case "wait":
            good = phase in ("Pending", "Starting") and (reason == step["reason"] or step["reason"] == "Unknown")
        case "hold":
            good = phase == "Held" and reason == step["reason"]
        case "refuse":
            good = phase in ENDED and not started(after) and reason == step["reason"]
        case _:
            good = action == "skip" and (_told(before) == _told(after) or _found_so(step, after))
    if not good:
        yield f"{key}: plan said {action} {step['reason']}; the record says {_told(after)}, before: {_told(before)}"


def _from_that_backup(step: Part, before: Part, after: Part) -> bool:
    """The backup that was announced, or pinned already, is the one that is pinned; a Backup has none."""
    if step["objectKind"] != "Restore":
        return True
    named = step["backup"]["name"] if "backup" in step else before.get("backupNameInCluster")
    return bool(named == after["backupNameInCluster"])


def _not_announced(key: Key, step: Part, before: Part, after: Part) -> Iterator[str]:
    action = step.get("action")
    if _told(before) == _told(after):
        return
    phase, schedule = after["phase"], "scheduleNameInCluster" in after
    if schedule:
        good = action in ("create", "update", "remove", "wait", "refuse") or _found_so(step, after)
    elif started(after):
        there = action == "follow"  # it was there already: the log of writes tells
        good = there or (action in STARTS if not started(before) else before["phase"] == "Starting")
    elif phase == "Held":
        good = action == "hold"
    elif phase in ENDED:
        good = action == "refuse" or (action == STARTS[1] and after["reason"].startswith("Backup"))
    else:
        good = action in (*STARTS, "wait")
    if not good:
        yield f"{key}: became {_told(after)} from {_told(before)}; the plan said {dict(step) or 'nothing'}"


def _found_so(step: Part, after: Part) -> bool:
    """A Schedule that somebody paused or deleted meanwhile: nothing is done, and the record says so."""
    in_order = step.get("objectKind") == "Schedule" and after["phase"] in (*IN_PLACE, "Removed")
    return in_order and step["action"] == "skip" and step["reason"] == after.get("reason", "")


def started(run: Part) -> bool:
    """There is, or was, an object of it."""
    waits = run.get("phase") == "Starting" and not run.get("reason")
    return waits or run.get("phase") == "InProgress" or any(name.endswith("StatusInCluster") for name in run)


def _told(part: Part) -> tuple[str, str]:
    return part.get("phase", ""), part.get("reason", "")


def _written(before: Stand, after: Stand) -> Iterator[tuple[Key, str]]:
    """What changed on a member at the product's request, dry runs, downloads and releases aside."""
    kinds = {"backups": "Backup", "restores": "Restore", "schedules": "Schedule"}
    for member, events in after.writes.items():
        for event in events[len(before.writes[member]) :]:
            kind, verb = kinds.get(event["objectRef"].get("resource", "")), event["verb"]
            done = event["responseStatus"]["code"] < 300 and "dryRun" not in event["requestURI"]
            if kind and done and (verb == "create" or kind == "Schedule"):
                yield (member, kind, event["objectRef"]["name"]), "patch" if verb == "update" else verb


def look(workspace: Workspace, options: Sequence[str]) -> Stand:
    """As it is now; what can't be read, because the repository is none or a URL leads elsewhere, is empty."""
    local = _git(workspace.root, "for-each-ref", "refs/heads") + _git(workspace.root, "status", "--porcelain")
    local += "".join(file.read_text() for file in sorted(workspace.root.glob(".git/reconciler/*")) if file.is_file())
    place = _ledger(workspace.root, options)
    writes = {member.name: tuple(member.writes()) for member in workspace.members}
    if place is None:
        return Stand("", {}, local, writes)
    repository, branch = place
    own = _git(repository, "log", "-1", "--format=%H", "--grep=^Reconciler-Ledger: ", branch).strip()
    records = _records(repository, own, _value(options, "--path")) if own else {}
    return Stand(_git(repository, "rev-parse", branch).strip(), records, local, writes)


def _ledger(root: Path, options: Sequence[str]) -> tuple[Path, str] | None:
    """The repository and the branch that hold the records."""
    place = _value(options, "--repo")
    url = urlsplit(place)
    if "://" in place and url.scheme != "file":
        return None
    here = Path(url.path) if "://" in place else root / place
    tracked = _value(options, "--branch") or _git(here, "symbolic-ref", "--short", "HEAD").strip() or "HEAD"
    branch = _value(options, "--status-branch") or tracked
    remote = _git(here, "config", f"branch.{tracked}.remote").strip()
    if remote and "--local" not in options:
        return Path(urlsplit(_git(here, "remote", "get-url", remote).strip()).path), branch
    return here, branch


def _records(repository: Path, commit: str, path: str) -> dict[Key, Part]:
    command = ["git", "archive", "--format=tar", commit, *([f"{path}/status"] if path else ["status"])]
    packed = subprocess.run(command, cwd=repository, capture_output=True, check=True).stdout
    found: dict[Key, Part] = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            if content is not None and member.name.endswith(".yaml") and ".d/" not in member.name:
                found |= _parts(yaml.load(content, yaml.CSafeLoader))
    return found


def _parts(record: Mapping[str, Any]) -> Iterator[tuple[Key, Part]]:
    kind = record.get("kind", "")
    for detail in record.get("status", {}).get(f"{kind.lower()}Details", []):
        name = detail.get("scheduleNameInCluster") or detail[f"{kind.lower()}NameInCluster"]
        yield (detail["clusterName"], "Schedule" if "scheduleNameInCluster" in detail else kind, name), detail


def _value(options: Sequence[str], name: str) -> str:
    """The value of an option, empty where it is not given."""
    for option, following in pairwise([*options, ""]):
        if option == name:
            return following
        if option.startswith(f"{name}="):
            return option.removeprefix(f"{name}=")
    return ""


def _git(where: Path, *arguments: str) -> str:
    """What git printed, empty where it could not."""
    if not where.is_dir():
        return ""
    return subprocess.run(["git", *arguments], cwd=where, capture_output=True, text=True).stdout
