"""Which folder of a work tree holds the users' files, from wherever in it somebody stands. Called by `validate`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reconciler.errors import NotARepository
from reconciler.repository.location import clean_path
from reconciler.repository.model import FOLDERS

_NAMED: Final = 3
"""Folders that an error names."""
_ALL: Final = ", ".join(f"{name}/" for name in FOLDERS)


def holder(named: Path | None, path: str) -> Path:
    """The folder with `fleets/` and so on: `named`, or one above it in its repository; None: where we are.

    `path` is `--path`: the folder in that repository, unless `named` leads to one by itself.
    Raises NotARepository where there is none, and says what to name; RepositoryError for a `path` that is refused.
    """
    folder = Path(os.path.abspath(named or "."))  # symlinks stay as they are: so the user knows the files
    if not folder.is_dir():
        raise NotARepository(f"{named or folder} is no folder; name one that holds {_ALL}")
    above = _up_to_the_top(folder)
    there = above[-1] / clean_path(path)
    places = ([there] if path else []) if path and named is None else [*_holders(above), *([there] if path else [])]
    for place in places:
        if _holds(place):
            return place
    looked = there if path and named is None else folder
    near = [os.path.relpath(each, above[-1]) for each in _below(above[-1])]
    hint = f" (there is {', '.join(near)})" if near else ""
    raise NotARepository(f"{looked} holds none of {_ALL}; name the folder that does, as PATH or with --path{hint}")


def _up_to_the_top(folder: Path) -> list[Path]:
    """The folder and those above it up to the top of its repository; where it lies in none, out of ours alone."""
    chain = [folder, *folder.parents]
    top = next((number for number, each in enumerate(chain) if (each / ".git").exists()), None)
    if top is None:
        top = next((number + 1 for number, each in enumerate(chain[:-1]) if each.name in FOLDERS), 0)
    return chain[: top + 1]


def _holders(above: list[Path]) -> Iterator[Path]:
    """The nearest that holds our folders; but not one that is itself within those of another."""
    found = next((each for each in above if _holds(each)), None)
    if found and found != above[0]:
        for each in above[above.index(found) + 1 :]:
            if _holds(each) and found.relative_to(each).parts[0] in FOLDERS:
                found = each
    if found:
        yield found


def _holds(folder: Path) -> bool:
    return any(os.path.lexists(folder / name) for name in FOLDERS)


def _below(top: Path) -> list[Path]:
    """Some folders not far below that hold our folders."""
    places = (each.parent for name in FOLDERS for deep in ("*", "*/*") for each in top.glob(f"{deep}/{name}"))
    return sorted({each for each in places if not each.relative_to(top).parts[0].startswith(".")})[:_NAMED]
