"""Options are checked once, in words that name the option."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import MemberError, ReconcilerError, SettingsError
from reconciler.settings import (
    MemberSettings,
    OnceSettings,
    SyncSettings,
    parse_contexts,
    parse_refresh,
    parse_timeout,
    undeclared,
)


def test_defaults() -> None:
    assert MemberSettings() == MemberSettings(None, "", {}, False, "velero")
    assert SyncSettings() == SyncSettings("velero", False)
    assert OnceSettings() == OnceSettings(True, 1800.0)


def test_a_directory_of_kubeconfigs_stands_alone(tmp_path: Path) -> None:
    assert MemberSettings(kubeconfig_dir=tmp_path).kubeconfig_dir == tmp_path
    with pytest.raises(SettingsError, match="--kubeconfig-dir goes neither with --kubeconfig nor with --context"):
        MemberSettings(kubeconfig_dir=tmp_path, kubeconfig="config")
    with pytest.raises(SettingsError, match="choose one"):
        MemberSettings(kubeconfig_dir=tmp_path, contexts={"m1": "kind-m1"})


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_directory_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=f"{name} is no directory"):
        MemberSettings(kubeconfig_dir=tmp_path / name)


def test_contexts() -> None:
    assert parse_contexts(()) == {}
    assert parse_contexts(("m1=kind-m1", "m2=arn:aws:eks=x")) == {"m1": "kind-m1", "m2": "arn:aws:eks=x"}


@pytest.mark.parametrize("pair", ["m1", "=kind", "m1=", "=", ""])
def test_a_context_that_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(SettingsError, match="write CLUSTER=CONTEXT"):
        parse_contexts((pair,))


def test_a_cluster_with_two_contexts_is_refused() -> None:
    with pytest.raises(SettingsError, match="names m1 twice"):
        parse_contexts(("m1=a", "m1=b"))


def test_contexts_that_are_for_nothing() -> None:
    told = undeclared({"m1": "a", "kurator-membr1": "b", "x": "c"}, ["m1", "kurator-member1"])
    assert told == (
        "--context kurator-membr1=b is for nothing: no cluster kurator-membr1 is declared; "
        "did you mean kurator-member1?",
        "--context x=c is for nothing: no cluster x is declared",
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("0.5s", 0.5)]
)
def test_timeouts(text: str, seconds: float) -> None:
    assert parse_timeout(text) == seconds
    assert parse_refresh(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "30", "0s", "-1m", "1d", "soon"])
def test_a_timeout_that_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--timeout: "):
        parse_timeout(text)
    with pytest.raises(SettingsError, match="--schedule-refresh: "):
        parse_refresh(text)


def test_wrong_options_end_a_command_with_2_and_a_member_ends_none() -> None:
    assert SettingsError("x").exit_code == 2
    assert issubclass(SettingsError, ReconcilerError)
    assert MemberError("Unreachable", "x").reason == "Unreachable"
