"""Credentials that change while requests are under way cut none of them off."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from reconciler.members.connection import Connection
from reconciler.members.kubeconfig import Kubeconfig, of_secret
from reconciler.simulation.member import SimulatedMember

PATH = "/api/v1/namespaces/kube-system"


def kubeconfig_of(member: SimulatedMember) -> Kubeconfig:
    return of_secret(member.kubeconfig_text.encode(), "the test's", insecure_exec=False)


def test_a_request_under_way_ends_well_when_the_credentials_change(member: SimulatedMember) -> None:
    sound = kubeconfig_of(member)

    async def run() -> None:
        connection = Connection("m1")
        try:
            old = await connection.client(sound)
            member.faults.slow(0.5, resource="namespaces", times=1)
            under_way = asyncio.create_task(old.request("GET", PATH))
            await asyncio.sleep(0.1)
            new = await connection.client(replace(sound, fingerprint="rotated"))
            assert new is not old
            assert (await under_way)["kind"] == (await new.request("GET", PATH))["kind"] == "Namespace"
        finally:
            await connection.close()

    asyncio.run(run())


def test_one_connection_however_many_ask_at_once(member: SimulatedMember) -> None:
    sound = kubeconfig_of(member)

    async def run() -> None:
        connection = Connection("m1")
        try:
            clients = await asyncio.gather(*(connection.client(sound) for _ in range(20)))
            assert len({id(client) for client in clients}) == 1
            connection.drop()
            assert await connection.client(sound) is not clients[0]
        finally:
            await connection.close()

    asyncio.run(run())
