"""What `validate` found."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from reconciler.desired import Desired
from reconciler.manifests import Problem
from reconciler.output.console import err, out


def findings(desired: Desired, unsupported: tuple[Problem, ...]) -> None:
    """Problems on stdout, a line each; notes on stderr; a summary last."""
    for note in desired.notes:
        err().print(f"note: {note}")
    for problem in unsupported:
        err().print(Text(f"note: {problem}", style="yellow"))
    for problem in desired.problems:
        out().print(Text(str(problem), style="red"))
    kinds = Counter(identity.kind for identity in desired.wanted)
    counts = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(kinds.items()))
    if desired.problems:
        out().print(f"{len(desired.problems)} problem{'s' if len(desired.problems) > 1 else ''}.")
    else:
        out().print(Text(f"Valid: {counts or 'no Backup or Restore'}.", style="green"))
