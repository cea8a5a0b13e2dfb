"""What `validate` found."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from rich.text import Text

from reconciler.desired import Desired
from reconciler.output.console import err, out
from reconciler.output.times import next_time
from reconciler.resources import BackupSpec


def note(text: str) -> None:
    """On stderr."""
    err().print(f"note: {text}", soft_wrap=True)


def findings(desired: Desired, now: datetime) -> None:
    """Problems on stdout, a line each; notes on stderr; a summary last."""
    for each in desired.notes:
        note(each)
    for problem in desired.problems:
        out().print(Text(str(problem), style="red"))
    for identity, wanted in desired.wanted.items():
        if isinstance(wanted.spec, BackupSpec) and (following := next_time(wanted.spec.schedule, now)):
            out().print(f"{identity}: next run {following}")
    kinds = Counter(identity.kind for identity in desired.wanted)
    counts = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(kinds.items()))
    if desired.problems:
        out().print(f"{len(desired.problems)} problem{'s' if len(desired.problems) > 1 else ''}.")
    else:
        out().print(Text(f"Valid: {counts or 'no Backup or Restore'}.", style="green"))
