"""Kubeconfigs out of the hub's Secrets: as they are by now, with no more calls than that takes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from reconciler.errors import KubeconfigError
from reconciler.members import Members
from reconciler.members.hub import Hub
from reconciler.members.secrets import FRESH_SECONDS, Secrets
from reconciler.settings import MemberSettings
from reconciler.simulation.api.rbac import MASTERS, User
from reconciler.simulation.member import SimulatedMember
from tests.hub.asking import SECRET, ask, changed, during, look, put, reads, reason, until, value


def test_a_member_is_reached_by_its_secret(settings: MemberSettings, member: SimulatedMember) -> None:
    answer = ask(settings, member)
    assert answer.failure is None
    assert answer.locations


def test_the_hub_is_asked_once_for_what_is_asked_in_ten_seconds(
    settings: MemberSettings, stored: SimulatedMember, member: SimulatedMember
) -> None:
    counted = reads(stored)

    async def script(members: Members) -> None:
        for _ in range(5):
            assert reason(await look(members, member)) == ""

    during(settings, script)
    assert counted.hits == 1


def test_a_door_that_nobody_asks_makes_no_call_to_the_hub(settings: MemberSettings, stored: SimulatedMember) -> None:
    every = stored.faults.slow(0.0)

    async def script(members: Members) -> None:
        assert await members.observe([]) == {}
        await asyncio.sleep(0.5)

    during(settings, script)
    assert every.hits == 0


def test_credentials_that_the_member_refuses_are_fetched_anew_before_the_next_try(
    settings: MemberSettings, stored: SimulatedMember, member: SimulatedMember
) -> None:
    """Rotated while it runs: the old token ends, the Secret has another; ten seconds need not pass."""
    put(stored, changed(member, token="rotated-away"))
    counted = reads(stored)

    async def script(members: Members) -> None:
        assert reason(await look(members, member)) == "Unauthorized"
        await asyncio.to_thread(put, stored, member.kubeconfig_text)

        async def well() -> bool:
            return reason(await look(members, member)) == ""

        await until(well, seconds=5)

    during(settings, script)
    assert counted.hits == 2


def test_a_secret_that_is_rotated_is_used_within_ten_seconds(
    settings: MemberSettings, stored: SimulatedMember, member: SimulatedMember
) -> None:
    """Although the member still takes the old token."""
    member.call(lambda: member.api_server.access.add("second-token", User("second", MASTERS)))

    async def script(members: Members) -> None:
        assert reason(await look(members, member)) == ""
        await asyncio.to_thread(put, stored, changed(member, token="second-token"))
        await asyncio.to_thread(member.forbid, "get", "", "second")

        async def refused() -> bool:
            return reason(await look(members, member)) == "Forbidden"

        await until(refused, seconds=FRESH_SECONDS + 3)

    during(settings, script)


def test_a_secret_that_goes_is_used_no_more_although_it_is_known(
    stored: SimulatedMember, member: SimulatedMember
) -> None:
    async def run() -> None:
        hub = Hub(stored.kubeconfig)
        of = Secrets(hub, fresh=0.0)
        try:
            assert await value(of) == member.kubeconfig_text.encode()
            await asyncio.to_thread(stored.api.delete, SECRET)
            with pytest.raises(KubeconfigError, match="is not there"):
                await value(of)
            stored.faults.dead(resource="secrets")
            with pytest.raises(KubeconfigError, match="can't be read"):
                await value(of)
        finally:
            await hub.close()

    asyncio.run(run())


def test_a_hub_that_forbids_names_the_right_that_is_missing(
    settings: MemberSettings, stored: SimulatedMember, member: SimulatedMember
) -> None:
    stored.forbid("get", "secrets")
    answer = ask(settings, member)
    assert reason(answer) == "Forbidden"
    assert answer.failure is not None
    assert "allow the reconciler to `get` it" in answer.failure.message


def test_a_hub_that_does_not_know_us(stored: SimulatedMember, member: SimulatedMember, tmp_path: Path) -> None:
    (tmp_path / "hub").write_text(changed(stored, token="hub-token-unknown"))
    answer = ask(MemberSettings(hub=tmp_path / "hub"), member)
    assert reason(answer) == "Unauthorized"
    assert answer.failure is not None
    assert "credentials for the hub" in answer.failure.message
    assert "hub-token-unknown" not in answer.failure.message


def test_a_hub_that_is_away_is_waited_for(
    settings: MemberSettings, stored: SimulatedMember, member: SimulatedMember
) -> None:
    stored.stop_apiserver()
    answer = ask(settings, member)
    stored.start_apiserver()
    assert reason(answer) == "Unreachable"
    assert answer.failure is not None
    assert "of the hub can't be read" in answer.failure.message


def test_members_that_are_known_go_on_for_a_while_without_the_hub(
    stored: SimulatedMember, member: SimulatedMember
) -> None:
    async def run() -> None:
        hub = Hub(stored.kubeconfig)
        patient, strict = Secrets(hub, fresh=0.0), Secrets(hub, fresh=0.0, kept=0.0)
        try:
            for each in (patient, strict):
                assert await value(each) == member.kubeconfig_text.encode()
            await asyncio.to_thread(stored.stop_apiserver)
            assert await value(patient) == member.kubeconfig_text.encode()
            with pytest.raises(KubeconfigError, match="can't be read"):
                await value(strict)
            patient.forget("default", "kurator-member2")
            with pytest.raises(KubeconfigError, match="can't be read"):
                await value(patient)
        finally:
            await hub.close()
            await asyncio.to_thread(stored.start_apiserver)

    asyncio.run(run())


def test_a_hub_that_hangs_is_waited_for_once_and_not_by_every_member(stored: SimulatedMember) -> None:
    async def run() -> None:
        hub = Hub(stored.kubeconfig)
        of = Secrets(hub)
        dead = stored.faults.dead(verb="get", resource="secrets")
        try:
            with pytest.raises(KubeconfigError, match="Secret default/one of the hub can't be read"):
                await of.value("default", "one", "value")
            before = dead.hits
            with pytest.raises(KubeconfigError, match="Secret default/two of the hub can't be read"):
                await of.value("default", "two", "value")
        finally:
            await hub.close()
        assert dead.hits == before > 0

    asyncio.run(run())


def test_a_program_in_ones_own_kubeconfig_is_asked_again_when_its_token_is_refused(
    member: SimulatedMember, tmp_path: Path
) -> None:
    """Such tokens live for minutes, and the file that names the program never changes."""
    given = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    token = yaml.safe_load(member.kubeconfig_text)["users"][0]["user"]["token"]
    program, answer = tmp_path / "program", tmp_path / "answer"
    program.write_text(f"#!/bin/sh\ncat {answer}\n")
    program.chmod(0o755)
    own = tmp_path / "config"
    own.write_text(changed(member, exec={"apiVersion": given["apiVersion"], "command": str(program), "args": []}))
    answer.write_text(json.dumps(given | {"status": {"token": "expired"}}))

    async def script(members: Members) -> None:
        assert reason(await look(members, member)) == "Unauthorized"
        answer.write_text(json.dumps(given | {"status": {"token": token}}))

        async def well() -> bool:
            return reason(await look(members, member)) == ""

        await until(well, seconds=5)

    during(MemberSettings(kubeconfig=str(own)), script)
