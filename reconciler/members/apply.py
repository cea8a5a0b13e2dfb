"""Carries out actions on one member. Every action ends in an `Outcome`, never in an exception."""

from __future__ import annotations

import time

from reconciler.errors import MemberError
from reconciler.members.velero import Velero
from reconciler.plan.actions import Action, Create, Outcome, Release
from reconciler.plan.answers import Failure

FRESH_SECONDS = 60.0


async def carry_out(velero: Velero, action: Action, fetched_at: float) -> Outcome:
    """Creates only within 60 s (monotonic) of the fetch in which the ledger asked for it (design §4)."""
    try:
        match action:
            case Create():
                if time.monotonic() - fetched_at > FRESH_SECONDS:
                    return Outcome(action, Failure("Stale", "the ledger was read more than 60 s ago; it is read again"))
                if await velero.client.cluster_uid() != action.cluster_uid:
                    return Outcome(action, Failure("ClusterChanged", "the kubeconfig leads to another cluster now"))
                return Outcome(action, await velero.create(action.manifest, action.run_id))
            case Release():
                await velero.release(action.name, action.uid)
                return Outcome(action)
    except MemberError as error:
        return Outcome(action, Failure(error.reason, str(error)))
