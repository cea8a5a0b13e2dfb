"""`python -m tests.soak [--schedules 10000] [--seed N] [--processes 2]`: schedules as random as one likes, and figures.

A process ends at its first violation, after it has printed the shortest schedule that shows it. The exit code is 1 then
and where the figures tell that too little happened.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from threading import Lock

from tests.soak.running import run, say
from tests.soak.stage import stage
from tests.soak.world import Figures

BATCH = 50
"""Schedules of one seed; what hypothesis learns of one batch serves that batch."""
ADDING = Lock()
WORDS = {
    "schedules": "schedules",
    "gates": "calls of git and of members at which a process may stop",
    "commits": "commits of people",
    "records": "commits of ours",
    "passes": "passes",
    "kills": "kills",
    "pauses": "pauses of an hour or more in the middle of a pass",
    "lost": "answers that were to get lost",
    "requests": "requests to members",
    "creates": "Velero Restores created",
    "outcomes": "of which the outcome was found in the record",
    "timers": "Schedules in the end",
    "held_back": "runs that waited for something",
    "abandoned": "runs given up with their cluster",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--part", type=int, default=-1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part >= 0:
        return _part(options.part, options.seed, options.schedules)
    return _all(options.processes, options.seed, options.schedules)


def _all(processes: int, seed: int, schedules: int) -> int:
    """Starts a process for each part, and adds up what they tell."""
    begun = time.monotonic()
    share = -(-schedules // processes)
    command = [sys.executable, "-m", "tests.soak", "--schedules", str(share), "--seed", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    parts = [
        subprocess.Popen([*command, "--part", str(part)], stdout=subprocess.PIPE, text=True, env=environment)
        for part in range(processes)
    ]
    total = Figures()
    try:
        with ThreadPoolExecutor(processes) as pool:  # so that each is heard as it speaks
            codes = list(pool.map(lambda part: _listen(part, total), parts))
    finally:
        for part in parts:
            part.kill()
    seconds = time.monotonic() - begun
    say(f"\n{seconds:.0f} s, {total.schedules / seconds:.1f} schedules a second")
    for name, words in WORDS.items():
        say(f"{getattr(total, name):>9}  {words}")
    for kind, count in sorted(total.refusals.items()):
        say(f"{count:>9}  passes that ended with {kind}")
    failed, lacking = sum(code != 0 for code in codes), total.lacking()
    say(f"{failed:>9}  violations")
    for name in lacking:
        say(f"too little happened for this to show anything: {WORDS[name]}")
    return 1 if failed or lacking else 0


def _listen(part: subprocess.Popen[str], total: Figures) -> int:
    assert part.stdout is not None
    for line in part.stdout:
        if line.startswith("{"):
            with ADDING:
                _add(total, json.loads(line))
        else:
            say(line.rstrip("\n"))
    return part.wait()


def _part(part: int, seed: int, schedules: int) -> int:
    with stage() as there:
        begun, done = time.monotonic(), 0
        while done < schedules:
            size = min(BATCH, schedules - done)
            number = (seed * 1000 + part) * 100_000 + done
            found = run(there, number, size, shrink=True)
            if found:
                say(f"seed {number}: {found.text}")
                break
            done += size
            pace = done / (time.monotonic() - begun)
            say(f"part {part}: {done} of {schedules} schedules, {pace:.1f} a second, 0 violations")
        say(json.dumps(asdict(there.figures)))
        return 1 if done < schedules else 0


def _add(total: Figures, told: dict[str, object]) -> None:
    for each in fields(Figures):
        there, more = getattr(total, each.name), told[each.name]
        if isinstance(more, dict):
            for kind, count in more.items():
                there[kind] = there.get(kind, 0) + count
        else:
            setattr(total, each.name, there + more)


if __name__ == "__main__":
    sys.exit(main())
