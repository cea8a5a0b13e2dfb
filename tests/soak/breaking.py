"""How a rule of the product is broken: a function of it is replaced, in this process, for as long as that is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

Break = Callable[[], AbstractContextManager[None]]
BREAKS: Final[dict[str, Break]] = {}


@contextmanager
def put(*places: tuple[Any, str, Any]) -> Iterator[None]:
    """Other values for names of modules, classes or mappings."""
    before = []
    for where, name, value in places:
        is_mapping = isinstance(where, dict)
        before.append((where, name, where.get(name) if is_mapping else vars(where)[name]))
        if is_mapping:
            where[name] = value
        else:
            setattr(where, name, value)
    try:
        yield
    finally:
        for where, name, value in before:
            if isinstance(where, dict):
                where.pop(name)
            else:
                setattr(where, name, value)


def broken(rule: str) -> Callable[[Break], Break]:
    def note(made: Break) -> Break:
        BREAKS[rule] = made
        return made

    return note
