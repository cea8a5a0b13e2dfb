"""What can be told of the image without building it: everything is pinned, and what is copied is there."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
IGNORED = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().split()
LOCKS = {"requirements.lock": PROJECT["project"]["dependencies"], "build.lock": PROJECT["build-system"]["requires"]}
LOCKED = re.compile(r"^([a-z0-9][-a-z0-9]*)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def locked(name: str) -> dict[str, str]:
    """Name → version; every line of the file is one of these."""
    text = (ROOT / "deploy" / name).read_text()
    found = LOCKED.findall(text)
    rest = LOCKED.sub("", text).split("\n", 1)
    assert rest[0].startswith("# Made by `make lock` ")
    assert not rest[1].strip(), rest[1]
    return {name: version for name, version, _ in found}


def instructions() -> list[str]:
    """Without comments, those over several lines as one."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)
    return [line for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line]


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_is_what_pyproject_asks_for(name: str) -> None:
    """A dependency that is new, or raised, needs `make lock`."""
    versions = locked(name)
    for requirement in map(Requirement, LOCKS[name]):
        found = versions.get(canonicalize_name(requirement.name))
        assert found, f"{requirement} is not in deploy/{name}: make lock"
        assert requirement.specifier.contains(found), f"deploy/{name} has {requirement.name} {found}: make lock"


def test_the_lock_is_complete() -> None:
    """Of all that is locked, what it needs itself (by its metadata here) is locked, too."""
    from importlib.metadata import PackageNotFoundError, requires

    versions = locked("requirements.lock")
    looked_at = 0
    for name in versions:
        try:
            needed = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:  # locked anew, and not installed here yet
            continue
        looked_at += 1
        for requirement in needed:
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in versions, f"{name} needs {requirement}: make lock"
    assert looked_at > len(versions) / 2


def test_the_base_is_one_exact_version() -> None:
    """Both stages have it, and the packages that are locked for it are for that Python."""
    (base,) = re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    assert [line.split()[1] for line in instructions() if line.startswith("FROM ")] == ["${PYTHON}", "${PYTHON}"]
    minor = ".".join(base.removeprefix("python:").split(".")[:2])
    for name in LOCKS:
        assert f"for Python {minor} on" in (ROOT / "deploy" / name).read_text().splitlines()[0]
    assert int(minor.split(".")[1]) >= int(PROJECT["project"]["requires-python"].removeprefix(">=3."))
    assert sys.version_info >= (3, 11)
    assert "latest" not in DOCKERFILE


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copies = [line.split()[1:-1] for line in instructions() if line.startswith("COPY ") and "--from" not in line]
    sources = {source for each in copies for source in each}
    assert {"reconciler", "pyproject.toml", "deploy/requirements.lock"} <= sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in IGNORED, f"{source} is not sent to the builder"
    assert IGNORED[0] == "*", "what is not named is not sent: no .git, no kubeconfig"
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {*wheel, PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    assert needed <= sources, "the wheel is built of these"


def test_only_what_is_locked_is_installed() -> None:
    installs = [part for line in instructions() for part in line.split("&&") if "pip" in part and " install " in part]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or {"--no-index", "--no-deps"} <= set(install.split()), install


def test_each_package_of_debian_is_one_exact_version() -> None:
    """Of the release that the base is of, which names itself in a version that had a security update."""
    args = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE))
    (install,) = [part for line in instructions() for part in line.split("&&") if "apt-get install" in part]
    packages = [word.strip('"') for word in install.split()[2:] if not word.startswith("--")]
    assert {package.partition("=")[0] for package in packages} == {"ca-certificates", "git", "openssh-client"}
    assert args["PYTHON"].split("@")[0].endswith("-trixie"), "which is Debian 13"
    for package in packages:
        version = re.fullmatch(r"[a-z-]+=\$\{([A-Z_]+)\}", package)
        assert version, package
        assert re.fullmatch(r"(\d+:)?\d[\w.+~-]*\+deb13u\d+", args[version[1]]), package


def test_it_runs_as_nobody_in_particular_and_without_a_shell() -> None:
    last = instructions()[max(i for i, line in enumerate(instructions()) if line.startswith("FROM ")) :]
    assert "USER 65532:65532" in last
    assert last[-1] == 'ENTRYPOINT ["reconciler"]'
    assert not [line for line in last[last.index("USER 65532:65532") :] if line.startswith(("RUN", "COPY", "ADD"))]


def test_the_chart_is_of_this_version() -> None:
    chart = (ROOT / "deploy" / "reconciler" / "Chart.yaml").read_text()
    assert f"\nappVersion: {PROJECT['project']['version']}\n" in chart
