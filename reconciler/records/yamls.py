"""YAML of records. libyaml by PyYAML does the work: records of 1,000 clusters are read at every pass."""

from __future__ import annotations

from typing import Any, Final

import yaml

from reconciler.errors import RecordError

HEADER: Final = "# Written by reconciler. Do not edit: this is the record of what ran.\n"


class _Loader(yaml.CSafeLoader):
    """libyaml, with every timestamp left as the text it is."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.CSafeDumper):
    """libyaml, without anchors for values that occur twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def load_yaml(path: str, content: bytes) -> Any:
    """The data in a file under `status/`. Raises RecordError."""
    try:
        return yaml.load(content, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise RecordError(f"{path}: not YAML ({error}); restore the file from git") from error


def dump_yaml(data: Any) -> bytes:
    """A file under `status/`, the same bytes for the same data."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 16)
    return (HEADER + text).encode()
