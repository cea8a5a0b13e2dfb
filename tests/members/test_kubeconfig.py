"""A kubeconfig of the user's own that can't be used: which file, what is wrong with it, and nothing that is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import KubeconfigError
from reconciler.members.kubeconfig import find, own_file
from reconciler.settings import MemberSettings
from tests.plan import builders as b

SECRET = "hunter2"
SOUND = "clusters: [{name: x, cluster: {server: 'https://127.0.0.1:9'}}]\ncontexts: []\nusers: []\n"
WRONG = {
    f"root:x:0:0:{SECRET}\n": "it is no mapping with clusters and contexts",
    f"- {SECRET}\n": "it is no mapping with clusters and contexts",
    "": "it is empty",
    f"token: [{SECRET}": "it is no YAML",
    f"clusters: {SECRET}": "its `clusters` are no list of entries with a name",
    f"clusters: [{SECRET}]": "its `clusters` are no list of entries with a name",
}


@pytest.mark.parametrize("content", WRONG)
def test_what_is_wrong_is_said_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "sound").write_text(SOUND)
    (tmp_path / "wrong").write_text(content)
    with pytest.raises(KubeconfigError) as caught:
        own_file(f"{tmp_path}/sound:{tmp_path}/wrong", None)
    assert caught.value.reason == "InvalidKubeconfig"
    assert str(caught.value) == (
        f"{tmp_path}/wrong is no kubeconfig: {WRONG[content]}; mend it, or name another with --kubeconfig"
    )
    assert SECRET not in str(caught.value)


def test_a_place_that_can_not_even_be_looked_at_is_one_members_trouble(tmp_path: Path) -> None:
    """A folder that may not be entered, a file system that is gone: here a name that no file system takes."""
    nowhere = tmp_path / ("x" * 300)
    with pytest.raises(KubeconfigError) as caught:
        find(replace(b.member(b.M1), secret=nowhere.name), MemberSettings(kubeconfig_dir=tmp_path))
    assert caught.value.reason == "SecretMissing"
    with pytest.raises(KubeconfigError) as caught:
        own_file(str(nowhere), None)
    assert caught.value.reason == "KubeconfigMissing"
