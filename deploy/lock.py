"""Writes the image's lock files from pyproject.toml: what is newest now, with the hash of every wheel that may be used.

Run it by `make lock`, with the minor version of Python that the Dockerfile has: pip judges markers by its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent
PROJECT = DEPLOY.parent
MACHINES = ("x86_64", "aarch64")
PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")


def python_of_image() -> str:
    """`3.11`, of the Dockerfile's base image."""
    found = re.search(r"^ARG PYTHON=python:(\d+\.\d+)\.", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("lock: the Dockerfile has no ARG PYTHON=python:X.Y.Z-…")
    return found[1]


def resolved(requirements: Iterable[str], python: str, machine: str) -> dict[str, tuple[str, str]]:
    """Name → version and SHA-256 of the one wheel that fits that machine, for all that is needed."""
    abi = f"cp{python.replace('.', '')}"
    platforms = [option for platform in PLATFORMS for option in ("--platform", f"{platform}_{machine}")]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--only-binary", ":all:", "--target", folder, "--python-version", python, "--implementation", "cp"]
        command += ["--abi", abi, "--abi", "abi3", "--abi", "none", *platforms, "--report", str(report)]
        subprocess.run([*command, *requirements], check=True)
        found = json.loads(report.read_text())["install"]
    return {
        re.sub(r"[-_.]+", "-", each["metadata"]["name"]).lower(): (
            each["metadata"]["version"],
            each["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for each in found
    }


def lock(requirements: Iterable[str], python: str) -> str:
    """A requirements file with hashes, for all machines."""
    wanted = [requirement.replace(" ", "") for requirement in requirements]
    versions: dict[str, set[str]] = defaultdict(set)
    hashes: dict[str, set[str]] = defaultdict(set)
    for machine in MACHINES:
        for name, (version, digest) in resolved(wanted, python, machine).items():
            versions[name].add(version)
            hashes[name].add(digest)
    lines = [f"# Made by `make lock` for Python {python} on {' and '.join(MACHINES)}. Do not edit."]
    for name in sorted(versions):
        if len(versions[name]) != 1:
            raise SystemExit(f"lock: {name} has not the same newest version on all machines: {versions[name]}")
        lines.append(f"{name}=={versions[name].pop()}")
        lines[-1] += "".join(f" \\\n    --hash=sha256:{digest}" for digest in sorted(hashes[name]))
    return "\n".join(lines) + "\n"


def main() -> None:
    python = python_of_image()
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python != running:
        raise SystemExit(f"lock: the image has Python {python}, this is {running}; run it with that one")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    (DEPLOY / "requirements.lock").write_text(lock(project["project"]["dependencies"], python))
    (DEPLOY / "build.lock").write_text(lock(project["build-system"]["requires"], python))


if __name__ == "__main__":
    main()
