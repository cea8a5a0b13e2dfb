"""Credentials that change while requests are under way cut none of them off."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from reconciler.errors import KubeconfigError
from reconciler.members import connection
from reconciler.members.connection import Connection
from reconciler.members.kubeconfig import Kubeconfig, of_secret
from reconciler.simulation.member import SimulatedMember

API = "client.authentication.k8s.io/v1"
PATH = "/api/v1/namespaces/kube-system"


def kubeconfig_of(member: SimulatedMember) -> Kubeconfig:
    return of_secret(member.kubeconfig_text.encode(), "the test's", insecure_exec=False)


def test_a_request_under_way_ends_well_when_the_credentials_change(member: SimulatedMember) -> None:
    sound = kubeconfig_of(member)

    async def run() -> None:
        there = Connection("m1")
        try:
            old = await there.client(sound)
            member.faults.slow(0.5, resource="namespaces", times=1)
            under_way = asyncio.create_task(old.request("GET", PATH))
            await asyncio.sleep(0.1)
            new = await there.client(replace(sound, fingerprint="rotated"))
            assert new is not old
            assert (await under_way)["kind"] == (await new.request("GET", PATH))["kind"] == "Namespace"
        finally:
            await there.close()

    asyncio.run(run())


def test_one_connection_however_many_ask_at_once(member: SimulatedMember) -> None:
    sound = kubeconfig_of(member)

    async def run() -> None:
        there = Connection("m1")
        try:
            clients = await asyncio.gather(*(there.client(sound) for _ in range(20)))
            assert len({id(client) for client in clients}) == 1
            there.drop()
            assert await there.client(sound) is not clients[0]
        finally:
            await there.close()

    asyncio.run(run())


def test_a_program_that_hangs_is_waited_for_no_longer_and_not_started_again(
    member: SimulatedMember, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that asks somebody, or a server that is away (kubectl would wait for ever)."""
    monkeypatch.setattr(connection, "OPEN_SECONDS", 0.5)
    started, go = tmp_path / "started", tmp_path / "go"
    said = json.dumps({"apiVersion": API, "kind": "ExecCredential", "status": {"token": token_of(member)}})
    script = f"echo x >> {started}; until [ -e {go} ]; do sleep 0.1; done; echo '{said}'"
    slow = with_program(member, script)

    async def run() -> None:
        there = Connection("m1")
        try:
            for _ in range(2):
                with pytest.raises(KubeconfigError, match=r"cluster m1 runs a program .* nothing for") as caught:
                    await there.client(slow)
                assert caught.value.reason == "InvalidKubeconfig"
            go.touch()
            monkeypatch.setattr(connection, "OPEN_SECONDS", 20)
            client = await there.client(slow)
            assert (await client.request("GET", PATH))["kind"] == "Namespace"
        finally:
            await there.close()

    asyncio.run(run())
    assert started.read_text() == "x\n"


def with_program(member: SimulatedMember, script: str) -> Kubeconfig:
    """The member's kubeconfig, whose token that program tells."""
    content = yaml.safe_load(member.kubeconfig_text)
    program = {"apiVersion": API, "command": "sh", "args": ["-c", script], "interactiveMode": "Never"}
    content["users"][0]["user"] = {"exec": program}
    return of_secret(yaml.safe_dump(content).encode(), "the test's", insecure_exec=True)


def token_of(member: SimulatedMember) -> str:
    return str(yaml.safe_load(member.kubeconfig_text)["users"][0]["user"]["token"])
