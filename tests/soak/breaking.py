"""How a rule of the product is broken: a function of it is replaced, in this process, for as long as that is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Final

from reconciler.plan import decide, runs
from reconciler.records import Phase

Break = Callable[[], AbstractContextManager[None]]
BREAKS: Final[dict[str, Break]] = {}
"""By what is broken: `<paragraph of design.md §4>: <rule>`."""
PARAGRAPHS: Final = (
    "record", "run id", "names", "finalizer", "before Starting", "creates", "absent", "terminal", "which clusters",
    "again", "too late", "removal", "gone", "one member",
)  # fmt: skip
"""Of §4, in its order. Each rule in them has a break, but for what people do by a command (`forget`), what concerns the
size of a record, and what no code of ours could do by mistake (delete the data of a backup)."""


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
        assert rule not in BREAKS, rule
        assert rule.partition(": ")[0] in PARAGRAPHS, rule
        BREAKS[rule] = made
        return made

    return note


def advance(change: Callable[..., Any]) -> AbstractContextManager[None]:
    """`change` gets the run, what it would become, its identity, what the files say and the answer."""
    true = runs.advance

    def other(run: Any, identity: Any, ask: Any, answer: Any, *rest: Any) -> Any:
        return change(run, true(run, identity, ask, answer, *rest), identity, ask, answer)

    return put((decide, "advance", other))


def failed(run: Any, reason: str) -> Any:
    return replace(run, phase=Phase.FAILED, reason=reason, message="a rule is broken")
