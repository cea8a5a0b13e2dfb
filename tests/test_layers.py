"""What may be imported where (design §2): doors to the outside, purity, small files. Read from the sources by `ast`."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
MODULES = sorted((TOP / "reconciler").rglob("*.py"))
TESTS = sorted((TOP / "tests").rglob("*.py"))

# The packages of others, and where alone each is imported (a module, or a package and all below it).
DOORS = {
    "git": ["reconciler.repository"],
    "kubernetes": ["reconciler.members"],
    "aiohttp": ["reconciler.members", "reconciler.simulation", "reconciler.telemetry.server"],
    "apprise": ["reconciler.telemetry.notifier"],
    "prometheus_client": ["reconciler.telemetry.metrics"],
    "structlog": ["reconciler.telemetry.logs"],
    "watchfiles": ["reconciler.wake"],
    "ruamel": ["reconciler.manifests"],
    "click": ["reconciler.cli"],
    "rich": ["reconciler.output"],
    "yaml": ["reconciler.records", "reconciler.members.kubeconfig", "reconciler.output", "reconciler.simulation"],
    "cronsim": ["reconciler.cron"],
    "cryptography": ["reconciler.simulation.certificates"],
    "pydantic": ["reconciler.resources", "reconciler.names", "reconciler.manifests"],
    "pydantic_core": ["reconciler.manifests"],
}
PURE = [
    "reconciler.plan",
    "reconciler.velero",
    "reconciler.desired",
    "reconciler.resources",
    "reconciler.names",
    "reconciler.cron",
    "reconciler.durations",
    "reconciler.schema",
]
OUTSIDE = (
    "os subprocess socket asyncio pathlib time random secrets requests urllib http threading tempfile shutil io sys"
)
OUR_OUTSIDE = [
    "repository",
    "members",
    "hub",
    "output",
    "telemetry",
    "cli",
    "reconcile",
    "once",
    "gather",
    "initialise",
    "forget",
    "validate",
]
FORBIDDEN = {
    "reconciler.members": ["reconciler.repository", "reconciler.output", "reconciler.cli", "reconciler.hub"],
    "reconciler.hub": ["reconciler.repository", "reconciler.output", "reconciler.cli"],
    "reconciler.output": ["reconciler.repository", "reconciler.members", "reconciler.cli"],
    "reconciler.telemetry": ["reconciler.repository", "reconciler.members", "reconciler.output", "reconciler.cli"],
    "reconciler.records": ["reconciler.plan", "reconciler.velero", "reconciler.repository", "reconciler.members"],
    "reconciler.simulation": [f"reconciler.{name}" for name in OUR_OUTSIDE],
    **{pure: [f"reconciler.{name}" for name in OUR_OUTSIDE] for pure in PURE},
}


def named(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(TOP).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports(path: Path) -> set[str]:
    """Everything that a module imports, anywhere in it, as dotted names; `from a import b` gives `a.b`."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def inside(name: str, *places: str) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def below(*places: str) -> list[Path]:
    return [path for path in MODULES if inside(named(path), *places)]


each_module = pytest.mark.parametrize("path", MODULES, ids=named)


@each_module
def test_the_packages_of_others_are_imported_behind_their_door(path: Path) -> None:
    for name in imports(path):
        doors = DOORS.get(name.partition(".")[0])
        assert doors is None or inside(named(path), *doors), f"{named(path)} imports {name}"


@each_module
def test_every_package_of_others_has_a_door(path: Path) -> None:
    known = {*DOORS, *sys.stdlib_module_names, "reconciler"}
    assert {name.partition(".")[0] for name in imports(path)} <= known


def test_the_doors_are_used() -> None:
    """A door that nothing goes through has moved, and the rule would guard nothing."""
    for package, doors in DOORS.items():
        for door in doors:
            if (package, door) not in {("pydantic", "reconciler.manifests"), ("pydantic_core", "reconciler.manifests")}:
                assert any(inside(name, package) for path in below(door) for name in imports(path)), (package, door)


@pytest.mark.parametrize("path", below(*PURE), ids=named)
def test_the_pure_core_touches_nothing_outside(path: Path) -> None:
    assert not {name for name in imports(path) if inside(name, *OUTSIDE.split())}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("now", "utcnow", "today"), f"line {node.lineno}: time comes in as `now`"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("open", "print", "input", "__import__", "exec", "eval"), f"line {node.lineno}"


@pytest.mark.parametrize(
    ("path", "banned"),
    [(path, tuple(banned)) for place, banned in FORBIDDEN.items() for path in below(place)],
    ids=lambda value: named(value) if isinstance(value, Path) else "",
)
def test_layers_look_down_only(path: Path, banned: tuple[str, ...]) -> None:
    assert not {name for name in imports(path) if inside(name, *banned)}


@pytest.mark.parametrize("path", below("reconciler.repository"), ids=named)
def test_the_git_door_knows_nothing_of_ours_but_the_errors(path: Path) -> None:
    ours = {name for name in imports(path) if inside(name, "reconciler")}
    assert not {name for name in ours if not inside(name, "reconciler.repository", "reconciler.errors")}


def test_only_the_command_line_imports_the_command_line() -> None:
    others = [path for path in MODULES if not inside(named(path), "reconciler.cli")]
    assert not [named(path) for path in others if any(inside(name, "reconciler.cli") for name in imports(path))]


# ---------------------------------------------------------------- small files with a reason


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=named)
def test_every_module_is_small_and_says_why_it_is_there(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not text or ast.get_docstring(tree(path)), f"{named(path)} has no docstring"
    assert len(text.splitlines()) <= 300, f"{named(path)}: split it by meaning"


@each_module
def test_modules_are_not_empty_and_none_is_called_utils(path: Path) -> None:
    assert ast.get_docstring(tree(path))
    assert path.stem not in ("utils", "helpers", "common", "misc")


def test_a_pass_is_read_from_top_to_bottom_on_three_screens() -> None:
    assert len((TOP / "reconciler" / "reconcile.py").read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=named)
def test_nothing_is_patched(path: Path) -> None:
    assert not {name for name in imports(path) if inside(name, "unittest.mock", "mock", "pytest_mock")}


# ---------------------------------------------------------------- a command starts at once


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has after a statement."""
    code = f"{statement}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_line_imports_nothing_that_is_slow() -> None:
    loaded = loaded_by("import reconciler.cli")
    assert "click" in loaded
    assert not loaded & {"kubernetes", "pydantic", "git", "rich", "ruamel", "yaml", "aiohttp"}


@pytest.mark.parametrize("module", ["reconciler.plan.decide", "reconciler.gather", "reconciler.reconcile"])
def test_kubernetes_is_not_imported_before_a_member_is_opened(module: str) -> None:
    assert not loaded_by(f"import {module}") & {"kubernetes", "aiohttp", "rich"}


def test_the_members_door_opens_without_the_client_of_kubernetes() -> None:
    assert "kubernetes" not in loaded_by("import reconciler.members")
