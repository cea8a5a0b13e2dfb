"""The ledger: what is recorded under `status/`, its types, its paths and its YAML; written by the reconciler alone.

`plan` makes new records from old ones, `reconcile` has `repository` commit them.
"""

from reconciler.records.files import as_object, dump, dump_ledger, dump_texts, load, load_texts, parse_ledger
from reconciler.records.model import (
    LEDGER_PATH,
    PLURALS,
    Condition,
    Ledger,
    Phase,
    Record,
    Recorded,
    Run,
    Texts,
    moment,
    path_of,
    run_id,
    texts_path,
    timestamp,
)

__all__ = [
    "LEDGER_PATH",
    "PLURALS",
    "Condition",
    "Ledger",
    "Phase",
    "Record",
    "Recorded",
    "Run",
    "Texts",
    "as_object",
    "dump",
    "dump_ledger",
    "dump_texts",
    "load",
    "load_texts",
    "moment",
    "parse_ledger",
    "path_of",
    "run_id",
    "texts_path",
    "timestamp",
]
