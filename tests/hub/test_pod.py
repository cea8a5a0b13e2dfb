"""Our own credentials for the hub, in a pod or by a kubeconfig: as they are by now."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest
import yaml

from reconciler.errors import KubeconfigError
from reconciler.members.hub import Hub
from reconciler.members.secrets import Secrets
from reconciler.settings import MemberSettings, ServiceAccount
from reconciler.simulation.member import SimulatedMember
from tests.hub.asking import ask, changed, reason, value


@pytest.fixture
def account(stored: SimulatedMember, tmp_path: Path) -> ServiceAccount:
    """As the kubelet mounts it, with the hub's token."""
    hub = yaml.safe_load(stored.kubeconfig_text)
    authority = hub["clusters"][0]["cluster"]["certificate-authority-data"]
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(authority))
    (tmp_path / "token").write_text(hub["users"][0]["user"]["token"] + "\n")
    (tmp_path / "namespace").write_text("reconciler-system")
    return ServiceAccount(hub["clusters"][0]["cluster"]["server"], tmp_path)


def test_a_pod_needs_no_kubeconfig(account: ServiceAccount, member: SimulatedMember) -> None:
    assert reason(ask(MemberSettings(hub=account), member)) == ""


def test_the_token_of_a_pod_is_read_again_when_it_rotates(account: ServiceAccount, member: SimulatedMember) -> None:
    sound = (account.directory / "token").read_text()

    async def run() -> None:
        hub = Hub(account)
        of = Secrets(hub, fresh=0.0)
        try:
            assert await hub.namespace() == "reconciler-system"
            assert await value(of) == member.kubeconfig_text.encode()
            (account.directory / "token").write_text("rotated-away")
            with pytest.raises(KubeconfigError, match="renew our own credentials"):
                await value(of)
            (account.directory / "token").write_text(sound)
            assert await value(of) == member.kubeconfig_text.encode()
        finally:
            await hub.close()

    asyncio.run(run())


def test_a_pod_without_a_token(account: ServiceAccount, member: SimulatedMember) -> None:
    (account.directory / "token").unlink()
    answer = ask(MemberSettings(hub=account), member)
    assert reason(answer) == "KubeconfigMissing"
    assert answer.failure is not None
    assert "--hub-kubeconfig" in answer.failure.message


def test_a_program_in_the_hubs_kubeconfig_is_asked_again_when_its_token_is_refused(
    stored: SimulatedMember, member: SimulatedMember, tmp_path: Path
) -> None:
    """The hub's kubeconfig is the user's own: programs run in it as in kubectl, and their tokens end."""
    given = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    token = yaml.safe_load(stored.kubeconfig_text)["users"][0]["user"]["token"]
    program, answer = tmp_path / "program", tmp_path / "answer"
    program.write_text(f"#!/bin/sh\ncat {answer}\n")
    program.chmod(0o755)
    own = tmp_path / "config"
    own.write_text(changed(stored, exec={"apiVersion": given["apiVersion"], "command": str(program), "args": []}))
    answer.write_text(json.dumps(given | {"status": {"token": "expired"}}))

    async def run() -> None:
        hub = Hub(own)
        of = Secrets(hub)
        try:
            with pytest.raises(KubeconfigError, match="renew our own credentials"):
                await value(of)
            answer.write_text(json.dumps(given | {"status": {"token": token}}))
            assert await value(of) == member.kubeconfig_text.encode()
        finally:
            await hub.close()

    asyncio.run(run())
