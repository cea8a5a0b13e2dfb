"""Builds the fleet's binaries from pinned Go modules, once, into a cache folder outside the checkout.

Called by `fleet.py` when a fleet starts, and as `python -m tests.real.build` to get the ten minutes of compiling
over with. Each binary has a folder of its own, named by a hash of its module's files and of how it is built;
Velero's plugin folder is one of them.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).with_name("modules")
GO_NEEDED = (1, 26)
KUBERNETES_VERSION = "v1.36.3"
VELERO_VERSION = "v1.18.3"
HELM_VERSION = "v4.3.1"
FLAGS = ("-mod=readonly", "-trimpath")

Say = Callable[[str], None]


class BuildError(Exception):
    """A binary cannot be built; the text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one binary is built, and about how many seconds it takes on two cores with nothing cached."""

    name: str
    module: str
    package: str
    seconds: int
    variables: tuple[str, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        ldflags = " ".join(("-s -w", *(f"-X {variable}" for variable in self.variables)))
        return ("go", "build", *FLAGS, "-ldflags", ldflags)

    @property
    def key(self) -> str:
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum", "tools.go"):
            digest.update((MODULES / self.module / name).read_bytes() + b"\0")
        digest.update("\0".join((*self.command, self.package, sys.platform, platform.machine())).encode())
        return digest.hexdigest()[:16]


KUBERNETES_VARIABLES = (
    f"k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}",
    "k8s.io/component-base/version.gitMajor=1",
    "k8s.io/component-base/version.gitMinor=36",
)
ETCD = Recipe("etcd", "etcd", "go.etcd.io/etcd/server/v3", 40)
VERSITYGW = Recipe("versitygw", "versitygw", "github.com/versity/versitygw/cmd/versitygw", 50)
KUBE_APISERVER = Recipe(
    "kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", 220, KUBERNETES_VARIABLES
)
KUBE_CONTROLLER_MANAGER = Recipe(
    "kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", 50, KUBERNETES_VARIABLES
)
VELERO = Recipe(
    "velero",
    "velero",
    "github.com/vmware-tanzu/velero/cmd/velero",
    170,
    (
        f"github.com/vmware-tanzu/velero/pkg/buildinfo.Version={VELERO_VERSION}",
        # Two servers on one host would both take port 8080, for which Velero has no flag.
        "sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress=0",
    ),
)
VELERO_PLUGIN = Recipe(
    "velero-plugin-for-aws",
    "velero-plugin-for-aws",
    "github.com/vmware-tanzu/velero-plugin-for-aws/velero-plugin-for-aws",
    100,
)
HELM = Recipe(
    "helm", "helm", "helm.sh/helm/v4/cmd/helm", 150, (f"helm.sh/helm/v4/internal/version.version={HELM_VERSION}",)
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where each binary lies."""

    etcd: Path
    versitygw: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    velero: Path
    velero_plugin: Path


def build_all(say: Say = print) -> Binaries:
    """Build what is not in the cache yet and return where everything lies. `say` hears about real builds only."""
    return Binaries(
        etcd=given(ETCD) or build(ETCD, say),
        versitygw=build(VERSITYGW, say),
        kube_apiserver=given(KUBE_APISERVER) or build(KUBE_APISERVER, say),
        kube_controller_manager=build(KUBE_CONTROLLER_MANAGER, say),
        velero=build(VELERO, say),
        velero_plugin=build(VELERO_PLUGIN, say),
    )


def build_helm(say: Say = print) -> Path:
    """The command that renders the chart of `deploy/`; no part of a fleet."""
    return build(HELM, say)


def given(recipe: Recipe) -> Path | None:
    """The binary in KUBEBUILDER_ASSETS, where the user has set that."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        return None
    binary = Path(assets).absolute() / recipe.name
    if not os.access(binary, os.X_OK):
        raise BuildError(f"KUBEBUILDER_ASSETS is {assets}, where there is no program {recipe.name}; unset it.")
    return binary


def build(recipe: Recipe, say: Say) -> Path:
    binary = cache_folder() / f"{recipe.name}-{recipe.key}" / recipe.name
    if binary.exists():
        return binary
    with only_builder(say):
        if not binary.exists():  # another process may have built it while we waited
            check_go()
            build_into(binary, recipe, say)
    return binary


def cache_folder() -> Path:
    chosen = os.environ.get("FLEET_RESTORE_CACHE")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").absolute() / "fleet-restore"


@contextmanager
def only_builder(say: Say) -> Iterator[None]:
    """Hold the cache's lock; the system lets go of it however this process ends."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check_go() -> None:
    needed = ".".join(map(str, GO_NEEDED))
    advice = f"Install Go {needed} or newer and put its `go` on the PATH"
    try:
        # Asked in a module's folder, where a Go that may fetch a newer toolchain names that one.
        answer = subprocess.run(
            ["go", "env", "GOVERSION"], cwd=MODULES / "etcd", env=go_environment(), capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise BuildError(f"The real fleet is built with Go, and no `go` was found. {advice}.") from error
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    if found is None:
        raise BuildError(f"`go env GOVERSION` said {(answer.stdout + answer.stderr).strip()!r}. {advice}.")
    if (int(found[1]), int(found[2])) < GO_NEEDED:
        raise BuildError(f"The real fleet needs Go {needed}, and `go` is {answer.stdout.strip()}. {advice}.")


def build_into(binary: Path, recipe: Recipe, say: Say) -> None:
    """Build in a folder beside the right one and rename that, so that a folder of the right name is always whole."""
    for left_behind in cache_folder().glob("building-*"):  # by a build that was killed: we hold the lock
        shutil.rmtree(left_behind)
    say(f"building {recipe.name} (about {recipe.seconds} s on two cores, once) ...")
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="building-", dir=cache_folder()))
    try:
        run_go((*recipe.command, "-o", str(folder / recipe.name), recipe.package), recipe)
        folder.chmod(0o755)
        folder.rename(binary.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say(f"built {recipe.name} in {time.monotonic() - started:.0f} s")


def run_go(command: tuple[str, ...], recipe: Recipe) -> None:
    answer = subprocess.run(command, cwd=MODULES / recipe.module, env=go_environment(), capture_output=True, text=True)
    if answer.returncode != 0:
        raise BuildError(
            f"Building {recipe.name} failed. Look at your Go proxy (`go env GOPROXY`), where its modules come from, "
            "and at the space on the disk; then build again, it goes on from here. "
            f"What go said last:\n{answer.stderr[-3000:]}"
        )


def go_environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}


def main() -> int:
    try:
        build_all(lambda line: print(line, flush=True))
        build_helm(lambda line: print(line, flush=True))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
