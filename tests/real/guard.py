"""Runs one command and sees to it that nothing of it outlives the process that asked for it.

Started by `processes.py`, one guard for each process of the fleet. A parent-death signal alone will not do: it is
bound to the *thread* that forked (a thread pool's thread ends long before the fleet does), and it misses
grandchildren (Velero's plugins). So this guard watches its parent *process*; the command's own parent-death signal,
bound to this program's only thread, covers the case that the guard itself is killed. It runs as a bare script and
imports the standard library alone.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(parent: int, command: list[str]) -> int:
    libc = ctypes.CDLL(None)
    guard = os.getpid()
    parent_ended = os.pidfd_open(parent)
    if os.getppid() != parent:  # it ended before we could watch it
        return 1
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphaned grandchildren become ours

    def die_with_guard() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != guard:
            os.kill(os.getpid(), signal.SIGKILL)

    child = subprocess.Popen(command, process_group=0, stdout=sys.stderr, preexec_fn=die_with_guard)
    print(child.pid, flush=True)
    child_ended = os.pidfd_open(child.pid)
    ready, _, _ = select.select([parent_ended, child_ended], [], [])
    code = child.wait() if child_ended in ready else -signal.SIGKILL
    kill_descendants()
    return code if code >= 0 else 128 - code


def kill_descendants() -> None:
    """Kill every child; what they orphan becomes our child in turn, until there are none."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while pids := children.read_text().split():
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        for pid in pids:
            with suppress(ChildProcessError):
                os.waitpid(int(pid), 0)


if __name__ == "__main__":
    # Signals meant for the parent's terminal are the parent's business: it stops the command itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
