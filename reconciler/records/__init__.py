"""The ledger: what is recorded under `status/`, its types, its paths and its YAML; written by the reconciler alone.

`plan` makes new records from old ones, `reconcile` has `repository` commit them.
"""

from reconciler.records.files import as_object, dump, dump_ledger, load, parse_ledger
from reconciler.records.model import (
    LEDGER_PATH,
    PLURALS,
    Condition,
    Items,
    Ledger,
    Part,
    Phase,
    Record,
    Recorded,
    Run,
    Schedule,
    Texts,
    moment,
    path_of,
    run_id,
    texts_path,
    timestamp,
)
from reconciler.records.texts import dump_texts, load_texts

__all__ = [
    "LEDGER_PATH",
    "PLURALS",
    "Condition",
    "Items",
    "Ledger",
    "Part",
    "Phase",
    "Record",
    "Recorded",
    "Run",
    "Schedule",
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
