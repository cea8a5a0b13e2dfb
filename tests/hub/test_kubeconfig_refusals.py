"""What is wrong with a Secret of the hub is said; what is in it never; and it may run and read nothing here."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.settings import MemberSettings
from reconciler.simulation.member import SimulatedMember
from tests.hub.asking import SECRET, ask, changed, put, reason

EXEC = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": ["here"]}}


@pytest.mark.parametrize(
    ("kubeconfig", "key", "expected"),
    [
        ("", "value", "InvalidKubeconfig"),
        ("clusters: []", "value", "InvalidKubeconfig"),
        ("[" * 1000, "value", "InvalidKubeconfig"),
        ("x", "other", "SecretMissing"),
    ],
)
def test_what_is_wrong_with_a_secret_is_said(
    stored: SimulatedMember, member: SimulatedMember, kubeconfig: str, key: str, expected: str
) -> None:
    put(stored, kubeconfig, key)
    answer = ask(MemberSettings(hub=stored.kubeconfig), member)
    assert reason(answer) == expected
    assert answer.failure is not None
    assert "Secret default/kurator-member2 of the hub" in answer.failure.message


def test_a_secret_that_is_not_there(settings: MemberSettings, stored: SimulatedMember, member: SimulatedMember) -> None:
    stored.api.delete(SECRET)
    answer = ask(settings, member)
    assert reason(answer) == "SecretMissing"
    assert answer.failure is not None
    assert "is not there; create it" in answer.failure.message


@pytest.mark.parametrize(
    "user",
    [
        EXEC,
        {"auth-provider": {"name": "oidc"}},
        {"tokenFile": "/etc/hostname"},
        {"client-certificate": "/etc/hostname"},
    ],
    ids=lambda user: next(iter(user)),
)
@pytest.mark.case("kubeconfig", "exec", "auth-provider", "tokenFile")
def test_what_runs_programs_or_reads_files_is_refused(
    stored: SimulatedMember,
    member: SimulatedMember,
    user: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CVE-2022-24817."""
    monkeypatch.chdir(tmp_path)
    put(stored, changed(member, **user))
    answer = ask(MemberSettings(hub=stored.kubeconfig), member)
    assert reason(answer) == "KubeconfigRefused"
    assert not list(tmp_path.iterdir())


@pytest.mark.case("kubeconfig", "allowed by a word")
def test_a_program_may_be_allowed(stored: SimulatedMember, member: SimulatedMember, tmp_path: Path) -> None:
    given = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    token = yaml.safe_load(member.kubeconfig_text)["users"][0]["user"]["token"]
    program = tmp_path / "token"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(given | {'status': {'token': token}})}'\n")
    program.chmod(0o755)
    command = {"apiVersion": given["apiVersion"], "command": str(program), "args": []}
    put(stored, changed(member, exec=command))
    assert reason(ask(MemberSettings(hub=stored.kubeconfig), member)) == "KubeconfigRefused"
    assert reason(ask(MemberSettings(hub=stored.kubeconfig, insecure_exec=True), member)) == ""


@pytest.mark.case("secrets", "kubeconfig", "what is printed")
def test_no_word_of_a_secret_is_ever_told(stored: SimulatedMember, member: SimulatedMember) -> None:
    """argo-cd #12309, CVE-2025-55190: credentials in errors."""
    seeded = "s3cr3t-seed"
    for kubeconfig in (seeded, f"password: {seeded}", changed(member, token=seeded), f"a: [{seeded}", f"&{seeded} *"):
        put(stored, kubeconfig)
        answer = ask(MemberSettings(hub=stored.kubeconfig), member)
        assert answer.failure is not None
        assert seeded not in str(answer)
        assert base64.b64encode(seeded.encode()).decode() not in str(answer)
