"""Where kubeconfigs come from: what the options say, what a pod finds, and what excludes each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.plan.shards import Shard
from reconciler.settings import MemberSettings, ServiceAccount, default_hub, parse_shard, service_account

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    (tmp_path / "token").touch()
    return tmp_path


def test_a_hub_stands_alone(mounted: Path) -> None:
    file = mounted / "token"
    assert MemberSettings(hub=file).hub == file
    for other in (
        MemberSettings(kubeconfig_dir=mounted),
        MemberSettings(kubeconfig="config"),
        MemberSettings(contexts={"m1": "kind-m1"}),
    ):
        with pytest.raises(SettingsError, match=r"--hub-kubeconfig goes with none of .*; choose one"):
            MemberSettings(other.kubeconfig_dir, other.kubeconfig, other.contexts, hub=file)


def test_a_hub_without_its_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--hub-kubeconfig .*missing is no file"):
        MemberSettings(hub=tmp_path / "missing")


def test_a_pod_is_known_by_its_environment_and_its_token(mounted: Path, tmp_path: Path) -> None:
    assert service_account(POD, mounted) == ServiceAccount("https://10.0.0.1:443", mounted)
    six = POD | {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert service_account(six, mounted) == ServiceAccount("https://[fd00::1]:443", mounted)
    assert service_account({}, mounted) is None
    assert service_account(POD | {"KUBERNETES_SERVICE_PORT": ""}, mounted) is None
    assert service_account(POD, tmp_path / "missing") is None


def test_the_default_in_a_pod_is_the_hub_and_elsewhere_ones_own_file(mounted: Path) -> None:
    assert default_hub(MemberSettings(), POD, mounted).hub == ServiceAccount("https://10.0.0.1:443", mounted)
    assert default_hub(MemberSettings(), {}, mounted) == MemberSettings()


def test_whoever_says_how_members_are_reached_is_obeyed_in_a_pod_too(mounted: Path) -> None:
    """A CI job runs in a pod as well, with a kubeconfig of its own."""
    for said in (
        MemberSettings(kubeconfig_dir=mounted),
        MemberSettings(kubeconfig="config"),
        MemberSettings(contexts={"m1": "kind-m1"}),
        MemberSettings(hub=mounted / "token"),
    ):
        assert default_hub(said, POD, mounted) == said
    assert default_hub(MemberSettings(), POD | {"KUBECONFIG": "config"}, mounted) == MemberSettings()


def test_shards() -> None:
    assert parse_shard("2/3") == Shard(2, 3)
    with pytest.raises(SettingsError, match="--shard: '4/3' is no shard; write I/N"):
        parse_shard("4/3")
