"""A hub with the kubeconfig of a member in a Secret, and what one visit of that member brings."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import yaml

from reconciler.members import Members
from reconciler.members.secrets import Secrets
from reconciler.plan.answers import Answer, Question
from reconciler.settings import MemberSettings
from reconciler.simulation.faults import Fault
from reconciler.simulation.member import SimulatedMember
from tests.members.door import declared

SECRET = "/api/v1/namespaces/default/secrets/kurator-member2"
SECRETS = "/api/v1/namespaces/default/secrets"


def put(hub: SimulatedMember, kubeconfig: str, key: str = "value") -> None:
    """The Secret with that kubeconfig, made or changed."""
    hub.api.delete(SECRET)
    data = {key: base64.b64encode(kubeconfig.encode()).decode()}
    hub.api.create(
        SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kurator-member2"}, "data": data}
    )


def changed(member: SimulatedMember, **user: Any) -> str:
    """The member's kubeconfig with another user."""
    config = yaml.safe_load(member.kubeconfig_text)
    config["users"][0]["user"] = user
    return yaml.safe_dump(config)


def reads(hub: SimulatedMember) -> Fault:
    """Counts the GETs of Secrets from now on and lets them pass."""
    return hub.faults.slow(0.0, verb="get", resource="secrets")


@asynccontextmanager
async def door(settings: MemberSettings) -> AsyncIterator[Members]:
    members = Members(settings)
    try:
        yield members
    finally:
        await members.close()


async def look(members: Members, member: SimulatedMember) -> Answer:
    (answer,) = (await members.observe([Question(declared(member), storage=True)])).values()
    return answer


def ask(settings: MemberSettings, member: SimulatedMember) -> Answer:
    """What one visit of a new command brings."""

    async def run() -> Answer:
        async with door(settings) as members:
            return await look(members, member)

    return asyncio.run(run())


def reason(answer: Answer) -> str:
    return answer.failure.reason if answer.failure else ""


def during(settings: MemberSettings, script: Callable[[Members], Awaitable[None]]) -> None:
    """Runs a script with one door, as a daemon has one."""

    async def run() -> None:
        async with door(settings) as members:
            await script(members)

    asyncio.run(run())


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    """Asks again and again, as passes do."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - each look is a request
            await asyncio.sleep(0.1)


def value(of: Secrets) -> Awaitable[bytes]:
    return of.value("default", "kurator-member2", "value")
