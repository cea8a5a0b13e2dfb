"""`python -m tests.soak.mutants [WORD …]`: breaks each rule on purpose and prints after how many schedules it shows.

A rule is named after its paragraph of design.md §4 (`breaking.PARAGRAPHS`), so that the names are the table of them.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.soak import broken_asking, broken_following, broken_leaving, broken_record, broken_starting
from tests.soak.breaking import BREAKS
from tests.soak.running import run, say
from tests.soak.stage import stage

BATCH = 25
CRASHED = "a pass ended by"
"""How it is told that the product fell over, which is no rule that was seen to be broken."""
RULES = (broken_record, broken_starting, broken_following, broken_asking, broken_leaving)
"""They fill `BREAKS`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only rules in which one of these occurs")
    parser.add_argument("--schedules", type=int, default=1000, help="so many for each, at most")
    parser.add_argument("--seconds", type=float, default=600.0, help="so long for each, at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wanted = [rule for rule in BREAKS if not options.words or any(word in rule for word in options.words)]
    missed = [rule for rule in wanted if not _found(rule, options.schedules, options.seconds, options.seed)]
    say(f"\n{len(wanted) - len(missed)} of {len(wanted)} broken rules were found")
    return 1 if missed else 0


def _found(rule: str, schedules: int, seconds: float, seed: int) -> bool:
    with stage() as there:
        there.prepare()  # what all schedules begin with is made by the rules as they are
        begun, batch = time.monotonic(), 0
        while there.figures.schedules < schedules and time.monotonic() - begun < seconds:
            number, batch = seed * 100_000 + batch, batch + 1
            with BREAKS[rule]():
                found = run(there, number, BATCH, shrink=False)
            if found and found.line.startswith(CRASHED):
                say(f"   the break itself is broken: {rule}\n        {found.line[:300]}")
                return False
            schedule = there.figures.schedules
            if found and run(there, number, BATCH, shrink=False) is None:  # by the rule that is broken, and by no other
                say(f"{schedule:>6}  {rule}\n        {found.line[:300]}")
                return True
        say(f"   not found in {there.figures.schedules} schedules: {rule}")
        return False


if __name__ == "__main__":
    sys.exit(main())
