"""Two writers push at once (Flux image-automation #365): twelve here; nothing is lost, nothing forced."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.builders import Work
from tests.servers.https import Https
from tests.servers.writers import SECONDS, Landed, verify, writers


@pytest.mark.case("two-writers")
def test_twelve_writers_on_one_branch_lose_and_force_nothing(server: Https, bare: Work, tmp_path: Path) -> None:
    landed = writers(server.url(), server.access(tmp_path / "access"), server.human(), tmp_path / "writers", SECONDS)
    print(landed)
    verify(landed, bare)
    assert len(landed.humans) >= 6
    assert len(landed.own) >= 6


def test_a_lost_commit_and_a_forced_push_are_found(bare: Work) -> None:
    first, second = bare.head("main^"), bare.head("main")
    landed = Landed((first,), (second,), (0.1,), 1)
    bare.git("update-ref", "refs/heads/main", first)
    with pytest.raises(AssertionError, match="1 commits that landed"):
        verify(landed, bare)
    bare.git("update-ref", "refs/heads/main", second)
    with pytest.raises(AssertionError, match="main went back"):
        verify(landed, bare)
