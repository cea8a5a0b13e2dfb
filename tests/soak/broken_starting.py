"""Rules broken: what must be true before a run may start, and before its create is sent."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from reconciler import members
from reconciler.errors import RepositoryError
from reconciler.members import apply
from reconciler.plan import asks, backups, decide, points, questions, restores
from reconciler.plan.actions import Create
from reconciler.plan.asks import Ask
from reconciler.plan.runs import refuse
from reconciler.records import Phase
from reconciler.repository import branches, commit, door, snapshot
from tests.soak.breaking import broken, put
from tests.soak.clock import HERE


def _asks(ignored: Ask) -> AbstractContextManager[None]:
    """What the files say against a run is not heard."""
    true = asks.ask_of

    def deaf(*arguments: Any) -> Ask:
        said = true(*arguments)
        return Ask.ASKED if said is ignored else said

    return put((decide, "ask_of", deaf), (questions, "ask_of", deaf))


def _misfit(change: Any) -> AbstractContextManager[None]:
    """What is wrong with a backup is not seen."""
    true = points._misfit
    return put((points, "_misfit", lambda seen, spec, now: true(change(seen), spec, now)))


# ------------------------------------------------------------ before Starting


@broken("before Starting: a dry run is accepted")
def _() -> AbstractContextManager[None]:
    def accepted(*arguments: Any) -> None:
        return None

    return put((backups, "dry_run_failure", accepted), (restores, "dry_run_failure", accepted))


@broken("before Starting: the storage is there")
def _() -> AbstractContextManager[None]:
    def there(*arguments: Any) -> None:
        return None

    return put((backups, "storage_failure", there), (restores, "storage_failure", there))


@broken("before Starting: the member answered in that pass")
def _() -> AbstractContextManager[None]:
    return put((backups, "gate", lambda run, answer: replace(
        run, phase=Phase.STARTING, reason="", message="", cluster_uid=answer.cluster_uid)))  # fmt: skip


@broken("before Starting: the backup is there")
def _() -> AbstractContextManager[None]:
    true = restores.gate

    def gate(run: Any, answer: Any, origin: Any, spec: Any, now: Any) -> Any:
        after = true(run, answer, origin, spec, now)
        if after.reason != "BackupNotFound":
            return after
        name = min(name for _, name in origin.names)
        return replace(run, phase=Phase.STARTING, backup_name=name, cluster_uid=answer.cluster_uid)

    return put((restores, "gate", gate))


@broken("before Starting: the backup is whole")
def _() -> AbstractContextManager[None]:
    return put((points, "_good", lambda phase, spec: True), (points, "_taken", lambda run: True))


@broken("before Starting: the backup has not expired")
def _() -> AbstractContextManager[None]:
    return _misfit(lambda seen: replace(seen, expires_at=""))


@broken("before Starting: the backup is not being deleted")
def _() -> AbstractContextManager[None]:
    return _misfit(lambda seen: replace(
        seen, deleting=False, terminal=Phase.COMPLETED if seen.deleting else seen.terminal))  # fmt: skip


@broken("before Starting: what a member refuses waits")
def _() -> AbstractContextManager[None]:
    def give_up(run: Any, failure: Any) -> Any:
        return refuse(run, failure.reason, failure.message)

    return put((backups, "wait", give_up), (restores, "wait", give_up))


@broken("before Starting: so many at most in one commit")
def _() -> AbstractContextManager[None]:
    return put((decide, "STARTS_PER_COMMIT", 1000))


# ------------------------------------------------------------ creates


@broken("creates: what the ledger calls Starting is created")
def _() -> AbstractContextManager[None]:
    return put((decide, "_creates", lambda *arguments: iter(())))


@broken("creates: the record is pushed before")
def _() -> AbstractContextManager[None]:
    return put((commit, "push", lambda *arguments: None))


@broken("creates: a push that was refused, or got lost, does not count")
def _() -> AbstractContextManager[None]:
    true = commit.push

    def careless(*arguments: Any) -> None:
        try:
            true(*arguments)
        except RepositoryError:
            return

    return put((commit, "push", careless))


@broken("creates: a push is never forced")
def _() -> AbstractContextManager[None]:
    def force(place: Any, upstream: Any, parent: str, made: str) -> None:
        place.git.out("push", "--quiet", "--force", upstream.remote, f"{made}:{upstream.ref}")

    return put((commit, "push", force))


@broken("creates: within 60 s of the fetch")
def _() -> AbstractContextManager[None]:
    return put((apply, "FRESH_SECONDS", 1e9))


@broken("creates: where nothing was pushed, the tip is asked for once more")
def _() -> AbstractContextManager[None]:
    def trust(self: Any, snapshot: Any) -> Any:
        return replace(snapshot.tip, fetched_at=HERE.process.monotonic() if HERE.process else time.monotonic())

    def however_old(self: Any, action: Any, fetched_at: float) -> float:
        """What a member told goes stale in the same minute, and hides it."""
        return fetched_at

    return put((door.Repository, "confirm", trust), (members.Members, "_since", however_old))


@broken("creates: with a status branch the tracked branch is looked at once more")
def _() -> AbstractContextManager[None]:
    return put((branches.Branches, "check_tracked", lambda self, commit: None))


@broken("creates: on the cluster that was asked, and on no other")
def _() -> AbstractContextManager[None]:
    true = vars(members)["carry_out"]

    async def anywhere(velero: Any, action: Any, fetched_at: float) -> Any:
        if isinstance(action, Create):
            action = replace(action, cluster_uid=await velero.client.cluster_uid())
        return await true(velero, action, fetched_at)

    return put((members, "carry_out", anywhere))


@broken("creates: the file still asks for it")
def _() -> AbstractContextManager[None]:
    return _asks(Ask.WITHDRAWN)


@broken("creates: not while it is suspended")
def _() -> AbstractContextManager[None]:
    return _asks(Ask.SUSPENDED)


@broken("creates: not where the spec has changed")
def _() -> AbstractContextManager[None]:
    return _asks(Ask.SPEC_CHANGED)


@broken("creates: not while the repository is paused")
def _() -> AbstractContextManager[None]:
    return put((snapshot, "is_paused", lambda history, tip: False))
