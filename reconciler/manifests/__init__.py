"""The files of users: strict YAML in, frozen resources out, and `file:line` in every error.

The only door to ruamel.yaml. `reconcile` and the commands call `read` with the files of one commit; `desired` takes
what comes out. `nodes` turns text into plain values, `kinds` tells what a document is, `wording` says in plain words
what pydantic found wrong, and `reading` puts them together under the limits.
"""

from __future__ import annotations

from reconciler.manifests.documents import Document, Manifests, Position, Problem, SourceFile
from reconciler.manifests.reading import MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, read

__all__ = [
    "MAX_FILES",
    "MAX_FILE_BYTES",
    "MAX_TOTAL_BYTES",
    "Document",
    "Manifests",
    "Position",
    "Problem",
    "SourceFile",
    "read",
]
