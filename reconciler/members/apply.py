"""Carries out actions on one member. Every action ends in an `Outcome`, never in an exception."""

from __future__ import annotations

import time

from reconciler.errors import MemberError
from reconciler.members import schedules
from reconciler.members.velero import Velero
from reconciler.plan.actions import Action, Create, Delete, Outcome, Release, Update
from reconciler.plan.answers import Failure

FRESH_SECONDS = 60.0
_STALE = Failure("Stale", "the ledger was read, or the cluster asked, more than 60 s ago; both are read again")


async def carry_out(velero: Velero, action: Action, fetched_at: float) -> Outcome:
    """Changes what a cluster does only within 60 s (monotonic) of the fetch in which the ledger asked for it.

    To release what is recorded is never wrong, however late it is (design §4).
    """
    try:
        if isinstance(action, Release):
            await velero.release(action.name, action.uid)
            return Outcome(action)
        if isinstance(action, Create) and await velero.client.cluster_uid() != action.cluster_uid:
            return Outcome(action, Failure("ClusterChanged", "the kubeconfig leads to another cluster now"))
        if time.monotonic() - fetched_at > FRESH_SECONDS:
            return Outcome(action, _STALE)
        return Outcome(action, await _change(velero, action))
    except MemberError as error:
        return Outcome(action, Failure(error.reason, str(error)))


async def _change(velero: Velero, action: Create | Update | Delete) -> Failure | None:
    match action:
        case Create():
            return await velero.create(action.manifest, action.run_id)
        case Update():
            return await schedules.update(velero, action)
        case Delete():
            return await schedules.delete(velero, action)
