"""The file beside a record that holds Velero's own words about one run, and the names of what came back."""

from __future__ import annotations

from typing import Any

from reconciler.records.model import Texts
from reconciler.records.yamls import dump_yaml, load_yaml


def dump_texts(texts: Texts) -> bytes:
    """The file of one run's texts."""
    data: dict[str, Any] = {
        name: [{"in": where, "text": text} for where, text in lines]
        for name, lines in (("errors", texts.errors), ("warnings", texts.warnings))
        if lines
    }
    data |= {"items": {what: list(names) for what, names in texts.names.items() if names}} if texts.names else {}
    return dump_yaml(data | ({"note": texts.note} if texts.note else {}))


def load_texts(content: bytes) -> Texts:
    """The texts from their file; the counts, or why there are none, stand in the record."""
    data = load_yaml("texts", content) or {}

    def lines(name: str) -> tuple[tuple[str, str], ...]:
        return tuple((str(item["in"]), str(item["text"])) for item in data.get(name, ()))

    names = {str(what): tuple(map(str, found)) for what, found in (data.get("items") or {}).items()}
    return Texts(lines("errors"), lines("warnings"), str(data.get("note", "")), names=names)
