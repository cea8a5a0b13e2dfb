"""Each fault of a member's API server, met by the product's own client: what it may take it for, and what was done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from reconciler.errors import MemberError, Refused, Unclear, Unreachable
from reconciler.members.client import Client
from reconciler.members.kubeconfig import Kubeconfig
from reconciler.simulation.fleet import SimulatedFleet
from reconciler.simulation.member import SimulatedMember

MAPS = "/api/v1/namespaces/default/configmaps"
BODY = {"metadata": {"name": "made"}}


@pytest.fixture
def member(simulated_member: SimulatedMember) -> Iterator[SimulatedMember]:
    simulated_member.api.delete(f"{MAPS}/made")
    yield simulated_member
    simulated_member.reset()


async def opened(member: SimulatedMember) -> Client:
    return await Client.open(member.name, Kubeconfig("", None, yaml.safe_load(member.kubeconfig_text)))


def request(member: SimulatedMember, method: str, path: str, body: Any = None, times: int = 1) -> Any:
    """By the product's client, so many times over one connection; what the last one led to, raised or returned."""

    async def run() -> Any:
        client = await opened(member)
        try:
            for _ in range(times - 1):
                await client.request(method, path, body=body)
            return await client.request(method, path, body=body)
        finally:
            await client.close()

    return asyncio.run(run())


def create(member: SimulatedMember) -> Any:
    return request(member, "POST", MAPS, BODY)


def made(member: SimulatedMember) -> bool:
    """Whether it took effect: faults don't hit the rig."""
    return member.api.get(f"{MAPS}/made") is not None


def test_a_stopped_server_refuses_connections(member: SimulatedMember) -> None:
    member.stop_apiserver()
    with pytest.raises(Unreachable, match=r"can't be reached: .*refused"):
        request(member, "GET", MAPS)
    with pytest.raises(OSError, match="refused"):
        member.api.get(MAPS)
    member.start_apiserver()
    assert request(member, "GET", MAPS)["items"] == []


def test_a_paused_server_hangs_and_goes_on(member: SimulatedMember) -> None:
    member.pause_apiserver()

    async def impatient() -> None:
        client = await opened(member)
        try:
            late = asyncio.create_task(client.request("GET", MAPS))
            done, _ = await asyncio.wait({late}, timeout=0.3)
            assert not done
            await asyncio.to_thread(member.resume_apiserver)
            assert (await late)["items"] == []
        finally:
            await client.close()

    asyncio.run(impatient())


def test_a_connection_that_is_cut_at_once(member: SimulatedMember) -> None:
    member.faults.dead()
    with pytest.raises(Unclear, match="gave no answer"):
        create(member)
    assert not made(member)


def test_a_request_that_hangs_is_cut_when_it_is_cleared(member: SimulatedMember) -> None:
    member.faults.hang()

    async def run() -> MemberError:
        client = await opened(member)
        try:
            late = asyncio.create_task(client.request("POST", MAPS, body=BODY))
            await asyncio.wait({late}, timeout=0.2)
            member.faults.clear()
            with pytest.raises(Unclear) as caught:
                await late
            return caught.value
        finally:
            await client.close()

    assert "gave no answer" in str(asyncio.run(run()))
    assert not made(member)


def test_a_slow_answer(member: SimulatedMember) -> None:
    member.faults.slow(0.3)
    started = time.monotonic()
    create(member)
    assert time.monotonic() - started >= 0.3
    assert made(member)


def test_half_an_answer(member: SimulatedMember) -> None:
    member.faults.half(verb="create")
    with pytest.raises(Unclear):
        create(member)
    assert made(member)


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1, 2]", b'"text"', b""])
def test_garbage(member: SimulatedMember, body: bytes) -> None:
    member.faults.garbage(body)
    with pytest.raises(Unclear):
        create(member)
    assert not made(member)


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (400, Refused, "Rejected"),
        (401, Refused, "Unauthorized"),
        (403, Refused, "Forbidden"),
        (409, Unclear, "Conflict"),
        (429, Unclear, "ServerError"),
        (500, Unclear, "ServerError"),
        (503, Unclear, "ServerError"),
    ],
)
def test_an_error(member: SimulatedMember, code: int, kind: type[MemberError], reason: str) -> None:
    member.faults.status(code)
    with pytest.raises(kind) as caught:
        create(member)
    assert caught.value.reason == reason
    assert not made(member)


@pytest.mark.parametrize("code", [401, 403, 404, 500])
def test_an_error_that_is_no_status_proves_nothing(member: SimulatedMember, code: int) -> None:
    """As from a proxy before the server."""
    member.faults.status(code, body=b"Bad Gateway")
    with pytest.raises(Unclear, match="no answer of a Kubernetes API server"):
        create(member)


def test_a_redirect(member: SimulatedMember) -> None:
    member.faults.redirect("https://127.0.0.1:1/elsewhere")
    with pytest.raises(Unclear, match=r"redirects elsewhere \(HTTP 307\)"):
        create(member)


def test_an_answer_that_is_lost_after_the_create(member: SimulatedMember) -> None:
    fault = member.faults.lost_after("create", "configmaps")
    with pytest.raises(Unclear):
        create(member)
    assert made(member)
    assert fault.hits == 1
    assert request(member, "GET", f"{MAPS}/made")["metadata"]["name"] == "made"


def test_a_fault_hits_what_it_is_told_to(member: SimulatedMember) -> None:
    fault = member.faults.status(500, verb="list", resource="configmaps", times=2)
    create(member)
    assert request(member, "GET", "/api/v1/namespaces/nobodys/secrets")["items"] == []
    for _ in range(2):
        with pytest.raises(Unclear):
            request(member, "GET", MAPS)
    assert len(request(member, "GET", MAPS)["items"]) == 1
    assert fault.hits == 2


def test_the_other_member_is_well(member: SimulatedMember, simulated_fleet: SimulatedFleet) -> None:
    member.faults.dead()
    member.stop_apiserver()
    assert request(simulated_fleet.members[1], "GET", MAPS)["kind"] == "ConfigMapList"


def test_what_rbac_refuses(member: SimulatedMember) -> None:
    member.forbid("list", "backups")
    why = 'User "admin" cannot list resource "backups" in API group "velero.io" in the namespace "velero"'
    with pytest.raises(Refused, match=f"backups.velero.io is forbidden: {why}"):
        request(member, "GET", "/apis/velero.io/v1/namespaces/velero/backups")
    assert request(member, "GET", "/apis/velero.io/v1/namespaces/velero/restores")["items"] == []
    assert member.backups() == []
    member.allow_all()
    assert request(member, "GET", "/apis/velero.io/v1/namespaces/velero/backups")["items"] == []


def test_a_connection_survives_what_is_refused(member: SimulatedMember) -> None:
    assert request(member, "GET", MAPS, times=5)["items"] == []


def test_velero_waits_for_a_server_that_is_away(member: SimulatedMember) -> None:
    member.stop_velero()
    spec = {"includedNamespaces": ["default"], "storageLocation": "default"}
    backup = {"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "late"}, "spec": spec}
    member.api.create("/apis/velero.io/v1/namespaces/velero/backups", backup)
    member.stop_apiserver()
    member.start_velero()
    time.sleep(0.1)
    assert "status" not in member.call(lambda: member.store.find("backups.velero.io", "velero", "late"))
    member.start_apiserver()
    member.wait_phase("backups", "late", "Completed")
