"""The demo tells the whole story, can be left at any time, and stays up when asked to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scenarios.workspace import RECONCILER

README = Path(__file__).resolve().parent.parent / "README.md"


@contextmanager
def playing(tmp_path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`reconciler demo`, in a folder of its own for temporary files, in a process group as on a terminal."""
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [RECONCILER, "demo", *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        # Started in the background of a shell without job control, the tests would hand on that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it printed up to the line with those words."""
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if words in line:
            return told
    raise AssertionError(f"{words!r} never came:\n{told}")


def interrupt(process: subprocess.Popen[str]) -> str:
    """Ctrl-C on a terminal reaches the whole group. What it printed after it."""
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    return rest


def shown_in_readme() -> list[str]:
    """What README says that commands of the demo print, progress aside."""
    chapter = README.read_text("utf-8").partition("## Try it in a minute")[2].partition("\n## ")[0]
    return re.findall(r"^\$ reconciler [^\n]*\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)


def test_it_tells_the_whole_story(tmp_path: Path) -> None:
    with playing(tmp_path) as process:
        told, _ = process.communicate(timeout=120)
    assert process.returncode == 0, told
    for words in (
        "Velero is simulated here",
        "Backup default/before-upgrade: Completed on 2 of 2 clusters",
        "Restore default/after-upgrade: Completed on 2 of 2 clusters",
        "requestedBy: Ada Asker <ada@example.org>",
        "restore default/after-upgrade: Starting on 2 of 2 clusters",
        "Restore default/inspect: Completed on 1 of 1 cluster",
        "Unreachable",
        "Restore default/again: Completed on 2 of 2 clusters",
        'deployments.apps "velero" not found',
        "kurator-member1: 0 backups, 0 restores",
        "Nothing to do: 5 objects recorded.",
    ):
        assert words in told
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
    shown = shown_in_readme()
    assert len(shown) == 2
    for block in shown:
        assert block in told, "README shows what the demo printed once, and no more"


@pytest.mark.parametrize("moment", ["1. ", "$ reconciler sync --once"])
def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path, moment: str) -> None:
    with playing(tmp_path) as process:
        read_until(process, moment)
        time.sleep(0.2)
        rest = interrupt(process)
    assert "Traceback" not in rest
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("options", "moment", "code"), [((), "1. ", 130), (("--keep",), "    cd ", 0)])
def test_sigterm_leaves_nothing_behind(tmp_path: Path, options: tuple[str, ...], moment: str, code: int) -> None:
    with playing(tmp_path, *options) as process:
        read_until(process, moment)
        time.sleep(0.2)  # a command that is only just being started is no part of what can be ended
        process.terminate()
        rest, _ = process.communicate(timeout=30)
    assert "Traceback" not in rest
    assert process.returncode == code
    assert list(tmp_path.iterdir()) == []


def test_it_stays_up_to_try_by_hand(tmp_path: Path) -> None:
    with playing(tmp_path, "--keep") as process:
        told = read_until(process, "    cd ")
        (kubeconfig,) = re.findall(r"KUBECONFIG=(\S+)", told)
        (clone,) = re.findall(r"    cd (\S+)", told)
        listed = subprocess.run(
            [RECONCILER, "sync", "--once"],
            cwd=clone,
            env=os.environ | {"KUBECONFIG": kubeconfig},
            capture_output=True,
            text=True,
        )
        assert listed.returncode == 0, listed.stderr
        rest = interrupt(process)
    assert process.returncode == 0
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []
