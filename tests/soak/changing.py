"""The changes that people make to their files."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.soak.people import BASE, CROWDS, DAILY, FIRST_MEMBERS, MEMBERS, OBJECTS, Tree, Wish

CHANGES: Final = (
    "add", "edit", "raise", "raise on all", "raise, edited", "lower", "suspend", "narrow", "rename", "delete", "break",
    "pause", "retime", "nothing",
)  # fmt: skip
FLEET_CHANGES: Final = ("grow", "shrink", "leave", "lose", "find")


def change(tree: Tree, how: str, fresh: Wish) -> Tree:
    """The tree after a commit; as it was where the change does not fit. `fresh`: the object, as it is added."""
    path = tree.place(fresh.kind, fresh.name)
    if how == "pause":
        return replace(tree, paused=not tree.paused)
    if how in FLEET_CHANGES:
        return change_fleet(tree, how)
    if path not in tree.files:
        return tree.put(path, fresh) if how in ("add", "rename", "raise") else tree
    wish = tree.wish(fresh.kind, fresh.name)
    if wish is None:
        return tree.put(path, fresh) if how in ("add", "edit") else tree
    match how:
        case "rename":
            other = fresh.path if path != fresh.path else fresh.path.replace(".yaml", "-moved.yaml")
            return tree.without(path).put(other, wish)
        case "delete":
            return tree.without(path)
        case "break":
            return tree.put(path)
    return tree.put(path, _changed(wish, how))


def _changed(wish: Wish, how: str) -> Wish:
    """A Schedule has no attempts, so what has them never becomes one."""
    match how:
        case "edit":
            return replace(wish, edited=not wish.edited)
        case "suspend":
            return replace(wish, suspended=not wish.suspended)
        case "narrow":
            return replace(wish, only="" if wish.only else FIRST_MEMBERS[wish.attempt % 2])
        case "retime" if wish.kind == "Backup" and wish.attempt == 1 and not wish.everywhere:
            return replace(wish, schedule="" if wish.schedule else DAILY)
        case "lower":
            return replace(wish, attempt=max(1, wish.attempt - 1))
        case "raise" | "raise on all" | "raise, edited" if not wish.schedule:
            edited = wish.edited != (how == "raise, edited")
            return replace(wish, attempt=wish.attempt + 1, everywhere=how == "raise on all", edited=edited)
    return wish


def change_fleet(tree: Tree, how: str) -> Tree:
    """A cluster is declared and joins, leaves the fleet, or goes from everywhere; the file is broken, or mended.

    The first member stays: every schedule needs one that all else may lead to.
    """
    match how:
        case "grow":
            missing = [name for name in MEMBERS if name not in tree.fleet][-1:]
            declared = tuple(name for name in MEMBERS if name in (*tree.declared, *missing))
            return replace(tree, declared=declared, fleet=tuple(n for n in MEMBERS if n in (*tree.fleet, *missing)))
        case "shrink" if len(tree.fleet) > 1:
            return replace(tree, fleet=tree.fleet[:-1])
        case "leave" if len(tree.declared) > 1:
            gone = tree.declared[-1]
            return replace(tree, declared=tree.declared[:-1], fleet=tuple(n for n in tree.fleet if n != gone))
    return replace(tree, lost=how == "lose")


def gather_crowd(tree: Tree, path: str) -> Tree:
    """It comes, or goes at one stroke."""
    return tree.without(path) if path in tree.files else tree.put(path, *CROWDS[path])


def mended(tree: Tree, known: tuple[str, ...]) -> Tree:
    """Without errors and pauses, with all of the clusters `known`; what names something that is gone goes, too."""
    for path in [path for path, wishes in tree.files.items() if wishes is None]:
        tree = tree.without(path)
    tree = replace(tree, paused=False, lost=False, declared=known, fleet=known)
    for name in OBJECTS:
        wish = tree.wish(OBJECTS[name].kind, name)
        if wish is not None and not tree.clusters(wish):
            tree = tree.without(tree.place(wish.kind, name))
    assert tree.wish("Backup", BASE.name)
    return tree
