"""`make pictures`: README's picture of a terminal, made from the true output of `reconciler demo`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "demo.svg"
WIDTH = 110


def main() -> None:
    """Runs the demo and draws its second step, the disaster and the restore."""
    command = [str(Path(sys.executable).parent / "reconciler"), "demo"]
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, legacy_windows=False)
    for line in scene(told.splitlines()):
        console.print(Text.from_ansi(line), soft_wrap=True)
    # A picture that needs no other host: the reader's own monospace font will do.
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="reconciler demo"), flags=re.DOTALL)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")
    print(f"wrote {PICTURE.relative_to(ROOT)}")


def scene(lines: list[str]) -> list[str]:
    """From the disaster to what is on the members after it."""
    plain = [Text.from_ansi(line).plain for line in lines]
    start = next(number for number, line in enumerate(plain) if line.startswith("2. "))
    end = next(number for number, line in enumerate(plain) if line.startswith("The record says"))
    return lines[start : end - 1]


if __name__ == "__main__":
    main()
