"""A kubeconfig of the user's own that can't be used: which file, what is wrong with it, and nothing that is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import KubeconfigError
from reconciler.members.kubeconfig import own_file

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
