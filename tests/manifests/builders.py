"""Documents and short questions about them, for the tests of `manifests`."""

from __future__ import annotations

from reconciler.manifests import Manifests, SourceFile, read
from reconciler.resources import Identity

BACKUP = """\
apiVersion: backup.kurator.dev/v1alpha1
kind: Backup
metadata:
  name: nightly
spec:
  destination:
    fleet: quickstart
"""  # 7 lines; a line added to it is line 8 and belongs to `spec` where indented by two

RESTORE = """\
apiVersion: backup.kurator.dev/v1alpha1
kind: Restore
metadata:
  name: minimal
spec:
  backupName: nightly
"""

A_BACKUP = Identity("Backup", "default", "nightly")


def read_all(**files: str | bytes) -> Manifests:
    """Reads files named `<keyword>.yaml`."""
    return read(SourceFile(f"{name}.yaml", _bytes(content)) for name, content in files.items())


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def told(content: str | bytes) -> list[str]:
    """The problems of one file, without its name: `line: what; todo`."""
    return [str(problem).removeprefix("a.yaml:") for problem in read_all(a=content).problems]


def one(content: str | bytes) -> str:
    problems = told(content)
    assert len(problems) == 1, problems
    return problems[0]


def spec(line: str) -> str:
    """A Backup with one more line, the eighth, in its spec."""
    return f"{BACKUP}  {line}\n"


def anything(value: str) -> str:
    """A Backup with this in its tenth line, where any text may stand."""
    return spec(f"policy:\n    orderedResources:\n      pods: {value}")
